"""`mockchat serve` as a stranger meets it: a process, its two streams, its exit status."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from serving import server_environment, serving

QUESTION = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello!"}]}


def post(base_url, body, key=None):
    """Ask for a completion and return it decoded."""
    headers = {"Content-Type": "application/json"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    url = f"{base_url}/chat/completions"
    request = urllib.request.Request(url, data=json.dumps(body).encode(), headers=headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def refused(base_url, body, key=None):
    """Ask for a completion that is not given, return status and error object."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(base_url, body, key)
    with caught.value as response:
        return response.code, json.load(response)["error"]


def mockchat(*arguments, **environment):
    """Run a mockchat command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "mockchat", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        env=server_environment(**environment),
    )


def test_the_greeting_is_the_base_url_and_two_lines_to_copy():
    """A stranger's first call must need no manual."""
    with serving() as served:
        greeting, errors = served.greeting, served.errors()
    url = served.base_url
    assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+/v1", url)
    assert greeting == (
        f"mockchat serves openai at {url} (Ctrl+C stops it)\n"
        f"what happens: {url.removesuffix('/v1')}/_mockchat/\n"
        "\n"
        f"export OPENAI_BASE_URL={url} OPENAI_API_KEY=any\n"
        f"curl {url}/chat/completions -H 'Content-Type: application/json'"
        """ -d '{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello!"}]}'\n"""
    )
    assert errors == ""


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("keys", [(), ("--api-key", "sk-one")], ids=["any key", "one key"])
def test_the_curl_line_works_as_printed(keys):
    """A line to copy that fails is worse than none."""
    with serving(*keys) as served:
        line = served.greeting.splitlines()[-1]
        run = subprocess.run(
            ["bash", "-c", f"{line} --silent --noproxy '*'"],
            capture_output=True,
            check=True,
            env={**os.environ, "OPENAI_API_KEY": "sk-one"},
        )
    assert json.loads(run.stdout)["choices"][0]["message"]["content"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
@pytest.mark.parametrize("occupied", [False, True], ids=["idle", "stream open"])
def test_a_signal_ends_it_cleanly(number, occupied):
    """A server that must be killed leaves its port taken and its caller waiting."""
    body = {**QUESTION, "stream": True, "n": 128, "logprobs": True, "top_logprobs": 20}
    text = json.dumps(body)
    with serving("--grace", "0") as served, socket.socket() as client:
        host, port = re.match(r"http://([^:]+):([0-9]+)", served.base_url).groups()
        # Smaller than the stream, so that the server is held up in the middle of it.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((host, int(port)))
        if occupied:
            client.sendall(
                f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()
            )
            assert client.recv(12) == b"HTTP/1.1 200"
        served.process.send_signal(number)
        assert served.process.wait(10) == 0  # of itself it would wait a minute for this client
        errors = served.errors()
    assert errors == ""


def test_a_locale_nobody_knows_is_one_clear_line():
    """Found at the first request it would be a 500 for every one."""
    run = mockchat("serve", "--port", "0", "--locale", "xx_YY")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == (
        "mockchat: locale is 'xx_YY'; allowed: a locale Faker knows, such as 'en_US' or 'ja_JP'.\n"
    )


@pytest.mark.parametrize("target", ["a pipe nobody reads", "a full disk"])
def test_it_serves_though_nobody_reads_the_greeting(target):
    """A script that reads the first line and leaves, as `head -1` does, wants a server all the same."""
    if target == "a full disk" and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    if target == "a full disk":
        stdout = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, stdout = os.pipe()
        os.close(reader)
    process = subprocess.Popen(
        [sys.executable, "-m", "mockchat", "serve", "--port", str(port)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env=server_environment(),
    )
    os.close(stdout)
    with process:
        try:
            # It says so when it listens.
            assert process.stderr.readline().startswith("mockchat: cannot write to stdout: ")
            assert post(f"http://127.0.0.1:{port}/v1", QUESTION)["object"] == "chat.completion"
        finally:
            process.terminate()
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_what_is_logged_is_ours_alone():
    """At debug, Faker alone tells thousands of lines about its locales."""
    with serving("--log-level", "debug") as served:
        post(served.base_url, QUESTION)
        served.process.terminate()
        served.process.wait(10)
        errors = served.errors()
    assert [line.split(" ", 3)[3][:39] for line in errors.splitlines()] == [
        "POST '/v1/chat/completions': delivered,"
    ]


def test_a_taken_port_is_one_clear_line():
    """The most frequent failure of a server deserves words, not a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = mockchat("serve", "--port", str(port))
    assert (run.returncode, run.stdout) == (2, "")
    # Some versions of Python add the address to the system's words.
    assert re.fullmatch(
        rf"mockchat: cannot listen on 127\.0\.0\.1 port {port}: Address already in use.*\. "
        r"Choose another address, or port 0 for any free port\.\n",
        run.stderr,
    )


def test_an_unknown_profile_is_one_clear_line():
    """A typo is answered with the name that was meant."""
    run = mockchat("serve", "--port", "0", "--profile", "openia")
    assert (run.returncode, run.stdout) == (2, "")
    assert re.fullmatch(
        r"mockchat: no profile 'openia'; known: .*openai.*\. Did you mean 'openai'\?\n", run.stderr
    )


@pytest.mark.parametrize("command", ["serve", "profiles"])
def test_a_broken_profile_is_one_clear_line(command, tmp_path):
    """Whoever writes a profile needs the file that is wrong."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "profile.json").write_text("{")
    options = ["--port", "0", "--profile", "mine"] if command == "serve" else []
    run = mockchat(command, "--schemas", str(tmp_path), *options)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.count("\n") == 1
    assert run.stderr.startswith(f"mockchat: {tmp_path / 'mine' / 'profile.json'}")


def test_a_name_of_this_machine_is_not_beyond_it():
    """A warning that is wrong teaches to read none."""
    with serving("--host", "localhost") as served:
        assert re.fullmatch(r"http://localhost:[0-9]+/v1", served.base_url)
        assert post(served.base_url, QUESTION)["object"] == "chat.completion"
        assert served.errors() == ""


def test_listening_beyond_this_machine_is_said_once():
    """An open port on a shared network must not be a surprise."""
    with serving("--host", "0.0.0.0") as served:
        post(served.base_url, QUESTION)
        errors = served.errors()
    assert errors == "mockchat: listening on 0.0.0.0, open to every machine that can reach it\n"


def test_keys_from_option_and_environment_are_required_and_never_shown():
    """A key on a screen, in a log or in a process list's greeting is a leaked key."""
    environment = server_environment(MOCKCHAT_API_KEY="sk-env-one sk-env-two")
    with serving("--log-level", "debug", environment=environment) as served:
        for key in ("sk-env-one", "sk-env-two"):
            assert post(served.base_url, QUESTION, key)["object"] == "chat.completion"
        wrong = refused(served.base_url, QUESTION, "sk-wrong")
        missing = refused(served.base_url, QUESTION)
        said = served.greeting + served.errors()
    assert (wrong[0], wrong[1]["code"]) == (401, "invalid_api_key")
    assert missing[0] == 401
    assert "sk-env" not in said
    with serving("--api-key", "sk-a", "--api-key", "sk-b") as served:
        for key in ("sk-a", "sk-b"):
            assert post(served.base_url, QUESTION, key)["object"] == "chat.completion"
        said = served.greeting + served.errors()
    assert "sk-" not in said


def test_the_same_seed_gives_the_same_reply_in_another_process():
    """Two replicas, or today and tomorrow, must not differ."""
    replies = []
    for options in (("--seed", "7"), ("--seed", "7"), ("--seed", "8")):
        with serving(*options) as served:
            replies.append(post(served.base_url, QUESTION)["choices"])
    assert replies[0] == replies[1]
    assert replies[0] != replies[2]


def test_vary_repeats_answers_an_identical_request_differently():
    """A retry test needs the second answer to differ from the first."""
    for options, expected in (((), 1), (("--vary-repeats",), 3)):
        with serving(*options) as served:
            texts = {json.dumps(post(served.base_url, QUESTION)["choices"]) for _ in range(3)}
        assert len(texts) == expected


def test_a_locale_changes_the_language():
    """Text in another script finds what English hides."""
    with serving("--locale", "ja_JP") as served:
        text = post(served.base_url, QUESTION)["choices"][0]["message"]["content"]
    assert re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", text)


def test_validation_decides_what_is_refused():
    """Each mode must do what its name says, no more."""
    broken_rule = {**QUESTION, "top_logprobs": 2}
    broken_schema = {**QUESTION, "temperature": 3}
    accepted = {}
    for mode in ("strict", "schema", "warn", "off"):
        with serving("--validation", mode) as served:
            accepted[mode] = []
            for body in (broken_rule, broken_schema):
                try:
                    post(served.base_url, body)
                except urllib.error.HTTPError as error:
                    accepted[mode].append(error.code)
                    error.close()
                else:
                    accepted[mode].append(200)
    assert accepted == {
        "strict": [400, 400],
        "schema": [200, 400],
        "warn": [200, 200],
        "off": [200, 200],
    }


def test_warn_says_what_is_wrong():
    """A warning that nobody sees is `off` by another name."""
    with serving("--validation", "warn") as served:
        post(served.base_url, {**QUESTION, "temperature": 3})
        lines = served.errors().splitlines()
    assert len(lines) == 1
    assert "/temperature" in lines[0]
    assert " WARNING " in lines[0]


def test_known_models_only():
    """A typo in a model's name is a 404 from the real service."""
    with serving("--models", "known") as served:
        known = post(served.base_url, QUESTION)
        unknown = refused(served.base_url, {**QUESTION, "model": "gpt-4o-minni"})
    assert known["object"] == "chat.completion"
    assert (unknown[0], unknown[1]["code"]) == (404, "model_not_found")


def test_a_body_over_the_limit_is_refused():
    """A limit that is not enforced lets one client take all the memory."""
    with serving("--body-limit", "1000") as served:
        status, error = refused(served.base_url, {**QUESTION, "user": "x" * 2000})
    assert status == 413
    assert error["message"]


def test_the_log_names_each_request():
    """Who debugs a client wants to see what arrived, without a proxy."""
    with serving("--log-level", "info") as served:
        post(served.base_url, QUESTION)
        refused(served.base_url, {**QUESTION, "temperature": 3})
        served.process.terminate()
        served.process.wait(5)
        lines = served.errors().splitlines()
    request = r"INFO POST '/v1/chat/completions': delivered, [0-9]+\.[0-9]{4} s"
    assert len(lines) == 2
    assert [line for line in lines if not re.fullmatch(rf"[0-9-]+ [0-9:,]+ {request}", line)] == []


def test_limits_are_by_the_minute_and_by_key():
    """Who tests a client's backoff without a test suite needs the limit in one option."""
    with serving("--requests-per-minute", "1", "--tokens-per-minute", "1000") as served:
        assert post(served.base_url, QUESTION, key="one")["object"] == "chat.completion"
        status, error = refused(served.base_url, QUESTION, key="one")
        assert (status, error["type"], error["code"]) == (429, "requests", "rate_limit_exceeded")
        assert post(served.base_url, QUESTION, key="two")["object"] == "chat.completion"
        long = QUESTION | {"max_tokens": 2000}
        assert refused(served.base_url, long, key="three")[1]["type"] == "tokens"
