"""Verdicts of the official document and of ours, side by side, and what excuses a difference.

A fault of one side's is excused by a listed difference of that place and keyword whose value on
that side is what the fault says was asked.
"""

import re
from functools import cache
from typing import NamedTuple

import jsonschema_rs
from listed_differences import LISTED, Difference

from mockchat.contract.pointers import tokens_of
from mockchat.contract.profile import load_profile
from mockchat.contract.validation import DocumentJudge
from mockchat.exchange import Violation

OURS = load_profile("openai").levels["documented"]
JUDGE = DocumentJudge(OURS, "documented")
TOLD_OTHERWISE = {"additionalProperties": "closed", "const": "enum"}
"""Keywords of faults that a table of differences calls by another name."""


class Side(NamedTuple):
    """Who refuses: "official" or "ours", the field of a difference that says what was asked."""

    name: str
    faults: tuple[Violation, ...]


class Verdicts:
    """Judges values by the official schema of a document and by ours.

    Args:
        schema: The official schema, whole.
        document: What we call it.
    """

    def __init__(self, schema, document):
        self.document = document
        self._official = DocumentJudge({document: schema}, "documented")
        self._accepts = jsonschema_rs.validator_for(schema).is_valid

    def sides(self, value) -> tuple[Side, Side]:
        """Return the faults of both sides; jsonschema-rs judges, our judge tells what it found."""
        official = self._official.violations(self.document, value)
        assert self._accepts(value) == (not official), official
        return Side("official", official), Side("ours", JUDGE.violations(self.document, value))

    def excuse(self, side: Side, fault: Violation, value) -> Difference | None:
        """Return the listed difference that explains why only one side finds `fault`."""
        keyword, place, asked = told(fault, value)
        for row in LISTED:
            if (
                self.document in row.documents
                and row.keyword == keyword
                and getattr(row, side.name) == asked
                and _pattern(row.place).fullmatch(place)
            ):
                return row
        return None


def told(fault: Violation, value) -> tuple[str, str, object]:
    """Return keyword, place and value of what a fault says was asked, as differences tell them."""
    tokens = tokens_of(fault.pointer)
    keyword = TOLD_OTHERWISE.get(fault.keyword, fault.keyword)
    asked = fault.expected
    if "property_name" in fault.details:
        keyword, asked = "propertyNames", {keyword: asked}
    if keyword in {"closed", "propertyNames", "required"}:
        tokens = tokens[:-1]
    if keyword == "closed":
        asked = True
    elif keyword in {"enum", "required", "type"}:
        asked = sorted([asked] if isinstance(asked, str) else asked)
    return keyword, _place(tokens, value), asked


def _place(tokens, value):
    place = ""
    for token in tokens:
        place += "[]" if isinstance(value, list) else f".{token}"
        value = value[int(token) if isinstance(value, list) else token]
    return place


@cache
def _pattern(place):
    """Return what matches a difference's place in a value, where tags of unions do not show."""
    marks = {"*": ".*", "{}": r"\..*"}
    parts = re.split(r"(\*|\{\})", re.sub(r"<[^>]*>", "", place))
    return re.compile("".join(marks.get(part, re.escape(part)) for part in parts), re.DOTALL)
