"""What `make others` does with a server and with a report; the servers themselves are not needed."""

import json
import os
import select
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from other_page import (
    OWN,
    PAGE,
    REVIEWS,
    UNSEEN,
    Result,
    blocks,
    cell,
    keep,
    kept,
    main,
    measurements,
    ours,
    rows,
    shown,
    with_blocks,
)
from other_runs import NotRun, checked, free_port, install, run, started
from other_servers import OTHERS
from serving import serving

from mockchat.conformance.checks import CHECKS

SERVER = """
import http.server, os, subprocess, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["HTTPS_PROXY"].encode())
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
print("child", child.pid, file=open(os.environ["TOLD"], "w"), flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def finding(**members):
    """Return a finding as a report has it."""
    return {
        "check": "schema.response",
        "fails": True,
        "probe": "chat.plain",
        "pointer": "/choices/0/index",
        "message": "'index' is missing.",
        "request": {"method": "POST", "body": '{"model": "m"}'},
        "answer": {"status": 200, "body": '{"id":"c","choices":[{"text":"|`"}]}'},
        **members,
    }


def report(*findings, **members):
    """Return a report with these findings."""
    return {
        "requests": 3,
        "seconds": 1.25,
        "stopped": None,
        "unsupported": {},
        "capabilities": {"chat": {"sent": 2, "failed": 1, "unsupported": 0}},
        "checks": {"schema.response": {"verdict": "failed"}, "stream.bom": {"verdict": "passed"}},
        "findings": list(findings),
        **members,
    }


def test_a_server_is_stopped_with_what_it_started(tmp_path):
    """A target that leaves servers behind is run once."""
    port, told = free_port(), tmp_path / "told"
    with started([sys.executable, "-c", SERVER, str(port)], port, {"TOLD": str(told)}, seconds=60):
        child = os.pidfd_open(int(told.read_text().split()[1]))
        assert select.select([child], [], [], 0) == ([], [], [])
    assert select.select([child], [], [], 30) == ([child], [], [])
    os.close(child)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise SystemExit('no such option')", "it ended with status 1: no such option"),
        ("raise SystemExit(3)", "it ended with status 3: it said nothing"),
        ("import time; time.sleep(60)", "it did not listen within 0.5 s"),
    ],
)
def test_a_server_that_does_not_start_gives_its_reason(code, reason):
    """It is listed with the reason, not dropped."""
    with (
        pytest.raises(NotRun, match=f"^{reason}$"),
        started(
            [sys.executable, "-c", code], free_port(), {}, seconds=0.5 if "time" in code else 60
        ),
    ):
        pytest.fail("it did start")


def test_a_command_that_is_not_there_gives_its_reason(tmp_path):
    """Not every machine has npm."""
    missing = str(tmp_path / "npm")
    with pytest.raises(NotRun, match="npm is not here"):
        run([missing], 5)
    with pytest.raises(NotRun, match="No such file"), started([missing], 1, {}, seconds=5):
        pytest.fail("it did start")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import sys; print('a\\nb'); sys.exit(1)", "^b$"),
        ("import sys; print('a', file=sys.stderr); sys.exit(1)", "^a$"),
        ("raise SystemExit(1)", "failed without a word"),
        ("import time; time.sleep(60)", "took more than 0.5 s"),
    ],
)
def test_an_installer_that_fails_gives_its_reason(code, reason):
    """The last line is what it says about it."""
    with pytest.raises(NotRun, match=reason):
        run([sys.executable, "-c", code], 0.5 if "time" in code else 60)
    run([sys.executable, "-c", ""], 60)


def test_what_is_installed_is_not_installed_again(tmp_path, monkeypatch):
    """Only the first run needs the registries; another version is another installation."""
    ran = []
    monkeypatch.setattr("other_servers.HOMES", tmp_path)
    monkeypatch.setattr("other_runs.run", lambda words, seconds: ran.append(words))
    for other in OTHERS:
        install(other)
        install(other)
        install(replace(other, version="0"))
    requirements = [
        words[-1] for words in ran if words[-1] != str(other.home) and "venv" not in words
    ]
    assert requirements == [
        each.requirement for other in OTHERS for each in (other, replace(other, version="0"))
    ]


def test_each_server_is_told_its_port_and_its_places():
    """A placeholder that is left in a command is a server that does not start."""
    for other in OTHERS:
        told = [*other.words(4321), *other.variables(4321).values()]
        assert any("4321" in word for word in told), other.name
        assert not any("{" in word for word in told), other.name
        for word in other.words(4321)[1:]:
            assert not word.startswith("/") or Path(word).exists(), word


def test_the_same_fault_is_one_row():
    """Three hundred answers without an index are one fault of one server."""
    told = rows(
        report(
            finding(),
            finding(pointer="/choices/1/index"),
            finding(probe="chat.turns", pointer="/choices/0/index"),
            finding(fails=False, check="stream.bom"),
            finding(check="refusal.refused", pointer="", message="Accepted."),
        )
    )
    assert [(row.key, row.answers, row.message) for row in told] == [
        ("schema.response /choices/*/index", 2, "'index' is missing"),
        ("refusal.refused", 1, "Accepted"),
    ]


def test_the_bytes_are_shown_at_their_place():
    """Whoever doubts a finding looks at the bytes."""
    assert shown(finding()) == '{"id":"c","choices":[»{"text":"|`"}«]}'
    assert shown(finding(pointer="")) == (
        'POST {"model": "m"} → 200 {"id":"c","choices":[{"text":"|`"}]}'
    )
    long = finding(answer={"status": 500, "body": "x" * 100}, pointer="/error")
    assert shown(long).endswith(f"500 {'x' * 59}…")
    events = finding(
        check="stream.role-once",
        pointer="/1/a",
        answer={"status": 200, "body": 'data: {"a":1}\n\ndata: {"a":2}\n\n'},
    )
    assert shown(events) == 'data: {"a":1}\n\ndata: {"a":»2«}\n\n'
    assert cell('a|`\n"é') == "a\\|'\\n\"é"


def test_the_tables_say_what_the_reports_say():
    """Each cell of the page comes from a report, or says why there is none."""
    first, second, third = (other.name for other in OTHERS[:3])
    early = report(stopped="no | answer", unsupported={"chat": "chat.plain"}, capabilities={})
    results = [
        Result(name=first, date="2026-11-20", report=report(finding())),
        Result(name=second, date="2026-11-20", reason="no npm"),
        Result(name=third, date="2026-11-21", report=early),
        Result(name=f"{OWN} openai", date="2026-11-20", report=report()),
        Result(name=f"{OWN} azure", date="2026-11-20", reason="no port"),
    ]
    reviews = {first: {"schema.response /choices/*/index": "it is not there"}}
    named = blocks(results, reviews)
    assert "1 passed, 1 failed | 3 in 1 s | - |" in named["servers"]
    assert "| not checked: no npm |" in named["servers"]
    assert "3 in 1 s; ended early: no \\| answer | chat |" in named["servers"]
    assert named["capabilities"].splitlines()[2] == "| chat | 1/2 | - |"
    lacking = replace(results[2], report={**early, "capabilities": report()["capabilities"]})
    assert "| chat | not offered |" in blocks([lacking], {})["capabilities"]
    assert named["checks"].splitlines()[2] == "| `schema.response` | 1 |  |"
    assert "`/choices/*/index` | 1 | 'index' is missing |" in named["findings"]
    assert named["findings"].count("it is not there |") == 1
    assert UNSEEN in blocks(results, {})["findings"]
    assert "| `openai` | 2026-11-20 | 1 passed, 1 failed | 3 | 1 |" in named[OWN]
    assert "| `azure` | 2026-11-20 | not checked: no port |" in named[OWN]
    page = "".join(f"<!-- measured: {name} -->\nold\n<!-- end -->\n" for name in named)
    written = with_blocks(page, named)
    assert all(text in written for text in named.values())
    assert "old" not in written
    with pytest.raises(LookupError, match="measured: servers"):
        with_blocks("", named)


def test_results_are_kept_for_the_next_page(tmp_path, monkeypatch):
    """One server can be measured anew without the others."""
    monkeypatch.setattr("other_page.HOMES", tmp_path / "others")
    results = [
        Result(name="litellm", date="2026-11-20", report=report(finding())),
        Result(name="aimock", date="2026-11-20", reason="no npm"),
    ]
    for each in results:
        keep(each)
    assert list(kept(["litellm", "prism", "aimock"])) == results


def test_our_own_server_is_checked_as_a_user_would():
    """The same code that judges the others finds nothing on ours."""
    with serving("--profile", "azure") as served:
        told = checked(served.base_url, profile="azure", depth="quick")
    assert told["conforms"]
    assert told["findings"] == []
    with pytest.raises(NotRun, match="no profile"):
        checked("http://127.0.0.1:9/v1", profile="nobody")


def test_a_server_that_cannot_be_measured_is_a_result(monkeypatch):
    """The page tells of every server."""

    def fail(_):
        raise NotRun("no registry")

    def refuse(*options):
        raise RuntimeError(" ".join(options))

    monkeypatch.setattr("other_page.measured", fail)
    (result,) = measurements(["litellm"])
    assert (result.report, result.reason) == (None, "no registry")
    assert len(result.date) == 10
    monkeypatch.setattr("other_page.serving", refuse)
    (result,) = measurements([f"{OWN} openai --engine asyncio"])
    assert (result.report, result.reason) == (None, "--profile openai --engine asyncio")


def test_a_name_that_is_none_is_refused(capsys):
    """A typo measures nothing, and says so."""
    assert main(["litelm"]) == 2
    assert "no server 'litelm'" in capsys.readouterr().err


def test_the_page_tells_of_every_server():
    """What is on the page was measured, and every finding on it was looked at."""
    page = PAGE.read_text()
    for other in OTHERS:
        assert f"| `{other.package}` | {other.version} |" in page
    rows_of_ours = page.partition(f"<!-- measured: {OWN} -->")[2].splitlines()[3:-1]
    names = {line.split("`")[1] for line in rows_of_ours if line.startswith("| `")}
    assert {"openai", "azure", "vllm"} <= names <= {each.removeprefix(f"{OWN} ") for each in ours()}
    assert UNSEEN not in page
    assert "not checked" not in page


def test_every_review_is_of_a_server_and_a_check_there_are():
    """Some faults show in some runs only; a word on what cannot be found any more misleads."""
    for name, reviews in json.loads(REVIEWS.read_bytes()).items():
        assert name in {other.name for other in OTHERS}
        assert {key.partition(" ")[0] for key in reviews} <= set(CHECKS)
        assert all(words.endswith(".") and "|" not in words for words in reviews.values())
