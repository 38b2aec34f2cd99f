"""Streams that break what a profile says of its own members: where they stand, how they pad."""

from collections.abc import Iterator

from mockchat.contract.stream_axes import StreamAxes
from mockchat.payloads.broken_streams import TEXT, StreamBreakage
from mockchat.payloads.stream_sites import (
    Change,
    Events,
    chunks_in,
    entries_in,
    nth,
    opening,
    speaking,
)


def place_breakages(axes: StreamAxes) -> Iterator[StreamBreakage]:
    """Yield the ways to break the rules on members of a profile's own, as its axes name them."""
    for name, place in axes.member_places.items():
        reason = f"{name} in a chunk where it does not belong"
        yield _broken("member-place", reason, _misplaced(name, is_last=place == "last"))
    for name in axes.choice_member_places:
        reason = f"{name} before its time"
        yield _broken("choice-member-place", reason, _early(name))
    if axes.padding_field is not None:
        reason = f"a chunk without {axes.padding_field}"
        yield _broken("padding-presence", reason, _unpadded(axes.padding_field))
    if axes.reasoning_null and axes.reasoning_field is not None:
        message = {**TEXT, axes.reasoning_field: "Let me think about it."}
        yield StreamBreakage(
            rule="stream.reasoning-null",
            reason="text beside reasoning",
            change=_talkative(axes.reasoning_field),
            message=message,
        )


def _broken(rule: str, reason: str, change: Change) -> StreamBreakage:
    return StreamBreakage(rule=f"stream.{rule}", reason=reason, change=change)


def _misplaced(name: str, *, is_last: bool) -> Change:
    def change(events: Events) -> str:
        _, told = nth([(n, chunk) for n, chunk in chunks_in(events) if chunk.get(name)])
        number, _ = opening(events) if is_last else speaking(events)
        events[number][name] = told[name]
        return f"/{number}/{name}"

    return change


def _early(name: str) -> Change:
    def change(events: Events) -> str:
        _, told = nth([(n, entry) for n, entry in entries_in(events) if entry.get(name)])
        number, entry = opening(events)
        entry[name] = told[name]
        return f"/{number}/choices/0/{name}"

    return change


def _unpadded(name: str) -> Change:
    def change(events: Events) -> str:
        number, _ = speaking(events)
        del events[number][name]
        return f"/{number}/{name}"

    return change


def _talkative(name: str) -> Change:
    def change(events: Events) -> str:
        number, entry = nth([(n, one) for n, one in entries_in(events) if one["delta"].get(name)])
        entry["delta"]["content"] = ""
        return f"/{number}/choices/0/delta/content"

    return change
