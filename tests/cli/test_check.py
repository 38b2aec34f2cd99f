"""`mockchat check`: what a run says, writes and exits with."""

import json
import threading
from contextlib import contextmanager
from html import escape
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

from mockchat.cli import main
from mockchat.conformance.checks import CHECKS
from mockchat.conformance.runner import Run
from mockchat.scripting.builders import unchecked
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.mock_server import MockServer
from mockchat.server.settings import Settings
from mockchat.server.werkzeug_server import LiveServer

HOSTILE = "</pre><script>alert(1)</script>\u2028"


@pytest.fixture(scope="module")
def server():
    """Serve for the tests of this module."""
    with MockServer() as running:
        yield running


@pytest.fixture
def right(server):
    """Give the URL of a server that is right."""
    with server.script(unmatched="generate", unused="ignore") as script:
        yield script.base_url


@pytest.fixture
def wrong(server):
    """Give the URL of a server that accepts anything, and says a hostile thing."""
    with server.script(unmatched="generate", unused="ignore", validation="off") as script:
        script.when(stream=False).reply(unchecked(HOSTILE)).forever()
        yield script.base_url


@contextmanager
def serving_wsgi(application):
    """Serve a WSGI application."""
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def check(*arguments, env=None):
    """Run the command."""
    return CliRunner().invoke(main, ["check", *map(str, arguments)], env=env)


def test_a_right_server_conforms(right):
    """Exit status 0 is what a pipeline reads; the table is for people."""
    outcome = check(right)
    assert outcome.exit_code == 0, outcome.output
    told, *lines = outcome.stdout.splitlines()
    assert told.startswith(f"29 requests to {right}, model gpt-3.5-turbo, at most about")
    assert lines[0] == f"{right} by openai, level observed"
    assert ["tools", "5", "sent", "ok"] in [line.split() for line in lines]
    assert lines[-1].startswith("conforms: checks ")
    assert "failed" not in lines[-1]


def test_a_wrong_server_is_explained(wrong):
    """What, why, how we know, and a command that shows it again."""
    outcome = check(wrong, "--model", "gpt-4o-mini")
    assert outcome.exit_code == 1
    text = outcome.stdout
    assert (
        "FAILED refusal.refused: The request was accepted, although the required member"
        " 'messages' is missing\n"
        "    A request that breaks the contract is refused.\n"
        "    probe refuses / without messages, at the whole answer\n"
        "    wanted '4xx', found 200\n"
        f"    sent: curl -sS -i {wrong}/chat/completions -H "
    ) in text
    assert "    received: status 200, application/json, " in text
    assert "    source: api.openai.com answers 4xx" in text
    assert (
        "    to leave it out: --skip refusal.refused; more of it: --explain refusal.refused" in text
    )
    assert '-H "Authorization: Bearer $OPENAI_API_KEY"' in text
    assert "does not conform: checks " in text.splitlines()[-1]


def test_reports_of_every_form(wrong, tmp_path):
    """One run, five files; what a server said is data in each of them."""
    files = {
        name: tmp_path / f"report.{name}" for name in ("json", "junit", "markdown", "html", "badge")
    }
    options = [part for name, file in files.items() for part in (f"--{name}", file)]
    outcome = check(wrong, *options)
    assert outcome.exit_code == 1
    report = json.loads(files["json"].read_text())
    assert report["conforms"] is False
    assert report["requests"] == 29
    assert report["checks"].keys() == CHECKS.keys()
    failed = {name for name, told in report["checks"].items() if told["verdict"] == "failed"}
    assert {"refusal.refused", "exchange.tool-choice"} <= failed
    assert {each["check"] for each in report["findings"] if each["fails"]} == failed
    suite = ET.fromstring(files["junit"].read_bytes())
    assert suite.get("failures") == str(len(failed))
    assert {case.get("name") for case in suite if case.find("failure") is not None} == failed
    assert "### refusal.refused" in files["markdown"].read_text()
    page = files["html"].read_text()
    assert page.count("<script>") == 1  # our own
    assert "&lt;script&gt;" in page
    assert "<mark>" in page
    assert json.loads(files["badge"].read_text())["message"] == f"{len(failed)} checks failed"


def test_a_report_of_a_right_server(right, tmp_path):
    """Nothing found is said, not left out."""
    files = {
        name: tmp_path / f"report.{name}" for name in ("json", "junit", "markdown", "html", "badge")
    }
    options = [part for name, file in files.items() for part in (f"--{name}", file)]
    assert check(right, "--header", "X-Team: a", *options).exit_code == 0
    assert json.loads(files["badge"].read_text())["message"] == "conforms"
    assert "## Findings" not in files["markdown"].read_text()
    assert "<p>None.</p>" in files["html"].read_text()
    assert check("--compare", files["json"], files["json"]).stdout == "nothing changed\n"


def test_two_reports_are_compared(right, wrong, tmp_path):
    """What broke since the last release is one command."""
    check(right, "--json", tmp_path / "old.json")
    check(wrong, "--json", tmp_path / "new.json")
    worse = check("--compare", tmp_path / "old.json", tmp_path / "new.json")
    assert "refusal.refused: passed -> failed" in worse.stdout.splitlines()
    assert worse.exit_code == 1
    better = check("--compare", tmp_path / "new.json", tmp_path / "old.json")
    assert "refusal.refused: failed -> passed" in better.stdout.splitlines()
    assert better.exit_code == 0


def test_unsupported_capabilities_are_compared(tmp_path):
    """A feature that went missing is no failed check."""
    empty = {"checks": {}, "unsupported": {}}
    (tmp_path / "old.json").write_text(json.dumps(empty))
    (tmp_path / "new.json").write_text(json.dumps({**empty, "unsupported": {"n": "n.two"}}))
    outcome = check("--compare", tmp_path / "old.json", tmp_path / "new.json")
    assert (outcome.exit_code, outcome.stdout) == (0, "n: now unsupported\n")
    outcome = check("--compare", tmp_path / "new.json", tmp_path / "old.json")
    assert outcome.stdout == "n: no longer unsupported\n"


def test_keys_come_from_the_environment_and_are_never_shown(tmp_path):
    """A report is sent to other people."""
    app = App(Settings(api_keys=("sk-secret",)), Scripts())
    with LiveServer(app) as server:
        page = tmp_path / "report.html"
        outcome = check(
            server.base_url, "--api-key-env", "A_KEY", "--html", page, env={"A_KEY": "sk-secret"}
        )
    assert outcome.exit_code == 0, outcome.output
    assert "sk-secret" not in outcome.output + page.read_text()
    lines = outcome.output.splitlines()
    assert ["authorization", "2", "sent", "ok"] in [line.split() for line in lines]


def test_a_target_that_repeats_the_key_does_not_put_it_into_a_report(tmp_path):
    """Servers quote the key they refuse, and a report is sent to other people."""
    told = []

    def application(environment, start):
        told.append(environment["HTTP_AUTHORIZATION"])
        start("401 Unauthorized", [("content-type", "text/plain"), ("x-key", told[-1])])
        return [f"no such key: {told[-1]}".encode()]

    with serving_wsgi(application) as url:
        files = [tmp_path / name for name in ("report.html", "report.json", "report.md")]
        options = zip(("--html", "--json", "--markdown"), files, strict=True)
        outcome = check(
            url,
            "--api-key-env",
            "A_KEY",
            *(part for pair in options for part in pair),
            env={"A_KEY": "key-0123456789"},
        )
    assert outcome.exit_code == 1
    assert any("key-0123456789" in each for each in told)
    texts = [outcome.output, *(file.read_text() for file in files)]
    assert [text for text in texts if "key-0123456789" in text] == []
    assert "no such key: *********************" in texts[2]


def test_the_page_tells_how_the_run_is_made_again(right, tmp_path):
    """A finding is believed when it is seen again; of header fields the name is told alone."""
    page = tmp_path / "report.html"
    outcome = check(
        right, "--header", "X-Team: a team", "--skip", "stream.*", "--timeout", 5, "--html", page
    )
    assert outcome.exit_code == 0, outcome.output
    command = (
        f"{right} --model gpt-3.5-turbo --header 'X-Team: …' --profile openai --level observed"
        " --depth quick --skip 'stream.*' --timeout 5.0"
    )
    assert escape(command) in page.read_text()
    assert "a team" not in page.read_text()


def test_chosen_checks_alone_count(wrong):
    """A team mends one thing at a time."""
    assert check(wrong, "--only", "schema.*").exit_code == 0
    assert check(wrong, "--only", "refusal.*", "--skip", "refusal.refused").exit_code == 0
    assert check(wrong, "--only", "refusal.*").exit_code == 1


def test_the_list_of_checks():
    """Ids are what --only, --skip and a badge's reader need."""
    lines = check("--list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [*CHECKS]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "a URL is wanted, such as http://localhost:8000/v1"),
        (["ftp://a"], "URL is 'ftp://a'; allowed: an http or https URL"),
        (["http://me:secret@a/v1"], "URL is 'http://…@a/v1'; allowed: one without a user"),
        (["http://localhost:1/v1", "--only", "strem.bom"], "did you mean stream.bom?"),
        (["http://localhost:1/v1", "--skip", "?"], "mockchat check --list names them all"),
        (["http://localhost:1/v1", "--header", "no colon"], "write NAME:VALUE"),
        (["http://localhost:1/v1", "--profile", "opnai"], "opnai"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments, reason):
    """One line that says what to write, exit status 2."""
    outcome = check(*arguments)
    assert outcome.exit_code == 2
    assert reason in outcome.stderr
    assert outcome.stdout == ""


@pytest.mark.parametrize(
    "text", ["no JSON", "[]", '{"unsupported": {}}', '{"unsupported": {}, "checks": {"a": 1}}']
)
def test_only_reports_are_compared(tmp_path, text):
    """A file of something else is told apart from a report without findings."""
    file = tmp_path / "a.json"
    file.write_text(text)
    outcome = check("--compare", file, file)
    assert outcome.exit_code == 2
    assert str(file) in outcome.stderr


def test_nobody_there_is_no_verdict(tmp_path):
    """A wrong port says nothing about a server."""
    files = [
        part
        for name in ("markdown", "html", "junit", "badge")
        for part in (f"--{name}", tmp_path / name)
    ]
    outcome = check("http://127.0.0.1:9/v1", "--timeout", "5", *files)
    assert outcome.exit_code == 2
    assert "ended early: the target does not answer (unreachable)" in outcome.stdout
    assert outcome.stdout.splitlines()[-1].startswith("not judged to the end: checks ")
    assert json.loads((tmp_path / "badge").read_text())["message"] == "not checked"
    for name in ("markdown", "html", "junit"):
        assert "does not answer" in (tmp_path / name).read_text()


def test_a_report_that_cannot_be_written(right, tmp_path):
    """The run is told on the terminal all the same."""
    outcome = check(right, "--json", tmp_path / "no folder" / "report.json")
    assert outcome.exit_code == 2
    assert "No such file or directory" in outcome.stderr
    assert "conforms: checks" in outcome.stdout


def test_an_interruption_tells_what_is_known(right, monkeypatch):
    """Ctrl+C after ten minutes must not throw ten minutes away."""
    take = Run._take

    def interrupted(run, probe, attempts, beside):
        take(run, probe, attempts, beside)
        if len(run.report.sendings) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Run, "_take", interrupted)
    outcome = check(right)
    assert outcome.exit_code == 130
    assert "ended early: interrupted" in outcome.stdout
    assert "; 3 requests in " in outcome.stdout


def test_an_interruption_before_the_first_probe(monkeypatch):
    """Exit status 1 would say that checks failed."""
    from mockchat.conformance.target import Target  # noqa: PLC0415

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Target, "send", interrupted)
    outcome = check("http://127.0.0.1:9/v1")
    assert outcome.exit_code == 130
    assert outcome.stderr == "interrupted before anything was checked\n"


def test_a_target_without_models(right, monkeypatch):
    """Not every server lists its models; then the profile's first is asked."""
    from mockchat.conformance.answers import Answered  # noqa: PLC0415
    from mockchat.conformance.target import Target  # noqa: PLC0415

    send = Target.send

    def without(target, sent):
        if sent.path == "/models":
            return Answered(status=404, body=b'{"data": [1, {"id": 2}]}')
        return send(target, sent)

    monkeypatch.setattr(Target, "send", without)
    assert "model gpt-3.5-turbo" in check(right).stdout
