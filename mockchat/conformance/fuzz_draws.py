"""Requests drawn by Hypothesis from the profile, and shrunk by its engine.

The only module of this room that needs Hypothesis; it uses the public interface alone. Each request
is a function of the seed and its number: `fuzz_one_input` reads the choices from bytes, so that
nothing depends on what was drawn before, on which modules are loaded, or on the target. What is to
be shrunk is kept in memory alone.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, Phase, Verbosity, configuration, given, settings
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase

from mockchat.conformance.answers import Sent
from mockchat.conformance.asked_probes import LAWFUL, UNLAWFUL, probe_of
from mockchat.conformance.probes import CHAT, Probe
from mockchat.contract.contract import Contract
from mockchat.contract.pointers import tokens_of
from mockchat.payloads.answerable import answerable_request
from mockchat.payloads.drawn import HypothesisDraw
from mockchat.payloads.mutants import mutations_of
from mockchat.types import Json, JsonObject, Kind

_CHOICES = 65_536
"""Bytes of choices for one request; ten times what the largest takes."""

_SHARE_UNLAWFUL = 0.3
_SHARE_WILD = 0.75
_SHARE_UNESCAPED = 0.5
_MOST_CHOICES = 4
_MOST_TOKENS = 64
_LIMITS = ("max_tokens", "max_completion_tokens")
_HOME = "HYPOTHESIS_STORAGE_DIRECTORY"


class _Shown(Exception):
    """What is looked for was shown: a failing test, as Hypothesis understands it."""


class Drawer:
    """Draws the requests of one seed.

    Args:
        contract: Whose requests.
        model: The model all of them name.
        seed: The same seed gives the same requests.
    """

    def __init__(self, contract: Contract, *, model: str, seed: int) -> None:
        self._contract = contract
        self._model = model
        self._seed = seed
        self._limit = next((each for each in _LIMITS if self._takes(each)), None)

    def probes(self, count: int) -> tuple[Probe, ...]:
        """Return `count` probes; the first is the simplest request there is."""
        found: list[Probe] = []
        drawing = self._test(found.append)
        with own_home():
            for number in range(count):
                drawing.hypothesis.fuzz_one_input(self._choices(number))  # type: ignore[attr-defined]
        return tuple(
            replace(probe, id=f"drawn {number} of seed {self._seed}")
            for number, probe in enumerate(found)
        )

    def shrink(self, number: int, shows: Callable[[Probe], bool]) -> None:
        """Ask `shows` of simpler and simpler requests, as long as simpler ones show it.

        The request itself is taken to show it. Whatever `shows` raises ends it.

        Args:
            number: Which of the probes is shrunk.
            shows: Tells whether a probe shows what is looked for.
        """
        is_first = True

        def judged(probe: Probe) -> None:
            if is_first or shows(probe):
                raise _Shown

        shrinking = self._test(judged)
        with own_home():
            try:
                shrinking.hypothesis.fuzz_one_input(self._choices(number))  # type: ignore[attr-defined]
            except _Shown:
                is_first = False
            try:
                shrinking()
            except _Shown:
                return

    def probe(self, body: Json, *, is_escaped: bool = True) -> Probe:
        """Return the probe that sends `body`."""
        data = json.dumps(body, ensure_ascii=is_escaped).encode()
        sent = Sent(path=CHAT, body=data)
        return probe_of(self._contract, sent, body, name="", capability=LAWFUL, refusals=UNLAWFUL)

    def _test(self, judged: Callable[[Probe], None]) -> Callable[[], None]:
        """Return a test of Hypothesis' over all requests."""

        @settings(
            database=InMemoryExampleDatabase(),
            deadline=None,
            phases=(Phase.reuse, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        @given(_requests(self))
        def test(probe: Probe) -> None:
            judged(probe)

        return test

    def _choices(self, number: int) -> bytes:
        """Return what the choices of one request are read from; zeros are the simplest."""
        if not number:
            return bytes(_CHOICES)
        return Random(f"{self._seed}/{number}").randbytes(_CHOICES)

    def drawn(self, draw: HypothesisDraw) -> Probe:
        """Draw one probe: lawful more often than not."""
        if draw.chance(_SHARE_UNLAWFUL):
            body = self._unlawful(draw)
        else:
            kind: Kind = "wild" if draw.chance(_SHARE_WILD) else "plain"
            made = answerable_request(self._contract, draw, kind=kind, model=self._model)
            body = self._bounded(made, "")
        return self.probe(body, is_escaped=not draw.chance(_SHARE_UNESCAPED))

    def _unlawful(self, draw: HypothesisDraw) -> Json:
        """Draw a request that is wrong in one place."""
        known = mutations_of(self._contract, "request")
        name = [*known][draw.index(len(known))]
        mutant = known[name](draw, "wild")
        body, place = mutant.payload, next(iter(tokens_of(mutant.mutation.pointer)), "")
        if not isinstance(body, dict):
            return body
        if place != "model" and isinstance(body.get("model"), str):
            body = {**body, "model": self._model}
        return self._bounded(body, place)

    def _bounded(self, body: JsonObject, kept: str) -> JsonObject:
        """Return a request that asks for little; the member `kept` stays as it is."""
        bounds = {"n": _MOST_CHOICES, **dict.fromkeys(_LIMITS, _MOST_TOKENS)}
        changed = {
            name: min(body[name], most)
            for name, most in bounds.items()
            if name != kept and isinstance(body.get(name), int) and body[name] is not True
        }
        if self._limit is None or kept in _LIMITS or changed.keys() & set(_LIMITS):
            return {**body, **changed}
        limited = {**body, **changed, self._limit: _MOST_TOKENS}
        return limited if self._is_no_worse(limited, body) else {**body, **changed}

    def _is_no_worse(self, limited: Json, body: Json) -> bool:
        found, known = map(self._contract.request_violations, (limited, body))
        return len(found) <= len(known)

    def _takes(self, limit: str) -> bool:
        body: JsonObject = {"model": self._model, "messages": [{"role": "user", "content": ""}]}
        return not self._contract.request_violations({**body, limit: _MOST_TOKENS})


@st.composite
def _requests(draw: st.DrawFn, drawer: Drawer) -> Probe:
    return drawer.drawn(HypothesisDraw(draw))


@contextmanager
def own_home() -> Iterator[None]:
    """Let Hypothesis keep its tables in a folder that goes again, unless the user names one."""
    if os.environ.get(_HOME):
        yield
        return
    home = configuration.storage_directory(intent_to_write=False)
    known = str(getattr(home, "path", home))  # older versions give the path itself
    with TemporaryDirectory(prefix="mockchat-") as folder:
        configuration.set_hypothesis_home_dir(Path(folder))
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(known)
