"""How the model answers one request of a conversation, drawn by Hypothesis."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from hypothesis import strategies as st

from mockchat.contract.contract import contract_for
from mockchat.errors import BadArgument
from mockchat.payloads.drawn import HypothesisDraw
from mockchat.payloads.members import reply_members
from mockchat.payloads.plans import Plan
from mockchat.payloads.shapes import SHAPES
from mockchat.payloads.shown import ShownAsCode
from mockchat.payloads.tool_use import call_text, offered_tools
from mockchat.scripting.builders import refusal, text, tool_call
from mockchat.scripting.contents import Reply
from mockchat.scripting.dialogue import SaidCall
from mockchat.strategies import plans
from mockchat.types import JsonView, Kind

_OFTEN = ("text", "tool_calls")
_MOST_CALLS = 3
_MOST_ERRORS = 3
_MOST_TEXT = 100
_PLAIN = "abcdefghijklmnopqrstuvwxyz ABC.,!?0123456789"
_WITH_TEXT = 0.25
_USUAL = "ok"

Answering: TypeAlias = Reply | list[str | Reply]
"""What the model answers: a reply, or calls with a text before them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn(ShownAsCode):
    """How the model answers one request.

    Attributes:
        reply: What it says.
        plan: How that is streamed, None for a whole answer.
        errors: The statuses of the errors that come before it.
    """

    reply: Answering
    plan: Plan | None = None
    errors: Sequence[int] = ()

    def __repr__(self) -> str:
        given = [f"reply={self.reply!r}"]
        given += [] if self.plan is None else [f"plan={self.plan!r}"]
        given += [f"errors={self.errors!r}"] if self.errors else []
        return f"Turn({', '.join(given)})"


class Talk(Protocol):
    """What turns depend on: see the attributes of `machines.ChatMachine`."""

    @property
    def profile(self) -> str: ...  # noqa: D102 - see above
    @property
    def kind(self) -> Kind: ...  # noqa: D102 - see above
    @property
    def tools(self) -> Sequence[JsonView]: ...  # noqa: D102 - see above
    @property
    def shapes(self) -> Collection[str]: ...  # noqa: D102 - see above
    @property
    def streams(self) -> Collection[bool]: ...  # noqa: D102 - see above
    @property
    def statuses(self) -> Sequence[int]: ...  # noqa: D102 - see above
    @property
    def pending(self) -> tuple[SaidCall, ...]: ...  # noqa: D102 - see above


def _texts(talk: Talk, least: int) -> st.SearchStrategy[str]:
    if talk.kind == "wild":
        return st.text(min_size=least, max_size=_MOST_TEXT)
    return st.text(_PLAIN, min_size=max(1, least), max_size=_MOST_TEXT)


def user_texts(talk: Talk) -> st.SearchStrategy[str]:
    """Draw what the user says."""
    return _texts(talk, 1)


@st.composite
def results(draw: st.DrawFn, talk: Talk) -> dict[int, str]:
    """Draw the results of all pending calls by their positions, in the order they are sent."""
    order = draw(st.permutations(range(len(talk.pending))))
    return {position: draw(_texts(talk, 0)) for position in order}


@st.composite
def turns(draw: st.DrawFn, talk: Talk) -> Turn:
    """Draw how the model answers."""
    # One draw decides on the simplest turn: Hypothesis takes a step out of a conversation where it
    # is five draws or fewer.
    shapes = _possible_shapes(talk)
    can_be_whole = False in talk.streams
    shape = draw(
        st.sampled_from(["usual", *shapes] if "text" in shapes and can_be_whole else shapes)
    )
    if shape == "usual":
        return Turn(reply=text(_USUAL))
    errors: st.SearchStrategy[list[int]] = st.just([])
    if talk.statuses:
        errors |= st.lists(st.sampled_from(talk.statuses), max_size=_MOST_ERRORS)
    ways = [plans(kind=talk.kind) if stream else st.none() for stream in talk.streams]
    return Turn(reply=_reply(draw, talk, shape), plan=draw(st.one_of(ways)), errors=draw(errors))


def _reply(draw: st.DrawFn, talk: Talk, shape: str) -> Answering:
    if shape == "tool_calls":
        return _calls(draw, talk)
    if shape == "refusal":
        return refusal(draw(_texts(talk, 1)))
    said = draw(_texts(talk, 0))
    return text(said) if shape == "text" else text(said, finish_reason=shape)


def _calls(draw: st.DrawFn, talk: Talk) -> list[str | Reply]:
    source = HypothesisDraw(draw)
    known = tuple(offered_tools({"tools": [*talk.tools]}))
    called = draw(st.lists(st.sampled_from(known), min_size=1, max_size=_MOST_CALLS))
    said: list[str | Reply] = [draw(_texts(talk, 1))] if source.chance(_WITH_TEXT) else []
    return said + [tool_call(tool.name, call_text(tool, source, talk.kind)) for tool in called]


def _possible_shapes(talk: Talk) -> list[str]:
    """Return the shapes to choose from; text and calls twice, as they carry the conversation."""
    members = reply_members(contract_for(talk.profile).profile)
    can = {
        "tool_calls": bool(talk.tools) and "tool_calls" in members.message,
        "refusal": members.has_refusals,
        "length": members.allows_finish("length"),
        "content_filter": members.allows_finish("content_filter"),
    }
    shapes = [shape for shape in SHAPES if shape in talk.shapes and can.get(shape, True)]
    if not shapes:
        allowed = f"one at least that profile {talk.profile!r} knows, with tools for 'tool_calls'"
        raise BadArgument("shapes", talk.shapes, allowed)
    return [*(shape for shape in _OFTEN if shape in shapes), *shapes]
