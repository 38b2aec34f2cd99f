"""What the operations of one app share, and the record of a request on its way through it."""

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from http import HTTPStatus

from mockchat.contract.contract import Contract
from mockchat.errors import MockchatError
from mockchat.exchange import ApiError, Headers, Incoming, Violation
from mockchat.payloads.encodings import tokenizer_named
from mockchat.payloads.seeded import Draws, SeededDraw
from mockchat.payloads.stream_style import StreamStyle
from mockchat.payloads.tokens import Tokenizer
from mockchat.scripting.entries import Told
from mockchat.scripting.faults import Effects
from mockchat.scripting.quotas import Standing
from mockchat.scripting.script import Script, Selection
from mockchat.server.kin import Families
from mockchat.server.limiting import Limiter
from mockchat.server.memory import Known, Memory
from mockchat.server.repeats import Repeats
from mockchat.server.settings import Settings
from mockchat.server.stored import Stores
from mockchat.types import Json, JsonObject, JsonView

_TRAVELS = frozenset({"stream", "stream_options"})

NEVER_RETRY = ("x-should-retry", "false")
"""What keeps the official clients from burying a test's mistake under their own retries."""


class Refusal(MockchatError):
    """A request that ends in an error of the API.

    Args:
        error: What is answered.
    """

    def __init__(self, error: ApiError) -> None:
        super().__init__(error)
        self.error = error

    def __str__(self) -> str:
        return f"{self.error.status}: {self.error.message}"


@dataclass(slots=True, kw_only=True)
class Call:
    """One request on its way through an app: what is known of it so far.

    Attributes:
        incoming: The request as it arrived.
        path: Its path without a script's token.
        script: The script it belongs to, or None.
        parameters: The values its path carried.
        query: Its query parameters, by the schemas of its operation.
        request: Its decoded body.
        violations: What it breaks in the contract.
        stub: The stub that answered.
        mismatches: Why none did.
        standings: How the limits stand after it, {} where none are set or it met none.
        known: What is remembered of it; None where it is not known to be without fault.
        revision: Which one the script was when the request came: see `Script.revision`.
        selection: The reply that the script chose.
    """

    incoming: Incoming
    path: str
    script: Script | None
    parameters: Mapping[str, str] = field(default_factory=dict)
    query: JsonObject = field(default_factory=dict)
    request: Json = None
    violations: tuple[Violation, ...] = ()
    stub: str | None = None
    mismatches: tuple[str, ...] = ()
    standings: Mapping[str, Standing] = field(default_factory=dict)
    known: Known | None = None
    revision: int = 0
    selection: Selection | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What an operation answers, before it becomes bytes.

    Attributes:
        status: The HTTP status.
        body: The JSON body; of a stream, the completion it says.
        chunks: The chunks of a stream; None for a JSON reply.
        headers: Response fields of this answer alone.
        used: What a completion used of the service's quotas, None for any other answer.
        effects: When its parts leave, and what goes wrong on purpose.
        written: The body, or the events of a stream, as bytes where they are known already.
        is_stream: Whether it is a stream.
        is_shared: Whether others get the same body.
    """

    status: int = HTTPStatus.OK
    body: Json = None
    chunks: tuple[JsonView, ...] | None = None
    headers: Headers = ()
    used: Mapping[str, int] | None = None
    effects: Effects | None = None
    written: tuple[bytes, ...] | None = None
    is_stream: bool = False
    is_shared: bool = False

    def told(self) -> Told:
        """Return body and chunks for whoever reads the journal: what others get is copied."""
        chunks = self.chunks or ()
        if self.is_stream and self.written is not None:
            chunks = tuple(json.loads(event.removeprefix(b"data: ")) for event in self.written)
        return deepcopy((self.body, chunks)) if self.is_shared else (self.body, chunks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What answers depend on besides the request.

    Attributes:
        settings: What the server was told.
        contract: The contract of its profile.
        style: How the profile streams.
        stores: The stored completions.
        repeats: How often a request came before, where that counts.
        limiter: The rate limits.
        memory: The requests that came before.
        families: What requests have in common that differ in their messages alone.
    """

    settings: Settings
    contract: Contract
    style: StreamStyle
    stores: Stores
    repeats: Repeats
    limiter: Limiter
    memory: Memory
    families: Families

    @property
    def refuses(self) -> bool:
        """Whether a request that breaks the contract is answered with an error."""
        return self.settings.validation in {"strict", "schema"}

    @property
    def tokenizer(self) -> Tokenizer:
        """What counts tokens."""
        return tokenizer_named(self.settings.tokenizer)

    def draw(self, call: Call, *, repeat: int | None = None) -> SeededDraw:
        """Return the draw of one reply.

        Args:
            call: The request.
            repeat: Which reply of its stub this is; None: as `vary_repeats` says.
        """
        if repeat is None:
            repeat = self.repeats.count(call.path, call.request)
        draws = None if call.known is None else call.known.draws
        if draws is None:
            settings = self.settings
            draws = Draws(
                seed=settings.seed,
                profile=settings.profile.name,
                settings=settings.shaping,
                method=call.incoming.method,
                path=call.path,
                body=_said(call.request),
                locale=settings.locale,
            )
            if call.known is not None:
                call.known.draws = draws
        return draws.draw(repeat)

    def error(self, name: str, **fields: object) -> Refusal:
        """Return the catalogue's error called `name` as something to raise."""
        return Refusal(self.contract.error(name, **fields))


def _said(request: Json) -> Json:
    """Return a request without how its answer travels: streamed, it is answered as it is whole."""
    if not isinstance(request, Mapping) or not _TRAVELS & request.keys():
        return request
    return {name: request[name] for name in request if name not in _TRAVELS}
