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

import click
import openai
import pytest
import trustme
from serving import server_environment, serving

from mockchat.cli import serve
from mockchat.cli_limits import LimitOptions, limited, tls_of
from mockchat.errors import BadArgument
from mockchat.scripting.quotas import Limits
from mockchat.server.settings import Settings

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


def test_the_official_client_speaks_https(certificates):
    """A front end on HTTPS may call nothing else; the printed URL is the one to use."""
    files = ("--cert", str(certificates / "cert.pem"), "--key", str(certificates / "key.pem"))
    with serving(*files) as served:
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
    ("certificate", "key", "said"),
    [
        ("lost.pem", None, r"cert is '.*lost\.pem'; allowed: a file that can be read \(No such"),
        ("cert.pem", "other.pem", "key is .*key values mismatch"),
        ("cert.pem", None, r"cert is '.*cert\.pem'; allowed: PEM files of a certificate"),
        ("empty.pem", None, "allowed: PEM files of a certificate and of its private key"),
        (None, "key.pem", r"key is '.*key\.pem'; allowed: a key beside a certificate"),
    ],
)
def test_certificates_that_cannot_be_used_are_told(certificates, certificate, key, said):
    """A handshake that fails later tells an operator nothing."""
    paths = [None if name is None else certificates / name for name in (certificate, key)]
    with pytest.raises(BadArgument, match=said):
        tls_of(limited(Settings(), options(cert=paths[0], key=paths[1])))


def test_one_file_may_hold_certificate_and_key(certificates):
    """Some tools write them so."""
    assert tls_of(limited(Settings(), options(cert=certificates / "both.pem"))) is not None
    assert tls_of(Settings()) is None


def options(**said):
    """Return what click hands over where nothing else is said."""
    nothing = dict.fromkeys(LimitOptions.__annotations__)
    return {**nothing, "cors": (), "limit": {}, **said}


def test_an_option_that_cannot_be_is_one_line():
    """A limit that is misspelt would be no limit."""
    said = refused("--limit", "conections=3")
    assert said.startswith("mockchat: limit is 'conections'; allowed: head-size, head-fields, ")
    assert said.endswith(" Did you mean 'connections'?\n")


def test_rate_limits_are_said_in_one_way():
    """Two options that contradict each other leave it to chance which one counts."""
    with pytest.raises(BadArgument, match="rate-limit is 'requests=1'; allowed: no other option"):
        limited(Settings(), options(rate_limit="requests=1", tokens_per_minute=5))
    assert limited(Settings(), options(tokens_per_minute=5)).limits == Limits(tokens=5)
    kept = Settings(limits=Limits(requests=7))
    assert limited(kept, options()) == kept


@pytest.mark.parametrize("text", ["connections=many", "connections"])
def test_a_limit_without_a_number_is_told(text):
    """The form stands beside what was wrong."""
    with pytest.raises(click.BadParameter, match="write NAME=VALUE, as connections=200"):
        serve.make_context("serve", ["--limit", text])


def test_browsers_and_limits_are_served_as_told():
    """Each option does what its name says, on one server."""
    with serving(
        *(
            "--cors",
            "http://localhost:5173",
            "--limit",
            "head-fields=10",
            "--limit",
            "body-size=150",
        ),
        *("--rate-limit", "requests=1, window=600, per=all"),
    ) as served:
        request = urllib.request.Request(
            f"{served.base_url}/models", headers={"Origin": "http://localhost:5173"}
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            assert response.headers["access-control-allow-origin"] == "http://localhost:5173"
        fields = {f"x-{number}": "1" for number in range(10)}
        request = urllib.request.Request(f"{served.base_url}/models", headers=fields)
        assert status_of(request) == 431
        url, headers = f"{served.base_url}/chat/completions", {"content-type": "application/json"}
        body = json.dumps(REQUEST).encode()
        assert status_of(urllib.request.Request(url, b"x" * 151, headers)) == 413
        asked = [status_of(urllib.request.Request(url, body, headers)) for _ in range(2)]
        assert asked == [200, 429]


def status_of(request):
    """Send a request and return the status of its answer."""
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
