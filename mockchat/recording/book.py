"""The file that a recording is written to, whole after each exchange."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

from mockchat.contract.contract import Contract
from mockchat.errors import BadArgument
from mockchat.recording.exchanges import RecordedExchange
from mockchat.recording.redaction import Redaction
from mockchat.recording.scenario_text import (
    Match,
    RecordedStub,
    head_of,
    is_replayable,
    key_of,
    printable,
    recorded_stub,
    stub_text,
    title_of,
    write_whole,
)
from mockchat.recording.yaml_text import yaml_lines
from mockchat.scripting.scenario import BrokenScenario, read_scenario, scenario_of
from mockchat.scripting.scenario_file import LARGEST
from mockchat.scripting.script import Script
from mockchat.types import JsonObject, Level

_SUFFIXES = (".yaml", ".yml")
_EMPTY = "stubs: []\n"
_STUBS = "stubs:\n"


class Book:
    """A scenario file that grows by an exchange at a time; what it says is always whole.

    Equal requests get one stub with their answers in order. A file is at most as large as scenario
    files may be; what comes then goes to a second one, with a number in its name.

    Args:
        path: The file. One that is there is gone on with: it must be a scenario whose stubs stand
            at its end, as recordings have them.
        contract: Judges the answers.
        match: Which requests get a recorded answer.
        level: How strictly answers are judged.
        redaction: What must not be written down.
        largest: How many bytes a file may have.

    Attributes:
        path: The file that is written to now.
        stubs: What was there before, as a scenario writes it.

    Raises:
        BadArgument: The file's name does not end in .yaml or .yml, or its content cannot be gone
            on with.
        OSError: It cannot be written.
    """

    def __init__(  # noqa: PLR0913 - what a recording depends on, by name
        self,
        path: Path,
        contract: Contract,
        *,
        match: Match = "request",
        level: Level = "observed",
        redaction: Redaction | None = None,
        largest: int = LARGEST,
    ) -> None:
        if path.suffix not in _SUFFIXES:
            raise BadArgument("output", str(path), "a file whose name ends in .yaml or .yml")
        self.path = path
        self._first = path
        self._contract = contract
        self._match: Match = match
        self._level: Level = level
        self._redaction = redaction or Redaction()
        self._largest = largest
        self._lock = threading.Lock()
        self._groups: dict[str, list[RecordedStub]] = {}
        self._texts: dict[str, str] = {}
        self._answered: set[str] = set()
        self._asides = ""
        self._number = 1
        self.stubs: list[JsonObject] = []
        self._start = self._begun()

    def _begun(self) -> str:
        """Return the text that stands before what is recorded now, and write it where it is new."""
        if not self.path.exists():
            head = head_of(self._contract.profile.name, self._level)
            start = "".join(f"{line}\n" for line in yaml_lines(head))
            write_whole(self.path, f"{start}{_EMPTY}")
            return start + _STUBS
        text = self.path.read_text(encoding="utf-8")
        start = text.removesuffix(_EMPTY) + _STUBS if text.endswith(_EMPTY) else text
        known = read_scenario(self.path).said.value["stubs"]
        self.stubs += known
        self._answered = {json.dumps(stub.get("when", {}), sort_keys=True) for stub in known}
        try:
            grown = scenario_of(f'{start}  - {{reply: "x"}}\n'.encode(), self.path.name)
            is_open = grown.stubs == len(known) + 1
        except BrokenScenario:
            is_open = False
        if not is_open:
            allowed = "a new file, or one that was recorded, whose stubs stand at its end"
            raise BadArgument("output", str(self.path), allowed)
        return start

    def add(self, exchange: RecordedExchange) -> tuple[str, ...]:
        """Write an exchange down and return what there is to tell of it, a line each.

        Raises:
            OSError: The file cannot be written; the exchange goes into it with the next one.
        """
        if not is_replayable(exchange):
            title = title_of(self._redaction.of(exchange))
            return self._aside(f"{title}: no stub can answer this, so it is not in the recording")
        stub = self.stub_of(exchange)
        if stub is None:
            return self._aside(f"{title_of(exchange)}: a scenario cannot say this")
        with self._lock:
            key = key_of(stub)
            if key in self._answered:
                aside = f"{stub.notes[0]}: its request is answered by what was recorded before"
                return (aside, *stub.notes[1:])
            group = [*self._groups.get(key, ()), stub]
            text = stub_text(group)
            if self._size_with(key, text) > self._largest:
                if not self._texts or len(text.encode()) + len(self._start) > self._largest:
                    return (f"{stub.notes[0]}: it is larger than a scenario may be",)
                self._turn()
                text = stub_text(group := [stub])
                if key in self._answered:
                    return (f"{stub.notes[0]}: {self._first.name} is full",)
            self._groups[key], self._texts[key] = group, text
            self._write()
        return stub.notes

    def stub_of(self, exchange: RecordedExchange) -> RecordedStub | None:
        """Return an exchange as it is written down; None where no scenario can say it."""
        stub = recorded_stub(
            exchange,
            self._contract,
            match=self._match,
            level=self._level,
            redaction=self._redaction,
        )
        return None if stub is None or not self._is_usable(stub) else stub

    def _is_usable(self, stub: RecordedStub) -> bool:
        """Tell whether a server could read it again: a recording must never keep one from starting."""
        text = json.dumps({"stubs": [stub.stub]}, ensure_ascii=False)
        try:
            scenario_of(text.encode(), "stub.json").add_to(
                Script(self._contract, level=self._level)
            )
        except (BrokenScenario, ValueError):
            return False
        return True

    def _aside(self, line: str) -> tuple[str, ...]:
        with self._lock:
            if len(self._asides) < self._largest // 16:
                self._asides += f"  # {printable(line)}\n"
            self._write()
        return (line,)

    def _size_with(self, key: str, text: str) -> int:
        texts = {**self._texts, key: text}.values()
        return sum(len(one.encode()) for one in (self._start, self._asides, *texts))

    def _turn(self) -> None:
        """Begin the next file."""
        self._answered |= self._groups.keys()
        self._groups, self._texts, self._asides = {}, {}, ""
        while self.path.exists():
            self._number += 1
            self.path = self._first.with_stem(f"{self._first.stem}-{self._number}")
        self._start = self._begun()

    def _write(self) -> None:
        texts = "".join(self._texts.values())
        if not texts and self._start.endswith(f"\n{_STUBS}"):
            write_whole(self.path, f"{self._start.removesuffix(_STUBS)}{self._asides}{_EMPTY}")
        else:
            write_whole(self.path, f"{self._start}{texts}{self._asides}")


def lines_of(notes: tuple[str, ...]) -> Iterator[str]:
    """Yield what is told of an exchange on a terminal."""
    first, *others = notes
    yield printable(first)
    yield from (f"  {printable(note)}" for note in others)
