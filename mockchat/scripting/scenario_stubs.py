"""The stubs of a scenario file, added to a script by the same calls a test makes."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from mockchat.contract.pointers import pointer_of, tokens_of, value_at
from mockchat.contract.wording import shown
from mockchat.errors import BadArgument, MockchatError
from mockchat.scripting.callers import written_at
from mockchat.scripting.failures import InvalidReply
from mockchat.scripting.scenario_places import Located, Place
from mockchat.scripting.scenario_words import (
    RAW,
    conditions_of,
    fault_of,
    pacing_of,
    plan_of,
    replied,
)
from mockchat.scripting.script import Script
from mockchat.scripting.shadowing import UnreachableStub
from mockchat.scripting.stubs import Stub
from mockchat.types import Json, JsonView

_OPTIONS: Mapping[str, Callable[[Json], object]] = {
    "plan": plan_of,
    "pacing": pacing_of,
    "fault": fault_of,
    "finish_reason": str,
    "usage": dict,
}
"""How the keywords of `reply` are read."""


class _Misplaced(Exception):
    """An error of ours with the JSON Pointer to what caused it."""

    def __init__(self, pointer: str, error: MockchatError) -> None:
        super().__init__(pointer, error)
        self.pointer = pointer
        self.error = error


@contextmanager
def _at(pointer: str) -> Iterator[None]:
    try:
        yield
    except MockchatError as error:
        raise _Misplaced(pointer, error) from None


def add_stubs(scenario: Located, script: Script, file: str) -> list[tuple[Place, str]]:
    """Add the stubs to a script; return place and words of what is wrong with each.

    Args:
        scenario: What the file says; its form is sound.
        script: Where the stubs go, behind those it has.
        file: The file's name without its folder; stubs are named after it.
    """
    faults: list[tuple[Place, str]] = []
    for position, stub in enumerate(scenario.value["stubs"]):
        pointer = f"/stubs/{position}"
        line = scenario.value_place(pointer).line
        try:
            with written_at(f"{file}:{line}"):
                _add(stub, pointer, script)
        except _Misplaced as misplaced:
            faults += _faults(misplaced, scenario)
    return faults


def _add(written: JsonView, pointer: str, script: Script) -> None:
    with _at(f"{pointer}/when"):
        stub = script.when(**conditions_of(written.get("when", {})))
    _append(stub, stub.reply, written, pointer)
    following = written.get("then", [])
    is_list = isinstance(following, list)
    for position, step in enumerate(following if is_list else [following]):
        place = f"{pointer}/then/{position}" if is_list else f"{pointer}/then"
        _append(stub, stub.then, {"reply": step} if isinstance(step, str) else step, place)


def _append(stub: Stub, say: Callable[..., Stub], written: JsonView, pointer: str) -> None:
    options: dict[str, object] = {}
    for name in _OPTIONS.keys() & written.keys():
        with _at(f"{pointer}/{name}"):
            options[name] = _OPTIONS[name](written[name])
    with _at(f"{pointer}/reply"):
        say(replied(written["reply"]), **options)
    if "times" in written:
        stub.times(written["times"])
    if "forever" in written:
        stub.forever()


def _faults(misplaced: _Misplaced, scenario: Located) -> Iterator[tuple[Place, str]]:
    error, pointer = misplaced.error, misplaced.pointer
    if isinstance(error, InvalidReply) and error.violations:
        base = pointer + "".join(_raw_path(scenario, pointer))
        for violation in error.violations:
            # "/choices/0/index: …": what is wrong with an object stands in its own line.
            inside = violation.partition(": ")[0].rstrip("/")
            place = scenario.value_place(base + inside)
            yield place, f"the reply breaks the contract: {violation}"
    elif isinstance(error, UnreachableStub):
        wanted = f" with {error.wanted}" if error.wanted else ""
        remedy = "write this one before it, or give that one `times` instead of `forever`"
        fact = f"never answers: {error.shadow} takes every request{wanted} for ever"
        yield scenario.value_place(pointer), f"this stub {fact}; {remedy}"
    elif isinstance(error, BadArgument) and (cause := _cause(error, pointer, scenario)):
        wanted = f"allowed: {error.allowed}"
        if error.suggestion is not None:
            wanted = f"did you mean {error.suggestion!r}?"
        fact = f"{tokens_of(cause)[-1]} is {shown(error.value)}"
        yield scenario.value_place(cause), f"{fact}; {wanted}"
    else:
        yield scenario.value_place(pointer), str(error)


def _cause(error: BadArgument, pointer: str, scenario: Located) -> str | None:
    """Return where a refused argument stands: in what was built at `pointer`, or beside it."""
    for around in (pointer, pointer.rpartition("/")[0]):
        for inner in scenario.values:
            if inner.startswith(f"{around}/"):
                written = value_at(scenario.value, tokens_of(inner))
                if type(written) is type(error.value) and written == error.value:
                    return inner
    return None


def _raw_path(scenario: Located, pointer: str) -> Iterator[str]:
    """Yield the steps from a reply to the object in it that is sent as it is."""
    for kind in RAW:
        if f"{pointer}/{kind}" in scenario.values:
            yield pointer_of((kind,))
