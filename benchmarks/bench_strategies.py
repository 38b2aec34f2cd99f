"""Measure the strategies beside hypothesis-jsonschema and Schemathesis, in one process, one after the other.

Three tables: payloads drawn a second of processor time, and why draws were given up; the same for schemas
that every generator can read; how short a failing example becomes, and after how many calls.

    make generators                                              # both others, in an environment of their own
    python benchmarks/bench_strategies.py [--examples 100] [--only-drawing]

Every example costs what Hypothesis itself does for one, the line "Hypothesis alone": one number is drawn.
No generator is faster; how many times as fast as another one it could be is what stands after "of".
Draws are given up for two reasons. "cut short": Hypothesis replays choices it has changed, or asks for a
small example first, and allows no more choices than those; it counts against every generator. "filtered":
the generator drew what it could not use.

hypothesis-jsonschema is measured where it is installed and runs: from Hypothesis 6.170.10 on it does not.
"""

import argparse
import gc
import json
import random
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis import strategies as st
from hypothesis.statistics import collector

from mockchat import strategies
from mockchat.contract.contract import contract_for

PROFILE = contract_for("openai").profile
LIMIT_S = 12.0
ROUNDS = 3
SCHEMAS = {
    "flat": {
        "type": "object",
        "properties": {
            "city": {"type": "string", "maxLength": 20},
            "days": {"type": "integer", "minimum": 1, "maximum": 14},
            "unit": {"enum": ["C", "F"]},
        },
        "required": ["city"],
        "additionalProperties": False,
    },
    "nested": {
        "type": "object",
        "properties": {
            "orders": {
                "type": "array",
                "maxItems": 4,
                "items": {
                    "type": "object",
                    "properties": {"id": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}}},
                    "required": ["id"],
                },
            }
        },
        "required": ["orders"],
    },
    "pattern": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"},
    "union": {
        "oneOf": [
            {"type": "object", "properties": {"kind": {"const": kind}}, "required": ["kind"]}
            for kind in ("a", "b", "c")
        ]
    },
}  # fmt: skip
OURS = {
    "requests": strategies.requests(),
    "completions": strategies.completions(),
    "chunk_streams": strategies.chunk_streams(),
    "invalid_requests": strategies.invalid_requests(),
    "invalid_completions": strategies.invalid_completions(),
    "invalid_streams": strategies.invalid_streams(),
}


class OutOfTime(Exception):
    """A measurement took longer than it is worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What came of a measurement: values a second of processor time, and shares of draws given up."""

    speed: float
    cut_short: float
    filtered: float

    def __str__(self) -> str:
        return f"{self.speed:>8.1f}/s{self.cut_short:>8.1%} cut short{self.filtered:>8.1%} filtered"


def drawn(strategy: st.SearchStrategy, examples: int) -> Drawn:
    """Draw so many values; Hypothesis' own statistics say why others were given up."""
    made, noted = [], []

    @st.composite
    def counted(draw):
        if time.process_time() - started > LIMIT_S:
            raise OutOfTime
        return draw(strategy)

    @seed(1)
    @settings(
        database=None,
        deadline=None,
        max_examples=examples,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )
    @given(counted())
    def run(value):
        made.append(value)

    # What was made before would be looked through again and again, now in one turn and now in another.
    gc.collect()
    gc.freeze()
    started = time.process_time()
    with suppress(OutOfTime, BaseExceptionGroup), collector.with_value(noted.append):
        run()
    spent = time.process_time() - started
    cases = [case["status"] for each in noted for case in each["generate-phase"]["test-cases"]]
    return Drawn(
        speed=len(made) / spent,
        cut_short=cases.count("overrun") / max(1, len(cases)),
        filtered=cases.count("invalid") / max(1, len(cases)),
    )


def _bundled(schema: dict | None = None) -> dict:
    """Return an OpenAPI document whose one operation takes requests, or values of `schema`."""
    request = PROFILE.document("request")
    body = {**(request if schema is None else schema)}
    definitions = body.pop("$defs", {})
    for name in ("$id", "$schema"):
        body.pop(name, None)
    text = json.dumps({"body": body, "definitions": definitions})
    parts = json.loads(text.replace('"#/$defs/', '"#/components/schemas/'))
    content = {"application/json": {"schema": parts["body"]}}
    operation = {
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "fine"}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "bodies", "version": "1"},
        "paths": {"/body": {"post": operation}},
        "components": {"schemas": parts["definitions"]},
    }


def theirs(schema: dict | None) -> Iterator[tuple[str, Callable[[], st.SearchStrategy]]]:
    """Yield the generators of others by name; None asks for requests."""

    def by_schemathesis() -> st.SearchStrategy:
        import schemathesis  # noqa: PLC0415 - not in every environment

        operation = schemathesis.openapi.from_dict(_bundled(schema))["/body"]["post"]
        return operation.as_strategy().map(lambda case: case.body)

    def by_hypothesis_jsonschema() -> st.SearchStrategy:
        from hypothesis_jsonschema import from_schema  # noqa: PLC0415 - rarely there

        return from_schema(PROFILE.document("request") if schema is None else schema)

    yield "Schemathesis", by_schemathesis
    yield "hypothesis-jsonschema", by_hypothesis_jsonschema


def compare(
    name: str, ours: st.SearchStrategy, schema: dict | None, examples: int, alone: Drawn
) -> None:
    """Print our speed and waste, and those of others as a ratio: of each the best of a few rounds, in turn."""
    strategies_by_name = {"mockchat": ours}
    reasons = {}
    for other, make in theirs(schema):
        try:
            strategies_by_name[other] = make()
            drawn(strategies_by_name[other], 5)
        except Exception as problem:  # noqa: BLE001 - whatever stops it is the result
            strategies_by_name.pop(other, None)
            reasons[other] = _why_not(problem)
    drawn(ours, 5)
    found = {each: [] for each in strategies_by_name}
    for _ in range(ROUNDS):
        for each, strategy in strategies_by_name.items():
            try:
                found[each].append(drawn(strategy, examples))
            except Exception as problem:  # noqa: BLE001 - found by more examples only
                reasons[each] = _why_not(problem)
    best = {
        each: max(rounds, key=lambda one: one.speed) for each, rounds in found.items() if rounds
    }
    for place, (each, result) in enumerate(best.items()):
        note = _ratio(best["mockchat"], result, alone) if place else _share(result, alone)
        print(f"{'' if place else name:<22}{each:<24}{result}   {note}")
    for other, reason in reasons.items():
        print(f"{'':<22}{other:<24}{reason:>10}")


def _ratio(ours: Drawn, other: Drawn, alone: Drawn) -> str:
    if not other.speed:
        return "none drawn"
    mine, theirs_, least = (1 / each.speed for each in (ours, other, alone))
    beyond = f"{(theirs_ - least) / (mine - least):.1f}x" if mine > least else "more"
    return (
        f"ours is {theirs_ / mine:.1f}x as fast of {theirs_ / least:.1f}x at most,"
        f" {beyond} without what Hypothesis takes alone"
    )


def _share(ours: Drawn, alone: Drawn) -> str:
    return f"{ours.speed / alone.speed:.0%} of what Hypothesis alone does"


def _why_not(problem: Exception) -> str:
    if isinstance(problem, ModuleNotFoundError):
        return f"skipped: {problem.name} is not installed (make generators)"
    return f"does not run: {type(problem).__name__}"


WANTED = {
    "a tool message": lambda body: any(one["role"] == "tool" for one in body["messages"]),
    "three messages": lambda body: len(body["messages"]) > 2,
    "a call and its answer": lambda body: any(
        call.get("tool_calls") and answer["role"] == "tool"
        for call, answer in zip(body["messages"], body["messages"][1:], strict=False)
    ),
    "temperature above 1.5": lambda body: (body.get("temperature") or 0) > 1.5,
    "a bias below -50": lambda body: any(
        bias < -50 for bias in (body.get("logit_bias") or {}).values()
    ),
    "an object tool_choice": lambda body: isinstance(body.get("tool_choice"), dict),
}


LEFT = {
    "a stream with a call": (
        OURS["chunk_streams"],
        lambda chunks: any(
            "tool_calls" in choice["delta"] for chunk in chunks for choice in chunk["choices"]
        ),
    ),
    "a completion with a call": (
        OURS["completions"],
        lambda made: any(choice["message"].get("tool_calls") for choice in made["choices"]),
    ),
    "a reply of three letters": (
        strategies.replies(),
        lambda reply: len(getattr(reply.content, "text", None) or "") > 2,
    ),
    "a request of a wrong type": (
        OURS["invalid_requests"],
        lambda mutant: mutant.mutation.pointer.startswith("/temperature"),
    ),
    "a completion without usage": (
        OURS["invalid_completions"],
        lambda mutant: mutant.mutation.pointer == "/usage",
    ),
    "a broken event": (
        OURS["invalid_streams"],
        lambda mutant: mutant.mutation.pointer != "",
    ),
}  # fmt: skip


def shrunk(strategy: st.SearchStrategy, wanted: Callable[[object], bool]) -> str:
    """Return calls, time and size of the smallest payload Hypothesis comes to within the limit."""
    calls, first, left = 0, 0, None

    def asked(value: object) -> bool:
        nonlocal calls, first, left
        if time.process_time() - started > LIMIT_S:
            return False
        calls += 1
        if wanted(value):
            first, left = first or calls, value
            return True
        return False

    started = time.process_time()
    # Not the phase that explains a failure: it would count a hundred calls more for each.
    phases = [Phase.generate, Phase.shrink]
    chosen = settings(database=None, deadline=None, max_examples=1000, phases=phases)
    with suppress(Exception):  # out of time, an example found no longer is one
        find(strategy, asked, settings=chosen, random=random.Random(1))
    spent = time.process_time() - started
    if left is None:
        return f"none found in {calls} calls"
    unfinished = f", not finished within {LIMIT_S:.0f} s" if spent > LIMIT_S else ""
    size = f"{_size(left):>6} B, found in {first:>4} and shrunk in {calls - first:>4} calls"
    return f"{size}, {spent:.1f} s{unfinished}"


def _size(value: object) -> int:
    payload = getattr(value, "payload", value)
    if isinstance(payload, dict | list):
        return len(json.dumps(payload))
    return len(payload if isinstance(payload, bytes) else repr(payload))


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--examples", type=int, default=100)
    arguments.add_argument(
        "--only-drawing", action="store_true", help="without the table of shrinking"
    )
    chosen = arguments.parse_args()
    examples = chosen.examples
    warnings.simplefilter("ignore")
    print("drawing: payloads a second of processor time")
    numbers = st.integers(0, 2**40)
    drawn(numbers, 5)
    alone = max((drawn(numbers, examples) for _ in range(ROUNDS)), key=lambda one: one.speed)
    print(f"{'one number':<22}{'Hypothesis alone':<24}{alone}")
    compare("requests", OURS["requests"], None, examples, alone)
    for name in [*OURS][1:]:
        drawn(OURS[name], 1)
        print(f"{name:<22}{'mockchat':<24}{drawn(OURS[name], examples)}")
    for name, schema in SCHEMAS.items():
        compare(f"schema: {name}", strategies.from_schema(schema), schema, examples, alone)
    if not chosen.only_drawing:
        shrink()


def shrink() -> None:
    """Print how short examples become."""
    print("\nshrinking: the request that is left of one with …")
    generators = [("mockchat", OURS["requests"])]
    try:
        generators.append(("Schemathesis", dict(theirs(None))["Schemathesis"]()))
    except ModuleNotFoundError as missing:
        print(f"{'':<28}Schemathesis    {_why_not(missing)}")
    for wish, wanted in WANTED.items():
        for name, strategy in generators:
            print(f"{wish:<28}{name:<16}{shrunk(strategy, wanted)}")
    print("\nshrinking: what is left of …")
    for wish, (strategy, wanted) in LEFT.items():
        print(f"{wish:<28}{'mockchat':<16}{shrunk(strategy, wanted)}")


if __name__ == "__main__":
    main()
