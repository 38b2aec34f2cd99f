"""Measure what a test costs with the fixture, and a call by socket and without, beside other tools.

Usage: bench_calls.py [--rounds 5] [--calls 150] [--tests 300] [--python PYTHON]

Each tool answers the same completion to the same question by the `openai` package, in a pytest run of
its own; runs are interleaved, so that a busy machine is busy for all. Figures are medians over the
rounds, ratios are medians of the ratios inside each round. CPU time, server threads included, is the
steadier one; wall time is what a developer waits.

Calls are shown as a whole, and beyond the client's own cost: what a call takes over a transport that
answers with prepared bytes and does nothing else. By socket the client itself costs more, so that
there is a row for it too: a server of a few lines that sends prepared bytes.

The tools live in an environment of their own (`make peers`), with the newest `openai` that all of them
work with. mockchat judges each request and each reply and keeps a journal in all its rows.

Calls are measured twice: the same request again and again, and each with a text of its own.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PEERS = PROJECT / ".venvs" / "peers" / "bin" / "python"

COMMON = """
import json, os, time
import httpx, openai, pytest

BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Weather in Oslo?"}]}
TEXT = "It is four degrees in Oslo, with some rain in the afternoon."
COMPLETION = {
    "id": "chatcmpl-0123456789", "object": "chat.completion", "created": 1700000000,
    "model": "gpt-4o-mini-2024-07-18", "service_tier": "default", "system_fingerprint": None,
    "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None, "message": {
        "role": "assistant", "content": TEXT, "refusal": None, "annotations": []}}],
    "usage": {"prompt_tokens": 11, "completion_tokens": 13, "total_tokens": 24,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}},
}

def client(base_url="http://mock.invalid/v1", **options):
    options.setdefault("http_client", httpx.Client(verify=False, trust_env=False))
    return openai.OpenAI(api_key="any", base_url=base_url, max_retries=0, **options)

def bodies(count):
    if os.environ["ASKED"] == "same":
        return [BODY] * count
    asked = [{"role": "user", "content": f"Weather in Oslo on day {number}?"} for number in range(count)]
    return [{**BODY, "messages": [message]} for message in asked]

def measure(client):
    calls = int(os.environ["CALLS"])
    first, rest = (bodies(20 + calls)[part] for part in (slice(20), slice(20, None)))
    for body in first:
        assert client.chat.completions.create(**body).choices[0].message.content == TEXT
    wall, cpu = time.perf_counter(), time.process_time()
    for body in rest:
        client.chat.completions.create(**body)
    used = [(time.perf_counter() - wall) / calls * 1e3, (time.process_time() - cpu) / calls * 1e3]
    with open(os.environ["OUT"], "w") as out:
        json.dump(used, out)
"""

CLIENT, BY_SOCKET = "the client alone", "the client alone, by socket"
SERVER = "pytest-httpserver"
TRANSPORT = "httpx.MockTransport"
SOCKET, NO_SOCKET = "mockchat, by socket", "mockchat, without a socket"

PREPARED = """
body = json.dumps(COMPLETION).encode()
head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
"""

# name, plugin, the test that measures calls, what a test that only sets up asks for
TOOLS = (
    (
        CLIENT,
        None,
        f"""{PREPARED}
class Prepared(httpx.BaseTransport):
    def handle_request(self, request):
        return httpx.Response(200, headers=head, stream=httpx.ByteStream(body))

def test_calls():
    measure(client(http_client=httpx.Client(transport=Prepared())))
""",
        "",
    ),
    (
        BY_SOCKET,
        None,
        f"""{PREPARED}
import re, socket, threading

answer = b"HTTP/1.1 200 OK\\r\\n" + b"".join(b"%b: %b\\r\\n" % field for field in head) + b"\\r\\n" + body

def serve(listener):
    connection = listener.accept()[0]
    with connection:
        arrived = b""
        while piece := connection.recv(65536):
            arrived += piece
            start = arrived.find(b"\\r\\n\\r\\n") + 4
            if start > 3 and len(arrived) - start == int(re.search(b"ength: ([0-9]+)", arrived)[1]):
                connection.sendall(answer)
                arrived = b""

def test_calls():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        with client(f"http://127.0.0.1:{{listener.getsockname()[1]}}/v1") as it:
            measure(it)
        thread.join()
""",
        "",
    ),
    (
        TRANSPORT,
        None,
        """
def test_calls():
    answer = lambda request: httpx.Response(200, json=COMPLETION)
    measure(client(http_client=httpx.Client(transport=httpx.MockTransport(answer))))
""",
        "",
    ),
    (
        NO_SOCKET,
        "mockchat.pytest_plugin",
        """
def test_calls(mockchat):
    mockchat.reply(TEXT).forever()
    measure(mockchat.client(max_retries=0))
""",
        "mockchat",
    ),
    (
        SOCKET,
        "mockchat.pytest_plugin",
        """
def test_calls(mockchat):
    mockchat.reply(TEXT).forever()
    measure(client(mockchat.base_url))
""",
        "mockchat",
    ),
    (
        SERVER,
        "pytest_httpserver.pytest_plugin",
        """
def test_calls(httpserver):
    httpserver.expect_request("/v1/chat/completions", method="POST").respond_with_json(COMPLETION)
    measure(client(httpserver.url_for("/v1")))
""",
        "httpserver",
    ),
    (
        "respx",
        "respx.plugin",
        """
def test_calls(respx_mock):
    url = "http://mock.invalid/v1/chat/completions"
    respx_mock.post(url).mock(return_value=httpx.Response(200, json=COMPLETION))
    measure(client())
""",
        "respx_mock",
    ),
    (
        "openai-responses",
        "openai_responses.plugin",
        """
import openai_responses

@openai_responses.mock()
def test_calls(openai_mock):
    openai_mock.chat.completions.create.response = COMPLETION
    measure(client("https://api.openai.com/v1"))
""",
        "openai_mock",
    ),
    (
        "pytest-mockllm (replaces SDK methods)",
        "pytest_mockllm.plugin",
        """
def test_calls(mock_openai):
    for _ in range(int(os.environ["CALLS"]) + 20):
        mock_openai.add_response(TEXT)
    measure(client())
""",
        "mock_openai",
    ),
)

EMPTY = """
import pytest

@pytest.mark.parametrize("number", range({tests}))
def test_nothing({fixture}number):
    pass
"""

CLOCK = """
import json, os, time
import pytest

marks = []

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    # The first tests pay for imports and the server, once in a session.
    if item.name.endswith("[20]"):
        marks.append((time.perf_counter(), time.process_time()))

def pytest_sessionfinish(session):
    if marks:
        (wall, cpu), tests = marks[0], len(session.items) - 20
        used = (time.perf_counter() - wall) / tests * 1e3, (time.process_time() - cpu) / tests * 1e3
        with open(os.environ["OUT"], "w") as out:
            json.dump(used, out)
"""


def run(python, folder, source, plugins, calls, *, asked="same"):  # noqa: PLR0913 - a run's options
    """Run one suite and return what it wrote: milliseconds of wall and CPU time; None if it failed."""
    (folder / "test_it.py").write_text(source)
    (folder / "clock.py").write_text(CLOCK)
    out = folder / "out.json"
    out.unlink(missing_ok=True)
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    environment = kept | {
        "OUT": str(out),
        "CALLS": str(calls),
        "ASKED": asked,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": str(folder),
    }
    asked = [argument for plugin in ("clock", *plugins) for argument in ("-p", plugin)]
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *asked, "test_it.py"]
    before = children_cpu()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    cpu = (children_cpu() - before) * 1e3
    if done.returncode:
        return None, cpu, done.stdout[-600:]
    return json.loads(out.read_text()) if out.exists() else None, cpu, ""


def children_cpu():
    """Return the CPU seconds of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(options, folder):
    """Return the rounds: what each tool used, by kind and name, and why some could not run."""
    rounds, failed = [], {}
    for _ in range(options.rounds):
        used = {}
        source = EMPTY.format(tests=options.tests, fixture="")
        used["tests", "nothing"], _, _ = run(options.python, folder, source, (), 0)
        for name, plugin, calls, fixture in TOOLS:
            if name in failed:
                continue
            plugins = () if plugin is None else (plugin,)
            for kind in KINDS:
                used[kind, name], _, said = run(
                    options.python, folder, COMMON + calls, plugins, options.calls, asked=kind
                )
                if used[kind, name] is None:
                    failed[name] = said
            if name in failed:
                continue
            if fixture:
                source = EMPTY.format(tests=options.tests, fixture=f"{fixture}, ")
                used["tests", name], _, _ = run(options.python, folder, source, plugins, 0)
        usual = ("_hypothesis_pytestplugin", "faker.contrib.pytest.plugin")
        for name, more in (("without", ()), ("with", ("mockchat.pytest_plugin",))):
            source = EMPTY.format(tests=1, fixture="")
            _, used["plugin", name], _ = run(options.python, folder, source, (*usual, *more), 0)
        rounds.append(used)
    return rounds, failed


# which call, beside which, at most how many times as much, and what the client alone costs there
GOALS = (
    (SOCKET, SERVER, 0.6, BY_SOCKET),
    (NO_SOCKET, SERVER, 0.4, CLIENT),
    (NO_SOCKET, TRANSPORT, 1.3, CLIENT),
)


KINDS = {"same": "the same request again and again", "new": "every request new"}


def show_calls(rounds, names):
    """Print the calls as a whole and beyond the client's own cost, and the goals beside both."""
    for asked, words in KINDS.items():
        calls = [{name: used[asked, name] for name in names} for used in rounds]
        print(f"\nA whole call, client included: {words}")
        show_table(calls, names, lambda used, name, kind: used[name][kind])
        print(f"\nA call beyond the client's own cost without a socket: {words}")
        show_table(calls, [name for name in names if name != CLIENT], beyond)
    print(f"\n{'CPU ratios':50} {'asked':>6} {'whole':>6} {'beyond the client':>18} {'goal':>6}")
    for name, other, goal, alone in GOALS:
        for asked in KINDS:
            calls = [{one: used[asked, one] for one in names} for used in rounds]
            whole = middle(calls, lambda u, n=name, o=other: u[n][1] / u[o][1])
            shown = f"{name + ' / ' + other:50} {asked:>6} {whole:6.2f}"
            print(f"{shown} {ratio(calls, name, other, CLIENT):18.2f} {goal:6.2f}")
            if alone != CLIENT:
                note = f"{'  beyond the client by socket':50} {asked:>6} {'':6}"
                print(f"{note} {ratio(calls, name, other, alone):18.2f} {goal:6.2f}")


def ratio(calls, name, other, alone):
    """Return how many times the other's CPU time a call takes, both beyond the client's own."""
    return middle(calls, lambda used: beyond(used, name, 1, alone) / beyond(used, other, 1, alone))


def show_table(rounds, names, cost):
    """Print what a call costs in ms, and its ratios to the calls that the goals name."""
    print(f"{'':38} {'wall':>6} {'CPU':>6}   wall ratios   CPU ratios (to {SERVER}, {TRANSPORT})")
    for name in names:
        wall, cpu = (middle(rounds, lambda u, n=name, k=k: cost(u, n, k)) for k in (0, 1))
        ratios = [
            middle(rounds, lambda u, n=name, r=r, k=k: cost(u, n, k) / cost(u, r, k))
            for k in (0, 1)
            for r in (SERVER, TRANSPORT)
        ]
        shown = "   ".join(f"{a:5.2f} {b:5.2f}" for a, b in (ratios[:2], ratios[2:]))
        print(f"{name:38} {wall:6.2f} {cpu:6.2f}   {shown}")


def beyond(used, name, kind, alone=CLIENT):
    """Return what a call costs beyond the client's own cost, in ms of wall (0) or CPU time (1)."""
    return used[name][kind] - used[alone][kind]


def show_tests(rounds, names):
    """Print what the fixture of each tool adds to a test that does nothing."""
    print("\nA test that only asks for the fixture, beyond an empty test (ms)")
    print(f"{'':38} {'wall':>6} {'CPU':>6}")
    for name in names:
        if ("tests", name) in rounds[0] and name != SOCKET:
            shown = [
                middle(rounds, lambda u, n=name, k=k: u["tests", n][k] - u["tests", "nothing"][k])
                for k in (0, 1)
            ]
            print(f"{name:38} {shown[0]:6.2f} {shown[1]:6.2f}")


def middle(rounds, value):
    """Return the median of a value over the rounds."""
    return statistics.median(map(value, rounds))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=150)
    parser.add_argument("--tests", type=int, default=300)
    parser.add_argument("--python", default=str(PEERS), help="an environment with the other tools")
    options = parser.parse_args()
    if not Path(options.python).exists():
        sys.exit(f"{options.python} does not exist; make it: make peers")
    with tempfile.TemporaryDirectory() as name:
        rounds, failed = measured(options, Path(name))
    names = [tool[0] for tool in TOOLS if tool[0] not in failed]
    show_calls(rounds, names)
    show_tests(rounds, names)
    added = middle(rounds, lambda used: used["plugin", "with"] - used["plugin", "without"])
    print(f"\nThe unused plugin, beyond pytest, hypothesis and faker: {added:.0f} ms of CPU")
    print("\nGoals besides: 0.30 ms a test; 10 ms of CPU for the unused plugin")
    for name, said in failed.items():
        print(f"\n{name} could not run:\n{said}")


if __name__ == "__main__":
    main()
