"""JSON Pointer (RFC 6901): how a violation says where."""

from collections.abc import Iterable

from mockchat.types import Json, JsonObject


def pointer_of(tokens: Iterable[str | int]) -> str:
    """Return the pointer through `tokens`: "" for none, "/messages/0/role" for three."""
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)


def tokens_of(pointer: str) -> tuple[str, ...]:
    """Return the unescaped tokens of `pointer`; array indices stay text."""
    if not pointer:
        return ()
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/"))


def value_at(value: Json, tokens: Iterable[str]) -> Json:
    """Return what `tokens` lead to in `value`.

    Raises:
        LookupError: Nothing is there.
    """
    for token in tokens:
        if isinstance(value, list):
            value = value[int(token) if token.isdecimal() else len(value)]
        else:
            members: JsonObject = value if isinstance(value, dict) else {}
            value = members[token]
    return value
