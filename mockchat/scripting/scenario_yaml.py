"""YAML files with the place of each part, read so that no two readers of YAML can disagree.

YAML 1.1 (which PyYAML reads) takes `no` for false and `2024-08-06` for a date, YAML 1.2 takes both
for text and `1e3` for a number. What the two take differently is refused with words for what to
write, rather than read one way; so are tags, merge keys and keys that are no text.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, TypeAlias

import yaml

from mockchat.scripting.scenario_places import (
    START,
    Items,
    Members,
    Misread,
    Node,
    Place,
    Scalar,
    check_depth,
)
from mockchat.types import Json

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+][0-9]+)?")
_CORE_NUMBER = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+"
)
"""What YAML 1.2 reads as a number (section 10.3.2)."""

_AGREED: tuple[tuple[re.Pattern[str], Callable[[str], Json]], ...] = (
    (_NULL, lambda _: None),
    (_TRUE, lambda _: True),
    (_FALSE, lambda _: False),
    (_INTEGER, int),
    (_FLOAT, float),
)
"""What every reader takes for the same value."""

_TEXT = "tag:yaml.org,2002:str"
_NUMBERS = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float", _TEXT}
_REMEDIES: Mapping[str, str] = {
    "tag:yaml.org,2002:bool": 'a truth value to some readers of YAML and text to others; write true, false or "{0}"',
    "tag:yaml.org,2002:timestamp": 'a date to some readers of YAML and text to others; write "{0}"',
}
_NUMBER_REMEDY = 'not the same to all readers of YAML; write a plain number (1000, 0.5) or "{0}"'
_RESOLVER = yaml.resolver.Resolver()


def compose_yaml(text: str) -> Node:
    """Return what a YAML text says.

    Raises:
        Misread: It is no YAML, holds no document or several, nests too deeply, or says what readers
            of YAML do not agree on.
    """
    try:
        return _Composer(yaml.parse(text, Loader=yaml.SafeLoader)).document()
    except yaml.MarkedYAMLError as error:
        place = _place(error.problem_mark or error.context_mark)
        raise Misread(place, _syntax(str(error.problem or error.context))) from None


def _syntax(problem: str) -> str:
    if "'\\t'" in problem:
        return "a tab stands where YAML wants spaces"
    return f"no YAML: {problem}"


class _Mark(Protocol):
    line: int
    column: int


def _place(mark: _Mark | None) -> Place:
    return START if mark is None else Place(mark.line + 1, mark.column + 1)


_Content: TypeAlias = yaml.ScalarEvent | yaml.SequenceStartEvent | yaml.MappingStartEvent


class _Composer:
    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._anchors: dict[str, Node | None] = {}

    def document(self) -> Node:
        next(self._events)  # the stream starts
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise Misread(START, "the file is empty; a scenario has stubs: docs/scenarios.md")
        root = self._node(next(self._events), 0)
        next(self._events)  # the document ends
        following = next(self._events)
        if not isinstance(following, yaml.StreamEndEvent):
            place = _place(following.start_mark)
            raise Misread(place, "a second document starts; a scenario is one")
        return root

    def _node(self, event: yaml.Event, depth: int) -> Node:
        place = _place(event.start_mark)
        check_depth(place, depth)
        if isinstance(event, yaml.AliasEvent):
            return self._aliased(str(event.anchor), place)
        assert isinstance(event, _Content)  # noqa: S101 - nothing else starts a node
        if event.tag is not None:
            advice = "quotes make a text of anything"
            raise Misread(place, f"the tag {event.tag!r} is not read; {advice}")
        if event.anchor is not None:
            if event.anchor in self._anchors:
                raise Misread(place, f"the anchor &{event.anchor} is defined twice")
            self._anchors[event.anchor] = None
        node = self._content(event, place, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _content(self, event: _Content, place: Place, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            is_plain = event.style is None
            return Scalar(place, _plain(event.value, place) if is_plain else event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return Items(place, tuple(self._items(depth)))
        return Members(place, tuple(self._members(depth)))

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, depth + 1)

    def _members(self, depth: int) -> Iterator[tuple[Scalar, Node]]:
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            if not isinstance(key, Scalar) or not isinstance(key.value, str):
                raise Misread(key.place, "this key is no text; write it in quotes")
            yield key, self._node(next(self._events), depth + 1)

    def _aliased(self, anchor: str, place: Place) -> Node:
        if anchor not in self._anchors:
            raise Misread(place, f"*{anchor} refers to nothing; &{anchor} must stand before it")
        node = self._anchors[anchor]
        if node is None:
            raise Misread(place, f"*{anchor} stands inside of what it refers to")
        return node


def _plain(text: str, place: Place) -> Json:
    """Return the value of a scalar without quotes.

    Raises:
        Misread: YAML 1.1 and 1.2 read it differently.
    """
    for form, convert in _AGREED:
        if form.fullmatch(text):
            try:
                return convert(text)
            except ValueError:
                raise Misread(place, "the number has too many digits") from None
    tag = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]  # the stubs leave it out
    if tag == _TEXT and not _CORE_NUMBER.fullmatch(text):
        return text
    if text == "<<":
        raise Misread(place, "merge keys (<<) are not read; write the members out")
    remedy = _REMEDIES.get(tag, _NUMBER_REMEDY)
    raise Misread(place, f"{text} is {remedy.format(text)}")
