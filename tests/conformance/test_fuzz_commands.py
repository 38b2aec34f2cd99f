"""What a fuzzed finding leaves behind: a command and a test that show it again, in every report."""

import json
import os
import shutil
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest
from bank import kinds
from broken_servers import CONTRACT, HIT, MODEL, fuzz, only, served, several_and_stop
from click.testing import CliRunner
from in_process import AppClient

from mockchat import check, check_request
from mockchat.cli import main
from mockchat.conformance.answers import Sent
from mockchat.conformance.as_curl import LONGEST, as_curl
from mockchat.conformance.as_data import as_json
from mockchat.conformance.as_html import as_html
from mockchat.conformance.as_junit import as_junit
from mockchat.conformance.as_markdown import as_markdown
from mockchat.conformance.as_test import as_test
from mockchat.conformance.as_text import as_terminal
from mockchat.conformance.asked_probes import probe_of
from mockchat.conformance.checks import CHECKS
from mockchat.conformance.probes import chat
from mockchat.conformance.runner import Run
from mockchat.payloads.wire_faults import WIRE_FAULTS
from mockchat.server.mock_server import MockServer

LOST = kinds()["reply exchange.n /choices"]
BROKEN = only(several_and_stop, LOST.spoil)
URL = "http://127.0.0.1:8000/v1"
KEY = "sk-nobody-may-read-this"


@pytest.fixture(scope="module")
def report():
    """Fuzz a broken server once."""
    return fuzz(AppClient(spoil=BROKEN), seed=HIT).go()


def the_curl(text):
    """Return the one command in a report."""
    (line,) = [line for line in text.splitlines() if "curl -sS" in line]
    return line[line.index("curl -sS") :]


def the_test(lines):
    """Return the one test in the lines of a terminal."""
    start = lines.index("        import os")
    end = next(at for at in range(start, len(lines)) if "assert" in lines[at]) + 1
    return "\n".join(line[8:] for line in lines[start:end]) + "\n"


def test_every_report_shows_the_finding_again(report):
    """Whoever reads one of them can work on it without the run."""
    (found,) = [each for each in as_json(report, target=URL)["findings"] if each["fails"]]
    assert (found["check"], found["times"]) == ("exchange.n", 1)
    assert found["shrunk"]["check"] == "exchange.n"
    assert found["shrunk"]["is_flaky"] is False
    forms = {
        "terminal": "\n".join(line.strip() for line in as_terminal(report, target=URL)),
        "markdown": as_markdown(report, target=URL),
        "junit": "\n".join(
            line.strip()
            for line in "".join(ET.fromstring(as_junit(report, target=URL)).itertext()).splitlines()
        ),
    }
    told = "\n".join(line.strip() for line in found["test"].splitlines())
    for name, form in forms.items():
        assert found["curl"] in form, name
        assert told in "\n".join(line.strip() for line in form.splitlines()), name
        assert "shrunk from" in form, name
        assert form.count("curl -sS") == 1, name


def test_the_page_shows_the_finding_again(report):
    """The page is what people send to each other."""
    page = as_html(report, target=URL)
    assert "shrunk from" in page
    assert "def test_exchange_n" in page


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_the_printed_command_runs_in_a_shell(report):
    """A command that has to be mended first is none."""
    command = the_curl("\n".join(as_terminal(report, target="TARGET")))
    with served(BROKEN) as url:
        ran = subprocess.run(
            ["sh", "-c", command.replace("TARGET", url)],
            env={**os.environ, "OPENAI_API_KEY": KEY, "NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            check=True,
        )
    head, _, body = ran.stdout.replace("\r", "").partition("\n\n")
    assert " 200 " in head.splitlines()[0]
    assert len(json.loads(body)["choices"]) != 2


def test_the_printed_test_fails_until_the_server_is_mended(report, tmp_path):
    """It goes into the server's own suite, and tells when the fault is gone."""
    (tmp_path / "test_found.py").write_text(the_test([*as_terminal(report, target=URL)]))
    outcomes = []
    for spoil in (BROKEN, None):
        with served(spoil) as url:
            outcomes.append(
                subprocess.run(
                    [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path],
                    env={
                        **os.environ,
                        "OPENAI_BASE_URL": url,
                        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                    },
                    cwd=tmp_path,
                    capture_output=True,
                    text=True,
                    check=False,
                )
            )
    assert [each.returncode for each in outcomes] == [1, 0], outcomes
    assert "the number of choices is not what was asked for" in outcomes[0].stdout


FOUND = "import os, sys; sys.modules['hypothesis'] = None"
CHECK = """
from mockchat import check
from mockchat.server.app import App
from mockchat.server.settings import Settings
from mockchat.server.mock_server import MockServer
with MockServer() as server, server.script(unmatched="generate", unused="ignore") as script:
    report = check(script.base_url, depth={depth!r}, budget_requests={budget})
    assert report.conforms, report.failures
    print(len(report.sendings))
"""


@pytest.mark.parametrize(
    ("first", "depth", "budget", "sent"),
    [(FOUND, "full", 40, 40), ("", "fuzz", 20, 18)],
)
def test_hypothesis_stays_out_of_the_way(first, depth, budget, sent, tmp_path):
    """It takes a second to import, and leaves a folder behind: only for those who fuzz, and never."""
    ran = subprocess.run(
        [sys.executable, "-c", first + CHECK.format(depth=depth, budget=budget)],
        cwd=tmp_path,
        env={
            name: text
            for name, text in os.environ.items()
            if name != "HYPOTHESIS_STORAGE_DIRECTORY"
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) == sent
    assert [*tmp_path.iterdir()] == []


def test_the_command_from_start_to_end(tmp_path):
    """Announced, reproducible, and the key in no file."""
    files = {name: tmp_path / name for name in ("json", "markdown", "html", "junit")}
    options = [part for name, file in files.items() for part in (f"--{name}", str(file))]
    options += ["--model", MODEL]
    with served(BROKEN) as url:
        outcome = CliRunner().invoke(
            main,
            ["check", url, *f"--depth fuzz --seed {HIT} --budget-requests 150".split(), *options],
            env={"OPENAI_API_KEY": KEY},
        )
    assert outcome.exit_code == 1, outcome.output
    lines = outcome.stdout.splitlines()
    assert lines[0].startswith(f"150 requests to {url}, model {MODEL}, at most about ")
    assert lines[1] == (
        f"60 requests are drawn, seed {HIT}; what they find is shrunk with at most 150 requests each"
    )
    (failed,) = [line for line in lines if line.startswith("FAILED")]
    assert failed.startswith("FAILED exchange.n: the number of choices is not what was asked for")
    assert json.loads(files["json"].read_text())["requests"] <= 150
    for file in files.values():
        assert KEY not in file.read_text()
    assert KEY not in outcome.output


def test_ctrl_c_tells_what_is_known(monkeypatch):
    """An hour of fuzzing is not thrown away by its end."""
    take = Run._take

    def interrupted(run, probe, *rest):
        take(run, probe, *rest)
        if probe.id.startswith("drawn 3 "):
            raise KeyboardInterrupt

    monkeypatch.setattr(Run, "_take", interrupted)
    with MockServer() as server, server.script(unmatched="generate", unused="ignore") as script:
        outcome = CliRunner().invoke(
            main, ["check", script.base_url, "--depth", "fuzz", "--budget-requests", "20"]
        )
    assert outcome.exit_code == 130, outcome.output
    assert "ended early: interrupted" in outcome.stdout
    assert "; 15 requests in " in outcome.stdout


def test_one_request_is_checked_like_any():
    """The printed test is a call that can be made without it as well."""
    lawful = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}], "n": 2, "stop": "a"}
    with served(BROKEN) as url:
        found = check_request(url, lawful, api_key="k")
        assert {each.check for each in found} == {"exchange.n"}
        assert check_request(url, {**lawful, "n": 1}) == ()
        assert check_request(url, {"model": MODEL}) == (), "a refusal is what is due"
        assert check_request(url, json.dumps(lawful).encode(), level="documented") != ()
        assert check_request(url, b"{") == (), "what is no JSON is refused as well"


def test_an_application_is_fuzzed_without_a_socket():
    """A gateway's own suite needs no port."""

    def app(environ, start):
        start("503 Service Unavailable", [("content-type", "text/plain")])
        return [b"closed"]

    assert check(app, depth="fuzz", model=MODEL, budget_requests=5).stopped is None
    assert check_request(app, {"model": MODEL, "messages": []}) != ()


def shown_by_shell(command, tmp_path):
    """Return the bytes that a command would send: a shell in which `curl` prints them."""
    script = tmp_path / "script.sh"
    script.write_text(
        'curl() { if [ -p /dev/stdin ]; then cat; else for last; do :; done; printf %s "$last"; fi; }\n'
        + command
        + "\n"
    )
    return subprocess.run(
        ["sh", str(script)], stdin=subprocess.DEVNULL, capture_output=True, check=True
    ).stdout


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"a": "it\'s $HOME `id` \\\\ %s \\" ! \'"}',
        '{"a": "žluťoučký 😍"}'.encode(),
        '{"a": "line\u2028separator \u202e bidi \x7f"}'.encode(),
        b"@/etc/passwd",
        b"\xff\xfe\x00 \n%d \\0 '",
        *(data for data, _ in WIRE_FAULTS.values() if len(data) <= LONGEST),
    ],
)
def test_a_command_sends_the_same_bytes(body, tmp_path):
    """Quotes, dollars and bytes that no terminal shows: what is printed is what was sent."""
    command = as_curl(Sent(path="/chat/completions", body=body), URL)
    assert command.isprintable()
    assert shown_by_shell(command, tmp_path) == body


def test_a_command_names_method_path_and_key():
    """The key stays in the environment; a request without one is sent without one."""
    sent = Sent(method="GET", path="/models", drops=frozenset({"authorization"}))
    assert as_curl(sent, f"{URL}/") == f"curl -sS -i -X GET {URL}/models"
    told = as_curl(Sent(path="/a b", body=b"x" * (LONGEST + 1)), URL)
    assert '-H "Authorization: Bearer $OPENAI_API_KEY"' in told
    assert f"'{URL}/a b'" in told
    assert told.endswith("x…'")


@pytest.mark.parametrize("check_id", ["exchange.n", "schema.model-list"])
@pytest.mark.parametrize(
    "asked",
    [
        {"model": MODEL, "messages": [{"role": "user", "content": 'it\'s\n""" \u2028 😍 \\'}]},
        {"model": MODEL, "n": None, "stop": [], "logit_bias": {}, "messages": [[1.5, True] * 30]},
        ["no object"],
    ],
)
def test_a_test_sends_the_same_request(asked, check_id):
    """Whatever was drawn stands in the test as Python reads it back."""
    probe = probe_of(CONTRACT, chat(asked), asked, name="a", capability="chat")
    written = as_test(
        probe, CHECKS[check_id], target="http://a\"'b/v1", profile="azure", level="documented"
    )
    names = {}
    exec(compile(written, "test", "exec"), names)  # our own text
    expected = asked if isinstance(asked, dict) else chat(asked).body
    assert names["REQUEST"] == expected
    assert "profile='azure'" in written
    assert "level='documented'" in written
    assert max(map(len, written.splitlines())) < 130
