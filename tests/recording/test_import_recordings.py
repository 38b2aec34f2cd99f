"""HTTP archives and cassettes are imported, and the same requests get the same answers."""

import base64
import gzip
import http.client
import json
import zlib
from urllib.parse import urlsplit

import pytest
import yaml
from click.testing import CliRunner
from importing_samples import (
    CHUNKS,
    KEY,
    REFUSAL,
    STREAM,
    URL,
    Asked,
    asking,
    chunks_in,
    completion,
    imported,
    refused,
)

from mockchat.cli import main
from mockchat.recording import importing
from mockchat.recording.from_har import har_exchanges
from mockchat.recording.messages import LARGEST_BODY
from mockchat.scripting import scenario_file
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.settings import Settings
from mockchat.server.werkzeug_server import LiveServer

SECRETS = {"Authorization": f"Bearer {KEY}", "Cookie": "session=0123456789abc"}
ASKED = (
    asking("Hello", metadata={"note": f"my key is {KEY}"}),
    asking("Stream?", stream=True),
    asking("Fast?"),
)
ANSWERED = (
    (200, "application/json", json.dumps(completion()).encode()),
    (200, "text/event-stream; charset=utf-8", STREAM),
    (429, "application/json", json.dumps(REFUSAL).encode()),
)


def redacted(request):
    """Return a request as it may be written: without the key."""
    return json.loads(json.dumps(request).replace(KEY, "[redacted]"))


def check_same_answers(scenario):
    """Ask what was recorded, and compare with what was answered."""
    ask = Asked(scenario)
    assert ask(redacted(ASKED[0])) == (200, completion())
    status, stream = ask(ASKED[1])
    assert (status, chunks_in(stream)) == (200, ([*CHUNKS], True))
    assert ask(ASKED[2]) == (429, REFUSAL)


def har_entry(request, answer, **content):
    """Return an entry of an archive."""
    status, kind, body = answer
    return {
        "startedDateTime": "2026-11-20T10:00:00.000Z",
        "time": 300,
        "timings": {"send": -1, "wait": 200, "receive": 100},
        "request": {
            "method": "POST",
            "url": URL,
            "headers": [{"name": n, "value": v} for n, v in SECRETS.items()],
            "postData": {"mimeType": "application/json", "text": json.dumps(request)},
        },
        "response": {
            "status": status,
            "headers": [
                {"name": "Content-Type", "value": kind},
                {"name": "Retry-After", "value": "2"},
            ],
            "content": {
                "size": len(body),
                "mimeType": kind,
                **(content or {"text": body.decode()}),
            },
        },
    }


def har_of(*entries):
    """Return an archive."""
    return {
        "log": {"version": "1.2", "creator": {"name": "t", "version": "1"}, "entries": [*entries]}
    }


def har_file(tmp_path, *entries):
    """Write an archive."""
    path = tmp_path / "recorded.har"
    path.write_text(json.dumps(har_of(*entries), ensure_ascii=False), encoding="utf-8")
    return path


def test_an_archive_answers_again(tmp_path):
    """The round trip: what a browser saw is what a client gets."""
    path = har_file(tmp_path, *map(har_entry, ASKED, ANSWERED))
    scenario, lines = imported(path)
    check_same_answers(scenario)
    assert lines == [f"{scenario}: 3 stubs from har"]


def test_an_archive_in_base64_answers_again(tmp_path):
    """Browsers write streams and what is not ASCII so."""
    entries = [
        har_entry(request, answer, text=base64.b64encode(answer[2]).decode(), encoding="base64")
        for request, answer in zip(ASKED, ANSWERED, strict=True)
    ]
    check_same_answers(imported(har_file(tmp_path, *entries))[0])


def test_an_archive_keeps_the_times_it_has():
    """A wait before the first event and the time of all others are all that an archive knows."""
    entry = har_entry(ASKED[1], ANSWERED[1])
    (exchange,) = har_exchanges(har_of(entry)).exchanges
    assert [round(seconds, 3) for seconds, _ in exchange.pieces] == [0.2, 0.225, 0.25, 0.275, 0.3]
    assert (exchange.reply_body, exchange.answered) == (STREAM, 0.2)
    assert exchange.began == 1795168800.0


def test_exchanges_have_no_credentials_from_the_start():
    """Drift sends them elsewhere without a scenario in between."""
    (exchange,) = har_exchanges(har_of(har_entry(ASKED[0], ANSWERED[0]))).exchanges
    kept = (exchange.body, exchange.headers, exchange.query, exchange.reply_body)
    assert KEY not in str(kept)
    assert "0123456789abc" not in str(kept)
    assert exchange.request == redacted(ASKED[0])


def test_what_an_archive_lacks_is_told_by_place(tmp_path):
    """An entry that was passed over in silence would be missed when a test fails."""
    other = har_entry(ASKED[0], ANSWERED[0])
    other["request"] |= {"method": "GET", "url": "https://x/v1/models", "postData": None}
    unsaved = har_entry(ASKED[0], ANSWERED[0])
    del unsaved["response"]["content"]["text"]
    blocked = har_entry(ASKED[0], (0, "", b""))
    early = har_entry(ASKED[0], (100, "", b""))
    quirky = har_entry(
        asking("Odd"), (200, "application/json", json.dumps(completion(object="x")).encode())
    )
    scenario, lines = imported(har_file(tmp_path, other, unsaved, blocked, quirky, early))
    assert lines == [
        "F#/log/entries/1: the entry is not imported: the archive left out the body of the answer",
        "F#/log/entries/2: the entry is not imported: it has no answer",
        "F#/log/entries/4: the entry is not imported: 100 is no status of an answer",
        "F#/log/entries/0: it is not imported: GET /v1/models is no request for a chat completion",
        "F#/log/entries/3: it is unchecked: /object: 'x' is not 'chat.completion' (schema.const)",
        f"{scenario}: 1 stub from har, 5 notes above",
    ]


def cassette(*pairs, version=1, body=lambda data: {"string": data.decode()}, **fields):
    """Return a cassette as vcrpy has it since 1.0."""
    return {
        "version": version,
        "interactions": [
            {
                "request": {
                    "method": "POST",
                    "uri": URL,
                    "body": json.dumps(request),
                    "headers": {name: [value] for name, value in SECRETS.items()},
                },
                "response": {
                    "status": {"code": status, "message": "OK"},
                    "headers": {"Content-Type": [kind], "Set-Cookie": ["a=secret1"], **fields},
                    "body": body(data),
                },
            }
            for request, (status, kind, data) in pairs
        ],
    }


BODIES = {
    "text": (lambda data: {"string": data.decode()}, {}),
    "bytes": (lambda data: {"string": data}, {}),
    "gzip": (lambda data: {"string": gzip.compress(data)}, {"Content-Encoding": ["gzip"]}),
    "deflate": (lambda data: {"string": zlib.compress(data)}, {"Content-Encoding": ["deflate"]}),
    "unpacked": (lambda data: {"string": data.decode()}, {"Content-Encoding": ["gzip"]}),
    "unpacked from br": (lambda data: {"string": data.decode()}, {"Content-Encoding": ["br"]}),
    "base64": (lambda data: {"base64_string": base64.b64encode(data).decode()}, {}),
    "bare": (lambda data: data.decode(), {}),
}


@pytest.mark.parametrize("kind", BODIES)
def test_a_cassette_answers_again_however_bodies_are_kept(tmp_path, kind):
    """Text, bytes, compressed or not: recorders and versions differ."""
    body, fields = BODIES[kind]
    path = tmp_path / "recorded.yaml"
    pairs = zip(ASKED, ANSWERED, strict=True)
    path.write_text(yaml.dump(cassette(*pairs, body=body, **fields), allow_unicode=True))
    check_same_answers(imported(path)[0])


def test_a_cassette_in_json_answers_again(tmp_path):
    """The other serializer of vcrpy."""
    path = tmp_path / "recorded.json"
    path.write_text(json.dumps(cassette(*zip(ASKED, ANSWERED, strict=True))))
    check_same_answers(imported(path)[0])


OLD = """\
- request: !!python/object:vcr.request.Request
    body: !!python/unicode '{asked}'
    headers: !!python/object/apply:__builtin__.frozenset
    - - !!python/tuple [Authorization, Bearer {key}]
    host: api.openai.com
    method: POST
    path: /v1/chat/completions?key={key}
    port: 443
    protocol: https
  response:
    body: {{string: !!python/unicode '{answered}'}}
    headers: ["Content-Type: application/json\\r\\n", "X-Request-Id: req_1\\r\\n"]
    status: {{code: 200, message: OK}}
"""


def test_a_cassette_of_before_version_1_answers_again(tmp_path):
    """They lie about in repositories, and vcrpy itself reads them no longer."""
    path = tmp_path / "old.yaml"
    text = OLD.format(
        asked=json.dumps(asking("Old")), answered=json.dumps(completion("Older")), key=KEY
    )
    path.write_text(text)
    assert Asked(imported(path)[0])(asking("Old")) == (200, completion("Older"))


def test_bodies_that_were_objects_of_python_are_read(tmp_path):
    """A file or an iterator as the body of a request is written with a tag of its own."""
    asked, path = asking("File"), tmp_path / "recorded.yaml"
    made = cassette((asked, ANSWERED[0]), (asking("Iter"), ANSWERED[0]))
    text = yaml.dump(made)
    path.write_text(
        text.replace(
            f"body: '{json.dumps(asked)}'",
            "body: !!python/object/new:_io.BytesIO\n"
            f"      state: !!python/tuple ['{json.dumps(asked)}', 0, null]",
        ).replace(
            f"body: '{json.dumps(asking('Iter'))}'",
            "body: !!python/object/apply:builtins.iter\n"
            f"      args: [['{json.dumps(asking('Iter'))}']]",
        )
    )
    assert "BytesIO" in path.read_text()
    assert "builtins.iter" in path.read_text()
    ask = Asked(imported(path)[0])
    assert [ask.text("File"), ask.text("Iter")] == ["Hi there"] * 2


def test_cassettes_of_relatives_are_read(tmp_path):
    """Bodies that were parsed, answers of clients by httpx, and VCR for Ruby."""
    path = tmp_path / "recorded.yaml"
    request = {"method": "post", "uri": URL, "headers": {}}
    made = {
        "http_interactions": [
            {
                "request": {**request, "parsed_body": asking("One")},
                "response": {"status": {"code": 200}, "parsed_body": completion("1")},
                "recorded_at": "Fri, 20 Nov 2026 10:00:00 GMT",
            },
            {
                "request": {**request, "body": {"string": json.dumps(asking("Two"))}},
                "response": {
                    "status_code": 200,
                    "headers": [["content-type", "application/json"]],
                    "content": json.dumps(completion("2")),
                },
                "recorded_at": "2026-11-20T10:00:00Z",
            },
        ]
    }
    path.write_text(yaml.dump(made))
    ask = Asked(imported(path, "--format", "vcr")[0])
    assert [ask.text("One"), ask.text("Two")] == ["1", "2"]


def test_a_cassette_that_vcrpy_made_answers_again(tmp_path):
    """The real library records a completion, a stream and an error of a real server."""
    vcr = pytest.importorskip("vcr")
    path = tmp_path / "made.yaml"
    requests = (asking("A"), asking("B", stream=True), asking("C", temperature=9))
    answers = []
    app = App(Settings(seed=4), Scripts())
    with LiveServer(app) as server, vcr.use_cassette(str(path)):
        host = urlsplit(server.base_url).netloc
        for request in requests:
            connection = http.client.HTTPConnection(host)
            fields = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
            connection.request("POST", "/v1/chat/completions", json.dumps(request), fields)
            response = connection.getresponse()
            answers.append((response.status, response.read()))
            connection.close()
    ask = Asked(imported(path)[0])
    for request, (status, body) in zip(requests, answers, strict=True):
        again = ask(request)
        if request.get("stream"):
            assert (again[0], chunks_in(again[1])) == (status, chunks_in(body))
        else:
            assert again == (status, json.loads(body))


def test_a_body_that_cannot_be_unpacked_is_told(tmp_path):
    """Bytes nobody can read make no stub; larger ones could fill the memory."""
    pairs = [(asking(str(at)), ANSWERED[0]) for at in range(3)]
    made = cassette(*pairs)
    bomb = gzip.compress(b" " * (LARGEST_BODY + 1))
    bodies = (("gzip", b"\xff\xfe"), ("br", b"\xff\xfe"), ("gzip", bomb))
    for one, (name, data) in zip(made["interactions"], bodies, strict=True):
        one["response"]["headers"]["Content-Encoding"] = [name]
        one["response"]["body"]["string"] = data
    path = tmp_path / "recorded.yaml"
    path.write_text(yaml.dump(made))
    _, lines = imported(path)
    wanted = "the body of the answer is compressed in a way that is not read, or broken"
    assert lines[:3] == [
        f"F#/interactions/{at}: the interaction is not imported: {wanted}" for at in range(3)
    ]


MALFORMED = {
    "no entries": ("a.har", '{"log": {}}', "no HAR: the array /log/entries is missing"),
    "no request": (
        "a.har",
        '{"log": {"entries": [{}]}}',
        "no HAR: /log/entries/0 is malformed (KeyError: 'request')",
    ),
    "no base64": (
        "a.har",
        json.dumps(har_of(har_entry(ASKED[0], ANSWERED[0], text="?", encoding="base64"))),
        "no HAR: /log/entries/0 is malformed (ValueError: the body is no base64)",
    ),
    "no JSON": ("a.har", "{", "no JSON: "),
    "no format": ("a.json", "{}", "the format is not clear; name it: --format har|"),
    "two formats": (
        "a.json",
        '{"fixtures": [{"match": {"userMessage": "x", "provider": "y"}}]}',
        "the format is not clear; name it: --format har|",
    ),
    "no cassette": ("a.yaml", "a: 1", "the format is not clear; name it: --format har|"),
    "no YAML": ("a.yaml", "a: [", "no YAML that is read: "),
    "a foreign tag": (
        "a.yaml",
        "a: !!python/object/apply:os.system [id]",
        "no YAML that is read: could not determine a constructor",
    ),
    "a merge key": ("a.yaml", "a: {<<: {b: 1}}", "1:5: no YAML that is read: merge keys"),
    "a bad date": ("a.yaml", "a: 2026-99-99", "no YAML that is read: month must be"),
    "a body of numbers": (
        "a.yaml",
        yaml.dump(cassette((ASKED[0], ANSWERED[0]), body=lambda _: 7)),
        "no cassette: /interactions/0 is malformed (TypeError: a body is text or bytes, not int)",
    ),
    "a body of no base64": (
        "a.yaml",
        yaml.dump(cassette((ASKED[0], ANSWERED[0]), body=lambda _: {"base64_string": "?"})),
        "no cassette: /interactions/0 is malformed (ValueError: the body is no base64)",
    ),
    "too deep": ("a.yaml", "[" * 5000, ""),
    "control characters": ("a.yaml", "a: \x00", "no YAML that is read: "),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_refused_in_one_line(tmp_path, name):
    """Files come from anywhere: nothing in them runs, and none ends in a traceback."""
    file, text, wanted = MALFORMED[name]
    path = tmp_path / file
    path.write_text(text)
    line = refused(path)
    assert line.startswith("F: ")
    assert wanted in line


def test_a_file_named_as_what_it_is_not_is_refused(tmp_path):
    """The option counts, not the guess."""
    path = tmp_path / "a.json"
    path.write_text(json.dumps(har_of()))
    assert refused(path, "--format", "vcr") == "F: no cassette: the list `interactions` is missing"


def test_a_file_that_is_too_large_is_refused(tmp_path, monkeypatch):
    """Reading ends before the memory does."""
    monkeypatch.setattr(importing, "LARGEST", 100)
    path = har_file(tmp_path, *map(har_entry, ASKED, ANSWERED))
    assert refused(path) == "F: the file has 101 bytes; at most 100 are read"
    path = tmp_path / "rules.yaml"
    monkeypatch.setattr(importing, "LARGEST", 10_000_000)
    monkeypatch.setattr(importing, "LARGEST_SCENARIO", 10)
    path.write_text("fixtures: [{match: {provider: any}, response: {content: hi}}]")
    assert refused(path).endswith("bytes; at most 10 of rules are read")


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_a_scenario_that_nobody_could_read_is_not_written(tmp_path, suffix, monkeypatch):
    """A file that is there is taken for one that works."""
    monkeypatch.setattr(scenario_file, "LARGEST", 500)
    path = har_file(tmp_path, *map(har_entry, ASKED, ANSWERED))
    output = tmp_path / f"scenario.{suffix}"
    result = CliRunner().invoke(main, ["import", str(path), "-o", str(output)])
    assert result.exit_code == 2
    assert result.output.startswith(f"mockchat: {output}:1:1: the file has ")
    assert result.output.endswith("bytes; at most 500 are read\n")
    assert not output.exists()


def test_a_scenario_can_be_written_as_json(tmp_path):
    """Who reads JSON elsewhere gets JSON here."""
    path = har_file(tmp_path, har_entry(ASKED[2], ANSWERED[2]))
    output = tmp_path / "scenario.json"
    result = CliRunner().invoke(main, ["import", str(path), "-o", str(output)])
    assert result.exit_code == 0, result.output
    assert Asked(output)(ASKED[2]) == (429, REFUSAL)
