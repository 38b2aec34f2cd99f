"""`mockchat serve --workers` and `--engine`: processes that die, and packages that are not there."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest
from serving import server_environment, serving
from waiting import wait_for

from mockchat.cli_engine import check_workers, chosen_engine
from mockchat.cli_options import Refusal
from mockchat.scripting.quotas import Limits
from mockchat.server.scenarios import ScenarioApp
from mockchat.server.settings import Settings

QUESTION = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello!"}]}
ENGINES = pytest.mark.parametrize("engine", ["asyncio", "werkzeug"])


def mockchat(*arguments, code="from mockchat.cli import main; main(prog_name='mockchat')"):
    """Run a mockchat command to its end."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        env=server_environment(),
    )


def workers_of(process):
    """Return the ids of the processes below one."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in children.split()]


def is_alive(process):
    """Tell whether a process runs still."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def post(base_url, body=QUESTION):
    """Ask for a completion on a connection of its own and return the bytes of the answer."""
    request = urllib.request.Request(
        f"{base_url}/chat/completions",
        json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


def test_workers_answer_alike_on_one_port():
    """No client may notice which process it met; the port is printed once."""
    with serving("--workers", "3") as served:
        wait_for(lambda: len(workers_of(served.process.pid)) == 3)
        answers = {post(served.base_url) for _ in range(12)}
        greeting, errors = served.greeting, served.errors()
    assert len(answers) == 1
    assert greeting.count("mockchat serves") == 1
    assert (served.process.returncode, errors) == (0, "")


@ENGINES
def test_a_worker_that_is_killed_is_replaced_and_the_rest_goes_on(engine):
    """Clients of the dead one see resets, nobody sees anything else, and no request is lost after."""
    failures, answers, is_over = [], [], threading.Event()

    def ask(base_url):
        host, port = re.match(r"http://([^:]+):([0-9]+)", base_url).groups()
        while not is_over.is_set():
            connection = http.client.HTTPConnection(host, int(port), timeout=10)
            try:
                while not is_over.is_set():
                    connection.request("GET", "/v1/models")
                    answers.append(connection.getresponse().read())
            except (ConnectionError, http.client.HTTPException) as error:
                failures.append(error)
            finally:
                connection.close()

    with serving("--workers", "2", "--engine", engine) as served:
        threads = [threading.Thread(target=ask, args=(served.base_url,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(answers) > 100)
        killed, kept = workers_of(served.process.pid)
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: len(set(workers_of(served.process.pid)) - {killed, kept}) == 1)
        seen = len(answers)
        wait_for(lambda: len(answers) > seen + 100)
        is_over.set()
        for thread in threads:
            thread.join()
        said = served.errors()
    assert len(set(answers)) == 1
    assert len(failures) <= len(threads)
    assert re.search(r"WARNING worker [12] ended: signal SIGKILL\n", said)
    assert served.process.returncode == 0


def test_workers_end_with_the_one_that_watches():
    """A killed supervisor must not leave processes that hold the port."""
    with serving("--workers", "2") as served:
        wait_for(lambda: len(workers_of(served.process.pid)) == 2)
        workers = workers_of(served.process.pid)
        served.process.kill()
        wait_for(lambda: not any(map(is_alive, workers)))


def test_streams_end_before_the_workers_do(tmp_path):
    """A deploy must not cut what is being read, in whichever process."""
    body = {**QUESTION, "stream": True}
    scenario = (
        "stubs:\n  - reply: Hello, world\n    pacing: {inter_token: 0.05}\n    forever: true\n"
    )
    file = tmp_path / "paced.yaml"
    file.write_text(scenario)
    answers = []
    with serving("--workers", "2", "--scenario", str(file), "--log-level", "info") as served:
        wait_for(lambda: len(workers_of(served.process.pid)) == 2)
        request = urllib.request.Request(
            f"{served.base_url}/chat/completions",
            json.dumps(body).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            served.process.send_signal(signal.SIGTERM)
            answers.append(answer.read())
        assert served.process.wait(10) == 0
    assert answers[0].endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("stubs", "limits", "counted"),
    [
        ("[{reply: Hello}]", None, "the replies of stub 1 (s.yaml:1), which is not .forever()"),
        (
            "[{reply: a, then: b}]",
            None,
            "the replies of stub 1 (s.yaml:1), which is not .forever()",
        ),
        ("[{reply: Hello, forever: true}]", None, None),
        (
            "[{reply: Hello, forever: true}]",
            Limits(requests=9),
            "what clients use of their rate limits",
        ),
    ],
)
def test_what_workers_would_each_count_is_refused(tmp_path, stubs, limits, counted):
    """Two workers that each send the first reply are no scenario in order."""
    file = tmp_path / "s.yaml"
    file.write_text(f"stubs: {stubs}")
    app = ScenarioApp([file], lambda asked: Settings(limits=limits))
    told = {"workers": 2, "state": None}
    check_workers(app, app.settings, told | {"workers": 1})
    check_workers(app, app.settings, told | {"state": "redis://x"})
    if counted is None:
        check_workers(app, app.settings, told)
        return
    with pytest.raises(Refusal) as caught:
        check_workers(app, app.settings, told)
    assert str(caught.value) == (
        f"--workers 2: each worker would count {counted}. "
        "Let them share it with --state redis://…, or serve with one worker."
    )


def test_a_port_that_is_taken_is_told_before_workers_start():
    """SO_REUSEPORT would let two servers share a port, and each get half of the requests."""
    with serving("--workers", "2") as served:
        port = re.search(r":([0-9]+)/", served.base_url)[1]
        run = mockchat("serve", "--port", port, "--workers", "2")
        counted = mockchat("serve", "--workers", "2", "--requests-per-minute", "9")
    assert counted.returncode == run.returncode == 2
    assert counted.stderr.startswith("mockchat: --workers 2: each worker would count what clients")
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use." in run.stderr


FAILING = """
import os, sys
from mockchat.server.engine import server
server.EngineServer.start = lambda self: os._exit(3)
from mockchat.cli import main
main(prog_name="mockchat")
"""


def test_workers_that_do_not_stay_are_given_up():
    """A server that restarts its workers for ever looks alive and answers nobody."""
    run = mockchat("serve", "--port", "0", "--workers", "2", code=FAILING)
    assert run.returncode == 2
    assert run.stderr.count("ended: status 3") in {5, 6}  # two may end at once
    assert "5 workers in a row ended as soon as they began" in run.stderr
    assert run.stderr.endswith("mockchat: the workers do not stay: the log says why\n")


def test_the_engine_follows_a_stated_rule(monkeypatch):
    """Asyncio where the extra is installed, werkzeug where it is not, and never in silence."""
    assert [chosen_engine(asked) for asked in (None, "asyncio", "werkzeug")] == [
        "asyncio",
        "asyncio",
        "werkzeug",
    ]
    monkeypatch.setitem(sys.modules, "httptools", None)
    assert [chosen_engine(asked) for asked in (None, "werkzeug")] == ["werkzeug", "werkzeug"]
    with pytest.raises(Refusal) as caught:
        chosen_engine("asyncio")
    needed = 'the engine asyncio needs the package httptools: pip install "mockchat[serve]"'
    assert str(caught.value) == needed
