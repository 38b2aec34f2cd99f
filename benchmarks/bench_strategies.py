"""Measure the strategies beside hypothesis-jsonschema and Schemathesis, in one process, one after the other.

Three tables: payloads drawn a second, with the share of draws that were thrown away; the same for
schemas that every generator can read; how short a failing request becomes, and after how many calls.

    python benchmarks/bench_strategies.py [--examples 100]

hypothesis-jsonschema is measured where it is installed and runs: from Hypothesis 6.170.10 on it does not.
"""

import argparse
import json
import random
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress

import schemathesis
from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis import strategies as st

from mockchat import strategies
from mockchat.contract.contract import contract_for

PROFILE = contract_for("openai").profile
LIMIT_S = 12.0
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


def drawn(strategy: st.SearchStrategy, examples: int) -> tuple[float, float]:
    """Return how many values were drawn a second of processor time, and the share thrown away."""
    begun, made = [], []

    @st.composite
    def counted(draw):
        begun.append(None)
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

    started = time.process_time()
    with suppress(OutOfTime, BaseExceptionGroup):
        run()
    spent = time.process_time() - started
    return len(made) / spent, 1 - len(made) / max(1, len(begun))


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
        operation = schemathesis.openapi.from_dict(_bundled(schema))["/body"]["post"]
        return operation.as_strategy().map(lambda case: case.body)

    def by_hypothesis_jsonschema() -> st.SearchStrategy:
        from hypothesis_jsonschema import from_schema  # noqa: PLC0415 - rarely there

        return from_schema(PROFILE.document("request") if schema is None else schema)

    yield "Schemathesis", by_schemathesis
    yield "hypothesis-jsonschema", by_hypothesis_jsonschema


def compare(name: str, ours: st.SearchStrategy, schema: dict | None, examples: int) -> None:
    """Print our speed and waste, and those of others as a ratio."""
    find(ours, lambda _: True)
    mine, waste = drawn(ours, examples)
    print(f"{name:<22}{'mockchat':<24}{mine:>8.1f}/s{waste:>8.1%} thrown away")
    for other, strategy in theirs(schema):
        try:
            speed, waste = drawn(strategy(), examples)
        except Exception as problem:  # noqa: BLE001 - whatever stops it is the result
            print(f"{'':<22}{other:<24}  does not run: {type(problem).__name__}")
            continue
        ratio = f"{mine / speed:.1f}x slower than ours" if speed else "none"
        print(f"{'':<22}{other:<24}{speed:>8.1f}/s{waste:>8.1%} thrown away   {ratio}")


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


def shrunk(strategy: st.SearchStrategy, wanted: Callable[[dict], bool]) -> str:
    """Return calls, time and size of the smallest payload Hypothesis comes to within the limit."""
    calls, left = 0, None

    def asked(body: dict) -> bool:
        nonlocal calls, left
        if time.process_time() - started > LIMIT_S:
            return False
        calls += 1
        if wanted(body):
            left = body
            return True
        return False

    started = time.process_time()
    chosen = settings(database=None, deadline=None, max_examples=1000)
    with suppress(Exception):  # out of time, an example found no longer is one
        find(strategy, asked, settings=chosen, random=random.Random(1))
    spent = time.process_time() - started
    if left is None:
        return f"none found in {calls} calls"
    unfinished = f", not finished within {LIMIT_S:.0f} s" if spent > LIMIT_S else ""
    return f"{len(json.dumps(left))} B after {calls} calls, {spent:.1f} s{unfinished}"


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--examples", type=int, default=100)
    examples = arguments.parse_args().examples
    warnings.simplefilter("ignore")
    print("drawing: payloads a second of processor time")
    compare("requests", OURS["requests"], None, examples)
    for name in [*OURS][1:]:
        find(OURS[name], lambda _: True)
        speed, waste = drawn(OURS[name], examples)
        print(f"{name:<22}{'mockchat':<24}{speed:>8.1f}/s{waste:>8.1%} thrown away")
    for name, schema in SCHEMAS.items():
        compare(f"schema: {name}", strategies.from_schema(schema), schema, examples)
    print("\nshrinking: the request that is left of one with …")
    others = [
        ("mockchat", OURS["requests"]),
        ("Schemathesis", dict(theirs(None))["Schemathesis"]()),
    ]
    for wish, wanted in WANTED.items():
        for name, strategy in others:
            print(f"{wish:<24}{name:<16}{shrunk(strategy, wanted)}")


if __name__ == "__main__":
    main()
