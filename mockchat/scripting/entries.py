"""One place of a journal: noted when a request is answered, an exchange when somebody reads it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from mockchat.exchange import (
    Delivery,
    Ending,
    Exchange,
    Headers,
    Outcome,
    Violation,
    counted_retries,
)
from mockchat.scripting.attempts import FIRST_FAILURE, request_digest, request_key
from mockchat.scripting.credentials import (
    has_credentials,
    redact,
    redact_json,
    redact_query,
    redact_text,
    secrets_of,
)
from mockchat.scripting.sse import json_events
from mockchat.types import Json, JsonView


class Same(Protocol):
    """What is the same for every exchange of one request, found out once."""

    def digest(self, request: Json) -> bytes:
        """Return the digest of the decoded body: see `request_digest`."""
        ...

    def weight(self, request: Json) -> int:
        """Return how much memory the decoded body takes: see `weight_of`."""
        ...


Told = tuple[Json, tuple[JsonView, ...]]
"""What was answered: the reply, and the chunks of a stream."""


@dataclass(slots=True, kw_only=True)
class Entry:
    """What a journal knows of one request; most of it is read never, or when the test is over.

    Attributes are those of `Exchange`, but for these:

    Attributes:
        told: Gives the reply and its chunks. They belong to the exchange: nobody else changes them.
        same: What is known of its request already, None where nothing is.
        weighs: How much memory it takes, by `journal_weight`; None until that is known.
    """

    method: str
    path: str
    query: str = ""
    headers: Headers = ()
    request: Json = None
    status: int
    told: Callable[[], Told]
    same: Same | None = None
    stub: str | None = None
    mismatches: tuple[str, ...] = ()
    violations: tuple[Violation, ...] = ()
    ending: Ending = Ending.COMPLETE
    outcome: Outcome = Outcome.PENDING
    delivery: Delivery | None = None
    fault: str | None = None
    received: float = 0.0
    index: int = 0
    attempt: int = 1
    answered: float = 0.0
    finished: float | None = None
    written: int = 0
    left_at: tuple[float, ...] = ()
    weighs: int | None = None
    _read: Exchange | None = field(default=None, repr=False)

    @classmethod
    def of(cls, exchange: Exchange) -> "Entry":
        """Return the entry of an exchange that somebody made."""
        told = (exchange.reply, exchange.chunks)
        return cls(
            method=exchange.method,
            path=exchange.path,
            query=exchange.query,
            headers=exchange.headers,
            request=exchange.request,
            status=exchange.status,
            told=lambda: told,
            stub=exchange.stub,
            mismatches=exchange.mismatches,
            violations=exchange.violations,
            ending=exchange.ending,
            outcome=exchange.outcome,
            delivery=exchange.delivery,
            fault=exchange.fault,
            received=exchange.received,
        )

    @property
    def key(self) -> tuple[str, str, str | None, bytes]:
        """What its repetitions have in common with it."""
        digest = (
            request_digest(self.request) if self.same is None else self.same.digest(self.request)
        )
        return request_key(self.method, self.path, self.headers, digest)

    @property
    def retry_count(self) -> int | None:
        """Which retry the client says this is, None if it is silent."""
        return counted_retries(self.headers)

    @property
    def count(self) -> int:
        """How many writes its delivery has."""
        return 0 if self.delivery is None else len(self.delivery.writes)

    @property
    def held(self) -> float:
        """How many seconds the head of its delivery is held back."""
        writes = () if self.delivery is None else self.delivery.writes
        return writes[0].delay if writes else 0.0

    @property
    def exchange(self) -> Exchange:
        """The exchange as it stands, the same object until something of it changes."""
        if self._read is None:
            self._read = self._exchange()
        elif self._is_behind(self._read):
            self._read = replace(
                self._read,
                attempt=self.attempt,
                outcome=self.outcome,
                written=self.written,
                left_at=self.left_at,
                finished=self.finished,
                sent_chunks=self._sent_chunks(self._read.chunks),
            )
        return self._read

    def clean(self) -> None:
        """Replace the values of credentials."""
        told_by, query, delivery = self.headers, self.query, self.delivery
        self.headers = redact(told_by)
        if query:
            self.query = redact_query(query)
        if delivery is not None and has_credentials(delivery.headers):
            delivery = self.delivery = replace(delivery, headers=redact(delivery.headers))
        failed = self.status >= FIRST_FAILURE
        if not failed and not self.mismatches:
            return
        # Only the texts of errors repeat a key; a completion is journaled as it was sent.
        secrets = secrets_of(told_by, query)
        self.mismatches = tuple(redact_text(line, secrets) for line in self.mismatches)
        if failed:
            reply, chunks = self.told()
            told = (redact_json(reply, secrets), chunks)
            self.told = lambda: told
            self.delivery = _clean_body(delivery, secrets)

    def _is_behind(self, read: Exchange) -> bool:
        now = (self.attempt, self.outcome, self.written, self.finished)
        return now != (read.attempt, read.outcome, read.written, read.finished)

    def _exchange(self) -> Exchange:
        reply, chunks = self.told()
        return Exchange(
            index=self.index,
            method=self.method,
            path=self.path,
            query=self.query,
            headers=self.headers,
            request=self.request,
            attempt=self.attempt,
            status=self.status,
            reply=reply,
            chunks=chunks,
            sent_chunks=self._sent_chunks(chunks),
            delivery=self.delivery,
            written=self.written,
            left_at=self.left_at,
            fault=self.fault,
            stub=self.stub,
            mismatches=self.mismatches,
            violations=self.violations,
            ending=self.ending,
            outcome=self.outcome,
            received=self.received,
            answered=self.answered,
            finished=self.finished,
        )

    def _sent_chunks(self, chunks: tuple[JsonView, ...]) -> tuple[Json, ...]:
        if self.outcome is Outcome.PENDING or not chunks:
            return ()
        if self.outcome is Outcome.DELIVERED and self.fault is None:
            return chunks
        writes = () if self.delivery is None else self.delivery.writes[: self.written]
        return json_events(b"".join(write.data for write in writes))


def _clean_body(delivery: Delivery | None, secrets: tuple[str, ...]) -> Delivery | None:
    if delivery is None:
        return None
    # Byte by byte as one character each: a damaged body need not be text.
    return replace(
        delivery,
        writes=tuple(
            replace(
                write, data=redact_text(write.data.decode("latin-1"), secrets).encode("latin-1")
            )
            for write in delivery.writes
        ),
    )
