"""Breakages: the ways to spoil one value, each with its words, from the node it was made of.

A breakage is by construction outside what its node allows; whether it is outside what the contract
allows, the contract judges.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

from mockchat.contract.keywords import json_equal
from mockchat.contract.patterns import is_found
from mockchat.contract.unions import ALL_TYPES, json_type
from mockchat.payloads.places import (
    LONGEST,
    Shape,
    Unnamed,
    as_it_is,
    free_name,
    is_name,
    leaves,
    narrowed,
    text_leaves,
    with_items,
    with_member,
)
from mockchat.payloads.schema_nodes import (
    NEVER,
    Anything,
    Array,
    Choice,
    Constant,
    Integer,
    Node,
    Number,
    Object,
    String,
)
from mockchat.types import Json

_SAMPLES: dict[str, Json] = {
    "null": None,
    "boolean": True,
    "integer": 7,
    "number": 1.5,
    "string": "text",
    "array": [],
    "object": {},
}
_NEAR = 0.001
_UNKNOWN = "unknown_member"
_STRANGE = (" ", "é", "<", "!", "\n", "\0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakage:
    """One way to spoil a value.

    Attributes:
        variant: Its name among the breakages of a place: "too long".
        reason: What is wrong then, in words.
        change: From the value to the spoilt one; never changes what it is given.
        at: Where the fault is, below the value: a member that is missing or unknown.
        shape: What the value must have for it.
    """

    variant: str
    reason: str
    change: Callable[[Json], Json]
    at: tuple[str, ...] = ()
    shape: Shape = as_it_is


def breakages(node: Node) -> Iterator[Breakage]:
    """Yield the ways to spoil a value of a node that is no choice, the plainest first."""
    match node:
        case Constant():
            yield from _unlisted(node)
        case Integer():
            yield from _out_of_bounds(node.least, node.most, 1)
            if node.step > 1:
                yield _off_step(node.step, 1)
        case Number():
            yield from _out_of_bounds(node.least, node.most, _NEAR)
            yield from _out_of_bounds(node.least, node.most, 1, "far ")
            if node.step is not None:
                yield _off_step(float(node.step), float(node.step) / 2)
        case String():
            yield from _bad_text(node)
        case Array():
            yield from _bad_array(node)
        case Object():
            yield from _bad_members(node)
            yield from _bad_size(node)
            yield from _bad_names(node)
        case _:
            return


def wrong_types(place: Node) -> Iterator[Breakage]:
    """Yield a value of every JSON type that a place does not admit, and near misses of its own."""
    options = [*leaves(place)]
    if any(isinstance(option, Anything) for option in options):
        return
    admitted = _admitted(options)
    wanted = " or ".join(name for name in ALL_TYPES if name in admitted)
    is_integral = "integer" in admitted and "number" not in admitted
    for name in ALL_TYPES:
        if name in admitted or (name == "integer" and "number" in admitted):
            continue
        change = _as_text if name == "string" else partial(_constant, _SAMPLES[name])
        yield Breakage(variant=name, reason=f"{name} where {wanted} is wanted", change=change)
    if is_integral:
        reason = "an integer written as a float"
        yield Breakage(variant="float", reason=reason, change=_as_float, shape=_integers_only)


def _admitted(options: Sequence[Node]) -> set[str]:
    found: set[str] = set()
    for option in options:
        match option:
            case Constant():
                found |= {json_type(value) for value in option.values}
            case Integer():
                found.add("integer")
            case Number():
                found.add("number")
            case String():
                found.add("string")
            case Array():
                found.add("array")
            case _:
                found.add("object")
    return found


def _constant(value: Json, _: Json) -> Json:
    return type(value)() if isinstance(value, list | dict) else value


def _as_text(value: Json) -> Json:
    """Return a scalar as careless code sends it, in quotes; "text" for anything else."""
    return json.dumps(value) if isinstance(value, bool | int | float) else _SAMPLES["string"]


def _as_float(value: Json) -> Json:
    return float(value)


def _integers_only(place: Node) -> Node:
    """Narrow a place that may be an integer or something else to the integers a float can hold."""
    branches: list[Node] = []
    for leaf in leaves(place):
        if isinstance(leaf, Integer):
            branches.append(leaf)
        elif isinstance(leaf, Constant):
            values = [value for value in leaf.values if json_type(value) == "integer"]
            if values:
                branches.append(Constant(pointer=leaf.pointer, values=values, cost=1, height=1))
    return Choice(pointer=place.pointer, branches=branches, cost=place.cost, height=place.height)


def _unlisted(node: Constant) -> Iterator[Breakage]:
    values = node.values
    numbers = [value for value in values if json_type(value) == "integer"]
    if len(numbers) == len(values):
        yield from _out_of_bounds(min(numbers), max(numbers), 1)
        return
    for variant, reason, change in (
        ("wrong case", "a listed text in another case", str.swapcase),
        ("suffix", "a listed text with a letter more", "{}x".format),
        ("empty text", "no text where a listed one is wanted", lambda _: ""),
    ):
        texts = [value for value in values if isinstance(value, str)]
        spoilt = [change(text) for text in texts]
        if texts and not any(json_equal(one, text) for one in spoilt for text in texts):
            yield Breakage(
                variant=variant, reason=reason, change=partial(_of_text, change), shape=_texts_only
            )


def _of_text(change: Callable[[str], str], value: Json) -> Json:
    return change(value)


def _texts_only(node: Node) -> Node:
    """Narrow a list of values to its texts."""
    values = [value for value in getattr(node, "values", ()) if isinstance(value, str)]
    return Constant(pointer=node.pointer, values=values, cost=node.cost, height=node.height)


def _out_of_bounds(
    least: float | None, most: float | None, by: float, how: str = ""
) -> Iterator[Breakage]:
    if least is not None and least - by < least:
        yield Breakage(
            variant=f"{how}below",
            reason=f"less than the least number allowed, {_whole(least)}",
            change=partial(_constant, _whole(least - by)),
        )
    if most is not None and most + by > most:
        yield Breakage(
            variant=f"{how}above",
            reason=f"more than the greatest number allowed, {_whole(most)}",
            change=partial(_constant, _whole(most + by)),
        )


def _whole(value: float) -> float:
    return int(value) if float(value).is_integer() else value


def _off_step(step: float, by: float) -> Breakage:
    return Breakage(
        variant="off step",
        reason=f"not a multiple of {step:g}",
        change=lambda value: value + by,
    )


def _bad_text(node: String) -> Iterator[Breakage]:
    least, most = node.least, node.most
    if least:
        yield Breakage(
            variant="too short",
            reason=f"a text of {least - 1} characters where at least {least} are wanted",
            change=lambda value: value[: least - 1],
        )
    if most is not None and most <= LONGEST:
        yield Breakage(
            variant="too long",
            reason=f"a text of {most + 1} characters where at most {most} are allowed",
            change=lambda value: value + (value[-1:] or "a") * (most + 1 - len(value)),
        )
    if node.patterns:
        yield Breakage(
            variant="strange character",
            reason=f"a text that does not match {' and '.join(node.patterns)}",
            change=partial(_mismatched, node),
        )


def _mismatched(node: String, value: Json) -> Json:
    """Return a text as like to `value` as may be that one of the patterns is not found in."""
    for strange in _STRANGE:
        for text in (value + strange, value[:-1] + strange, strange + value, strange):
            fits_lengths = len(text) >= node.least and (node.most is None or len(text) <= node.most)
            if fits_lengths and not all(is_found(each, text) for each in node.patterns):
                return text
    return value


def _bad_array(node: Array) -> Iterator[Breakage]:
    least, most = node.least, node.most
    some = partial(_some_items, max(1, least))
    if least:
        yield Breakage(
            variant="too few",
            reason=f"{least - 1} items where at least {least} are wanted",
            change=lambda value: value[: least - 1],
        )
    if most is not None and most <= LONGEST and not node.unique:
        yield Breakage(
            variant="too many",
            reason=f"{most + 1} items where at most {most} are allowed",
            change=lambda value: [*value, *_copies(value[-1], most + 1 - len(value))],
            shape=some,
        )
    if node.unique and (most is None or most > 1):
        yield Breakage(
            variant="repeated",
            reason="an item that stands twice where all must differ",
            change=lambda value: [
                *(value if len(value) != most else value[:-1]),
                *_copies(value[0], 1),
            ],
            shape=some if most is None or least < most else as_it_is,
        )


def _copies(item: Json, count: int) -> list[Json]:
    return [deepcopy(item) for _ in range(count)]


def _some_items(count: int, node: Node) -> Node:
    return with_items(node, count) if isinstance(node, Array) else node


def _bad_members(node: Object) -> Iterator[Breakage]:
    for name in node.required:
        yield Breakage(
            variant=f"without {name}",
            reason=f"the required member {name!r} is missing",
            change=partial(_without, name),
            at=(name,),
        )
    for name, others in node.needs.items():
        if name not in node.required and node.properties[name].cost < NEVER:
            for other in others:
                yield Breakage(
                    variant=f"{name} without {other}",
                    reason=f"{other!r} is missing, which {name!r} asks for",
                    change=partial(_without, other),
                    at=(other,),
                    shape=partial(_with_named, name),
                )
    is_closed = all(extra.node.cost == NEVER for extra in node.extras)
    if is_closed:
        yield _added(_UNKNOWN, "unknown member", "a member that nothing names")
        misspelt = max((name[:-1] for name in node.properties), key=len, default="")
        if misspelt and misspelt not in node.properties:
            yield _added(misspelt, "misspelt member", "a member whose name lacks its last letter")


def _added(name: str, variant: str, reason: str) -> Breakage:
    return Breakage(
        variant=variant, reason=reason, change=lambda value: {**value, name: True}, at=(name,)
    )


def _without(name: str, value: Json) -> Json:
    return {key: member for key, member in value.items() if key != name}


def _with_named(name: str, node: Node) -> Node:
    return with_member(node, name, node.properties[name]) if isinstance(node, Object) else node


def _bad_size(node: Object) -> Iterator[Breakage]:
    least, most = node.least, node.most
    if least:
        yield Breakage(
            variant="too few members",
            reason=f"{least - 1} members where at least {least} are wanted",
            change=lambda value: dict([*value.items()][: least - 1]),
        )
    step = _unnamed(node)
    if step is None or most is None or most > LONGEST or node.patterns:
        return
    names = [name for name in map(str, range(1, most + 2)) if is_name(node, name)]
    if len(names) <= most:
        return
    yield Breakage(
        variant="too many members",
        reason=f"{most + 1} members where at most {most} are allowed",
        change=lambda value: dict(
            [
                *value.items(),
                *((name, deepcopy(value[step.name])) for name in names if name not in value),
            ][: most + 1]
        ),
        shape=partial(narrowed, route=(step,)),
    )


def _unnamed(node: Object) -> Unnamed | None:
    """Return the step to a member that no property names, None where there can be none."""
    for index, extra in enumerate(node.extras):
        name = free_name(node, extra)
        if extra.node.cost < NEVER and name is not None:
            return Unnamed(name=name, index=index)
    return None


def _bad_names(node: Object) -> Iterator[Breakage]:
    step = _unnamed(node)
    if node.names is None or step is None:
        return
    for leaf in text_leaves(node.names):
        for breakage in _bad_text(leaf):
            name = breakage.change(step.name)
            yield Breakage(
                variant=f"name {breakage.variant}",
                reason=f"a name that is {breakage.reason}",
                change=partial(_renamed, step.name, name),
                at=(name,),
                shape=partial(narrowed, route=(step,)),
            )


def _renamed(old: str, new: str, value: Json) -> Json:
    return {(new if name == old else name): member for name, member in value.items()}
