"""A scripted reply that was made for a request once, and is only filled in when that comes again."""

from collections.abc import Iterator, Sequence
from typing import Self

from mockchat.contract.profile import Profile
from mockchat.payloads.draw import Draw
from mockchat.payloads.forms import BodyForm, StreamForm
from mockchat.payloads.frames import Frame
from mockchat.payloads.stream_style import stream_style
from mockchat.payloads.streams import is_padded
from mockchat.scripting.contents import Choices, Reply, Said
from mockchat.scripting.replies import Answer
from mockchat.types import JsonObject, JsonView


class Ready:
    """What was made of a reply for one request: a frame, and its bytes with blanks.

    The bytes are written when the reply is sent for the second time: most are sent once.

    Attributes:
        reply: The reply.
        size: How many bytes were written so far.
    """

    __slots__ = ("_answer", "_body", "_frame", "_stream", "reply", "size")

    def __init__(
        self, reply: Reply, answer: Answer, frame: Frame, body: BodyForm | None = None
    ) -> None:
        self.reply = reply
        self._answer = answer
        self._frame = frame
        self._body = body
        self._stream: StreamForm | None = None
        self.size = 0 if body is None else body.size

    @classmethod
    def of(cls, reply: Reply, answer: Answer) -> Self | None:
        """Return what is ready of an answer; None where the next one may be another.

        That is so where more is drawn than a frame leaves blank, and where the reply holds what its
        author can still change.
        """
        if answer.frame is None or reply.usage is not None:
            return None
        is_fixed = all(not said.members and said.logprobs is None for said in _said(reply))
        return cls(reply, answer, answer.frame) if is_fixed else None

    def drawn(self, draw: Draw) -> JsonObject:
        """Draw what the frame leaves blank."""
        return self._frame.drawn(draw)

    def form(self, *, is_stream: bool) -> BodyForm | StreamForm | None:
        """Return how every further answer is written, None where that is not known yet."""
        if not is_stream:
            return self._body
        # Names of a pattern may be longer one time than another.
        return None if self._frame.is_patterned else self._stream

    def answer(self, draw: Draw) -> Answer:
        """Return the answer to the same request once more."""
        drawn = self.drawn(draw)
        before = self._answer
        return Answer(
            completion=self._frame.completion(drawn),
            plan=before.plan,
            pacing=before.pacing,
            fault=before.fault,
            frame=self._frame,
            drawn=drawn,
        )

    def body(self, drawn: JsonView) -> tuple[bytes, ...] | None:
        """Return the body of a JSON answer, None where it cannot be written with blanks."""
        if self._body is None:
            try:
                self._body = BodyForm.of(self._frame.members, self._frame.blanks)
            except (TypeError, ValueError):  # whoever writes it whole says what is wrong
                return None
            self.size += self._body.size
        return (self._body.filled(drawn),)

    def events(self, drawn: JsonView, draw: Draw) -> tuple[bytes, ...] | None:
        """Return the events of a stream, None where it is not known how they are written."""
        form = self._stream
        return form.filled(drawn, draw) if form is not None and form.fits(drawn) else None

    def learn(
        self, chunks: Sequence[JsonView], drawn: JsonView, heeded: JsonView, profile: Profile
    ) -> None:
        """Take note of how a stream is written, where that is the same but for blanks and padding.

        Args:
            chunks: Its chunks.
            drawn: What the completion was filled with.
            heeded: The request, as far as the profile heeds it.
            profile: Whose stream it is.
        """
        if stream_style(profile).padding_field is not None:
            return  # each chunk draws how much there is
        try:
            form = StreamForm.of(chunks, drawn, is_padded=is_padded(heeded, profile))
        except (TypeError, ValueError):
            return
        self.size += form.size - (0 if self._stream is None else self._stream.size)
        self._stream = form


def _said(reply: Reply) -> Iterator[Said]:
    if isinstance(reply.content, Said):
        yield reply.content
    elif isinstance(reply.content, Choices):
        for one in reply.content.replies:
            yield from _said(one)
