"""Tell with certainty that one matcher leaves nothing for another: which stub can never answer.

Certain means: every request that meets the special matcher meets the general one. What cannot be
compared without asking (predicates, two patterns, two schemas) never counts, so there is no false
report; not every shadow is found.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import cast

from mockchat.errors import MockchatError
from mockchat.scripting.matching import Matcher
from mockchat.scripting.request_view import is_list
from mockchat.scripting.wanted import Contains, MatchesSchema, accepts, same


class UnreachableStub(MockchatError, ValueError, AssertionError):
    """A stub that can never answer, because an earlier one takes all its requests for ever.

    Args:
        stub: The name of the stub, with its line.
        shadow: The name of the earlier one, with its line.
        wanted: What the earlier one wants, as its author wrote it, "" for any request.
    """

    def __init__(self, stub: str, shadow: str, wanted: str) -> None:
        super().__init__(stub, shadow, wanted)
        self.stub = stub
        self.shadow = shadow
        self.wanted = wanted

    def __str__(self) -> str:
        wanted = f"every request with {self.wanted}" if self.wanted else "every request"
        return (
            f"{self.stub} can never answer: {self.shadow} answers {wanted} for ever.\n\n"
            f"Write it before {self.shadow.partition(' (')[0]}, or limit that one with "
            ".times(n) instead of .forever(): README.md#matching-a-request"
        )


def covers(general: Matcher, special: Matcher) -> bool:
    """Tell whether it is certain that `general` matches whatever `special` matches."""
    return _is_met(general, special) or any(
        all(_is_met(general, one) for one in alternatives) for alternatives in _unfolded(special)
    )


def _is_met(general: Matcher, special: Matcher) -> bool:
    return all(_is_implied(keyword, wanted, special) for keyword, wanted in general.conditions)


def _unfolded(special: Matcher) -> Iterator[tuple[Matcher, ...]]:
    """Yield the matchers that stand for `special`, for each of its `any_of`: one must match."""
    for at, (keyword, wanted) in enumerate(special.conditions):
        if keyword == "any_of":
            others = special.conditions[:at] + special.conditions[at + 1 :]
            alternatives = cast("tuple[Matcher, ...]", wanted)
            yield tuple(Matcher(others + one.conditions) for one in alternatives)


def _is_implied(keyword: str, wanted: object, special: Matcher) -> bool:
    if keyword == "any_of":
        return any(covers(one, special) for one in cast("tuple[Matcher, ...]", wanted))
    if keyword == "not_":
        refused = [value for name, value in special.conditions if name == "not_"]
        return any(covers(cast("Matcher", one), cast("Matcher", wanted)) for one in refused)
    compare = _COMPARISONS.get(keyword, _is_wider)
    return any(compare(wanted, value) for name, value in special.conditions if name == keyword)


def _is_wider(wide: object, narrow: object) -> bool:
    """Tell whether a wanted value accepts all that another does."""
    if isinstance(narrow, Contains) and isinstance(wide, Contains):
        return wide.fragment in narrow.fragment
    if isinstance(narrow, MatchesSchema) and isinstance(wide, MatchesSchema):
        return same(wide.schema, narrow.schema)
    if isinstance(narrow, re.Pattern | Contains | MatchesSchema) or callable(narrow):
        return isinstance(narrow, re.Pattern) and wide == narrow
    return not callable(wide) and accepts(wide, narrow)


def _has_each(
    wide: object, narrow: object, key: Callable[[str], str], is_wider: Callable[..., bool]
) -> bool:
    wider, narrower = cast("Mapping[str, object]", wide), cast("Mapping[str, object]", narrow)
    found = {key(name): value for name, value in narrower.items()}
    return all(
        key(name) in found and is_wider(value, found[key(name)]) for name, value in wider.items()
    )


def _wider_headers(wide: object, narrow: object) -> bool:
    def is_wider(one: object, other: object) -> bool:
        return other is None if one is None else other is not None and _is_wider(one, other)

    return _has_each(wide, narrow, str.lower, is_wider)


def _wider_members(wide: object, narrow: object) -> bool:
    if not isinstance(wide, Mapping) or not isinstance(narrow, Mapping):
        return False
    return _has_each(wide, narrow, str, _is_wider)


def _wider_tools(wide: object, narrow: object) -> bool:
    if is_list(wide):
        return is_list(narrow) and sorted(wide) == sorted(narrow)
    if is_list(narrow):
        return any(_is_wider(wide, name) for name in narrow)
    return _is_wider(wide, narrow)


def _wider_results(wide: object, narrow: object) -> bool:
    if isinstance(wide, Mapping):
        return _wider_members(wide, narrow)
    if isinstance(narrow, Mapping):
        return any(_is_wider(wide, text) for text in narrow.values())
    return _is_wider(wide, narrow)


def _wider_format(wide: object, narrow: object) -> bool:
    if isinstance(narrow, Mapping) and not isinstance(wide, Mapping | MatchesSchema):
        return "type" in narrow and _is_wider(wide, narrow["type"])
    return isinstance(wide, Mapping) == isinstance(narrow, Mapping) and _is_wider(wide, narrow)


def _wider_schema(wide: object, narrow: object) -> bool:
    return wide is True or same(wide, narrow)


_COMPARISONS: Mapping[str, Callable[[object, object], bool]] = {
    "any_message": _wider_members,
    "headers": _wider_headers,
    "pointer": _wider_members,
    "response_format": _wider_format,
    "schema": _wider_schema,
    "tool_result": _wider_results,
    "tools": _wider_tools,
}
"""How keywords are compared whose value is not simply wanted of one value."""
