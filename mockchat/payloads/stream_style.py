"""How a profile's streams look: its axes, and what joining one needs besides."""

from dataclasses import asdict, dataclass
from functools import lru_cache

from mockchat.contract.profile import Profile
from mockchat.contract.stream_axes import StreamAxes, stream_axes
from mockchat.payloads.members import reply_members


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStyle(StreamAxes):
    """The axes of a profile's streams, and one fact about its messages.

    Attributes:
        has_refusal: Whether every message has `refusal`. Streams of parallel calls leave it out,
            so that whoever joins one has to know.
    """

    has_refusal: bool


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
    done=True,
    reasoning_field=None,
    has_refusal=True,
)
"""How api.openai.com streams, as recorded from 2024 to 2026: what `split` and `join` assume."""


@lru_cache(maxsize=64)
def stream_style(profile: Profile) -> StreamStyle:
    """Return the style of `profile`: the "stream" member of its settings, and its message.

    Raises:
        BrokenProfile: An axis is missing, unknown or has a value that is not allowed.
    """
    has_refusal = "refusal" in reply_members(profile).message
    return StreamStyle(**asdict(stream_axes(profile.settings)), has_refusal=has_refusal)
