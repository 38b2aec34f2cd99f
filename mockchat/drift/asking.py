"""What can be asked again: requests with the answers that were recorded, of any file that has some."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mockchat.conformance.answers import Answered, Failure, Sent
from mockchat.contract.contract import Contract
from mockchat.contract.pointers import tokens_of
from mockchat.contract.profile import load_profile
from mockchat.drift.changes import Left
from mockchat.errors import MockchatError
from mockchat.exchange import Ending, Incoming, Outcome
from mockchat.payloads.encoding import encode_json
from mockchat.recording.exchanges import RecordedExchange
from mockchat.recording.imported import Taken
from mockchat.recording.scenario_text import request_of
from mockchat.scripting.scenario import Scenario, read_scenario
from mockchat.server.scenarios import ScenarioApp
from mockchat.server.settings import Settings
from mockchat.types import Json, JsonObject, JsonView

CHAT = "/chat/completions"
"""Where completions are made, behind a base URL."""

_JSON = ("content-type", "application/json")
_LONGEST_INDEX = 5
"""Digits of an index in a list: a file that somebody wrote must not ask for endless lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request to be sent again.

    Attributes:
        place: Which it is, as messages name it.
        request: Its body.
        old: What was answered.
        has_fields: Whether the header fields of the answer were recorded.
    """

    place: str
    request: JsonObject
    old: Answered
    has_fields: bool

    @property
    def sent(self) -> Sent:
        """The request as it is sent."""
        return Sent(path=CHAT, body=encode_json(self.request))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a file holds.

    Attributes:
        contract: The contract that it names.
        questions: What can be asked again.
        left: What cannot.
    """

    contract: Contract
    questions: tuple[Question, ...]
    left: tuple[Left, ...]


def asked_of_recording(taken: Taken, contract: Contract) -> Asked:
    """Return what an HTTP archive or a cassette holds."""
    questions: list[Question] = []
    left: list[Left] = []
    for exchange, place in zip(taken.exchanges, taken.places, strict=True):
        request = exchange.request
        if exchange.method != "POST" or not exchange.path.endswith(CHAT) or request is None:
            what = f"{exchange.method} {exchange.path} is no request for a chat completion"
            left.append(Left(place=place, reason=what))
            continue
        questions.append(
            Question(
                place=place,
                request=request,
                old=_recorded(exchange),
                has_fields=bool(exchange.reply_headers),
            )
        )
    left += (Left(place=note.place, reason=note.message) for note in taken.notes)
    return Asked(contract=contract, questions=tuple(questions), left=tuple(left))


def asked_of_scenario(path: Path, *, shown: str, schemas: Path | None = None) -> Asked:
    """Return what a scenario file holds: the requests its conditions spell out, with its answers.

    Args:
        path: The file.
        shown: How messages name it.
        schemas: A folder of the caller's own profiles.

    Raises:
        BrokenScenario: It is none.
        OSError: It cannot be read.
    """
    scenario = read_scenario(path, shown=shown)
    app = ScenarioApp((path,), partial(_settings, schemas), schemas)
    questions: list[Question] = []
    left: list[Left] = []
    for place, stub in _stubs(scenario):
        request = _request(stub.get("when", {}))
        if isinstance(request, str):
            left.append(Left(place=place, reason=request))
            continue
        for old in _answers(app, request, 1 + _following(stub)):
            if old is None:
                reason = "the scenario itself has no stub for its request"
                left.append(Left(place=place, reason=reason))
            else:
                questions.append(Question(place=place, request=request, old=old, has_fields=False))
    contract = scenario.contract(schemas)
    return Asked(contract=contract, questions=tuple(questions), left=tuple(left))


def _recorded(exchange: RecordedExchange) -> Answered:
    return Answered(
        status=exchange.status,
        headers=exchange.reply_headers,
        body=exchange.reply_body,
        failure=None if exchange.ended == "whole" else Failure.CUT,
    )


def _settings(schemas: Path | None, asked: Mapping[str, object]) -> Settings:
    # What is left unused matters to tests, which a script knows and a server does not.
    options: dict[str, Json] = {name: value for name, value in asked.items() if name != "unused"}
    name = options.pop("profile", "openai")
    return Settings(profile=load_profile(name, schemas), **options)


def _stubs(scenario: Scenario) -> Iterator[tuple[str, JsonView]]:
    name = Path(scenario.file).name
    for at, stub in enumerate(scenario.said.value["stubs"]):
        line = scenario.said.value_place(f"/stubs/{at}").line
        yield f"stub {at + 1} ({name}:{line})", stub


def _following(stub: JsonView) -> int:
    following = stub.get("then", [])
    return len(following) if isinstance(following, list) else 1


def _request(when: JsonView) -> JsonObject | str:
    """Return the request that conditions spell out, or why there is none."""
    nothing = "its conditions spell out no request: `mockchat record` writes one under `pointer`"
    pointers = when.get("pointer", {})
    if any(token.isdecimal() and len(token) > _LONGEST_INDEX for token in _tokens(pointers)):
        return nothing
    try:
        body: Json = request_of(when)
    except (LookupError, TypeError, ValueError):
        return nothing
    has_both = isinstance(body, dict) and isinstance(body.get("model"), str)
    if not has_both or not isinstance(body.get("messages"), list) or not body["messages"]:
        return nothing
    request: JsonObject = body
    return request


def _tokens(pointers: JsonView) -> Iterator[str]:
    for pointer in pointers:
        yield from tokens_of(pointer)


def _answers(app: ScenarioApp, request: JsonObject, count: int) -> Iterator[Answered | None]:
    """Yield what the scenario answers to a request, each time it is asked."""
    incoming = Incoming(
        method="POST", path=f"/v1{CHAT}", headers=(_JSON,), body=encode_json(request)
    )
    for _ in range(count):
        try:
            ticket = app.handle(incoming)
        except MockchatError:
            yield None
            continue
        ticket.finish(Outcome.DELIVERED)
        journal = app.script.journal
        delivery = ticket.delivery
        is_scripted = bool(len(journal)) and journal[-1].stub is not None
        is_whole = delivery.ending is Ending.COMPLETE
        yield (
            Answered(
                status=delivery.status,
                headers=delivery.headers,
                body=delivery.body,
                failure=None if is_whole else Failure.CUT,
            )
            if is_scripted
            else None
        )
