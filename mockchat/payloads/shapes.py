"""The shapes a reply can have, and which of them a request leaves open."""

from collections.abc import Mapping

from mockchat.errors import BadArgument
from mockchat.payloads.draw import Draw
from mockchat.payloads.members import ReplyMembers
from mockchat.payloads.tool_use import ToolUse
from mockchat.types import Kind

SHAPES = ("text", "tool_calls", "refusal", "length", "content_filter")
"""Every shape a generated reply can have, the simplest first."""

_WEIGHTS: Mapping[Kind, Mapping[str, float]] = {
    "plain": {"text": 1, "tool_calls": 1},
    "wild": {"text": 8, "tool_calls": 8, "refusal": 1, "length": 1, "content_filter": 1},
}


def checked_shapes(shapes: Mapping[str, float] | None) -> Mapping[str, float] | None:
    """Return `shapes` if they are weights of shapes.

    Raises:
        BadArgument: A name is not a shape, or a weight is not a number of at least 0.
    """
    for name, weight in (shapes or {}).items():
        if name not in SHAPES:
            raise BadArgument("shapes", name, ", ".join(SHAPES))
        if not _is_weight(weight):
            raise BadArgument(f"shapes[{name!r}]", weight, "a number of at least 0")
    return shapes


def _is_weight(weight: object) -> bool:
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        return False
    return 0 <= weight < float("inf")


def pick_shape(  # noqa: PLR0913 - everything a shape depends on, named by keyword
    draw: Draw,
    *,
    kind: Kind,
    use: ToolUse,
    members: ReplyMembers,
    last_role: str,
    shapes: Mapping[str, float] | None,
) -> str:
    """Return the shape of one choice, among those the request and the profile leave open.

    Calls that are required leave nothing else open. Without weights of the caller's, a plain reply
    to a tool's result is text, so that an agent's loop comes to an end.
    """
    if use.mode == "required":
        return "tool_calls"
    weights = dict(_WEIGHTS[kind] if shapes is None else shapes)
    if shapes is None and kind == "plain" and last_role in {"tool", "function"}:
        weights["tool_calls"] = 0
    is_open = {
        "text": True,
        "tool_calls": use.mode == "auto",
        "refusal": members.has_refusals,
        "length": members.allows_finish("length"),
        "content_filter": members.allows_finish("content_filter"),
    }
    left = [(name, weights.get(name, 0)) for name in SHAPES if is_open[name]]
    total = sum(weight for _, weight in left)
    point = draw.number(0, total) if total else 0.0
    for name, weight in left:
        if weight and point <= weight:
            return name
        point -= weight
    return "text"
