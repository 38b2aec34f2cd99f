"""What answers a request that came before to the byte, head and all: the shortest way there is.

Whatever its answer goes by is known of such a request: that it breaks nothing, whose script it belongs
to, which stub answers, what of the reply is drawn anew. So the answer is written at once, and journaled
in few words. The long way stays the law: this one gives the same bytes, and gives way when anything
changes that an answer goes by.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus

from mockchat.exchange import Delivery, Ending, Headers, Incoming
from mockchat.payloads.forms import BodyForm, StreamForm
from mockchat.payloads.seeded import Draws
from mockchat.scripting.credentials import redact
from mockchat.scripting.entries import Entry
from mockchat.scripting.journal_weight import weight
from mockchat.scripting.later import Alike, Later
from mockchat.scripting.script import Script, Selection
from mockchat.server import framing
from mockchat.server.cors import shared
from mockchat.server.deliveries import delivery_of, ends_of
from mockchat.server.memory import Known
from mockchat.server.ready import Ready
from mockchat.server.service import Call, Result, Service
from mockchat.server.service_headers import Own, Prepared, own_of
from mockchat.server.ticket import Sheet, Ticket, forget

_LARGEST = 65_536
"""Bytes of a request and its answer together that are worth it: what is larger costs elsewhere."""

Given = tuple[int, Own]
"""What tells an answer from those that are alike: which reply of its stub it is, and its own fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A stub that gives one reply to all, for ever, and what was made of that reply for one request.

    Attributes:
        selection: The stub and its reply.
        ready: The reply, made for the request.
        form: How its body, or its events, are written.
        draws: The draws of all its replies.
    """

    selection: Selection
    ready: Ready
    form: BodyForm | StreamForm
    draws: Draws

    @classmethod
    def of(cls, known: Known, selection: Selection, *, is_stream: bool) -> "Turn | None":
        """Return the turn that answered; None where the next answer may be made otherwise."""
        ready = known.ready(selection.reply)
        form = None if ready is None else ready.form(is_stream=is_stream)
        is_only = selection.stub.only is selection.reply
        if ready is None or form is None or known.draws is None or not is_only:
            return None
        return cls(selection=selection, ready=ready, form=form, draws=known.draws)

    def body(self, ordinal: int) -> bytes:
        """Return the body, or all events, of the reply given after `ordinal` others."""
        draw = self.draws.draw(ordinal)
        drawn = self.ready.drawn(draw)
        if isinstance(self.form, BodyForm):
            return self.form.filled(drawn)
        return self.form.joined(drawn, draw)

    def result(self, ordinal: int, like: Result) -> Result:
        """Return what the long way makes of that reply: a result like another one."""
        draw = self.draws.draw(ordinal)
        answer = self.ready.answer(draw)
        if isinstance(self.form, BodyForm):
            written: tuple[bytes, ...] = (self.form.filled(answer.drawn),)
        else:
            written = self.form.filled(answer.drawn, draw)
        return replace(like, body=answer.completion, written=written)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """The answers to one request that keeps coming.

    Attributes:
        service: What the app answers by.
        prepared: The service's own fields, as far as all answers have the same.
        request: The request, without credentials.
        known: What is remembered of its body.
        script: Whose it is, None for nobody's.
        revision: Which one the script was when this was found out.
        result: What the long way made of it.
        turn: The stub that answers; None where the answer is made up, and the same each time.
        alike: What the journal notes of all answers; None without a journal.
        pieces: The lines of the head, around the fields that are an answer's own.
        names: How the lines of those begin.
        ends: What stands before and behind the body that the turn writes, or the whole body.
        size: How many bytes the request and one answer take.
    """

    service: Service
    prepared: Prepared
    request: Incoming
    known: Known
    script: Script | None
    revision: int
    result: Result
    turn: Turn | None
    alike: Alike | None
    pieces: Sequence[bytes]
    names: Sequence[bytes]
    ends: tuple[bytes, bytes]
    size: int

    def ticket(self, script: Script | None, received: float) -> Ticket | None:
        """Answer once more; None where the long way must.

        Args:
            script: Whose the request is now.
            received: When it was read, on the monotonic clock.
        """
        if script is not self.script:
            return None
        if script is not None and (script.revision != self.revision or script.may_block):
            return None
        ordinal, body = 0, self.ends[0]
        if self.turn is not None and script is not None:
            ordinal = script.given(self.turn.selection.stub)
            body = b"".join([body, self.turn.body(ordinal), self.ends[1]])
        seconds = time.monotonic() - received
        own = own_of(seconds)
        given = ordinal, own
        sheet = Sheet(self.result.status, self._lines(own), body, self.result.is_stream)
        delivery = partial(self.delivery, given)
        if script is None or self.alike is None:
            return Ticket(delivery=delivery, finish=forget, sheet=sheet)
        journal = script.journal
        index = journal.note(Later(self.alike, self, given, journal.clock() - seconds))
        return Ticket(
            delivery=delivery,
            finish=partial(journal.finish, index),
            wrote=partial(journal.wrote, index),
            sheet=sheet,
        )

    def delivery(self, given: Given) -> Delivery:
        """Return an answer as data, as the long way makes it."""
        ordinal, own = given
        fields = self.prepared.filled(own)
        delivery = delivery_of(self._result(ordinal), fields, self.service.style)
        return shared(self.request, delivery, self.service.settings.cors)

    def entry(self, given: Given) -> Entry:
        """Return what the long way journals, but for times and place."""
        entry = Entry(
            method=self.request.method,
            path=self.request.path,
            query=self.request.query,
            headers=self.request.headers,
            request=json.loads(self.known.body),
            status=self.result.status,
            told=self._result(given[0]).told,
            same=self.known,
            stub=None if self.turn is None else self.turn.selection.stub.name,
            delivery=self.delivery(given),
        )
        entry.clean()
        return entry

    def _result(self, ordinal: int) -> Result:
        return self.result if self.turn is None else self.turn.result(ordinal, self.result)

    def _lines(self, own: Own) -> bytes:
        parts = [self.pieces[0]]
        said = self.prepared.said(own)
        for name, value, piece in zip(self.names, said, self.pieces[1:], strict=True):
            parts += (name, value.encode("ascii"), piece)
        return b"".join(parts)


def again_of(  # noqa: PLR0913 - all that is known of an answer
    service: Service,
    prepared: Prepared,
    call: Call,
    *,
    result: Result,
    delivery: Delivery,
    entry: Entry | None,
) -> Again | None:
    """Return what answers a request from now on; None where the next answer may be made otherwise.

    Args:
        service: What the app answers by.
        prepared: The service's own fields of the answer, as far as others have the same.
        call: The request, answered the long way.
        result: What was made of it.
        delivery: What it was answered.
        entry: What was journaled; None where nothing was.
    """
    known, script, written = call.known, call.script, result.written
    if known is None or written is None or not _is_usual(service, call, result, delivery):
        return None
    size = len(known.body) + sum(map(len, written))
    pieces = _pieces(delivery.headers, [name for _, name, _ in prepared.open])
    turn = None
    if call.selection is not None:
        turn = Turn.of(known, call.selection, is_stream=result.is_stream)
    is_same = turn is not None if call.stub is not None else known.generated is result
    if not is_same or pieces is None or size > _LARGEST:
        return None
    begin, end = ends_of(result, service.style)
    alike = None
    if entry is not None:
        alike = Alike(
            key=entry.key,
            retry_count=entry.retry_count,
            status=entry.status,
            weighs=weight(entry),
            count=entry.count,
        )
    return Again(
        service=service,
        prepared=prepared,
        request=replace(
            call.incoming, path=call.path, headers=redact(call.incoming.headers), body=known.body
        ),
        known=known,
        script=script,
        revision=call.revision,
        result=result,
        turn=turn,
        alike=alike,
        pieces=pieces,
        names=[f"{name}: ".encode() for _, name, _ in prepared.open],
        ends=(begin, end) if turn is not None else (b"".join((begin, *written, end)), b""),
        size=size,
    )


def _is_usual(service: Service, call: Call, result: Result, delivery: Delivery) -> bool:
    """Tell whether the answer goes by nothing but the request, its script and its place among many."""
    is_noted = bool(call.violations or call.mismatches or result.headers)
    is_kept = not isinstance(call.request, dict) or bool(call.request.get("store"))
    is_counted = service.settings.limits is not None or service.settings.vary_repeats
    is_whole = result.effects is None and delivery.ending is Ending.COMPLETE
    may_block = call.script is not None and call.script.may_block
    is_good = result.status == HTTPStatus.OK and call.incoming.mark != b""
    return is_good and is_whole and not (is_noted or is_kept or is_counted or may_block)


def _pieces(headers: Headers, own: Sequence[str]) -> list[bytes] | None:
    """Return the lines before, between and behind the fields of these names.

    None where they do not stand there once each, in this order.
    """
    if [name for name, _ in headers if name in own] != list(own):
        return None
    pieces, start = [], 0
    for place, (name, _) in enumerate(headers):
        if name in own:
            pieces.append(framing.lines(headers[start:place]))
            start = place + 1
    # The line ends that follow a field of an answer's own are those of the piece behind it.
    return [
        piece if not at else b"\r\n" + piece
        for at, piece in enumerate([*pieces, framing.lines(headers[start:])])
    ]


class Agains:
    """The answers that an app gives again, within bounds; safe to use from many threads.

    Args:
        most: How many bytes they may take together.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._kept: dict[tuple[str, bytes, bytes], Again] = {}
        self._met: set[int] = set()

    def find(self, incoming: Incoming) -> Again | None:
        """Return what answers a request again, None where it is to be found out."""
        return self._kept.get((incoming.path, incoming.mark, incoming.body))

    def has_met(self, incoming: Incoming) -> bool:
        """Tell whether a request came before; many a head never comes again."""
        number = hash((incoming.path, incoming.mark, incoming.body))
        if number in self._met:
            return True
        if len(self._met) >= _MOST_MET:
            self._met = set()
        self._met.add(number)
        return False

    def keep(self, incoming: Incoming, again: Again) -> None:
        """Answer a request so from now on; at the bound all are found out anew."""
        self._size += again.size + _OWN_SIZE
        if self._size > self._most:
            self._kept, self._size = {}, again.size + _OWN_SIZE
        self._kept[incoming.path, incoming.mark, incoming.body] = again


_MOST_MET = 4_096
"""Requests that are told from those that never came before."""
_OWN_SIZE = 4_096
"""About how many bytes one takes besides its request and its answer."""
