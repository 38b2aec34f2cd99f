"""`mockchat drift` tells what a server does otherwise than it was recorded, and nothing else."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from planted import (
    FORCED,
    REQUESTS,
    TOOL,
    Served,
    asking,
    each_chunk,
    error_changed,
    events_changed,
    json_changed,
    recorded,
    scenario_file,
)

from mockchat.cli import main
from mockchat.conformance.answers import Failure
from mockchat.contract.contract import contract_for
from mockchat.contract.profile import load_profile
from mockchat.drift.as_text import as_text
from mockchat.drift.asking import asked_of_recording, asked_of_scenario
from mockchat.drift.asking_again import ask_again
from mockchat.payloads.requests import make_request
from mockchat.payloads.seeded import SeededDraw
from mockchat.recording.imported import Taken
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.settings import Settings
from mockchat.server.werkzeug_server import LiveServer

STREAM = "text/event-stream"


@pytest.fixture(scope="module")
def exchanges():
    """Give what a recorder wrote down of a server."""
    return recorded(Served(seed=1))


@pytest.fixture(scope="module")
def scenario(exchanges, tmp_path_factory):
    """Give what can be asked of a scenario made of it."""
    path = scenario_file(tmp_path_factory.mktemp("drift") / "recorded.yaml", exchanges)
    return asked_of_scenario(path, shown=path.name)


@pytest.fixture(scope="module")
def recording(exchanges):
    """Give what can be asked of the recording itself, which has header fields."""
    places = tuple(f"/{at}" for at in range(len(exchanges)))
    return asked_of_recording(Taken(exchanges=exchanges, places=places), contract_for("openai"))


def again(asked, change=lambda answered: answered, *, seed=2, **settings):
    """Ask a server again whose answers are changed on their way."""
    served = Served(seed=seed, **settings)
    served.change = change
    return ask_again(asked, served, file="recorded.yaml", upstream="here")


def told(report):
    """Return the changes of a report, as short as they can be."""
    return {
        (each.change.kind, each.change.subject, each.change.name, each.change.old, each.change.new)
        for each in report.drifts
    }


def choices_changed(change):
    """Return a change of each choice of completions."""

    def changed(body):
        for choice in body["choices"]:
            change(choice)

    return json_changed(changed)


def entries_changed(change):
    """Return a change of each choice of chunks."""

    def changed(chunk):
        for entry in chunk["choices"]:
            change(entry)

    return each_chunk(changed)


def renamed(choice):
    """Misspell a reason."""
    if choice.get("finish_reason") == "tool_calls":
        choice["finish_reason"] = "tool_call"


def counted(events):
    """Return the events that have counts."""
    return [event for event in events if event != "[DONE]" and event.get("usage")]


def counts_on_finish(events):
    """Move the counts into the finish chunk."""
    own = counted(events)
    left = [event for event in events if event not in own]
    for event in left:
        if own and event != "[DONE]" and event["choices"][0]["finish_reason"]:
            event["usage"] = own[0]["usage"]
    return left


def counts_early(events):
    """Send the chunk with the counts before the finish chunk."""
    for event in counted(events):
        at = events.index(event)
        events.insert(at - 1, events.pop(at))
    return events


def finish_with_content(events):
    """Move the finish reason into the chunk before."""
    kept = []
    for event in events:
        reason = event != "[DONE]" and event["choices"] and event["choices"][0]["finish_reason"]
        if reason:
            kept[-1]["choices"][0]["finish_reason"] = reason
        else:
            kept.append(event)
    return kept


def other_ids(events):
    """Give each chunk an id of its own."""
    for at, event in enumerate(events):
        if event != "[DONE]":
            event["id"] += str(at)
    return events


def relabelled(answered):
    """Label streams as text."""
    fields = tuple(
        (name, "text/plain" if value.startswith(STREAM) else value)
        for name, value in answered.headers
    )
    return replace(answered, headers=fields)


def as_json(answered):
    """Answer with JSON where a stream is asked for."""
    if answered.content_type != STREAM:
        return answered
    fields = (("content-type", "application/json"),)
    return replace(answered, headers=fields, body=b'{"object": "chat.completion"}')


def cut(answered):
    """Break streams off."""
    if answered.content_type != STREAM:
        return answered
    return replace(answered, body=answered.body[:-40], failure=Failure.CUT, detail="cut")


def restated(answered):
    """Refuse with another status."""
    return replace(answered, status=422) if answered.status == 400 else answered


def usage_without_null(chunk):
    """Leave the null out that stands for counts."""
    if "usage" in chunk and chunk["usage"] is None:
        del chunk["usage"]


MESSAGE, CHOICE = "/choices/*/message", "/choices/*"
PLANTED = {
    "a field is gone": (
        choices_changed(lambda choice: choice["message"].pop("refusal")),
        ("field", "response", f"{MESSAGE}/refusal", "there (null)", "not there"),
    ),
    "a field is new": (
        json_changed(lambda body: body.update(provider="other")),
        ("field", "response", "/provider", "not there", "there (string)"),
    ),
    "a field is gone where it is null and where it is an object": (
        choices_changed(lambda choice: choice.pop("logprobs")),
        ("field", "response", f"{CHOICE}/logprobs", "there (null), there (object)", "not there"),
    ),
    "a call has no id": (
        choices_changed(
            lambda choice: [each.pop("id") for each in choice["message"].get("tool_calls", ())]
        ),
        ("field", "response", f"{MESSAGE}/tool_calls/*/id", "there (string)", "not there"),
    ),
    "a type is another": (
        json_changed(lambda body: body.update(created=str(body["created"]))),
        ("type", "response", "/created", "number", "string"),
    ),
    "an object is null": (
        json_changed(lambda body: body.update(usage=None)),
        ("type", "response", "/usage", "object", "null"),
    ),
    "a null is an empty text": (
        choices_changed(
            lambda choice: choice["message"].update(content=choice["message"]["content"] or "")
        ),
        ("type", "response", f"{MESSAGE}/content", "null", "string"),
    ),
    "a whole number has a point": (
        json_changed(lambda body: body["usage"].update(total_tokens=7.0)),
        ("rule", "response", "schema.type at /usage/total_tokens", "kept", "broken"),
    ),
    "a reason is misspelt": (
        choices_changed(renamed),
        ("enum", "response", f"{CHOICE}/finish_reason", "'tool_calls'", "'tool_call'"),
    ),
    "a reason is misspelt in streams": (
        entries_changed(renamed),
        ("enum", "chunk", f"{CHOICE}/finish_reason", "'tool_calls'", "'tool_call'"),
    ),
    "calls end as text does": (
        choices_changed(lambda choice: choice.update(finish_reason="stop")),
        ("enum", "response", f"{CHOICE}/finish_reason", "'tool_calls'", "'stop'"),
    ),
    "a role is another": (
        choices_changed(lambda choice: choice["message"].update(role="bot")),
        ("enum", "response", f"{MESSAGE}/role", "'assistant'", "'bot'"),
    ),
    "a tier is another": (
        json_changed(lambda body: body.update(service_tier="flex")),
        ("enum", "response", "/service_tier", "'default'", "'flex'"),
    ),
    "an object has another name": (
        json_changed(lambda body: body.update(object="text_completion")),
        ("enum", "response", "/object", "'chat.completion'", "'text_completion'"),
    ),
    "every delta names its role": (
        entries_changed(lambda entry: entry["delta"].update(role="assistant")),
        ("stream", "stream", "role", "first", "every"),
    ),
    "the end is not told": (
        events_changed(lambda events: events[:-1]),
        ("stream", "stream", "done", "yes", "no"),
    ),
    "the counts stand elsewhere": (
        events_changed(counts_on_finish),
        ("stream", "stream", "usage", "own", "finish"),
    ),
    "the counts are missing": (
        events_changed(lambda events: [each for each in events if each not in counted(events)]),
        ("stream", "stream", "usage", "own", "none"),
    ),
    "the counts come early": (
        events_changed(counts_early),
        ("rule", "stream", "stream.usage-last", "kept", "broken"),
    ),
    "no null stands for counts": (
        each_chunk(usage_without_null),
        ("stream", "stream", "usage_null", "null", "absent"),
    ),
    "the reason comes with the last text": (
        events_changed(finish_with_content),
        ("stream", "stream", "finish", "own", "with-last-content"),
    ),
    "chunks have ids of their own": (
        events_changed(other_ids),
        ("rule", "stream", "stream.one-id at /id", "kept", "broken"),
    ),
    "the padding is gone": (
        each_chunk(lambda chunk: chunk.pop("obfuscation", None)),
        ("field", "chunk", "/obfuscation", "sometimes", "not there"),
    ),
    "streams are empty": (
        lambda answered: (
            replace(answered, body=b"") if answered.content_type == STREAM else answered
        ),
        ("stream", "stream", "events", "chunks", "none"),
    ),
    "streams break off": (cut, ("stream", "answer", "end", "whole", "cut")),
    "streams have another label": (
        relabelled,
        ("header", "answer", "content-type", STREAM, "text/plain"),
    ),
    "streams are JSON": (
        as_json,
        ("header", "answer", "content-type", STREAM, "application/json"),
    ),
    "refusals have another status": (restated, ("status", "answer", "status", "400", "422")),
    "errors have another code": (
        error_changed(lambda error: error.update(code="bad")),
        (
            *("enum", "error", "/error/code"),
            "'decimal_above_max_value', 'integer_below_min_value'",
            "'bad'",
        ),
    ),
    "errors have no type": (
        error_changed(lambda error: error.update(type=None)),
        ("enum", "error", "/error/type", "'invalid_request_error'", "null"),
    ),
    "errors lack a member": (
        error_changed(lambda error: error.pop("param")),
        ("field", "error", "/error/param", "there (string)", "not there"),
    ),
    "fewer choices come than were asked for": (
        json_changed(lambda body: body.update(choices=body["choices"][:1])),
        ("rule", "response", "exchange.n at /choices", "kept", "broken"),
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_change_is_found_and_nothing_else(scenario, recording, name):
    """The promise of the command: the name of what changed, once, whatever it was read from."""
    change, wanted = PLANTED[name]
    for asked in (scenario, recording):
        report = again(asked, change)
        assert told(report) == {wanted}
        assert (len(report.drifts), report.exit_status, report.unanswered) == (1, 1, ())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_other_ids_times_and_texts_are_no_change(scenario, recording, seed):
    """What varies by nature never counts: the same server, other words."""
    for asked in (scenario, recording):
        report = again(asked, seed=seed)
        assert (told(report), report.compared, report.exit_status) == (set(), len(REQUESTS), 0)


@pytest.mark.parametrize("shape", ["tool_calls", "refusal", "length", "content_filter"])
@pytest.mark.parametrize("is_stream", [False, True])
def test_a_model_that_says_something_else_is_no_change(shape, is_stream):
    """Whether it calls a tool, refuses or breaks off is the model's business, both ways."""
    asked_for = (
        asking("Weather?", tools=[TOOL], stream=is_stream),
        asking("List", response_format={"type": "json_object"}, stream=is_stream)
        if shape != "refusal"
        else asking("Tell", stream=is_stream),
    )
    settings = ({"shapes": {"text": 1.0}}, {"shapes": {shape: 1.0}})
    for old, new in (settings, settings[::-1]):
        exchanges = recorded(Served(seed=1, **old), asked_for)
        asked = asked_of_recording(
            Taken(exchanges=exchanges, places=("/0", "/1")), contract_for("openai")
        )
        assert told(again(asked, **new)) == set()


@pytest.mark.parametrize("profile", ["openai", "azure"])
def test_no_request_drifts_from_one_seed_to_another(profile, proof_count):
    """Whatever is asked: the same server with other words is the same server."""
    contract, options = contract_for(profile), {"profile": load_profile(profile)}
    drawn = [make_request(contract, SeededDraw(seed)) for seed in range(proof_count(200))]
    exchanges = recorded(Served(seed=1, **options), drawn)
    places = tuple(f"/{at}" for at in range(len(exchanges)))
    asked = asked_of_recording(Taken(exchanges=exchanges, places=places), contract)
    report = again(asked, **options)
    assert (told(report), report.compared, report.unanswered) == (set(), len(drawn), ())


def test_what_comes_and_goes_is_no_change_while_it_does():
    """A server that tells a seed now and then did so when it was recorded, and does so still."""

    def flickering(first):
        count = iter(range(first, 9))
        return json_changed(lambda body: body.update({"seed": 1} if next(count) % 2 else {}))

    served = Served(seed=1)
    served.change = flickering(0)
    requests = [asking(text) for text in "abcd"]
    exchanges = recorded(served, requests)
    asked = asked_of_recording(
        Taken(exchanges=exchanges, places=tuple("abcd")), contract_for("openai")
    )
    assert told(again(asked, flickering(1))) == set()
    assert told(again(asked)) == {("field", "response", "/seed", "there (number)", "not there")}


def test_fields_of_the_head_are_compared_where_they_were_recorded(scenario, recording):
    """A scenario keeps no fields of completions: what was not written down cannot have changed."""

    def nameless(answered):
        kept = tuple(field for field in answered.headers if field[0] != "x-request-id")
        return replace(answered, headers=kept)

    assert told(again(recording, nameless)) == {
        ("header", "answer", "x-request-id", "there", "missing")
    }
    assert told(again(scenario, nameless)) == set()


def test_a_server_that_gives_no_answer_is_no_drift(scenario):
    """A wrong key or a bad hour must neither pass for the same contract nor for another."""
    report = again(scenario, lambda answered: replace(answered, status=503, body=b""))
    assert (told(report), report.compared, report.exit_status) == (set(), 0, 2)
    assert len(report.unanswered) == len(REQUESTS)
    late = replace(
        Served().send(scenario.questions[0].sent), failure=Failure.TIMEOUT, detail="too late"
    )
    report = again(scenario, lambda answered: late)
    assert report.unanswered[0].reason == "timeout: too late"


def test_an_error_inside_of_a_stream_is_no_drift(scenario):
    """It says that this request went wrong; the next may not. The rest was compared."""

    def failing(events):
        return [*events[:1], {"error": {"message": "overloaded"}}]

    report = again(scenario, events_changed(failing))
    assert (told(report), len(report.unanswered), report.exit_status) == (set(), 3, 2)
    assert [*as_text(report)][-1] == "nothing changed in what was compared; that is not all"


def test_answers_that_broke_the_contract_when_recorded_are_compared_as_they_are(tmp_path):
    """A server with quirks has drifted when it loses one, not while it keeps it."""
    quirky = Served(seed=1)
    quirky.change = choices_changed(lambda choice: choice.update(finish_reason="eos"))
    path = scenario_file(tmp_path / "quirky.yaml", recorded(quirky, REQUESTS[:1]))
    assert "unchecked" in path.read_text()
    asked = asked_of_scenario(path, shown=path.name)
    assert told(again(asked, quirky.change)) == set()
    assert told(again(asked)) == {
        ("enum", "response", "/choices/*/finish_reason", "'eos'", "'stop'")
    }


def test_a_recording_that_broke_off_is_compared_by_its_status_alone(tmp_path):
    """Nobody knows what would have followed."""
    broken = Served(seed=1)
    broken.change = cut
    exchanges = tuple(replace(each, ended="cut") for each in recorded(broken, (REQUESTS[4],)))
    path = scenario_file(tmp_path / "cut.yaml", exchanges)
    report = again(asked_of_scenario(path, shown=path.name))
    assert (told(report), report.compared) == (set(), 1)


def test_replies_in_sequence_are_compared_one_by_one(tmp_path):
    """Equal requests share a stub: each of their answers was the server's."""
    served = Served(seed=1)
    first = recorded(served, REQUESTS[:1])
    served.change = json_changed(lambda body: body.update(provider="other"))
    path = scenario_file(tmp_path / "twice.yaml", (*first, *recorded(served, REQUESTS[:1])))
    report = again(asked_of_scenario(path, shown=path.name))
    assert report.compared == 2
    assert told(report) == {("field", "response", "/provider", "there (string)", "not there")}


@pytest.mark.parametrize(
    "when",
    [
        "{last_text: Hello}",
        "{pointer: {/model: gpt-4o-mini}}",
        "{pointer: {/messages: [], /model: gpt-4o-mini}}",
        "{pointer: {/messages/99999999: x, /model: gpt-4o-mini}}",
        "{pointer: {'': text}, stream: true}",
    ],
)
def test_stubs_without_a_request_are_named(tmp_path, when):
    """Rules written by hand hold no request; to pass over them in silence would look like none."""
    path = tmp_path / "hand.yaml"
    path.write_text(f"unused: ignore\nstubs:\n  - when: {when}\n    reply: Hi\n")
    report = again(asked_of_scenario(path, shown="hand.yaml"))
    (left,) = report.unasked
    assert left.place == "stub 1 (hand.yaml:3)"
    assert left.reason.startswith("its conditions spell out no request")
    assert report.exit_status == 2


def test_a_stub_that_does_not_answer_its_own_request_is_named(tmp_path):
    """What another condition keeps from being answered has no answer to compare with."""
    path = tmp_path / "other.yaml"
    body = json.dumps(asking())
    path.write_text(
        f"stubs:\n  - when: {{pointer: {{'': {{equals: {body}}}}}, headers: {{x-team: blue}}}}\n"
        "    reply: Hi\n"
    )
    (left,) = asked_of_scenario(path, shown="other.yaml").left
    assert left.reason == "the scenario itself has no stub for its request"


@pytest.fixture(scope="module")
def upstream():
    """Give a server behind a URL."""
    app = App(Settings(seed=5, api_keys=("sk-right",)), Scripts())
    with LiveServer(app) as server:
        yield server


def run(*arguments, **environment):
    """Run the command in this process."""
    return CliRunner().invoke(main, ["drift", *map(str, arguments)], env=environment)


def test_the_command_tells_what_changed_and_where(exchanges, tmp_path, upstream):
    """The lines a user reads, the JSON a program reads, and the exit status of both."""
    changed = tuple(
        replace(each, pieces=((0.1, each.reply_body.replace(b'"default"', b'"flex"')),))
        for each in exchanges[:2]
    )
    path = scenario_file(tmp_path / "recorded.yaml", changed)
    result = run(path, "--upstream", upstream.base_url, OPENAI_API_KEY="sk-right")
    assert result.exit_code == 1, result.output
    assert result.output.splitlines() == [
        f"{path} against {upstream.base_url} (openai): 2 answers compared",
        "",
        "completion: /service_tier has another value",
        "  old: 'flex'",
        "  new: 'default'",
        f"  at:  stub 1 (recorded.yaml:4), stub 2 (recorded.yaml:{_line_of_second(path)})",
        "",
        "1 change",
    ]
    result = run(
        *(path, "--upstream", upstream.base_url, "--format", "json"), OPENAI_API_KEY="sk-right"
    )
    said = json.loads(result.output)
    assert (result.exit_code, said["compared"], len(said["changes"])) == (1, 2, 1)
    assert said["changes"][0]["name"] == "/service_tier"


def _line_of_second(path):
    lines = path.read_text().splitlines()
    return [at for at, line in enumerate(lines, 1) if line.startswith("  - when")][1]


def test_the_command_says_when_nothing_changed(exchanges, tmp_path, upstream):
    """Exit status 0 is what a nightly job looks at."""
    path = scenario_file(tmp_path / "recorded.yaml", exchanges)
    result = run(
        *(path, "--upstream", upstream.base_url, "--api-key-env", "MY_KEY", "--profile", "openai"),
        MY_KEY="sk-right",
    )
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "nothing changed")


def test_the_command_reads_archives_and_compares_their_fields(exchanges, tmp_path, upstream):
    """What another tool recorded need not be imported first."""
    entries = [
        {
            "request": {
                "method": "POST",
                "url": "https://api.openai.com/v1/chat/completions",
                "postData": {"text": each.body.decode()},
            },
            "response": {
                "status": each.status,
                "headers": [{"name": n, "value": v} for n, v in each.reply_headers],
                "content": {"text": each.reply_body.decode()},
            },
        }
        for each in exchanges
    ]
    entries[0]["request"]["method"] = "GET"
    path = tmp_path / "recorded.har"
    path.write_text(json.dumps({"log": {"entries": entries}}))
    result = run(path, "--upstream", upstream.base_url, OPENAI_API_KEY="sk-right")
    assert result.exit_code == 0, result.output
    assert "/log/entries/0: GET /v1/chat/completions is no request" in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--upstream", "ftp://x"), "an http or https URL"),
        (("--upstream", "http://127.0.0.1:1/v1"), "nothing was compared"),
        (("--upstream", "http://127.0.0.1:1/v1", "--header", "x"), "write NAME:VALUE"),
        (("--upstream", "http://127.0.0.1:1/v1", "--profile", "opnai"), "no profile"),
    ],
)
def test_what_cannot_be_asked_ends_with_two(exchanges, tmp_path, arguments, words):
    """A job must not take a server that is away for one that has not changed."""
    path = scenario_file(tmp_path / "recorded.yaml", exchanges[:1])
    result = run(path, *arguments, OPENAI_API_KEY="")
    assert (result.exit_code, words in result.output) == (2, True), result.output


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("x.har", "{}", "x.har:1:1: "),
        ("x.har", "{", "no JSON"),
        ("x.har", '{"log": 1}', "/log/entries is missing"),
        ("x.yaml", "stubs: [", "x.yaml:1:9: "),
        ("x.yaml", "a: !!python/object:os.system {}", "the tag"),
        ("x.yaml", "interactions: [{}]", "/interactions/0 is malformed"),
    ],
)
def test_a_broken_file_is_told_in_a_line(tmp_path, name, text, words):
    """Files come from anywhere; a traceback says nothing to their owner."""
    path = tmp_path / name
    path.write_text(text)
    result = run(path, "--upstream", "http://127.0.0.1:1/v1")
    assert (result.exit_code, words in result.output) == (2, True), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_forced_calls_are_asked_again_as_they_were(tmp_path):
    """A request with all its members survives the file it was written to."""
    request = asking("Weather?", tools=[TOOL], tool_choice=FORCED, temperature=0.5)
    path = scenario_file(tmp_path / "forced.yaml", recorded(Served(), (request,)))
    (question,) = asked_of_scenario(path, shown=path.name).questions
    assert question.request == request
