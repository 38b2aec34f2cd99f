"""How a profile's streams look: its axes, and what joining one needs besides."""

from dataclasses import asdict, dataclass
from functools import lru_cache

from mockchat.contract.profile import Profile
from mockchat.contract.stream_axes import StreamAxes, stream_axes
from mockchat.payloads.members import reply_members


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStyle(StreamAxes):
    """The axes of a profile's streams, and what its documents tell of them.

    Attributes:
        has_refusal: Whether every streamed message has `refusal`. Streams of parallel calls leave it out,
            so that whoever joins one has to know.
        has_delta: Whether choices of whole completions have a `delta` too, an empty one.
        chunk_object: The `object` of a chunk.
    """

    has_refusal: bool
    has_delta: bool
    chunk_object: str


OPENAI_STYLE = StreamStyle(
    role="first",
    opening="message",
    finish="own",
    finish_delta={},
    usage="own",
    usage_always=False,
    usage_null=True,
    tool_calls="fragments",
    obfuscation=True,
    leading_empty=False,
    comments=(),
    message_so_far=False,
    done=True,
    reasoning_field=None,
    has_refusal=True,
    has_delta=False,
    chunk_object="chat.completion.chunk",
)
"""How api.openai.com streams, as recorded from 2024 to 2026: what `split` and `join` assume."""


@lru_cache(maxsize=64)
def stream_style(profile: Profile) -> StreamStyle:
    """Return the style of `profile`: the "stream" member of its settings, and its message.

    Raises:
        BrokenProfile: An axis is missing, unknown or has a value that is not allowed.
    """
    members = reply_members(profile)
    return StreamStyle(
        **asdict(stream_axes(profile.settings)),
        has_refusal="refusal" in members.message & members.delta,
        has_delta="delta" in members.choice,
        chunk_object=members.chunk_object,
    )
