"""Make text that a regular expression finds.

Samples are built along the expression, then tested: look-arounds, word boundaries and anchors in
odd places are met by trying again, up to `TRIES` times. What look-aheads ask for is put into the
text at random places, since passwords are described that way: `(?=.*[A-Z])(?=.*[0-9]).{8,}`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from re import Pattern

from mockchat.contract.patterns import regular_expression
from mockchat.contract.regex_syntax import parse
from mockchat.contract.regex_tree import Chars, Expression, Group, Look, Repeat, Sequence
from mockchat.payloads.draw import Draw
from mockchat.payloads.regex_steps import FREE, Sampling, Step, pool, step

TRIES = 200
"""How often a sample is drawn before a pattern counts as one that cannot be met."""

MOST_CHARACTERS = 10_000
"""How long the shortest text of a pattern may be, and how much is drawn for one sample."""

_REMEMBERED = 1024
_MOST_SPLICED = 8


class NoSample(ValueError):
    """No text found that matches, within `TRIES` tries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A text that matches, and how many had to be drawn to find it."""

    text: str
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """A pattern ready to be drawn.

    Attributes:
        step: How.
        expression: The judge of what is drawn.
        wanted: What look-aheads need to find.
        row: What the characters that are chosen are each one of, where there are always as many.
        options: Among how many each of them is chosen.
        form: Where they go, for `%`.
    """

    step: Step
    expression: Pattern[str]
    wanted: tuple[str, ...]
    row: tuple[str, ...]
    options: tuple[int, ...]
    form: str


def sample(pattern: str, draw: Draw, *, least: int = 0, most: int | None = None) -> str:
    """Return text of `least` to `most` characters in which `pattern` is found.

    Raises:
        BadPattern: The pattern cannot be read, or not be run.
        NoSample: No such text was found.
    """
    plan = _plan(pattern)
    text = _at_once(plan, draw, least, most) if plan.options else None
    return _sampled(pattern, plan, draw, least, most).text if text is None else text


def sampled(pattern: str, draw: Draw, *, least: int = 0, most: int | None = None) -> Sample:
    """Return text as `sample` does, and how often it was tried."""
    plan = _plan(pattern)
    text = _at_once(plan, draw, least, most) if plan.options else None
    if text is None:
        return _sampled(pattern, plan, draw, least, most)
    return Sample(text=text, tries=1)


def _sampled(pattern: str, plan: _Plan, draw: Draw, least: int, most: int | None) -> Sample:
    """Draw text along the expression until it matches."""
    limit = FREE if most is None else most
    shortest = max(least, plan.step.least)
    if shortest > MOST_CHARACTERS:
        raise NoSample(f"what {pattern!r} matches has more than {MOST_CHARACTERS} characters")
    asked = draw.ahead(plan.step.choices, plan.step.options)
    for tries in range(1, min(TRIES, 1 + MOST_CHARACTERS // max(1, shortest)) + 1):
        text = _drawn(plan.step, asked, least, limit)
        for candidate in _padded(_spliced(text, plan.wanted, asked), least):
            if len(candidate) <= limit and plan.expression.search(candidate):
                return Sample(text=candidate, tries=tries)
    bounds = f" and has at least {least} characters" if least else ""
    if most is not None:
        bounds = f" and has {least} to {most} characters"
    raise NoSample(f"no text was found that matches {pattern!r}{bounds}")


@lru_cache(maxsize=_REMEMBERED)
def _plan(pattern: str) -> _Plan:
    tree = parse(pattern)
    wanted = tuple(pool(each) for each in _looked_for(tree))
    way = step(tree)
    row = () if way.row is None else way.row
    chosen = tuple(members for members in row if len(members) > 1)
    return _Plan(
        step=way,
        expression=regular_expression(pattern),
        wanted=wanted,
        row=chosen,
        options=tuple(map(len, chosen)),
        form="".join("%s" if len(each) > 1 else each.replace("%", "%%") for each in row),
    )


def _at_once(plan: _Plan, draw: Draw, least: int, most: int | None) -> str | None:
    """Return a sample whose characters are all chosen at once; None where that cannot be."""
    length = plan.step.least
    if length < least or (most is not None and length > most):
        return None
    answers = draw.several(plan.options)
    if answers is None:
        return None
    places = zip(plan.row, answers, strict=True)
    text = plan.form % tuple([members[answer] for members, answer in places])
    return text if plan.expression.search(text) else None


def _drawn(plan: Step, draw: Draw, least: int, most: int) -> str:
    return plan.text(Sampling(draw, max(0, least - plan.least), max(0, most - plan.least)))


def _padded(text: str, least: int) -> tuple[str, ...]:
    """Return `text`, or where it is too short the ways to lengthen it around an open end."""
    lack = least - len(text)
    if lack <= 0:
        return (text,)
    return (text + "a" * lack, "a" * lack + text)


def _looked_for(node: Expression) -> tuple[Chars, ...]:
    """Return the characters that look-aheads need to find somewhere."""
    match node:
        case Look(item=item, opening="(?="):
            return tuple(_needed(item))
        case Sequence(items=items):
            return tuple(each for item in items for each in _looked_for(item))
        case Group(item=item):
            return _looked_for(item)
        case _:
            return ()


def _needed(node: Expression) -> Iterator[Chars]:
    match node:
        case Chars():
            yield node
        case Sequence(items=items):
            for item in items:
                yield from _needed(item)
        case Group(item=item):
            yield from _needed(item)
        case Repeat(item=item, least=least):
            for _ in range(min(least, _MOST_SPLICED)):
                yield from _needed(item)


def _spliced(text: str, wanted: tuple[str, ...], draw: Draw) -> str:
    """Return `text` with one character of each of `wanted` somewhere in it, as far as there is room."""
    if not wanted:
        return text
    characters = [*text]
    places = [*range(len(characters))]
    for each in wanted[:_MOST_SPLICED]:
        if places and each:
            place = places.pop(draw.index(len(places)))
            characters[place] = each[draw.index(len(each))]
    return "".join(characters)
