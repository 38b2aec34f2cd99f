"""All that shapes one reply, in one value: what every maker of a part of it is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from mockchat.contract.contract import Contract
from mockchat.contract.profile import Profile
from mockchat.contract.stream_axes import StreamAxes, stream_axes
from mockchat.payloads.asked import Asked, asked_of
from mockchat.payloads.members import ReplyMembers, reply_members
from mockchat.payloads.tokens import Tokenizer, approximate_tokens
from mockchat.payloads.tool_use import ToolUse, tool_use
from mockchat.types import JsonView, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """One request on its way to a reply.

    Attributes:
        profile: Whose reply it is.
        asked: What it asks.
        members: What the profile's replies have.
        use: Which tools may be called.
        kind: Which kind of payload is made.
        shapes: The caller's weights of shapes, None for the kind's own.
        tokenizer: What counts.
        reasoning_field: The member in which the profile's messages show reasoning, or None.
        named_call_finish: How a choice ends whose call the request named.
    """

    profile: Profile
    asked: Asked
    members: ReplyMembers
    use: ToolUse
    kind: Kind
    shapes: Mapping[str, float] | None
    tokenizer: Tokenizer
    reasoning_field: str | None
    named_call_finish: str


@lru_cache(maxsize=64)
def _axes(profile: Profile) -> StreamAxes:
    return stream_axes(profile.settings)


def answering_of(
    request: JsonView,
    contract: Contract,
    *,
    kind: Kind = "plain",
    shapes: Mapping[str, float] | None = None,
    tokenizer: Tokenizer | None = None,
) -> Answering:
    """Read `request` as `contract`'s profile does."""
    profile = contract.profile
    members = reply_members(profile)
    asked = asked_of(request, profile)
    axes = _axes(profile)
    return Answering(
        profile=profile,
        asked=asked,
        members=members,
        use=tool_use(asked, members),
        kind=kind,
        shapes=shapes,
        tokenizer=tokenizer or approximate_tokens(),
        reasoning_field=axes.reasoning_field if axes.reasoning_field in members.message else None,
        named_call_finish=axes.named_call_finish,
    )
