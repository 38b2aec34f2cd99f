"""What an import makes of somebody else's file: stubs or exchanges, and what could not be kept."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from mockchat.contract.validation import schema_violations
from mockchat.errors import MockchatError
from mockchat.recording.exchanges import RecordedExchange
from mockchat.scripting.scenario_places import Located
from mockchat.types import JsonObject, JsonView


class Unimportable(MockchatError, ValueError):
    """A file that cannot be imported: another format than was said, malformed, or too large.

    Args:
        problem: What is wrong and where, in one line.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that an import could not keep.

    Attributes:
        place: Where it stands: line and column, or a JSON Pointer.
        message: What it is and what became of it, in one line.
    """

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was read of a recording: exchanges, in order.

    Attributes:
        exchanges: What was recorded, credentials replaced.
        places: Where each stands in its file.
        notes: What could not be kept.
    """

    exchanges: tuple[RecordedExchange, ...]
    places: tuple[str, ...]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """A stub made of a rule.

    Attributes:
        stub: What it answers to what, as a scenario writes it.
        pointer: Where the rule stands; None for a stub that says once more what another one says,
            of which nobody needs to know that it is left out.
    """

    stub: JsonObject
    pointer: str | None


@dataclass(slots=True)
class Notes:
    """The notes of one file that says in its own words what is answered to what.

    Attributes:
        said: What the file says, with places.
        taken: The notes so far.
    """

    said: Located
    taken: list[Note] = field(default_factory=list)

    def add(self, pointer: str, message: str) -> None:
        """Tell what could not be kept of the value at a pointer."""
        place = self.said.key_place(pointer)
        self.taken.append(Note(place=f"{place.line}:{place.column}", message=message))

    def unknown(self, pointer: str, value: JsonView, known: Iterable[str], reason: str) -> None:
        """Tell each member of an object that is none of the `known`."""
        for name in value.keys() - set(known):
            self.add(f"{pointer}/{name}", f"{name} is not imported: {reason}")

    def check(self, form: JsonView) -> None:
        """Refuse a file of another form.

        Raises:
            Unimportable: It breaks the schema; the first place is told.
        """
        for each in schema_violations(form, self.said.value):
            place = self.said.value_place(each.pointer)
            where = f"{place.line}:{place.column}"
            raise Unimportable(f"{where}: {each.pointer or 'the file'}: {each.message}")


def together(first: JsonView, *others: JsonView) -> JsonObject:
    """Return the keywords of `when` that ask for all that several mappings ask for.

    None of the mappings says `any_of`: a keyword stands once in a mapping, and what asks for the
    same keyword again is the one alternative of an `any_of`.
    """
    merged = dict(first)
    again: list[JsonView] = []
    for other in others:
        if merged.keys() & other.keys():
            again.append(other)
        else:
            merged |= other
    if again:
        merged["any_of"] = [together(*again)]
    return merged


def containing(text: str) -> JsonObject:
    """Return what is wanted of a text that must have `text` in it; "" is in every text."""
    return {"contains": text} if text else {"regex": ""}


def containing_any_case(text: str) -> JsonObject:
    """Return what is wanted of a text that must have `text` in it, small or capital."""
    return {"regex": f"(?i){re.escape(text)}"}
