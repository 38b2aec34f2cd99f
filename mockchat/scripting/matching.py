"""Say why a request does not match; matching is having nothing to say."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Unpack, cast

from mockchat.errors import BadArgument
from mockchat.scripting.conditions import KEYWORDS, Conditions, Keyword, Mismatch
from mockchat.scripting.credentials import REDACTED, is_credential
from mockchat.scripting.request_view import RequestView, is_list
from mockchat.scripting.wanted import contains, described, matches_schema

__all__ = [
    "Conditions",
    "Matcher",
    "Mismatch",
    "RequestView",
    "contains",
    "matcher",
    "matches_schema",
]


@dataclass(frozen=True, slots=True)
class Matcher:
    """All conditions of one stub, checked when it was made. No conditions match everything.

    Attributes:
        conditions: The keywords of `when` with what is wanted, in written order; `any_of` has a
            tuple of matchers, `not_` a matcher.
    """

    conditions: tuple[tuple[str, object], ...] = ()

    def mismatches(self, view: RequestView) -> tuple[Mismatch, ...]:
        """Return every condition the request does not meet, in the order they were written."""
        return tuple(
            mismatch
            for keyword, wanted in self.conditions
            for mismatch in _KEYWORDS[keyword].compare(keyword, wanted, view)
        )

    def matches(self, view: RequestView) -> bool:
        """Tell whether nothing speaks against the request."""
        return not self.mismatches(view)

    @property
    def has_predicates(self) -> bool:
        """Whether a condition asks a callable: that is somebody's own code."""
        return any(_asks(wanted) for _, wanted in self.conditions)

    def __str__(self) -> str:
        return ", ".join(f"{keyword}={_said(keyword, value)}" for keyword, value in self.conditions)


def matcher(**conditions: Unpack[Conditions]) -> Matcher:
    """Make a matcher from the keywords of `when`.

    Raises:
        BadArgument: A keyword does not exist, or its value has a type it cannot compare.
    """
    __tracebackhide__ = True
    checked: list[tuple[str, object]] = []
    for keyword, wanted in conditions.items():
        if keyword not in _KEYWORDS:
            close = difflib.get_close_matches(keyword, _KEYWORDS, n=1)
            raise BadArgument(
                "keyword of when()", keyword, ", ".join(_KEYWORDS), close[0] if close else None
            )
        if not _KEYWORDS[keyword].is_allowed(wanted):
            raise BadArgument(f"when({keyword}=)", wanted, _KEYWORDS[keyword].allowed)
        checked.append((keyword, _combined(keyword, wanted)))
    return Matcher(tuple(checked))


def _combined(keyword: str, wanted: object) -> object:
    __tracebackhide__ = True
    if keyword == "any_of":
        return tuple(matcher(**one) for one in cast("tuple[Conditions, ...]", wanted))
    return matcher(**cast("Conditions", wanted)) if keyword == "not_" else wanted


def _asks(wanted: object) -> bool:
    if isinstance(wanted, Matcher):
        return wanted.has_predicates
    if isinstance(wanted, Mapping):
        return any(map(_asks, wanted.values()))
    return any(map(_asks, wanted)) if isinstance(wanted, list | tuple) else callable(wanted)


def _compare_any_of(keyword: str, wanted: object, view: RequestView) -> Iterator[Mismatch]:
    reasons: list[str] = []
    for one in cast("tuple[Matcher, ...]", wanted):
        mismatches = one.mismatches(view)
        if not mismatches:
            return
        reasons.append(" and ".join(map(str, mismatches)))
    said = f"none holds: {'; or '.join(reasons)}"
    yield Mismatch(keyword=keyword, wanted=wanted, actual=None, reason=said)


def _compare_not(keyword: str, wanted: object, view: RequestView) -> Iterator[Mismatch]:
    if cast("Matcher", wanted).matches(view):
        reason = f"the request has {wanted}"
        yield Mismatch(keyword=keyword, wanted=wanted, actual=None, reason=reason)


def _said(keyword: str, wanted: object) -> str:
    if keyword == "any_of":
        return "[" + ", ".join(f"{{{one}}}" for one in cast("tuple[Matcher, ...]", wanted)) + "]"
    if keyword == "not_":
        return f"{{{wanted}}}"
    if keyword == "headers":
        fields = cast("Mapping[str, object]", wanted)
        wanted = {name: REDACTED if is_credential(name) else fields[name] for name in fields}
    return described(wanted)


def _is_conditions(value: object) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(isinstance(key, str) for key in value)


_KEYWORDS: Mapping[str, Keyword] = {
    **KEYWORDS,
    "any_of": Keyword(
        "a sequence of mappings, each with the keywords of when()",
        lambda value: is_list(value) and bool(value) and all(map(_is_conditions, value)),
        _compare_any_of,
    ),
    "not_": Keyword("a mapping with the keywords of when()", _is_conditions, _compare_not),
}
