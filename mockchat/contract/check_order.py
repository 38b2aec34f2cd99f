"""In which order the API checks a request: it answers the first fault alone."""

from collections.abc import Iterable, Sequence

from mockchat.contract.pointers import tokens_of
from mockchat.exchange import Violation

LONGEST_INDEX = 9
"""Digits of an index; a member's name may have more than Python turns into a number."""


class CheckOrder:
    """The order of a profile.

    Args:
        entries: `check_order` of `profile.json`. An entry is a rule's id ("request.one-token-limit"),
            a rule at a pointer ("schema.required:/messages", with * for any one member), or a
            field ("/messages": all that is wrong at or below it). The most particular one counts;
            what no entry covers stands at "*", or at the end.
        members: `member_order` of `profile.json`: how the members of one message follow another.
    """

    def __init__(self, entries: Sequence[str], members: Sequence[str]) -> None:
        self._positions = {entry: position for position, entry in enumerate(entries)}
        self._others = self._positions.get("*", len(entries))
        self._members = {member: rank for rank, member in enumerate(members)}

    def sorted(self, violations: Iterable[Violation]) -> tuple[Violation, ...]:
        """Return `violations` as the API would come upon them."""
        return tuple(sorted(violations, key=self._key))

    def _key(self, violation: Violation) -> tuple[int, tuple[tuple[int, int], ...]]:
        tokens = tokens_of(violation.pointer)
        places = [f"{violation.rule}:{violation.pointer}", violation.rule]
        if len(tokens) == 1:
            places.insert(1, f"{violation.rule}:/*")
        if tokens:
            places.append(f"/{tokens[0]}")
        known = [self._positions[place] for place in places if place in self._positions]
        return known[0] if known else self._others, tuple(map(self._rank, tokens))

    def _rank(self, token: str) -> tuple[int, int]:
        # Items by their index, members of a message in the API's order, others as they come.
        if token.isdecimal() and len(token) <= LONGEST_INDEX:
            return 0, int(token)
        return 1, self._members.get(token, len(self._members))
