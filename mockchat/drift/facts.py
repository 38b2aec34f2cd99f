"""What a JSON value has where: members, types and short texts, items of lists taken together."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cache

from mockchat.contract.contract import Contract
from mockchat.contract.pointers import pointer_of, tokens_of
from mockchat.contract.schema_walk import branches
from mockchat.types import Json, JsonObject

ITEM = "*"
"""What stands in a place for any item of a list."""

_DEEPEST = 48
_LONGEST = 80
"""Characters of a text that may be a value out of few."""


class Facts:
    """What one value, or several of one document, have where.

    Attributes:
        counts: How often there is a value, by place.
        objects: How often that is an object.
        types: The types of the values; whole numbers are numbers.
        texts: The values that are short texts.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.objects: Counter[str] = Counter()
        self.types: defaultdict[str, set[str]] = defaultdict(set)
        self.texts: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, value: Json, place: str = "", depth: int = 0) -> None:
        """Take in a value."""
        self.counts[place] += 1
        self.types[place].add(type_of(value))
        if isinstance(value, str) and len(value) <= _LONGEST:
            self.texts[place].add(value)
        if depth == _DEEPEST:
            return
        if isinstance(value, Mapping):
            self.objects[place] += 1
            for name, member in value.items():
                self.add(member, place + pointer_of((name,)), depth + 1)
        elif isinstance(value, list):
            for item in value:
                self.add(item, f"{place}/{ITEM}", depth + 1)

    def presence(self, place: str) -> str:
        """Return how often a member is there where its object is: always, sometimes or never."""
        count = self.counts[place]
        if not count:
            return "never"
        return "always" if count == self.objects[parent_of(place)] else "sometimes"


def facts_of(*values: Json) -> Facts:
    """Return the facts of values of one document."""
    facts = Facts()
    for value in values:
        facts.add(value)
    return facts


def type_of(value: Json) -> str:
    """Return the JSON type of a value; whole numbers are numbers."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case Mapping():
            return "object"
        case _:
            return "array"


def parent_of(place: str) -> str:
    """Return the place around a place."""
    return place.rpartition("/")[0]


def general(pointer: str) -> str:
    """Return the place of a JSON Pointer: each index of a list becomes a star."""
    return pointer_of(ITEM if token.isdecimal() else token for token in tokens_of(pointer))


@cache
def is_listed(contract: Contract, document: str, place: str) -> bool:
    """Tell whether the contract lists the values that a text may have at a place.

    One that is listed for the document alone, as `error.type` is nowhere, is not: then any text may
    stand there.
    """
    if document not in contract.profile.documents:
        return False
    found = [*_schemas(contract, document, tokens_of(place))]
    return any("enum" in schema or isinstance(schema.get("const"), str) for schema in found)


def _schemas(
    contract: Contract, document: str, tokens: Iterator[str] | tuple[str, ...] | list[str]
) -> list[JsonObject]:
    documents = {name: contract.profile.document(name) for name in contract.profile.documents}
    here = [*branches(documents, document, documents[document])]
    for token in tokens:
        inner: list[tuple[str, Json]] = []
        for home, schema in here:
            part = schema.get("items") if token == ITEM else schema.get("properties", {}).get(token)
            if part is not None:
                inner.append((home, part))
        here = [found for home, part in inner for found in branches(documents, home, part)]
    return [schema for _, schema in here]
