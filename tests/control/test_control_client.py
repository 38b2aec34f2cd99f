"""A server steered while it runs: from Python, from a shell, from JavaScript, all at once."""

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from openai import OpenAI
from serving import serving

import mockchat
from mockchat import Control, ControlRefused, ServerNotThere
from mockchat.errors import BadArgument

PROJECT = Path(__file__).parents[2]
NODE_FOLDER = PROJECT / ".venvs" / "openai-node"
ROUNDS = 2


@pytest.fixture(scope="module")
def served():
    """Serve as a stranger does."""
    with serving() as server:
        yield server


def asked(base_url, control, text="Hello!"):
    """Ask with the SDK, in the session that `control` steers."""
    with OpenAI(
        base_url=base_url, api_key="any", default_headers=control.headers, max_retries=0
    ) as client:
        made = client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": text}]
        )
    return made.choices[0].message.content


def test_every_method_of_the_client(served, tmp_path):
    """What the API can, the client can, with errors that say what was wrong."""
    control = Control(served.base_url, session="methods")
    assert control.is_ready()
    stub = control.add({"when": {"last_text": "Hello!"}, "reply": "one", "then": "two"})
    assert (stub["name"], stub["left"]) == ("stub 1 (request.json:1)", 2)
    assert asked(served.base_url, control) == "one"
    (exchange,) = control.journal(wait=10, count=1, model="gpt-4o-mini", unmatched=False)
    assert exchange["stub"] == "stub 1 (request.json:1)"
    assert len(control.archive()["log"]["entries"]) == 1
    assert [problem["type"] for problem in control.problems()] == ["UnusedReply"]
    control.clear()
    assert control.journal() == []
    control.remove(stub["place"])
    assert control.stubs() == []
    assert control.load({"seed": 3, "stubs": [{"reply": "loaded"}]})[0]["left"] == 1
    assert control.settings()["seed"] == 3
    assert control.settings(seed=4)["seed"] == 4
    file = tmp_path / "scenario.yaml"
    file.write_text("stubs:\n  - reply: from a file\n")
    assert control.load(file)[0]["name"] == "stub 1 (request.yaml:2)"
    assert asked(served.base_url, control) == "from a file"
    control.remove()
    control.reset()
    assert (control.stubs(), control.journal()) == ([], [])
    with pytest.raises(ControlRefused, match="'modle' is not a key here; did you mean") as refused:
        control.add({"when": {"modle": "x"}, "reply": "one"})
    assert refused.value.status == 400
    with pytest.raises(ControlRefused, match="there is no stub at place 9"):
        control.remove(9)
    assert repr(control) == f"Control('{served.base_url.removesuffix('/v1')}', session='methods')"


def test_a_key_is_asked_for_and_sent():
    """Whoever sets one is alone at the wheel."""
    with serving("--control-key", "sk-control") as served:
        with pytest.raises(ControlRefused, match="The control API needs its key"):
            Control(served.base_url).stubs()
        assert Control(served.base_url, key="sk-control").stubs() == []
        assert Control(served.base_url).is_ready()
        assert "sk-control" not in served.greeting + served.errors()


def test_without_it_nobody_answers():
    """What is turned off looks like any unknown path of the API."""
    with serving("--no-control") as served, pytest.raises(ControlRefused) as refused:
        Control(served.base_url).stubs()
    assert refused.value.status == 404


def test_a_server_that_is_not_there_is_told():
    """The first thing that goes wrong is a server that was not started."""
    with pytest.raises(ServerNotThere, match=r"no mockchat answers at http://127\.0\.0\.1:1: "):
        Control("http://127.0.0.1:1").is_ready()
    with pytest.raises(BadArgument, match=r"such as http://127\.0\.0\.1:4010"):
        Control("127.0.0.1:4010")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("page", "status 200 without JSON"),
        ("bad", "status 400 without a reason"),
    ],
)
def test_a_server_that_is_another_is_told(answer, told, monkeypatch):
    """A port may be somebody else's."""
    answers = {"page": (200, b"<html>"), "bad": (400, b"{}")}
    control = Control("http://127.0.0.1:1")
    with pytest.raises(ServerNotThere, match=told):
        control._read(*answers[answer])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--host", "0.0.0.0", "--control"), "every machine that can reach this server"),
        (("--workers", "2", "--control"), "what one worker is told, the others would not know"),
    ],
)
def test_what_would_be_unsafe_is_refused(options, told):
    """A server that anybody can steer is no place for anybody's tests."""
    with pytest.raises(RuntimeError, match=told), serving(*options):
        raise AssertionError("it served")


def _from_python(base_url, number):
    control = Control(base_url, session=f"python-{number}")
    control.add({"reply": f"python {number}"})
    said = asked(base_url, control)
    return said, len(control.journal(wait=10, count=1)), control.problems()


SHELL = """
set -eu
curl -sSf -X POST "$1/_mockchat/stubs" -H "x-mockchat-session: $2" \
  -H 'content-type: application/json' -d "{\\"reply\\": \\"$2\\"}" >/dev/null
curl -sSf "$1/v1/chat/completions" -H "x-mockchat-session: $2" \
  -H 'content-type: application/json' \
  -d '{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello!"}]}'
echo
curl -sSf "$1/_mockchat/journal?count=1&seconds=10" -H "x-mockchat-session: $2"
echo
curl -sSf "$1/_mockchat/verdict" -H "x-mockchat-session: $2"
"""


def _from_shell(base_url, number):
    url, name = base_url.removesuffix("/v1"), f"shell-{number}"
    printed = subprocess.run(
        ["sh", "-c", SHELL, "sh", url, name], capture_output=True, text=True, check=True
    ).stdout
    decoder, values = json.JSONDecoder(), []
    rest = printed.lstrip()
    while rest:
        value, end = decoder.raw_decode(rest)
        values.append(value)
        rest = rest[end:].lstrip()
    completion, journal, verdict = values
    said = completion["choices"][0]["message"]["content"]
    return said, len(journal["exchanges"]), verdict["problems"]


SCRIPT = """
const { createRequire } = require("node:module");
const { OpenAI } = createRequire(process.argv[2] + "/client.cjs")("openai");
const [url, name] = process.argv.slice(3);
const headers = { "x-mockchat-session": name, "content-type": "application/json" };
const control = (method, path, body) =>
  fetch(`${url}/_mockchat${path}`, { method, headers, body: body && JSON.stringify(body) });
(async () => {
  await control("POST", "/stubs", { reply: name });
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "any", defaultHeaders: headers });
  const messages = [{ role: "user", content: "Hello!" }];
  const made = await client.chat.completions.create({ model: "gpt-4o-mini", messages });
  const journal = await (await control("GET", "/journal?count=1&seconds=10")).json();
  const verdict = await (await control("GET", "/verdict")).json();
  const said = made.choices[0].message.content;
  console.log(JSON.stringify([said, journal.exchanges.length, verdict.problems]));
})();
"""


def _from_javascript(base_url, number):
    url, name = base_url.removesuffix("/v1"), f"javascript-{number}"
    printed = subprocess.run(
        ["node", "-", str(NODE_FOLDER), url, name],
        input=SCRIPT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert printed.returncode == 0, printed.stderr
    return tuple(json.loads(printed.stdout))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not there")
@pytest.mark.skipif(
    not (NODE_FOLDER / "node_modules").exists(),
    reason="openai for node is not there: `make sdks` installs it",
)
def test_three_languages_at_once_do_not_meet(served):
    """Each test suite has its own stubs and its own journal, whatever it is written in."""
    drivers = {"python": _from_python, "shell": _from_shell, "javascript": _from_javascript}
    jobs = [(name, number) for number in range(ROUNDS) for name in drivers]
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda job: drivers[job[0]](served.base_url, job[1]), jobs))
    assert results == [
        (f"{name}{' ' if name == 'python' else '-'}{number}", 1, []) for name, number in jobs
    ]


def test_the_names_are_public():
    """What a test catches must be imported from where it looks."""
    assert mockchat.ControlRefused is ControlRefused
