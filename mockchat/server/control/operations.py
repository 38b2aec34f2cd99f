"""What the operations of the control API do, by `operationId`."""

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from http import HTTPStatus
from typing import Protocol, TypeVar

from mockchat.contract.profile import schemas_directory
from mockchat.contract.validation import schema_violations
from mockchat.errors import BadArgument, MockchatError
from mockchat.exchange import Exchange, Headers, Incoming, header
from mockchat.scripting.exchange_lines import as_json
from mockchat.scripting.scenario import scenario_of
from mockchat.scripting.steering import Said, Steering
from mockchat.scripting.stubs import Stub
from mockchat.server import wire
from mockchat.server.control.archive import archive
from mockchat.server.control.guard import Forbidden
from mockchat.server.control.sessions import Sessions
from mockchat.server.scenarios import ScenarioApp
from mockchat.types import Json, JsonObject

T = TypeVar("T")

_YAML = ("application/yaml", "application/x-yaml", "text/yaml")
_JSON = ("application/json",)
_POLL = 0.05
"""Seconds between two looks at exchanges that other workers add to."""
MOST_WAITING = 16
"""Requests that may wait at once: each holds one of the threads that answers are made in."""
_waiting = threading.BoundedSemaphore(MOST_WAITING)


class Figures(Protocol):
    """What counts exchanges, for Prometheus."""

    @property
    def content_type(self) -> str:
        """What the text is."""
        ...

    def text(self) -> str:
        """Return all figures."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request to the control API.

    Attributes:
        incoming: As it arrived.
        session: Whose script it is about.
        parameters: What its path carries.
        query: Its query parameters, typed.
        ready: Raises where requests cannot be answered.
        sessions: All there are.
        meter: What counts exchanges, None where nobody does.
    """

    incoming: Incoming
    session: ScenarioApp
    parameters: Mapping[str, str]
    query: JsonObject
    ready: Callable[[], None]
    sessions: Sessions
    meter: Figures | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What it is answered.

    Attributes:
        status: The HTTP status.
        body: JSON, or the text of another type; None: no body.
        media_type: What the body is.
        headers: Further fields.
    """

    status: int = HTTPStatus.OK
    body: Json = None
    media_type: str = "application/json"
    headers: Headers = field(default=())


class TooManyWait(MockchatError):
    """As many requests wait for the journal as may."""

    def __str__(self) -> str:
        return f"{MOST_WAITING} requests wait for the journal already; ask again without `seconds`."


class NoSuchStub(MockchatError, LookupError):
    """A stub that is not there.

    Args:
        place: What it was asked for by.
    """

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place

    def __str__(self) -> str:
        return f"there is no stub at place {self.place}; GET stubs lists them."


@cache
def document() -> JsonObject:
    """Return the OpenAPI document of the control API."""
    text = (schemas_directory() / "control.openapi.json").read_text(encoding="utf-8")
    read: JsonObject = json.loads(text)
    return read


def _health(_: Asked) -> Answered:
    return Answered(body={"status": "ok"})


def _ready(asked: Asked) -> Answered:
    asked.ready()
    return Answered(body={"status": "ready"})


def _document(_: Asked) -> Answered:
    return Answered(body=document())


def _read_settings(asked: Asked) -> Answered:
    settings = asked.session.settings
    return Answered(
        body={
            "profile": settings.profile.name,
            "seed": settings.seed,
            "kind": settings.kind,
            "validation": settings.validation,
            "level": settings.level,
            "models": settings.models,
            "locale": settings.locale,
            "unmatched": settings.unmatched,
        }
    )


def _change_settings(asked: Asked) -> Answered:
    _suffix(asked.incoming, _JSON)
    change = _decoded(asked.incoming.body)
    violations = schema_violations(document()["components"]["schemas"]["SettingsChange"], change)
    if violations:
        place = violations[0].pointer or "/"
        raise BadArgument("the body", change, f"{place}: {violations[0].message}")
    asked.session.change(lambda before: replace(before, settings={**before.settings, **change}))
    return _read_settings(asked)


def _list_stubs(asked: Asked) -> Answered:
    stubs = asked.session.script.stubs
    return Answered(body={"stubs": [*map(_stub, stubs[: asked.query.get("limit")])]})


def _add_stub(asked: Asked) -> Answered:
    _suffix(asked.incoming, _JSON)
    stub = _decoded(asked.incoming.body)
    said = Said(name="request.json", text=json.dumps({"stubs": [stub]}, ensure_ascii=False))
    asked.session.change(lambda before: replace(before, said=(*before.said, said)))
    return Answered(status=HTTPStatus.CREATED, body=_stub(asked.session.script.stubs[-1]))


def _delete_stubs(asked: Asked) -> Answered:
    asked.session.change(lambda before: Steering(epoch=before.epoch + 1, has_files=False))
    return Answered(status=HTTPStatus.NO_CONTENT)


def _delete_stub(asked: Asked) -> Answered:
    given = asked.parameters["place"]
    places = {str(stub.place): stub.place for stub in asked.session.script.stubs}
    if given not in places:
        raise NoSuchStub(given)
    place = places[given]
    asked.session.change(lambda before: replace(before, removed=(*before.removed, place)))
    return Answered(status=HTTPStatus.NO_CONTENT)


def _load_scenario(asked: Asked) -> Answered:
    name = f"request{_suffix(asked.incoming, (*_JSON, *_YAML))}"
    body = asked.incoming.body
    scenario_of(body, name)
    said = Said(name=name, text=body.decode("utf-8-sig"))
    asked.session.change(
        lambda before: Steering(epoch=before.epoch + 1, has_files=False, said=(said,))
    )
    return _list_stubs(asked)


def _read_journal(asked: Asked) -> Answered:
    count, seconds = asked.query.get("count"), asked.query.get("seconds", 0.0)
    exchanges = _exchanges(asked)
    if count is not None and seconds and _over(exchanges) < count:
        if not _waiting.acquire(blocking=False):
            raise TooManyWait
        try:
            exchanges = _awaited(asked, count, seconds)
        finally:
            _waiting.release()
    after = asked.query.get("after", -1)
    newest = max((exchange["index"] for exchange in exchanges), default=after)
    return Answered(body={"exchanges": exchanges, "next": newest})


def _clear_journal(asked: Asked) -> Answered:
    shared = asked.session.shared
    asked.session.script.journal.clear()
    if shared is not None:
        shared.journal(asked.session.session).clear()
    return Answered(status=HTTPStatus.NO_CONTENT)


def _export_lines(asked: Asked) -> Answered:
    lines = [json.dumps(exchange, ensure_ascii=False) + "\n" for exchange in _exchanges(asked)]
    return Answered(body="".join(lines), media_type="application/jsonl")


def _export_har(asked: Asked) -> Answered:
    base = f"http://{header(asked.incoming.headers, 'host')}"
    return Answered(body=archive(_exchanges(asked), base=base))


def _verify(asked: Asked) -> Answered:
    problems = asked.session.script.problems()
    told = [{"type": type(problem).__name__, "message": str(problem)} for problem in problems]
    return Answered(body={"problems": told})


def _reset(asked: Asked) -> Answered:
    asked.session.change(lambda before: Steering(epoch=before.epoch + 1))
    return _clear_journal(asked)


OPERATIONS: Mapping[str, Callable[[Asked], Answered]] = {
    "health": _health,
    "ready": _ready,
    "document": _document,
    "readSettings": _read_settings,
    "changeSettings": _change_settings,
    "listStubs": _list_stubs,
    "addStub": _add_stub,
    "deleteStubs": _delete_stubs,
    "deleteStub": _delete_stub,
    "loadScenario": _load_scenario,
    "readJournal": _read_journal,
    "clearJournal": _clear_journal,
    "exportLines": _export_lines,
    "exportHar": _export_har,
    "verify": _verify,
    "reset": _reset,
}
"""What answers each `operationId` of the control API's document."""


def _stub(stub: Stub) -> JsonObject:
    sent, total = stub.sent, stub.total
    return {
        "place": stub.place,
        "name": stub.name,
        "when": str(stub.matcher),
        "sent": sent,
        "left": None if total is None else max(0, total - sent),
    }


def _exchanges(asked: Asked) -> list[JsonObject]:
    """Return the exchanges that were asked for, those in flight included."""
    shared, query = asked.session.shared, asked.query
    if shared is not None:
        lines = shared.journal(asked.session.session).exchanges()
        return _newest([line for line in lines if _is_line_wanted(line, query)], query)
    journal, epoch = asked.session.script.journal, time.time() - time.monotonic()
    kept = _wanted(journal.now(after=query.get("after", -1)), query)
    return [as_json(one, epoch=epoch) for one in kept]


def _awaited(asked: Asked, count: int, seconds: float) -> list[JsonObject]:
    """Wait until there are so many, and return what is there then."""
    shared, query = asked.session.shared, asked.query
    if shared is None:
        asked.session.script.journal.wait(
            lambda kept: sum(one.finished is not None for one in _wanted(kept, query)) >= count,
            seconds=seconds,
        )
        return _exchanges(asked)
    until = time.monotonic() + seconds
    while _over(exchanges := _exchanges(asked)) < count and time.monotonic() < until:
        time.sleep(_POLL)
    return exchanges


def _over(lines: Iterable[JsonObject]) -> int:
    return sum("finished" in line for line in lines)


def _wanted(exchanges: Iterable[Exchange], query: JsonObject) -> list[Exchange]:
    """Return what is asked for before it is written as JSON, which costs the most."""
    kept = [
        one for one in exchanges if _is_wanted(query, one.index, one.request, one.status, one.stub)
    ]
    return _newest(kept, query)


def _is_line_wanted(line: JsonObject, query: JsonObject) -> bool:
    return _is_wanted(query, line["index"], line["request"], line["status"], line.get("stub"))


def _is_wanted(query: JsonObject, index: int, request: Json, status: int, stub: str | None) -> bool:
    is_unmatched = stub is None
    model = request.get("model") if isinstance(request, dict) else None
    return (
        index > query.get("after", -1)
        and query.get("model", model) == model
        and query.get("status", status) == status
        and query.get("unmatched", is_unmatched) == is_unmatched
    )


def _newest(kept: list[T], query: JsonObject) -> list[T]:
    return kept[-query["limit"] :] if "limit" in query else kept


def _decoded(body: bytes) -> JsonObject:
    """Return the object that a body holds.

    Raises:
        BadArgument: It is none.
    """
    try:
        decoded = wire.decode_json(body)
    except wire.BadBody as bad:
        raise BadArgument("the body", "no JSON", f"a JSON object ({bad.detail})") from None
    if not isinstance(decoded, dict):
        raise BadArgument("the body", type(decoded).__name__, "a JSON object")
    return decoded


def _suffix(incoming: Incoming, known: Sequence[str]) -> str:
    """Return the suffix of a file of the body's type, JSON where none is said.

    Raises:
        Forbidden: It is none that is read here.
    """
    said = header(incoming.headers, "content-type") or _JSON[0]
    media_type = said.partition(";")[0].strip().lower()
    if media_type not in known:
        reason = f"The content type is {said!r}. Send {' or '.join(known)}."
        raise Forbidden(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, reason)
    return ".json" if media_type in _JSON else ".yaml"
