"""Measure what the schemas of tests/sdk/awkward_schemas.json and a few hostile ones cost the server.

Usage: bench_schemas.py [--rounds 7]

Each is sent by the openai SDK, as response_format and as a tool's parameters. Milliseconds are CPU of
the server for one request, medians of the rounds: `new` is a schema it has not met (its title
differs every time), `known` the same one again. The promise is 50 ms, on a core that does nothing
else; what takes longer is marked.
"""

import argparse
import contextlib
import json
import statistics
from pathlib import Path

import openai
from bench_server import Target

AWKWARD = Path(__file__).parents[1] / "tests" / "sdk" / "awkward_schemas.json"
PROMISE_MS = 50
QUESTION = [{"role": "user", "content": "Fill it in."}]


def wide(count, inner):
    """Return a schema with as many members."""
    return {"type": "object", "properties": {f"p{n}": inner for n in range(count)}}


def unions(count, keyword, letters):
    """Return as many unions that all hold at once."""
    union = [[{"required": [f"{letter}{n}"]} for letter in letters] for n in range(count)]
    return {"type": "object", "allOf": [{keyword: branches} for branches in union]}


HOSTILE = {
    "1,000 members": wide(1_000, {"type": "string"}),
    "900 objects": wide(900, {"type": "object", "properties": {"a": {"type": "integer"}}}),
    "20,000 members": wide(20_000, {"type": "string"}),
    "200 unions at once": unions(200, "anyOf", "ab"),
    "20 exclusive unions at once": unions(20, "oneOf", "abcde"),
    "2,900 items": {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"type": "integer"}, "minItems": 2_900}},
        "required": ["a"],
    },
}


def schemas():
    """Return all schemas by name."""
    rows = json.loads(AWKWARD.read_text("utf-8"))
    return {row["name"]: row["schema"] for row in rows} | HOSTILE


def by_response_format(schema):
    """Return what a request with a response format has beside model and messages."""
    wanted = {"type": "json_schema", "json_schema": {"name": "awkward", "schema": schema}}
    return {"response_format": wanted}


def by_tool(schema):
    """Return what a request with a tool has beside model and messages."""
    tool = {"type": "function", "function": {"name": "awkward", "parameters": schema}}
    return {"tools": [tool], "tool_choice": "required"}


def ask(client, target, members):
    """Return the CPU milliseconds of one request and its status."""
    before = target.cpu()
    status = 200
    try:
        client.chat.completions.create(model="gpt-4o-mini", messages=QUESTION, **members)
    except openai.APIStatusError as refusal:
        status = refusal.status_code
    return (target.cpu() - before) * 1e3, status


def measure(client, target, door, schema, rounds):
    """Return the medians for a new schema and for a known one, and the status."""
    new, known = [], []
    for number in range(rounds):
        members = door({**schema, "title": f"{door.__name__} {number}"})
        took, status = ask(client, target, members)
        new.append(took)
        known.append(ask(client, target, members)[0])
    return statistics.median(new), statistics.median(known), status


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        target = Target("generated JSON")
        stack.callback(target.close)
        url = f"http://{target.host}:{target.port}{target.path.removesuffix('/chat/completions')}"
        client = stack.enter_context(openai.OpenAI(base_url=url, api_key="sk-bench", max_retries=0))
        for door in (by_response_format, by_tool):
            ask(client, target, door({"type": "object"}))
        print(f"\n{'':34}{'response_format':>24}{'tool':>24}")
        print(f"{'CPU ms':34}" + f"{'new':>10}{'known':>8}{'':6}" * 2)
        for name, schema in schemas().items():
            line = f"{name:34}"
            for door in (by_response_format, by_tool):
                new, known, status = measure(client, target, door, schema, options.rounds)
                mark = "!" if max(new, known) > PROMISE_MS else " "
                line += f"{new:9.1f}{mark}{known:8.1f}{status:6}"
            print(line)


if __name__ == "__main__":
    main()
