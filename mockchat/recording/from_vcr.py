"""Cassettes of vcrpy as exchanges, of today's version and of those before 1.0, in YAML and in JSON.

Source: vcrpy 9.4.2 from the Python package index, its `serialize.py`, `serializers/` and
`migration.py`. What only looks like a cassette of it is read where it says the same: `parsed_body`
in place of text, and the `http_interactions` of VCR for Ruby.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import yaml

from mockchat.contract.pointers import pointer_of
from mockchat.exchange import Headers
from mockchat.recording.exchanges import RecordedExchange
from mockchat.recording.imported import Note, Taken, Unimportable
from mockchat.recording.messages import Message, exchange_of
from mockchat.types import Json

_LISTS = ("interactions", "http_interactions")
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _CassetteLoader(_Loader):  # type: ignore[misc]  # which of two is known when it runs
    """A safe loader that reads the few tags which cassettes have, as the plain values in them."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Refuse merge keys: no cassette has them, and nested ones grow without end."""
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, "merge keys (<<) are not read", key.start_mark
                )


def _mapping(loader: Any, node: yaml.Node) -> Json:
    return loader.construct_mapping(node, deep=True)


def _text(loader: Any, node: yaml.Node) -> Json:
    return loader.construct_scalar(node)


def _items(loader: Any, node: yaml.Node) -> Json:
    return loader.construct_sequence(node, deep=True)


def _file(loader: Any, node: yaml.Node) -> Json:
    """Return the bytes of a file in memory, which old cassettes hold as a Python object."""
    state = loader.construct_mapping(node, deep=True).get("state") or [b""]
    return state[0]


def _set(loader: Any, node: yaml.Node) -> Json:
    """Return the one list that a frozen set was made of."""
    made = loader.construct_sequence(node, deep=True)
    return made[0] if made else []


def _pieces(loader: Any, node: yaml.Node) -> Json:
    """Return the pieces of a body that was sent by an iterator."""
    made = loader.construct_mapping(node, deep=True).get("args") or [[]]
    return made[0]


for _tag, _construct in {
    "python/str": _text,
    "python/unicode": _text,
    "python/tuple": _items,
    "python/object:vcr.request.Request": _mapping,
    "python/object/new:_io.BytesIO": _file,
    "python/object/apply:builtins.iter": _pieces,
    "python/object/apply:builtins.frozenset": _set,
    "python/object/apply:__builtin__.frozenset": _set,
}.items():
    _CassetteLoader.add_constructor(f"tag:yaml.org,2002:{_tag}", _construct)


def cassette(data: bytes) -> Json:
    """Return what the text of a YAML file says.

    Raises:
        Unimportable: It is no YAML, or has tags that no cassette has.
    """
    try:
        return yaml.load(data, Loader=_CassetteLoader)  # noqa: S506 - it is a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = "" if mark is None else f"{mark.line + 1}:{mark.column + 1}: "
        raise Unimportable(f"{place}no YAML that is read: {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        problem = str(error).partition("\n")[0]
        raise Unimportable(f"no YAML that is read: {problem}") from None
    except RecursionError:
        raise Unimportable("too many lists and mappings stand inside one another") from None


def is_cassette(value: Json) -> bool:
    """Tell whether a file's value looks like a cassette."""
    if isinstance(value, list):
        first = value[0] if value else None
        return isinstance(first, dict) and {"request", "response"} <= first.keys()
    return isinstance(value, dict) and any(isinstance(value.get(name), list) for name in _LISTS)


def vcr_exchanges(value: Json) -> Taken:
    """Return the interactions of a cassette; their places are pointers into it.

    Raises:
        Unimportable: It is no cassette, or an interaction is malformed.
    """
    if not is_cassette(value):
        raise Unimportable("no cassette: the list `interactions` is missing")
    exchanges: list[RecordedExchange] = []
    places: list[str] = []
    notes: list[Note] = []
    for place, interaction in _interactions(value):
        try:
            found = _exchange(interaction)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            problem = f"{type(error).__name__}: {error}"
            raise Unimportable(f"no cassette: {place} is malformed ({problem})") from None
        if isinstance(found, str):
            notes.append(Note(place=place, message=f"the interaction is not imported: {found}"))
        else:
            exchanges.append(found)
            places.append(place)
    return Taken(exchanges=tuple(exchanges), places=tuple(places), notes=tuple(notes))


def _interactions(value: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(value, list):
        yield from ((pointer_of((at,)), one) for at, one in enumerate(value))
        return
    name = next(name for name in _LISTS if name in value)
    yield from ((pointer_of((name, at)), one) for at, one in enumerate(value[name]))


def _exchange(interaction: Mapping[str, Json]) -> RecordedExchange | str:
    request, response = interaction["request"], interaction["response"]
    parts = urlsplit(_url(request))
    status = response["status"]["code"] if "status" in response else response["status_code"]
    return exchange_of(
        asked=Message(headers=_fields(request.get("headers")), body=_body(request)),
        answered=Message(headers=_fields(response.get("headers")), body=_body(response)),
        method=str(request["method"]).upper(),
        path=parts.path,
        query=parts.query,
        status=int(status),
        began=_began(interaction.get("recorded_at")),
    )


def _url(request: Mapping[str, Json]) -> str:
    if "uri" in request:
        return str(request["uri"])
    # Before version 1 the parts of the address stood alone; the path had the query behind it.
    return f"{request['protocol']}://{request['host']}:{request['port']}{request['path']}"


def _body(message: Mapping[str, Json]) -> bytes:
    if "parsed_body" in message:
        return json.dumps(message["parsed_body"], ensure_ascii=False).encode()
    body = message.get("body", message.get("content"))
    if isinstance(body, dict):
        if "base64_string" in body:
            return _decoded(body["base64_string"])
        body = body.get("string")
    if isinstance(body, list):
        return b"".join(map(_bytes, body))
    return b"" if body is None else _bytes(body)


def _bytes(value: Json) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    raise TypeError(f"a body is text or bytes, not {type(value).__name__}")


def _decoded(text: Json) -> bytes:
    try:
        return base64.b64decode("".join(str(text).split()), validate=True)
    except binascii.Error:
        raise ValueError("the body is no base64") from None


def _fields(given: Json) -> Headers:
    """Return header fields: a mapping to values or lists of them, pairs, or lines as they came."""
    pairs = given.items() if isinstance(given, dict) else map(_pair, given or ())
    return tuple(
        (_named(name).lower(), _named(value).strip())
        for name, values in pairs
        for value in (values if isinstance(values, list) else [values])
    )


def _pair(line: Json) -> tuple[Json, Json]:
    if isinstance(line, str):
        name, _, value = line.partition(":")
        return name, value
    name, value = line
    return name, value


def _named(value: Json) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _began(given: Json) -> float | None:
    try:
        return datetime.fromisoformat(str(given)).timestamp()
    except ValueError:
        return None
