"""Measure what judging a request costs, beside stock jsonschema and jsonschema-rs, in one run.

Usage: bench_validation.py [--rounds 7]

Rounds are interleaved; the best of them counts, since only noise makes a round slower. Read the
ratios: they are to stock jsonschema on the same request.
"""

import argparse
import json
import time

import jsonschema
import jsonschema_rs

from mockchat.contract.contract import contract_for
from mockchat.contract.validation import DocumentJudge

ROUND_SECONDS = 0.2


def tool(number):
    """Return a function tool of the usual size."""
    properties = {
        "city": {"type": "string", "description": "The city to look up"},
        "days": {"type": "integer", "minimum": 1, "maximum": 14},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
    }
    parameters = {"type": "object", "properties": properties, "required": ["city"]}
    function = {"name": f"tool_{number}", "description": "Look up", "parameters": parameters}
    return {"type": "function", "function": function}


def conversation(turns):
    """Return messages with a tool call and its result in each turn."""
    messages = [{"role": "system", "content": "You are a patient assistant."}]
    for number in range(turns):
        arguments = json.dumps({"city": "Oslo", "days": number % 14 + 1})
        function = {"name": "tool_0", "arguments": arguments}
        call = {"id": f"call_{number}", "type": "function", "function": function}
        messages += [
            {"role": "user", "content": [{"type": "text", "text": f"Question {number}?"}]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"call_{number}", "content": '{"degrees": 4}'},
        ]
    return messages


SMALL = {
    "model": "gpt-4o-mini",
    "messages": [
        {"role": "system", "content": "You are a patient assistant."},
        {"role": "user", "content": "Hello!"},
        {"role": "user", "content": "And?"},
    ],
    "temperature": 0.7,
}
LARGE = {
    "model": "gpt-4o-mini",
    "messages": conversation(33),
    "tools": [tool(number) for number in range(10)],
    "tool_choice": "auto",
}


def microseconds(judge, body):
    """Return what one call costs, from as many as fit in a round."""
    count, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < ROUND_SECONDS:
        judge(body)
        count += 1
    return elapsed / count * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    contract = contract_for("openai")
    document = contract.profile.document("request")
    slow = DocumentJudge(contract.profile.levels["observed"], "observed", is_quick=False)
    judges = {
        "stock jsonschema": jsonschema.Draft202012Validator(document).is_valid,
        "jsonschema-rs": jsonschema_rs.validator_for(document).is_valid,
        "mockchat, schemas": lambda body: not slow.violations("request", body),
        "mockchat[fast], schemas": lambda body: not contract.request_violations(body, rules=False),
        "mockchat[fast], rules too": lambda body: not contract.request_violations(body),
    }
    requests = {"3 messages": SMALL, "100 messages, 10 tools": LARGE}
    for title, body in requests.items():
        assert all(judge(body) for judge in judges.values()), title
        best = {name: float("inf") for name in judges}
        for _ in range(options.rounds):
            for name, judge in judges.items():
                best[name] = min(best[name], microseconds(judge, body))
        print(f"\n{title} ({len(json.dumps(body)) / 1024:.1f} KiB)")
        print(f"{'':25} {'µs':>9} {'ratio':>7}")
        for name, cost in best.items():
            print(f"{name:25} {cost:9.1f} {cost / best['stock jsonschema']:7.3f}")


if __name__ == "__main__":
    main()
