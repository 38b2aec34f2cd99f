"""What JSON Schema cannot say, as named rules; here their shape, their registry and their running.

A rule is a generator: it looks at what it judges and yields a `Found` per fault. Its docstring says
what it asks and how we know. A profile switches a rule on by naming it under "rules" in
`profile.json`, with the rule's parameters; a rule it does not name, or names with false, is off.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mockchat.exchange import Violation
from mockchat.types import Json, JsonObject, JsonView, Level

Subject = TypeVar("Subject")

TEXT: JsonObject = {"type": "string"}
LIST_OF_TEXT: JsonObject = {"type": "array", "items": TEXT}


def closed(members: JsonObject, *required: str) -> JsonObject:
    """Return the schema of a rule's parameters: these members, those `required`, and no others."""
    return {
        "type": "object",
        "properties": members,
        "required": list(required),
        "additionalProperties": False,
    }


_IN_REQUEST = "request/"
_ALWAYS = frozenset({"messages", "model"})
"""Members that a request must have."""

_MOST_PROFILES = 64
_MOST_GIVEN = 256
"""For how many sets of members it is remembered which rules they concern."""

NO_PARAMETERS = closed({})
"""The schema of the parameters of a rule that takes none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One place where a rule is broken.

    Attributes:
        pointer: JSON Pointer to it.
        actual: The value there.
        expected: What the rule asks, as a value or in words.
        details: What the error's template needs besides.
        is_milder: True for the form of the fault that a rule only counts at level `documented`.
        is_note: True for what is worth saying and never wrong.
    """

    pointer: str
    actual: Json = None
    expected: Json = None
    details: Mapping[str, Json] = field(default_factory=dict)
    is_milder: bool = False
    is_note: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Generic[Subject]):
    """A named rule.

    Attributes:
        id: Its name: "request.…", "reply.…" or "exchange.…".
        sentence: What is wrong where it is broken, in our words.
        error: The entry of the error catalogue the API answers with; "" for rules on replies.
        level: The lowest level at which it counts; at a lower one it is a note.
        looks_at: What must exist for it ever to fire, each as `sites.is_there` reads it.
        parameters: The JSON Schema of its parameters.
        find: The judgement.
    """

    id: str
    sentence: str
    error: str
    level: Level
    looks_at: tuple[str, ...]
    parameters: JsonObject
    find: Callable[[Subject, JsonView], Iterator[Found]]

    @property
    def concerns(self) -> frozenset[str]:
        """The members of a request without which it finds nothing; () where that cannot be said.

        A request that has none of the members that a rule looks at does not concern it. Members that
        every request has, and members that parameters name, say nothing.
        """
        sites = [site for sites in self.looks_at for site in sites.split(" | ")]
        paths = [site.split("/") for site in sites if site.startswith(_IN_REQUEST)]
        names = frozenset(path[1].partition("=")[0] for path in paths)
        is_sure = not any("{" in name for name in names) and names.isdisjoint(_ALWAYS)
        return names if is_sure else frozenset()

    @property
    def summary(self) -> str:
        """What the rule asks and how we know, from its docstring."""
        return " ".join((self.find.__doc__ or "").split())

    def violations(
        self, subject: Subject, parameters: JsonView, level: Level
    ) -> Iterator[Violation]:
        """Yield what `subject` breaks, seen from `level`."""
        for found in self.find(subject, parameters):
            lowest: Level = "documented" if found.is_milder else self.level
            yield Violation(
                rule=self.id,
                pointer=found.pointer,
                message=self.sentence,
                expected=found.expected,
                actual=found.actual,
                level=lowest,
                is_note=found.is_note or (lowest == "documented" and level == "observed"),
                details=found.details,
            )


class RuleBook(Generic[Subject]):
    """The rules of one kind of subject, in the order they are written."""

    def __init__(self) -> None:
        self.rules: dict[str, Rule[Subject]] = {}
        self._chosen: dict[int, tuple[Mapping[str, Json], _Concerned[Subject]]] = {}

    def rule(  # noqa: PLR0913 - a table's row, every cell named
        self,
        rule_id: str,
        sentence: str,
        *,
        looks_at: tuple[str, ...],
        error: str = "",
        level: Level = "observed",
        parameters: JsonObject = NO_PARAMETERS,
    ) -> Callable[
        [Callable[[Subject, JsonView], Iterator[Found]]],
        Callable[[Subject, JsonView], Iterator[Found]],
    ]:
        """Make a rule of the function below."""

        def written(
            find: Callable[[Subject, JsonView], Iterator[Found]],
        ) -> Callable[[Subject, JsonView], Iterator[Found]]:
            self.rules[rule_id] = Rule(
                id=rule_id,
                sentence=sentence,
                error=error,
                level=level,
                looks_at=looks_at,
                parameters=parameters,
                find=find,
            )
            return find

        return written

    def violations(
        self,
        subject: Subject,
        switched_on: Mapping[str, Json],
        level: Level = "observed",
        *,
        given: frozenset[str] | None = None,
    ) -> Iterator[Violation]:
        """Yield what `subject` breaks among the rules a profile has switched on.

        Args:
            subject: What is judged.
            switched_on: The parameters of rules by their ids; not to be changed any more.
            level: How strictly.
            given: The members of the request, so that only rules they concern are asked; None: all.
        """
        for rule, parameters in self._switched_on(switched_on).by(given):
            yield from rule.violations(subject, parameters, level)

    def _switched_on(self, switched_on: Mapping[str, Json]) -> "_Concerned[Subject]":
        known = self._chosen.get(id(switched_on))
        if known is None or known[0] is not switched_on:
            chosen = [
                (rule, switched_on[rule_id], rule.concerns)
                for rule_id, rule in self.rules.items()
                if isinstance(switched_on.get(rule_id), Mapping)
            ]
            if len(self._chosen) >= _MOST_PROFILES:
                self._chosen.clear()
            known = self._chosen[id(switched_on)] = (switched_on, _Concerned(chosen))
        return known[1]


_Chosen = tuple[Rule[Subject], JsonView, frozenset[str]]
_Asked = tuple[Rule[Subject], JsonView]


class _Concerned(Generic[Subject]):
    """The rules that a profile has switched on, by the members of the requests they concern."""

    def __init__(self, chosen: "Sequence[_Chosen[Subject]]") -> None:
        self._chosen = chosen
        self._by: dict[frozenset[str] | None, tuple[_Asked[Subject], ...]] = {}

    def by(self, given: frozenset[str] | None) -> "tuple[_Asked[Subject], ...]":
        """Return the rules that a request with these members concerns; None: all."""
        known = self._by.get(given)
        if known is None:
            if len(self._by) >= _MOST_GIVEN:
                self._by.clear()
            known = self._by[given] = tuple(
                (rule, parameters)
                for rule, parameters, concerns in self._chosen
                if given is None or not concerns or not concerns.isdisjoint(given)
            )
        return known
