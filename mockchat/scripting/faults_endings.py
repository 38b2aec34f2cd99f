"""How streams end when they should not: early, with an error, without `[DONE]` or with more behind it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Write
from mockchat.payloads.draw import Draw
from mockchat.payloads.encoding import DONE, encode_chunk
from mockchat.scripting.faults import NOTHING, Ability, NamedFault, as_written
from mockchat.scripting.faults_events import check_after_chunks
from mockchat.scripting.sent_events import SentStream, later
from mockchat.types import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEarly:
    """End a stream before its finish, with an HTTP body that is whole: nothing looks broken.

    Attributes:
        after_chunks: How many chunks arrive.
    """

    after_chunks: int
    needs: ClassVar[frozenset[Ability]] = NOTHING

    def __post_init__(self) -> None:
        check_after_chunks(self, self.after_chunks)

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the delivery without what follows.

        Raises:
            FaultMissed: The stream has fewer chunks.
        """
        del draw
        stream = SentStream.of(delivery, self)
        held = later((), stream.events[0].delay if stream.events else 0.0)
        return stream.sending(stream.upto(self.after_chunks) or held)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorFrame:
    """Report an error in the middle of a stream whose status was 200.

    Attributes:
        after_chunks: How many chunks come before it.
        message: The error's message.
        type: Its type.
        code: Its code.
        form: "object": an event with `error` alone (OpenAI). "text": the same, `error` being the
            message. "chunk": a chunk with `error` and the finish reason "error" (OpenRouter).
        named: Whether a line `event: error` stands before it (Groq).
        done: Whether `[DONE]` follows.
    """

    after_chunks: int
    message: str = "The stream failed on purpose."
    type: str | None = "server_error"
    code: str | int | None = None
    form: Literal["object", "text", "chunk"] = "object"
    named: bool = False
    done: bool = True
    needs: ClassVar[frozenset[Ability]] = NOTHING

    def __post_init__(self) -> None:
        check_after_chunks(self, self.after_chunks)
        if self.form not in {"object", "text", "chunk"}:
            raise BadArgument("ErrorFrame(form=)", self.form, "object, text or chunk")

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the delivery with the error in place of what follows.

        Raises:
            FaultMissed: The stream has fewer chunks; the form "chunk" needs one to go by.
        """
        del draw
        stream = SentStream.of(delivery, self)
        before = stream.upto(self.after_chunks)
        data = b"event: error\n" * self.named + encode_chunk(self._event(stream))
        behind = stream.events[len(before) :]
        failed = Write(data=data, delay=behind[0].delay if behind else 0.0)
        done = (Write(data=DONE),) if self.done else ()
        return stream.sending((*before, failed, *done))

    def _event(self, stream: SentStream) -> JsonObject:
        if self.form == "text":
            return {"error": self.message}
        error = {"message": self.message, "type": self.type, "param": None, "code": self.code}
        if self.form == "object":
            return {"error": error}
        chunk = stream.chunk(stream.place(0))
        choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
        return {**chunk, "choices": [choice], "error": error}

    __repr__ = as_written


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    """Another end than one `[DONE]`; known by its name alone."""

    name: str
    instead: Callable[[SentStream], tuple[bytes, ...]]
    needs: ClassVar[frozenset[Ability]] = NOTHING

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        del draw
        stream = SentStream.of(delivery, self)
        return stream.at(stream.done(), *self.instead(stream))

    def __repr__(self) -> str:
        return f"stream_fault({self.name!r})"


def _chunk_again(stream: SentStream) -> bytes:
    return stream.events[stream.place(len(stream.places) - 1)].data


_UNFINISHED = frozenset({"stream.ending", "stream.done-missing", "stream.finish-missing"})

ENDING_FAULTS = (
    NamedFault(
        name="truncated",
        meaning="The stream ends after the second chunk; the HTTP body is whole.",
        source="openai 1.109 to 3.51, run: ends silently, finish_reason None; openai-node 7, run: `.stream()` throws",
        fault=EndEarly(after_chunks=2),
        breaks=_UNFINISHED,
    ),
    NamedFault(
        name="missing-done",
        meaning="`[DONE]` is missing.",
        source="openai 1.109 to 3.51, run: fine",
        fault=_Ending(name="missing-done", instead=lambda _: ()),
        is_survivable=True,
        breaks=frozenset({"stream.ending", "stream.done-missing"}),
    ),
    NamedFault(
        name="done-twice",
        meaning="`[DONE]` comes twice.",
        source="openai 1.109 to 3.51, run: what follows the first is ignored",
        fault=_Ending(name="done-twice", instead=lambda _: (DONE, DONE)),
        is_survivable=True,
        breaks=frozenset({"stream.done-once"}),
    ),
    NamedFault(
        name="chunk-after-done",
        meaning="A chunk follows `[DONE]`.",
        source="openai 1.109 to 3.51, run: what follows [DONE] is ignored",
        fault=_Ending(name="chunk-after-done", instead=lambda stream: (DONE, _chunk_again(stream))),
        is_survivable=True,
        breaks=frozenset({"stream.ending", "stream.done-last"}),
    ),
    NamedFault(
        name="done-with-more",
        meaning="The last event begins with `[DONE]` and goes on.",
        source="openai 1.109 to 3.51, run: stops; openai-node 7, run: SyntaxError",
        fault=_Ending(name="done-with-more", instead=lambda _: (b"data: [DONE]!\n\n",)),
        is_survivable=True,
        breaks=frozenset({"stream.data-json", "stream.ending", "stream.done-missing"}),
    ),
    NamedFault(
        name="error-frame",
        meaning="An event with `error` comes after the second chunk, then `[DONE]`.",
        source="OpenAI, reported; LiteLLM, read; openai 1.109 to 3.51, run: APIError",
        fault=ErrorFrame(after_chunks=2),
    ),
    NamedFault(
        name="error-frame-without-done",
        meaning="An event with `error` comes after the second chunk, and nothing behind it.",
        source="gateways, reported; openai 1.109 to 3.51, run: APIError",
        fault=ErrorFrame(after_chunks=2, done=False),
    ),
    NamedFault(
        name="error-frame-first",
        meaning="The first event has `error`, under status 200.",
        source="gateways, reported",
        fault=ErrorFrame(after_chunks=0),
    ),
    NamedFault(
        name="error-frame-text",
        meaning="An event whose `error` is text comes after the second chunk.",
        source="openai 1.109 to 3.51, run: APIError with a text of its own",
        fault=ErrorFrame(after_chunks=2, form="text"),
    ),
    NamedFault(
        name="error-event",
        meaning="`event: error` and an event with `error` come after the second chunk, then nothing.",
        source="Groq, recorded",
        fault=ErrorFrame(after_chunks=2, named=True, done=False),
        breaks=frozenset({"stream.control-field"}),
    ),
    NamedFault(
        name="error-in-chunk",
        meaning="A chunk with `error` and the finish reason `error` comes after the second chunk.",
        source="OpenRouter, documented",
        fault=ErrorFrame(after_chunks=2, form="chunk"),
    ),
)
"""The named faults of this room."""
