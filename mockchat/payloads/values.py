"""Make a value for any JSON Schema: ours, a tool's parameters, a response format.

The schema is compiled once; a walk over its nodes asks a `Draw` for every choice. Work is bounded
without timers: a schema whose smallest value is too large is refused before drawing, and optional
parts are drawn only while a budget of nodes lasts.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

from mockchat.errors import ImpossibleSchema
from mockchat.payloads.costs import price, refuse_unmakeable
from mockchat.payloads.draw import Draw
from mockchat.payloads.schema_compile import Compiler
from mockchat.payloads.schema_nodes import NEVER, Choice
from mockchat.payloads.schema_source import Schemas, Source
from mockchat.payloads.walk import Unlucky, Walk
from mockchat.payloads.walk_memory import WalkMemory, has_whole_floats, with_integers
from mockchat.types import Json, JsonView, Kind

_REMEMBERED = 256
_PLAIN: tuple[Kind, ...] = ("plain", "plain", "plain")
_WILD: tuple[Kind, ...] = ("wild", "wild", "wild")
_KINDS: Mapping[Kind, tuple[Kind, ...]] = {
    "plain": (*_PLAIN, *_WILD),
    "wild": (*_WILD, *_WILD),
}
"""What is tried in turn: better a wild value than none, and better one the author wrote than none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A schema ready to make values of.

    Attributes:
        source: The schema, upgraded, with all it refers to.
        node: Its root node; its price says that there is a value.
        places: All nodes' places, in order of compilation.
        memory: What walks find out about the nodes.
    """

    source: Source
    node: Choice
    places: tuple[Choice, ...]
    memory: WalkMemory = field(default_factory=WalkMemory)

    @property
    def tests(self) -> int:
        """How many nodes need finished values tested; 0: no value is ever drawn in vain."""
        return sum(bool(branch.tests) for place in self.places for branch in place.branches)


def compile_schema(
    schema: JsonView | bool,  # noqa: FBT001 - a schema may be true or false
    *,
    root: JsonView | None = None,
    documents: Schemas | None = None,
) -> Compiled:
    """Compile `schema`; the same schema, by its JSON text, is compiled once.

    Args:
        schema: A schema of any draft from 4 to 2020-12.
        root: The document it stands in, for references such as "#/$defs/x"; None: itself.
        documents: Other documents that references may name; what is compiled with them is not
            remembered.

    Raises:
        ImpossibleSchema: It is not a schema, has no value, or none of a reasonable size.
    """
    if documents is not None:
        return _compiled(schema, root, documents)
    try:
        # The order of members is kept: values follow the order of `properties`.
        key = json.dumps([schema, root], separators=(",", ":"), allow_nan=False)
    except RecursionError:
        raise ImpossibleSchema("", "it is nested too deep") from None
    except (TypeError, ValueError):
        raise ImpossibleSchema("", "it is not JSON") from None
    return _memory.compiled(key)


def _compiled(schema: Json, root: JsonView | None, documents: Schemas | None) -> Compiled:
    source = Source(schema, root, documents)
    compiler = Compiler(source)
    node = compiler.compile(source.schema)
    price(compiler.places, source.spend)
    if node.cost == NEVER and compiler.is_cut:
        compiler = Compiler(source, follows=False)
        node = compiler.compile(source.schema)
        price(compiler.places, source.spend)
    refuse_unmakeable(node)
    return Compiled(source=source, node=node, places=tuple(compiler.places))


class Prepared:
    """A schema that is compiled when first drawn from, once; it prints as the schema.

    Args:
        schema: A schema of any draft from 4 to 2020-12.
    """

    def __init__(self, schema: JsonView | bool) -> None:  # noqa: FBT001 - a schema may be true or false
        self._schema = schema
        self._compiled: Compiled | None = None

    def __repr__(self) -> str:
        """Return the schema as code."""
        return repr(self._schema)

    @property
    def compiled(self) -> Compiled:
        """The schema, ready to make values of.

        Raises:
            ImpossibleSchema: It is not a schema, has no value, or none of a reasonable size.
        """
        if self._compiled is None:
            self._compiled = compile_schema(self._schema)
        return self._compiled


class _Memory:
    """The schemas compiled last, refusals included, by their JSON; safe to share among threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[str, Compiled | ImpossibleSchema] = OrderedDict()

    def compiled(self, key: str) -> Compiled:
        with self._lock:
            found = self._known.pop(key, None)
        if found is None:
            schema, root = json.loads(key)
            try:
                found = _compiled(schema, root, None)
            except ImpossibleSchema as problem:
                found = problem
        with self._lock:
            self._known[key] = found
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        if isinstance(found, ImpossibleSchema):
            raise ImpossibleSchema(found.pointer, found.reason)
        return found


_memory = _Memory()


def generate(
    schema: JsonView | bool | Compiled,  # noqa: FBT001 - a schema may be true or false
    draw: Draw,
    *,
    kind: Kind = "plain",
    root: JsonView | None = None,
) -> Json:
    """Return a value that is valid against `schema`.

    Integers are wire integers (1, never 1.0) and numbers are finite. Of *plain* values text is not
    empty and objects have no members the schema does not name, as far as the schema lets; *wild*
    ones have everything it allows.

    Args:
        schema: A schema of any draft from 4 to 2020-12, or one compiled before.
        draw: Where choices come from.
        kind: What is wanted.
        root: The document `schema` stands in, for references such as "#/$defs/x"; None: itself.

    Raises:
        ImpossibleSchema: It is not a schema, has no value, or none was found.
    """
    compiled = schema if isinstance(schema, Compiled) else compile_schema(schema, root=root)
    accepts = compiled.source.accepts
    whole = compiled.source.schema
    work = 0
    for attempt_kind in _KINDS[kind]:
        walk = Walk(draw, attempt_kind, accepts, work=work, memory=compiled.memory)
        try:
            value = walk.value(compiled.node)
        except Unlucky:
            continue
        finally:
            work = walk.work
        # Validators differ on whether 1e300 is an integer: valid is what is valid both ways.
        if accepts(whole, value) and (
            not has_whole_floats(value) or accepts(whole, with_integers(value))
        ):
            return value
    for value in _suggested(whole):
        if accepts(whole, value):
            return value
    reason = "no value was found that meets all its conditions at once"
    raise ImpossibleSchema(compiled.source.pointer(whole), reason)


def _suggested(schema: Json) -> list[Json]:
    """Return the values the schema's author wrote down."""
    written = schema if isinstance(schema, Mapping) else {}
    listed = written.get("examples", [])
    examples = listed if isinstance(listed, list) else []
    return [written[name] for name in ("default", "example") if name in written] + examples
