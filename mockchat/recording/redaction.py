"""What is not written down: credentials, names of organisations, and whatever rules say."""

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from mockchat.contract.pointers import tokens_of
from mockchat.errors import BadArgument
from mockchat.exchange import Headers
from mockchat.recording.exchanges import Piece, RecordedExchange
from mockchat.scripting.credentials import REDACTED, redact, redact_query, redact_text
from mockchat.types import Json

MARK = REDACTED

_OWNERS = frozenset({"openai-organization", "openai-project", "cf-ray", "x-request-id"})
"""Fields, besides those that carry keys, that tell whose account it is."""

_OWNER_ID = re.compile(r"\b(?:org-|proj_)(?=[A-Za-z]*[0-9])[A-Za-z0-9]{12,}\b", re.ASCII)
"""Ids of accounts as error messages quote them."""

_DATA = re.compile(rb"^data: ?(\{.*)$[\r\n]*", re.MULTILINE)

Words = Callable[[str], str]
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """Rules for what is replaced by "[redacted]", in requests and answers alike.

    Attributes:
        pointers: JSON Pointers into a request, a completion or an error; a token "*" stands for
            every member. Streams are looked at as the completions that they make.
        patterns: What is replaced wherever it stands in a text.
    """

    pointers: tuple[tuple[str, ...], ...] = ()
    patterns: tuple[re.Pattern[str], ...] = ()

    @classmethod
    def of_rules(cls, rules: Iterable[str]) -> "Redaction":
        """Return what rules say: a JSON Pointer begins with a slash, the others are patterns.

        Raises:
            BadArgument: A pattern is no regular expression.
        """
        pointers, patterns = [], []
        for rule in rules:
            if rule.startswith("/"):
                pointers.append(tokens_of(rule))
                continue
            try:
                patterns.append(re.compile(rule))
            except re.error as problem:
                allowed = f"a JSON Pointer such as /messages/*/content, or a pattern ({problem})"
                raise BadArgument("redact", rule, allowed) from None
        return cls(pointers=tuple(pointers), patterns=tuple(patterns))

    def of(self, exchange: RecordedExchange) -> RecordedExchange:
        """Return an exchange without what must not be written down; its timings are the same.

        Bytes of which nothing is replaced stay as they are.
        """
        words = self._words(exchange.secrets)
        return replace(
            exchange,
            path=words(exchange.path),
            query=redact_query(exchange.query),
            headers=_fields(exchange.headers, words),
            body=self._body(exchange.body, words),
            reply_headers=_fields(exchange.reply_headers, words),
            pieces=self._pieces(exchange, words),
        )

    def _words(self, secrets: Sequence[str]) -> Words:
        def clean(text: str) -> str:
            text = _OWNER_ID.sub(MARK, redact_text(text, secrets))
            for pattern in self.patterns:
                text = pattern.sub(MARK, text)
            return text

        return clean

    def _body(self, data: bytes, words: Words) -> bytes:
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            return _in_bytes(data, words)
        clean = self._value(value, words)
        return data if clean == value else json.dumps(clean, ensure_ascii=False).encode()

    def _value(self, value: Json, words: Words) -> Json:
        for tokens in self.pointers:
            value = _hidden(value, tokens)
        return _cleaned(value, words)

    def _pieces(self, exchange: RecordedExchange, words: Words) -> tuple[Piece, ...]:
        if exchange.content_type != "text/event-stream":
            return _as_one(exchange, self._body(exchange.reply_body, words))
        whole = exchange.reply_body
        found = [*_DATA.finditer(whole)]
        chunks: list[Json] = []
        for one in found:
            try:
                chunks.append(json.loads(one[1]))
            except (ValueError, RecursionError):
                chunks.append(None)
        clean = self._chunks(chunks, words)
        if clean == chunks and _in_bytes(whole, words) == whole:
            return exchange.pieces
        return tuple(_rewritten(exchange.pieces, found, chunks, clean, words))

    def _chunks(self, chunks: Sequence[Json], words: Words) -> list[Json]:
        """Return the chunks of a stream, cleaned as the texts they make together."""
        changed = [json.loads(json.dumps(chunk)) for chunk in chunks]
        for path, pieces in _texts(changed).items():
            before = "".join(text for _, text in pieces)
            after = MARK if any(_leads(tokens, path) for tokens in self.pointers) else words(before)
            if after != before:
                for (place, _), text in zip(pieces, _spread(pieces, before, after), strict=True):
                    place(text)
        return [self._value(chunk, words) for chunk in changed]


def _as_one(exchange: RecordedExchange, body: bytes) -> tuple[Piece, ...]:
    return exchange.pieces if body == exchange.reply_body else ((exchange.seconds, body),)


def _fields(headers: Headers, words: Words) -> Headers:
    return tuple(
        (name, MARK if name.lower() in _OWNERS else words(value)) for name, value in redact(headers)
    )


def _cleaned(value: Json, words: Words) -> Json:
    """Return the value with every text in it cleaned, names of members among them."""
    if isinstance(value, str):
        return words(value)
    if isinstance(value, dict):
        return {words(name): _cleaned(member, words) for name, member in value.items()}
    return [_cleaned(item, words) for item in value] if isinstance(value, list) else value


def _hidden(value: Json, tokens: tuple[str, ...]) -> Json:
    """Return the value with what `tokens` lead to hidden."""
    if not tokens:
        return _blank(value)
    token, rest = tokens[0], tokens[1:]
    if isinstance(value, dict):
        return {
            name: _hidden(member, rest) if token in {name, "*"} else member
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [
            _hidden(item, rest) if token in {str(place), "*"} else item
            for place, item in enumerate(value)
        ]
    return value


def _blank(value: Json) -> Json:
    """Return a value of the same form that says nothing: texts hidden, numbers 0."""
    if isinstance(value, str):
        return MARK
    if isinstance(value, dict):
        return {name: _blank(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_blank(item) for item in value]
    return value if isinstance(value, bool) or value is None else 0


Place = Callable[[str], None]


def _texts(chunks: Sequence[Json]) -> dict[Path, list[tuple[Place, str]]]:
    """Return the texts that the deltas of a stream make, by their places in the completion.

    Each comes with its pieces in order, and what writes such a piece anew.
    """
    texts: dict[Path, list[tuple[Place, str]]] = {}
    for chunk in chunks:
        listed = chunk.get("choices") if isinstance(chunk, dict) else None
        for choice in listed if isinstance(listed, list) else ():
            if isinstance(choice, dict) and isinstance(choice.get("delta"), dict):
                start: Path = ("choices", choice.get("index", 0), "message")
                for path, place, text in _leaves(choice["delta"], start):
                    texts.setdefault(path, []).append((place, text))
    return texts


def _leaves(value: Json, path: Path) -> Iterator[tuple[Path, Place, str]]:
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for name, member in members:
        # Parts of a call that is told in pieces say by `index` which call they are of.
        is_told = isinstance(member, dict) and isinstance(member.get("index"), int)
        inner = (*path, member["index"] if is_told and isinstance(value, list) else name)
        if isinstance(member, str):
            yield inner, _writer(value, name), member
        elif isinstance(member, dict | list):
            yield from _leaves(member, inner)


def _writer(container: Json, name: str | int) -> Place:
    def write(text: str) -> None:
        container[name] = text

    return write


def _leads(tokens: tuple[str, ...], path: Path) -> bool:
    """Tell whether a pointer leads to a place, or to what is around it."""
    if len(tokens) > len(path):
        return False
    return all(token in {str(step), "*"} for token, step in zip(tokens, path, strict=False))


def _spread(pieces: Sequence[tuple[Place, str]], before: str, after: str) -> Iterator[str]:
    """Yield the pieces of a text that has changed: those outside of the change as they were."""
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    stop, instead, position = len(before) - end, after[start : len(after) - end], 0
    for number, (_, text) in enumerate(pieces, 1):
        here, position = position, position + len(text)
        middle = ""
        if position > start or number == len(pieces):
            middle, instead = instead, ""
        yield text[: max(0, start - here)] + middle + text[max(0, stop - here) :]


def _common(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    count = 0
    for mine, its in zip(one, other, strict=False):
        if mine != its:
            break
        count += 1
    return count


def _rewritten(
    pieces: Sequence[Piece],
    found: Sequence[re.Match[bytes]],
    chunks: Sequence[Json],
    clean: Sequence[Json],
    words: Words,
) -> Iterator[Piece]:
    """Yield the pieces of a stream whose chunks have changed, each chunk where it ended before."""
    whole, start = b"".join(data for _, data in pieces), 0
    changed: deque[tuple[int, bytes]] = deque()  # where something ended, and what stands there now
    for one, before, after in zip(found, chunks, clean, strict=True):
        text = one[1] if before == after else json.dumps(after, ensure_ascii=False).encode()
        if before is None:
            text = _in_bytes(one[1], words)
        between = _in_bytes(whole[start : one.start(1)], words)
        changed.append((one.end(), between + text + whole[one.end(1) : one.end()]))
        start = one.end()
    changed.append((len(whole), _in_bytes(whole[start:], words)))
    position = 0
    for seconds, data in pieces:
        position += len(data)
        ready = b""
        while changed and changed[0][0] <= position:
            ready += changed.popleft()[1]
        if ready:
            yield seconds, ready


def _in_bytes(data: bytes, words: Words) -> bytes:
    """Return bytes that need not be text, cleaned as far as they are."""
    return words(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
