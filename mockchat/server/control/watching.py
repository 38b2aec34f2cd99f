"""What the live page asks for: exchanges in short, one of them in full, and the page itself."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

from mockchat.errors import MockchatError
from mockchat.scripting.exchange_lines import as_json
from mockchat.server.control import conversation
from mockchat.server.control.as_test import NO_STUB, as_test
from mockchat.server.control.operations import Answered, Asked
from mockchat.server.control.timeline import timeline
from mockchat.types import Json, JsonObject, JsonView

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a browser may do with the page: load what is its own, and ask this server."""

_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_DIGITS = 16
_LONGEST = 160
_MOST_SESSIONS = 100


class NoSuchExchange(MockchatError, LookupError):
    """An exchange that the journal does not have, or no more.

    Args:
        index: What it was asked for by.
    """

    def __init__(self, index: str) -> None:
        super().__init__(index)
        self.index = index

    def __str__(self) -> str:
        return f"there is no exchange {self.index} in the journal; GET journal has those there are."


class NoSuchPage(MockchatError, LookupError):
    """A file that the page does not consist of.

    Args:
        name: What it was asked for by.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"the page has no file {self.name!r}."


def _page(_: Asked) -> Answered:
    return _file("index.html")


def _page_file(asked: Asked) -> Answered:
    return _file(asked.parameters["file"])


def _file(name: str) -> Answered:
    assets = _assets()
    if name not in assets:
        raise NoSuchPage(name)
    headers = (
        ("content-security-policy", POLICY),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    )
    kind = _TYPES[name[name.rindex(".") :]]
    return Answered(body=assets[name], media_type=kind, headers=headers)


@cache
def _assets() -> Mapping[str, str]:
    folder = files("mockchat.server.control").joinpath("page")
    return {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}


def _overview(asked: Asked) -> Answered:
    after = asked.query.get("after", -1)
    in_flight = _numbers(asked.query.get("open", ""))
    limit = asked.query.get("limit", 1000)
    kept, lines = _kept(
        asked,
        lambda index: index > after or index in in_flight,
        after=min([after, *(index - 1 for index in in_flight)]),
    )
    return Answered(
        body={
            "exchanges": [*map(summary, lines[-limit:])],
            "first": min(kept, default=None),
            "newest": max(kept, default=-1),
            "sessions": [*asked.sessions.names[-_MOST_SESSIONS:]],
            "stubs": len(asked.session.script.stubs),
        }
    )


def summary(line: JsonView) -> JsonObject:
    """Return an exchange in short.

    Args:
        line: As `exchange_lines` writes it.
    """
    request, body = line["request"], line["body"]
    said = conversation.asked(request)
    completion = conversation.completion_of(body, str(line.get("content_type")))
    replied = conversation.answered(completion)
    return {
        "index": line["index"],
        "received": line["received"],
        "method": line["method"],
        "path": line["path"],
        "model": _text(request.get("model")) if isinstance(request, Mapping) else "",
        "messages": len(said),
        "said": _short(said[-1].line) if said else "",
        "tools": any(part.kind == "call" for one in replied for part in one.parts),
        "replied": _short(" ".join(one.line for one in replied) or _failure(completion)),
        "status": line["status"],
        "stream": "event-stream" in str(line.get("content_type")),
        "attempt": line.get("attempt", 1),
        "stub": line.get("stub"),
        "unmatched": _is_unmatched(line),
        "violations": len(line.get("violations", ())),
        "fault": line.get("fault"),
        "ending": line["ending"],
        "outcome": line["outcome"],
    }


def _read_exchange(asked: Asked) -> Answered:
    line = _line(asked)
    request = line["request"]
    completion = conversation.completion_of(line["body"], str(line.get("content_type")))
    said, options = conversation.asked(request), conversation.options(request)
    places = [place for one in said for place in (one.pointer, *_places(one.parts))]
    return Answered(
        body={
            "exchange": line,
            "summary": summary(line),
            "messages": [one.as_json for one in said],
            "options": [part.as_json for part in options],
            "replies": [one.as_json for one in conversation.answered(completion)],
            "remarks": [part.as_json for part in conversation.remarks(completion)],
            "violations": conversation.placed(
                line.get("violations", ()), [*places, *_places(options)]
            ),
            "timeline": timeline(line),
        }
    )


def _export_test(asked: Asked) -> Answered:
    text = as_test(_line(asked), asked.session.settings)
    return Answered(body=text, media_type="text/x-python")


def _line(asked: Asked) -> JsonObject:
    """Return the exchange that the path names.

    Raises:
        NoSuchExchange: It is not there.
    """
    said = asked.parameters["index"]
    is_index = said.isascii() and said.isdigit() and len(said) <= _DIGITS
    if is_index:
        index = int(said)
        for line in _kept(asked, lambda one: one == index, after=index - 1)[1]:
            return line
    raise NoSuchExchange(said)


def _kept(
    asked: Asked, is_wanted: Callable[[int], bool], *, after: int
) -> tuple[Sequence[int], list[JsonObject]]:
    """Return the indexes of all exchanges, and those wanted as lines, oldest first.

    Args:
        asked: Whose journal it is about.
        is_wanted: Tells by its index whether one is asked for.
        after: None at or below this index is.
    """
    shared, journal = asked.session.shared, asked.session.script.journal
    if shared is not None:
        exchanges = shared.journal(asked.session.session)
        return exchanges.indexes(), [*exchanges.exchanges(is_wanted)]
    first, epoch = journal.dropped, time.time() - time.monotonic()
    lines = [as_json(one, epoch=epoch) for one in journal.now(after=after) if is_wanted(one.index)]
    return range(first, first + len(journal)), lines


def _numbers(text: str) -> frozenset[int]:
    return frozenset(map(int, filter(None, text.split(","))))


def _places(parts: Iterable[conversation.Part]) -> Iterator[str]:
    return (part.pointer for part in parts)


def _is_unmatched(line: JsonView) -> bool:
    """Tell whether stubs were asked in vain, or there should have been one."""
    failure = line["body"].get("error") if isinstance(line["body"], Mapping) else None
    kind = failure.get("type") if isinstance(failure, Mapping) else None
    return bool(line.get("mismatches")) or kind == NO_STUB


def _failure(completion: Json) -> str:
    failure = completion.get("error") if isinstance(completion, Mapping) else None
    said = failure.get("message") if isinstance(failure, Mapping) else failure
    return "" if said is None else _text(said).partition("\n\n")[0]


def _text(value: Json) -> str:
    return "" if value is None else str(value)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


WATCHING: Mapping[str, Callable[[Asked], Answered]] = {
    "page": _page,
    "pageFile": _page_file,
    "overview": _overview,
    "readExchange": _read_exchange,
    "exportTest": _export_test,
}
"""What answers the `operationId`s that the live page asks for."""
