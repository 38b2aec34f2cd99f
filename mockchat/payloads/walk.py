"""One walk over compiled nodes, asking a draw for every choice: this is where values are made.

Members are drawn in the order of their names and put in the order of the schema: a caller who
writes the same schema in another order gets the same values in that order.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain

from mockchat.contract.patterns import is_found
from mockchat.payloads import regexes, scalars
from mockchat.payloads.compile_scalars import fits
from mockchat.payloads.draw import Draw
from mockchat.payloads.layouts import (
    ArrayLayout,
    is_usable,
    item_at,
    member_cost,
    usable_extras,
)
from mockchat.payloads.schema_nodes import (
    NEVER,
    Anything,
    Array,
    Choice,
    Constant,
    Extra,
    Integer,
    Node,
    Number,
    Object,
    String,
)
from mockchat.payloads.walk_memory import WalkMemory, identity, wanted
from mockchat.types import Json, JsonArray, JsonObject, Kind

BUDGET = 300
"""How many nodes a value may have, if its smallest form has no more."""

MOST_WORK = 7_000
"""How many steps drawing a value may take, all that is thrown away included; a step is about ten
microseconds. After half of them what is at hand is taken: the cheapest branch, the known example."""

_PER_TEST = 5
_MEMBERS_PER_STEP, _BRANCHES_PER_STEP, _LISTED_PER_STEP = 20, 20, 100
_TRIES = 200
_UNIQUE_TRIES = 40
_NAME_TRIES = 20
_DEPTH = {"plain": 5, "wild": 8}
_MOST_MORE_ITEMS = 5
_MOST_EXTRAS = 3


class Unlucky(Exception):
    """No value passed the tests of a node within the tries."""

    def __init__(self, pointer: str) -> None:
        super().__init__(pointer)
        self.pointer = pointer


class Walk:
    """Makes one value.

    Args:
        draw: Where choices come from.
        kind: What is wanted.
        accepts: Tells whether a value is valid against a part of the schema.
        work: How many steps were taken for the value before, in vain.
        memory: What earlier walks found out about the same nodes.

    Attributes:
        retries: How many draws were thrown away; 0 for schemas without anything to test.
        work: How many steps were taken, for what was thrown away, too.
    """

    def __init__(
        self,
        draw: Draw,
        kind: Kind,
        accepts: Callable[[Json, Json], bool],
        *,
        work: int = 0,
        memory: WalkMemory | None = None,
    ) -> None:
        self.retries = 0
        self._draw = draw
        self._kind = kind
        self._accepts = accepts
        self._left = 0.0
        self.work = work
        self._hopeless: set[int] = set()
        self._memory = memory or WalkMemory()

    def value(self, node: Node) -> Json:
        """Return a value of `node`, whose price says that there is one.

        Raises:
            Unlucky: None passed the tests within the tries.
        """
        self._left = max(0.0, BUDGET - node.cost)
        return self._value(node, 0)

    def _value(self, node: Node, depth: int) -> Json:
        if isinstance(node, Choice):
            return self._branch(node, depth)
        if not node.tests:
            return self._made(node, depth)
        left = self._left
        for _ in range(0 if id(node) in self._hopeless else _TRIES):
            self._left = left
            value = self._made(node, depth)
            self.work += _PER_TEST * len(node.tests)
            if all(self._accepts(test, value) for test in node.tests):
                return value
            self.retries += 1
        self._hopeless.add(id(node))
        raise Unlucky(node.pointer)

    def _branch(self, node: Choice, depth: int) -> Json:
        """Return a value of one branch; of another one where the first has no luck with its tests."""
        if len(node.branches) == 1:
            return self._value(node.branches[0], depth)
        able = self._able(node, depth)
        return self._draw.together(partial(self._chosen, node, able, depth))

    def _chosen(self, node: Choice, able: list[Node], depth: int) -> Json:
        first = self._draw.index(len(able)) if len(able) > 1 else 0
        left = self._left
        for branch in chain(able[first:], able[:first], _others(node, able)):
            self._left = left - (branch.cost - node.cost)
            try:
                return self._value(branch, depth)
            except Unlucky:
                continue
        raise Unlucky(node.pointer)

    def _able(self, node: Choice, depth: int) -> list[Node]:
        """Return the branches to choose from: affordable, and of the kind wanted if there are any."""
        if self._is_late:
            return [self._memory.cheapest(node)]
        self.work += len(node.branches) // _BRANCHES_PER_STEP
        spare = self._left if depth < _DEPTH[self._kind] else 0
        able = [branch for branch in node.branches if branch.cost - node.cost <= spare]
        if self._kind == "plain":
            hinted = [node.branches[index] for index in node.hinted]
            hinted = [branch for branch in hinted if branch in able]
            plain = self._memory.plain(node)
            able = hinted or [branch for branch in able if id(branch) in plain] or able
        return able

    @property
    def _is_late(self) -> bool:
        return self.work > MOST_WORK // 2

    def _made(self, node: Node, depth: int) -> Json:  # noqa: PLR0911 - one for each kind of node
        self.work += 1
        if self.work > MOST_WORK:
            raise Unlucky(node.pointer)
        match node:
            case Constant():
                return self._listed(node)
            case String():
                if self._is_late and node.example is not None:
                    return node.example
                self.work += node.effort
                return scalars.string(node, self._draw, self._kind)
            case Integer():
                return scalars.integer(node, self._draw, self._kind)
            case Number():
                return scalars.number(node, self._draw, self._kind)
            case Object():
                return self._object(node, depth)
            case Array():
                return self._array(node, depth)
            case Anything():
                return scalars.anything(self._draw, self._kind)
            case _:
                raise Unlucky(node.pointer)

    def _listed(self, node: Constant) -> Json:
        values = wanted(node.values, self._kind)
        return _copied(values[self._draw.index(len(values))] if len(values) > 1 else values[0])

    def _array(self, node: Array, depth: int) -> JsonArray:
        layout = self._memory.layout(node)
        if layout is None:
            raise Unlucky(node.pointer)
        items: JsonArray = []
        seen: set[str] = set()
        for position in range(self._length(node, layout, depth)):
            item = layout.forced.get(position) or item_at(node, position)
            is_optional = position >= layout.least
            if is_optional and item.cost > self._left:
                break
            self._left -= item.cost if is_optional else 0
            try:
                if node.unique:
                    items.append(self._distinct(item, seen, depth))
                else:
                    items.append(self._draw.together(partial(self._value, item, depth + 1)))
            except Unlucky:
                if is_optional:
                    break
                raise
        return items

    def _length(self, node: Array, layout: ArrayLayout, depth: int) -> int:
        low = layout.least
        if depth >= _DEPTH[self._kind]:
            return low
        high = max(low + _MOST_MORE_ITEMS, len(node.prefix))
        high = high if layout.most is None else min(layout.most, high)
        if self._kind == "plain":
            low = max(low, min(1, high))
        return self._draw.size(low, high, min(high, max(low + 1.2, len(node.prefix))))

    def _distinct(self, node: Node, seen: set[str], depth: int) -> Json:
        """Return a value not yet in `seen`, and note it.

        Raises:
            Unlucky: None turned up.
        """
        listed = self._memory.listing(node)
        if listed is not None:
            self.work += len(listed) // _LISTED_PER_STEP
            names = [name for name in listed if name not in seen]
            if not names:
                raise Unlucky(node.pointer)
            name = names[self._draw.index(len(names))]
            seen.add(name)
            return _copied(listed[name])
        left = self._left
        for _ in range(_UNIQUE_TRIES):
            self._left = left
            value = self._value(node, depth + 1)
            if identity(value) not in seen:
                seen.add(identity(value))
                return value
            self.retries += 1
        raise Unlucky(node.pointer)

    def _object(self, node: Object, depth: int) -> JsonObject:
        made: JsonObject = {}
        most = NEVER if node.most is None else node.most
        is_open = depth < _DEPTH[self._kind] and self._left >= 1
        self.work += len(node.properties) // _MEMBERS_PER_STEP if is_open else 0
        required = dict.fromkeys(node.required)
        for name in self._at_once(node, made) if is_open else self._memory.names(node):
            if name in required:
                made[name] = self._value(node.properties[name], depth + 1)
            elif is_open and name not in made and is_usable(node, name):
                room = most - len({**required, **made})
                self._draw.together(partial(self._perhaps, node, name, made, room, depth))
        # Where something must be tested for, named members alone might never pass.
        is_loose = node.tests and usable_extras(node) and self._draw.chance(0.5)
        if len(made) < node.least and not is_loose:
            cheapest = sorted(
                (name for name in self._memory.names(node) if is_usable(node, name)),
                key=lambda name: member_cost(node, name),
            )
            for name in cheapest:
                if len(made) < node.least and name not in made:
                    self._add(node, name, made, most - len(made), depth, left=NEVER)
        value = {name: made[name] for name in self._memory.ordered(node, made)}
        self._add_extras(node, value, depth)
        return value

    def _at_once(self, node: Object, made: JsonObject) -> Sequence[str]:
        """Choose all members of few values, if the draw does that at once; return the others."""
        members = self._memory.members(node, self._kind)
        answers = self._draw.several(members.options) if members.few else None
        if answers is None:
            return self._memory.names(node)
        self.work += len(answers)
        for member, answer in zip(members.few, answers, strict=True):
            spent = member.cost if member.absent else 0
            if answer >= member.absent and spent <= self._left:
                self._left -= spent
                made[member.name] = _copied(member.values[answer - member.absent])
        return members.others

    def _perhaps(self, node: Object, name: str, made: JsonObject, room: float, depth: int) -> None:
        """Add an optional member, or do not: the choice and the value go together."""
        if self._draw.chance(0.5):
            self._add(node, name, made, room, depth, left=self._left)

    def _add(  # noqa: PLR0913 - one member: which, where to, within what
        self, node: Object, name: str, made: JsonObject, room: float, depth: int, *, left: float
    ) -> None:
        """Add a member and all that must come with it, if there is room, budget and luck."""
        required = {*node.required}
        names = [name, *node.needs.get(name, ())]
        names = [each for each in names if each not in made and each not in required]
        cost = sum(node.properties[each].cost for each in names)
        if cost > left or len(names) > room:
            return
        self._left -= cost
        with suppress(Unlucky):
            made |= {each: self._value(node.properties[each], depth + 1) for each in names}

    def _add_extras(self, node: Object, value: JsonObject, depth: int) -> None:
        """Add members without a name: as many as must be, wild ones also where they may be."""
        extras = usable_extras(node)
        wanted = node.least
        if self._kind == "wild" and depth < _DEPTH["wild"] and extras:
            room = _MOST_EXTRAS if node.most is None else min(_MOST_EXTRAS, node.most - len(value))
            least = max(0, wanted - len(value))
            wanted = len(value) + self._draw.size(least, max(least, room), least + 0.7)
        while len(value) < wanted and extras:
            extra = extras[self._draw.index(len(extras))]
            if len(value) >= node.least:
                if extra.node.cost > self._left:
                    break
                self._left -= extra.node.cost
            name = self._name(node, extra, value, depth)
            try:
                made = self._value(extra.node, depth + 1)
            except Unlucky:
                name = None
            if name is None:
                extras.remove(extra)
            else:
                value[name] = made
        if len(value) < node.least:
            raise Unlucky(node.pointer)

    def _name(self, node: Object, extra: Extra, taken: JsonObject, depth: int) -> str | None:
        """Return a new name of the kind `extra`; None where none turned up."""
        if node.names is None and not node.patterns:
            name = self._free_name()
            while name in taken or name in node.properties:
                name += "_"
            return name
        for _ in range(_NAME_TRIES):
            self.work += 1 + len(node.patterns) // _MEMBERS_PER_STEP
            name = self._candidate(node, extra, depth)
            matched = {text for text in node.patterns if is_found(text, name, untold=False)}
            if name not in node.properties and name not in taken and matched == extra.matched:
                return name
            longer = f"{name}_"
            if name in taken and matched == extra.matched and self._is_name(node, longer, taken):
                return longer
            self.retries += 1
        return None

    def _is_name(self, node: Object, name: str, taken: JsonObject) -> bool:
        """Tell whether `name` is a new name that only lengths are asked of."""
        leaf = node.names
        while isinstance(leaf, Choice) and len(leaf.branches) == 1:
            leaf = leaf.branches[0]
        is_free = name not in taken and name not in node.properties and not node.patterns
        return is_free and isinstance(leaf, String) and not leaf.tests and fits(leaf, name)

    def _free_name(self) -> str:
        is_wild = self._kind == "wild"
        return self._draw.text(0 if is_wild else 1, 12, "wild" if is_wild else "name")

    def _candidate(self, node: Object, extra: Extra, depth: int) -> str:
        """Return a name that may be of the kind `extra`."""
        if node.names is not None:
            return str(self._value(node.names, depth + 1))
        return (
            regexes.sample(min(extra.matched), self._draw) if extra.matched else self._free_name()
        )


def _others(node: Choice, able: list[Node]) -> Iterator[Node]:
    """Yield the branches that could be drawn and are not `able`."""
    known = {id(branch) for branch in able}
    return (each for each in node.branches if id(each) not in known and each.cost < NEVER)


def _copied(value: Json) -> Json:
    """Return a copy that the receiver may change without changing the schema."""
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_copied(each) for each in value]
    return value
