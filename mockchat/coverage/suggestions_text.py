"""Suggestions as lines to read, and what following them comes to."""

import json
from collections.abc import Iterator, Mapping

from mockchat.coverage.items import Item, Side
from mockchat.coverage.suggestions import Suggested, Suggestion
from mockchat.coverage.tally import Tally, counted


def suggestion_lines(answer: Suggested, *, side: Side) -> Iterator[str]:
    """Yield the lines of a list: the stub or the request, then what it meets."""
    for one in answer.suggestions:
        yield from _stub(one) if side == "reply" else _request(one)
        yield f"    meets {', '.join(one.items)}"
    if answer.left:
        yield f"nothing tried meets {', '.join(answer.left)}"
    if not answer.suggestions and not answer.left:
        yield "nothing is missing"


def promise(items: Mapping[str, Item], tally: Tally, answer: Suggested, file: str) -> str:
    """Return one line about a written test file: how many tests, and the percent they come to."""
    before = counted(items, tally).percent
    then = Tally(profile=tally.profile)
    then.merge(tally)
    then.add(answer.marks, went_well=True)
    after = counted(items, then).percent
    count = len(answer.suggestions)
    return f"{file}: {count} test{'' if count == 1 else 's'}, from {before:.2f} % to {after:.2f} %"


def _stub(one: Suggestion) -> Iterator[str]:
    yield one.candidate.code
    if one.candidate.request:
        yield f"    asked with {json.dumps(dict(one.candidate.request))}"


def _request(one: Suggestion) -> Iterator[str]:
    asked = one.candidate.asked if one.candidate.body is not None else one.candidate.request
    yield f"your code sends {json.dumps(asked)}"
