"""All items of a profile, and what an exchange meets of them."""

import json
from collections.abc import Sequence
from functools import lru_cache

from mockchat.contract.contract import Contract
from mockchat.coverage.capabilities import capability_of
from mockchat.coverage.error_items import ErrorItems
from mockchat.coverage.exclusions import excluded_by_contract
from mockchat.coverage.fault_items import FaultItems
from mockchat.coverage.items import Item
from mockchat.coverage.schema_items import SchemaItems
from mockchat.coverage.stream_shapes import SHAPES, Streams
from mockchat.exchange import Exchange, Headers, Outcome
from mockchat.types import Json, JsonView

_DOCUMENTS = ("request", "response", "chunk", "error")
_ERRORS = 400


class Catalogue:
    """The items of one profile.

    Args:
        contract: Its contract.

    Attributes:
        contract: As given.
        items: All items by id, excluded ones among them, in the order of the contract.
    """

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        profile = contract.profile
        streams = Streams.of(profile)
        self._schemas = SchemaItems(
            profile.documents,
            [name for name in _DOCUMENTS if name in profile.documents],
            f"https://mockchat.invalid/{profile.name}/",
        )
        self._shapes = [shape for shape in SHAPES if shape.is_possible(streams)]
        self._errors = ErrorItems(contract)
        self._faults = FaultItems()
        meanings = {f"stream/{shape.name}": shape.meaning for shape in self._shapes}
        meanings |= self._faults.meanings
        ids = [*self._schemas.ids, *meanings, *self._errors.ids]
        excluded = {**self._errors.excluded, **excluded_by_contract(contract, self._schemas)}
        self.items = {
            item_id: Item(
                id=item_id,
                capability=capability_of(item_id),
                meaning=meanings.get(item_id, ""),
                excluded=excluded.get(item_id, ""),
            )
            for item_id in ids
        }

    def met_by(self, document: str, value: Json) -> frozenset[str]:
        """Return the ids of the items that a lawful `document` by itself meets."""
        marks: set[str] = set()
        self._schemas.marks(document, value, marks)
        return frozenset(marks)

    def marks(self, exchange: Exchange) -> frozenset[str]:
        """Return the ids of what an exchange of the fixture met.

        A request counts if it keeps the contract. A reply counts as far as it left: whole, or chunk
        by chunk; of one that was damaged, what the damage left as it was meant.
        """
        is_whole = exchange.outcome is Outcome.DELIVERED
        is_stream = bool(exchange.chunks)
        if exchange.fault is not None or not is_whole:
            is_whole = is_whole and _is_undamaged(exchange)
        return self.met(
            request=None if exchange.violations else exchange.request,
            status=exchange.status,
            headers=exchange.reply_headers,
            reply=exchange.reply if is_whole else None,
            chunks=exchange.sent_chunks if is_stream else (),
            fault=exchange.fault,
        )

    def met(  # noqa: PLR0913 - all that an exchange is made of, by keyword
        self,
        *,
        request: Json = None,
        status: int = 200,
        headers: Headers = (),
        reply: Json = None,
        chunks: Sequence[Json] = (),
        fault: str | None = None,
    ) -> frozenset[str]:
        """Return the ids of the items that an exchange met.

        Args:
            request: The decoded body, None for one that does not count.
            status: The HTTP status of the answer.
            headers: Its fields.
            reply: The decoded body of the answer; the completion that the chunks of a stream make.
            chunks: The events of a stream, decoded.
            fault: What was damaged on purpose, as a test writes it.
        """
        marks: set[str] = set()
        if _is_conversation(request):
            self._schemas.marks("request", request, marks)
        if fault is not None:
            self._faults.mark(fault, marks)
        if status >= _ERRORS:
            self._errors.mark(status, reply, headers, marks)
            if isinstance(reply, dict) and "error" in self._schemas.roots:
                self._schemas.marks("error", reply, marks)
        elif isinstance(reply, dict) and "choices" in reply:
            self._schemas.marks("response", reply, marks)
        events = [chunk for chunk in chunks if isinstance(chunk, dict)]
        for event in events:
            self._schemas.marks("chunk", event, marks)
        if events:
            marks.update(f"stream/{one.name}" for one in self._shapes if one.is_met(events))
        return frozenset(marks)


@lru_cache(maxsize=8)
def catalogue_of(contract: Contract) -> Catalogue:
    """Return the items of a contract, found once."""
    return Catalogue(contract)


def _is_conversation(request: Json) -> bool:
    return isinstance(request, dict) and "messages" in request


def _is_undamaged(exchange: Exchange) -> bool:
    """Tell whether a reply arrived as it was meant, whatever was done to it."""
    if exchange.chunks:
        return tuple(exchange.sent_chunks) == _plain(exchange.chunks)
    try:
        return bool(json.loads(exchange.sent) == exchange.reply)
    except ValueError:
        return False


def _plain(chunks: Sequence[JsonView]) -> tuple[JsonView, ...]:
    return tuple(dict(chunk) for chunk in chunks)
