"""Figures for Prometheus and lines of JSON: what they say is what the journal says."""

import collections
import json
import logging
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mockchat.cli import application, serve
from mockchat.cli_observe import configure_log
from mockchat.cli_options import Refusal
from mockchat.exchange import Incoming, Outcome
from mockchat.payloads.seeded import SeededDraw
from mockchat.server.exchange_log import JsonLines
from mockchat.server.observing import ObservedApp

QUESTION = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello!"}]}
KEY = "sk-very-secret-4711"
SCENARIO = """\
stubs:
  - {when: {last_text: cut}, reply: a b c, fault: {CutStream: {after_chunks: 2}}, forever: true}
  - {when: {last_text: busy}, reply: {error: 503}, forever: true}
  - {when: {last_text: tool}, reply: {tool_call: f}, forever: true}
"""


def app_of(*arguments):
    """Return what `mockchat serve` would answer with."""
    with serve.make_context("serve", [*arguments]) as context:
        return application(context.params)[0]


def incoming(body=None, *, method="POST", path="/v1/chat/completions", **fields):
    """Return a request."""
    headers = [("host", "localhost"), ("authorization", f"Bearer {KEY}")]
    headers += [(name.replace("_", "-"), value) for name, value in fields.items()]
    data = b"" if body is None else json.dumps(body).encode()
    return Incoming(method=method, path=path, headers=tuple(headers), body=data)


def asked(app, request, outcome=Outcome.DELIVERED):
    """Let an app answer, say what became of it, return the body."""
    ticket = app.handle(request)
    data = ticket.delivery.body
    ticket.finish(outcome)
    return data


def figures(app):
    """Return the figures, read by the library's own parser: samples to values."""
    text = asked(app, incoming(method="GET", path="/_mockchat/metrics")).decode()
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def total(found, name, **labels):
    """Return the sum of a metric over the samples with these labels."""
    wanted = set(labels.items())
    return sum(value for key, value in found.items() if key[0] == name and wanted <= {*key[1:]})


def kept(app, session=None):
    """Return the exchanges of a session."""
    fields = {} if session is None else {"x_mockchat_session": session}
    request = incoming(method="GET", path="/_mockchat/journal", **fields)
    return json.loads(asked(app, request))["exchanges"]


def drawn_requests(count):
    """Yield requests of all kinds with what becomes of their answers."""
    draw = SeededDraw("mixed")
    texts = ("Hello!", "cut", "busy", "tool")
    for _ in range(count):
        body = {**QUESTION, "messages": [{"role": "user", "content": texts[draw.index(4)]}]}
        body["stream"] = draw.chance(0.5)
        body["model"] = ("gpt-4o-mini", "gpt-4o", "my-own-model")[draw.index(3)]
        if body["messages"][0]["content"] == "tool":
            body["tools"] = [{"type": "function", "function": {"name": "f"}}]
        requests = (
            incoming(body),
            incoming({**body, "temperature": "hot"}),
            incoming(body, x_mockchat_session="other"),
            incoming(method="GET", path="/v1/models"),
            incoming(method="GET", path="/v1/nowhere"),
        )
        outcome = Outcome.CLIENT_LEFT if draw.chance(0.1) else Outcome.DELIVERED
        yield requests[draw.index(5) if draw.chance(0.5) else 0], outcome


@pytest.fixture
def scenario(tmp_path):
    """Give the arguments of a server with stubs, some of which break."""
    path = tmp_path / "own.yaml"
    path.write_text(SCENARIO)
    return "--scenario", str(path)


def test_the_figures_are_those_of_the_journal(scenario, proof_count):
    """A dashboard that disagrees with the journal makes both worthless."""
    app = app_of("--metrics", *scenario)
    count = proof_count(1000)
    for request, outcome in drawn_requests(count):
        asked(app, request, outcome)
    exchanges = [*kept(app), *kept(app, "other")]
    found = figures(app)
    assert len(exchanges) == count
    assert total(found, "mockchat_exchanges_total") == count
    assert total(found, "mockchat_journal_exchanges") == count
    by = collections.Counter(
        (str(one["status"]), one["outcome"], "stub" in one) for one in exchanges
    )
    assert len(by) >= 5
    for (status, outcome, is_stubbed), number in by.items():
        same = {"status": status, "outcome": outcome}
        stubbed = total(found, "mockchat_exchanges_total", source="stub", **same)
        every = total(found, "mockchat_exchanges_total", **same)
        assert number == (stubbed if is_stubbed else every - stubbed)
    assert total(found, "mockchat_exchange_seconds_count") == count
    assert total(found, "mockchat_in_flight") == 0
    broken = sum(bool(one.get("violations")) for one in exchanges)
    assert total(found, "mockchat_invalid_requests_total") == broken
    events = [
        line
        for one in exchanges
        if one.get("content_type", "").startswith("text/event-stream")
        for line in one["body"].split("\n\n")
        if line.startswith("data: {")
    ]
    assert total(found, "mockchat_stream_chunks_total") == len(events)


def test_tokens_are_counted_by_models_of_the_profile_alone():
    """A label that clients choose would fill the memory of whoever scrapes."""
    app = app_of("--metrics")
    used = collections.Counter()
    for model in ("gpt-4o", "gpt-4o", "one", "two"):
        usage = json.loads(asked(app, incoming({**QUESTION, "model": model})))["usage"]
        known = "other" if model in {"one", "two"} else model
        used[known, "prompt"] += usage["prompt_tokens"]
        used[known, "completion"] += usage["completion_tokens"]
    found = figures(app)
    told = {
        (model, kind)
        for name, (_, kind), (_, model) in (k for k in found if k[0] == "mockchat_tokens_total")
    }
    assert told == set(used)
    for (model, kind), count in used.items():
        assert total(found, "mockchat_tokens_total", model=model, kind=kind) == count


def test_limits_that_were_reached_are_told():
    """Why a client was refused is the first question of whoever runs the server."""
    app = app_of("--metrics", "--requests-per-minute", "1")
    for _ in range(3):
        asked(app, incoming(QUESTION))
    app.refuse(503, "full").finish(Outcome.DELIVERED)
    app.refuse(431, "too long", incoming(QUESTION)).finish(Outcome.DELIVERED)
    found = figures(app)
    reached = {key[1][1]: value for key, value in found.items() if "limits_reached_total" in key[0]}
    assert reached == {"rate": 2, "connections": 1, "head size": 1}


def test_a_request_on_its_way_is_in_flight():
    """A server that hangs shows it."""
    app = app_of("--metrics")
    ticket = app.handle(incoming(QUESTION))
    assert total(figures(app), "mockchat_in_flight") == 1
    ticket.finish(Outcome.FAILED)
    assert total(figures(app), "mockchat_in_flight") == 0
    assert total(figures(app), "mockchat_exchanges_total", outcome="failed") == 1


def test_an_application_that_fails_is_counted_as_such():
    """Its client gets an answer from elsewhere; the figure must not stay in flight."""

    class Broken:
        body_limit = 1

        def may_block(self, _):
            """Say no."""
            return False

        def handle(self, _):
            """Fail."""
            raise RuntimeError

    app = app_of("--metrics")
    failing = ObservedApp(Broken(), app._routes, app._observers, noticed=app._noticed)
    assert (failing.body_limit, failing.may_block(None), failing.counted) == (1, False, None)
    with pytest.raises(RuntimeError):
        failing.handle(incoming(QUESTION))
    found = figures(app)
    assert total(found, "mockchat_exchanges_total", status="500", outcome="failed") == 1
    assert total(found, "mockchat_in_flight") == 0


def test_figures_that_nobody_counts_are_told_how_to_get():
    """Not found alone would send its reader to the manual."""
    body = json.loads(asked(app_of(), incoming(method="GET", path="/_mockchat/metrics")))
    assert body["error"]["type"] == "NotMetered"
    assert "Start it with --metrics" in body["error"]["message"]


def test_figures_are_for_those_who_have_the_key():
    """What a team asks its models is nobody else's business."""
    app = app_of("--metrics", "--control-key", "0123456789")
    denied = json.loads(asked(app, incoming(method="GET", path="/_mockchat/metrics")))
    assert "needs its key" in denied["error"]["message"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--metrics", "--no-control"), "the control API, which is off"),
        (("--metrics", "--workers", "2", "--no-control"), "each worker would show figures"),
    ],
)
def test_figures_that_could_not_be_true_are_refused(arguments, message):
    """Wrong figures are worse than none."""
    with pytest.raises(Refusal, match=message):
        app_of(*arguments)


def test_without_the_library_it_is_told_what_to_install(monkeypatch):
    """An extra is optional, an import error is not an answer."""
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "mockchat.server.meter", raising=False)
    with pytest.raises(Refusal, match=r'pip install "mockchat\[metrics\]"'):
        app_of("--metrics")


@pytest.fixture
def lines():
    """Give the lines of JSON that the log writes; the log is as before afterwards."""
    written = []

    class Kept(logging.Handler):
        def emit(self, record):
            """Keep the line."""
            written.append(json.loads(self.format(record)))

    handler, logger = Kept(), logging.getLogger("mockchat")
    handler.setFormatter(JsonLines())
    before = logging.getLogger("mockchat.exchanges").level
    logger.addHandler(handler)
    yield written
    logger.removeHandler(handler)
    logging.getLogger("mockchat.exchanges").setLevel(before)


def test_each_exchange_is_one_line_of_json(scenario, lines):
    """Logs are searched by programs; keys and conversations do not belong there."""
    app = app_of("--log-format", "json", "--no-control", *scenario)
    asked(
        app,
        incoming({**QUESTION, "messages": [{"role": "user", "content": "cut"}], "stream": True}),
    )
    asked(app, incoming({**QUESTION, "temperature": "hot"}))
    app.refuse(431, "too long").finish(Outcome.DELIVERED)
    cut, wrong, refused = lines
    assert {"time", "level", "ms", "request_id"} <= cut.keys()
    assert {name: cut[name] for name in ("operation", "status", "source", "outcome", "stub")} == {
        "operation": "createChatCompletion",
        "status": 200,
        "source": "stub",
        "outcome": "delivered",
        "stub": "stub 1 (own.yaml:2)",
    }
    assert (cut["chunks"], cut["fault"]) == (2, "CutStream(after_chunks=2)")
    assert wrong["violations"] == ["/temperature schema.type"]
    assert (refused["operation"], refused["status"]) == ("none", 431)
    assert KEY not in json.dumps(lines)
    assert "Hello!" not in json.dumps(lines)


def test_bodies_are_told_where_they_are_asked_for(lines):
    """Debugging needs them; they are those of the journal, without keys."""
    app = app_of("--log-format", "json", "--log-bodies")
    body = asked(app, incoming(QUESTION))
    (line,) = lines
    assert (line["request"], line["body"]) == (QUESTION, body.decode())
    assert line["tokens"] == {
        "prompt": json.loads(body)["usage"]["prompt_tokens"],
        "completion": json.loads(body)["usage"]["completion_tokens"],
    }


def test_what_else_the_log_says_is_json_too(lines):
    """One stream of lines, one format."""
    try:
        int("bad")
    except ValueError:
        logging.getLogger("mockchat").exception("it %s", "failed")
    assert (lines[0]["level"], lines[0]["message"]) == ("error", "it failed")
    assert "ValueError: invalid literal" in lines[0]["exception"]


def test_bodies_without_lines_are_refused():
    """An option that does nothing is a trap."""
    with pytest.raises(Refusal, match="only --log-format json"):
        configure_log({"log_format": "text", "log_bodies": True})
