"""Say why a request does not match; matching is having nothing to say."""

import difflib
from dataclasses import dataclass
from typing import Unpack

from mockchat.errors import BadArgument
from mockchat.scripting.arguments import is_filled_text
from mockchat.scripting.conditions import KEYWORDS, Conditions, Contains, Mismatch
from mockchat.scripting.request_view import RequestView

__all__ = ["Conditions", "Matcher", "Mismatch", "RequestView", "contains", "matcher"]


def contains(fragment: str) -> Contains:
    """Match any text that has `fragment` in it, case and all.

    Raises:
        BadArgument: `fragment` is not a non-empty string (an empty one is in every text).
    """
    __tracebackhide__ = True
    if not is_filled_text(fragment):
        raise BadArgument("contains()", fragment, "a non-empty string")
    return Contains(fragment)


@dataclass(frozen=True, slots=True)
class Matcher:
    """All conditions of one stub, checked when it was made. No conditions match everything."""

    conditions: tuple[tuple[str, object], ...] = ()

    def mismatches(self, view: RequestView) -> tuple[Mismatch, ...]:
        """Return every condition the request does not meet, in the order they were written."""
        return tuple(
            mismatch
            for keyword, wanted in self.conditions
            for mismatch in KEYWORDS[keyword].compare(keyword, wanted, view)
        )

    def matches(self, view: RequestView) -> bool:
        """Tell whether nothing speaks against the request."""
        return not self.mismatches(view)


def matcher(**conditions: Unpack[Conditions]) -> Matcher:
    """Make a matcher from the keywords of `when`.

    Raises:
        BadArgument: A keyword does not exist, or its value has a type it cannot compare.
    """
    __tracebackhide__ = True
    for keyword, wanted in conditions.items():
        if keyword not in KEYWORDS:
            close = difflib.get_close_matches(keyword, KEYWORDS, n=1)
            raise BadArgument(
                "keyword of when()", keyword, ", ".join(KEYWORDS), close[0] if close else None
            )
        if not KEYWORDS[keyword].is_allowed(wanted):
            raise BadArgument(f"when({keyword}=)", wanted, KEYWORDS[keyword].allowed)
    return Matcher(tuple(conditions.items()))
