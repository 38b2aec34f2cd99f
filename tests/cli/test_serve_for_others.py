"""`mockchat serve` for more than one's own machine: its end, limits, TLS and browsers."""

import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request

import openai
import pytest
import trustme
from serving import server_environment, serving

SLOW = """
stubs:
  - reply: one two three four
    plan: by_word
    pacing: {inter_token: %s}
    times: 9
"""
REQUEST = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello?"}]}


@pytest.fixture(scope="module", name="certificates")
def _certificates(tmp_path_factory):
    """Make an authority, and a certificate of localhost in files as an operator has them."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    issued.private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    for blob in issued.cert_chain_pems:
        blob.write_to_path(folder / "cert.pem", append=True)
    trustme.CA().issue_cert("x").private_key_pem.write_to_path(folder / "other.pem")
    (folder / "empty.pem").write_text("")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    return folder


def refused(*options):
    """Run a server that does not start and return what it says."""
    run = subprocess.run(
        [sys.executable, "-m", "mockchat", "serve", "--port", "0", *map(str, options)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env=server_environment(),
    )
    assert (run.returncode, run.stdout) == (2, "")
    return run.stderr


def begun_stream(served):
    """Open a stream, read its first event, and return the connection."""
    host, port = re.match(r"http://([^:]+):([0-9]+)", served.base_url).groups()
    connection = socket.create_connection((host, int(port)), timeout=20)
    body = json.dumps({**REQUEST, "stream": True})
    connection.sendall(
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    assert b"200 OK" in connection.recv(65_536)
    return connection


def read_all(connection):
    """Read until the server closes."""
    data = b""
    while more := connection.recv(65_536):
        data += more
    return data


def test_a_stream_on_its_way_is_finished(tmp_path):
    """A deployment that ends must not look like a fault; who is silent is not waited for."""
    (tmp_path / "slow.yaml").write_text(SLOW % 0.1)
    with serving("--scenario", str(tmp_path / "slow.yaml"), "--grace", "60") as served:
        port = int(re.search(r":([0-9]+)", served.base_url)[1])
        with begun_stream(served) as connection, socket.create_connection(("127.0.0.1", port)):
            served.process.send_signal(signal.SIGTERM)
            rest = read_all(connection)
        assert served.process.wait(10) == 0
        assert served.errors() == ""
    assert rest.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert b"four" in rest


def test_a_second_signal_ends_it_at_once(tmp_path):
    """Whoever presses Ctrl+C twice means it."""
    (tmp_path / "slow.yaml").write_text(SLOW % 600)
    with serving("--scenario", str(tmp_path / "slow.yaml"), "--grace", "600") as served:
        with begun_stream(served) as connection:
            port = connection.getpeername()[1]
            served.process.send_signal(signal.SIGTERM)
            while not_refused(port):
                pass
            assert served.process.poll() is None
            served.process.send_signal(signal.SIGINT)
            assert served.process.wait(20) == 0
        assert served.errors() == ""


def not_refused(port):
    """Tell whether the server still listens."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("files", [("cert.pem", "key.pem"), ("both.pem",)], ids=["two", "one"])
def test_the_official_client_speaks_https(certificates, files):
    """A front end on HTTPS may call nothing else; the printed URL is the one to use."""
    options = zip(("--cert", "--key"), (str(certificates / name) for name in files), strict=False)
    with serving(*(text for pair in options for text in pair)) as served:
        assert served.base_url.startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cafile=certificates / "authority.pem")
        with openai.DefaultHttpxClient(verify=context) as http:
            client = openai.OpenAI(base_url=served.base_url, api_key="any", http_client=http)
            said = client.chat.completions.create(**REQUEST).choices[0].message.content
            streamed = client.chat.completions.create(**REQUEST, stream=True)
            text = "".join(one.choices[0].delta.content or "" for one in streamed if one.choices)
        assert served.errors() == ""
    assert (bool(said), bool(text)) == (True, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--cert", "lost.pem"),
            r"cert is '.*lost\.pem'; allowed: a file that can be read \(No su",
        ),
        (("--cert", "cert.pem", "--key", "other.pem"), "key is .*key values mismatch"),
        (("--cert", "cert.pem"), r"cert is '.*cert\.pem'; allowed: PEM files of a certificate"),
        (("--cert", "empty.pem"), "allowed: PEM files of a certificate and of its private key"),
        (("--key", "key.pem"), r"key is '.*key\.pem'; allowed: a key beside a certificate"),
    ],
    ids=lambda value: "" if isinstance(value, str) else " ".join(value),
)
def test_certificates_that_cannot_be_used_are_told(certificates, options, said):
    """A handshake that fails later tells an operator nothing."""
    named = [str(certificates / part) if part.endswith(".pem") else part for part in options]
    told = refused(*named)
    assert re.search(said, told), told
    assert told.count("\n") == 1


def test_a_page_of_the_origin_given_may_call():
    """The option does what its name says."""
    with serving("--cors", "http://localhost:5173") as served:
        request = urllib.request.Request(
            f"{served.base_url}/models", headers={"Origin": "http://localhost:5173"}
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            assert response.headers["access-control-allow-origin"] == "http://localhost:5173"


def test_limits_are_kept():
    """Those of connections and those of the server alike, each by its name."""
    with serving("--limit", "head-fields=10", "--limit", "body-size=40") as served:
        request = urllib.request.Request(f"{served.base_url}/chat/completions", data=b"x" * 41)
        with pytest.raises(urllib.error.HTTPError, match="413"):
            urllib.request.urlopen(request, timeout=20)
        fields = {f"x-{number}": "1" for number in range(10)}
        request = urllib.request.Request(f"{served.base_url}/models", headers=fields)
        with pytest.raises(urllib.error.HTTPError, match="431"):
            urllib.request.urlopen(request, timeout=20)


def test_rate_limits_are_kept():
    """What a test says with `Limits`, in the same words."""
    with serving("--rate-limit", "requests=1, window=600, per=all") as served:
        client = openai.OpenAI(base_url=served.base_url, api_key="any", max_retries=0)
        client.chat.completions.create(**REQUEST)
        with pytest.raises(openai.RateLimitError, match="requests per 10m0s"):
            client.with_options(api_key="other").chat.completions.create(**REQUEST)


def test_limits_that_cannot_be_are_told_in_one_line():
    """A limit that is misspelt would be no limit; the form stands beside what was wrong."""
    said = refused("--limit", "conections=3")
    assert said.startswith("mockchat: limit is 'conections'; allowed: head-size, head-fields, ")
    assert said.endswith(" Did you mean 'connections'?\n")
    assert "write NAME=VALUE, as connections=200" in refused("--limit", "connections=many")
    said = refused("--rate-limit", "requests=1", "--tokens-per-minute", "5")
    assert said.startswith("mockchat: rate-limit is 'requests=1'; allowed: no other option")
