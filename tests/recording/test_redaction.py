"""What must not be written down is nowhere in a recording."""

import json
import re
from dataclasses import replace

import pytest
from recorded_samples import EVENTS, QUESTION, delivered, real_service, recorded, serving_file

from mockchat.errors import BadArgument
from mockchat.payloads.chunking import join
from mockchat.recording.redaction import MARK, Redaction
from mockchat.recording.scenario_text import request_of, scenario_of, write_scenario
from mockchat.recording.secrets import all_secrets_of
from mockchat.scripting.sse import json_events

SECRET = "hunter2-of-the-team"
STREAM = {**QUESTION, "stream": True}


def streamed(*texts, seconds=0.1):
    """Return a recorded stream that says these texts, a chunk each."""
    first = json_events(recorded(real_service(), STREAM).reply_body)[0]
    deltas = [{"role": "assistant", "content": ""}, *({"content": text} for text in texts), {}]
    chunks = [
        {**first, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        for delta in deltas
    ]
    chunks[-1]["choices"][0]["finish_reason"] = "stop"
    data = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    pieces = [(seconds * (at + 1), one) for at, one in enumerate([*data, b"data: [DONE]\n\n"])]
    return recorded(real_service(), STREAM, pieces=tuple(pieces), secrets=(SECRET,))


def said(exchange):
    """Return the text of each chunk of a recorded stream."""
    chunks = json_events(exchange.reply_body)
    return [chunk["choices"][0]["delta"].get("content") for chunk in chunks]


def test_a_secret_that_comes_in_pieces_is_found():
    """A model that repeats a key does so token by token."""
    exchange = streamed("The key is ", "hunter2-", "of-the", "-team", ", keep it.")
    clean = Redaction().of(exchange)
    assert said(clean) == ["", "The key is ", MARK, "", "", ", keep it.", None]
    assert [seconds for seconds, _ in clean.pieces] == [seconds for seconds, _ in exchange.pieces]


def test_texts_around_what_is_redacted_stay_where_they_were(proof_count):
    """Redaction must not change what a client is tested with."""
    for number in range(proof_count(200)):
        text = f"before {SECRET} after"
        cuts = sorted({number * 7 % len(text), number * 11 % len(text), number % len(text)})
        texts = [text[start:end] for start, end in zip([0, *cuts], [*cuts, None], strict=True)]
        exchange = streamed(*texts)
        clean = Redaction().of(exchange)
        assert "".join(filter(None, said(clean))) == f"before {MARK} after"
        assert len(said(clean)) == len(said(exchange))
        assert SECRET.encode() not in clean.reply_body


def test_a_stream_without_a_secret_keeps_its_bytes():
    """What is not redacted is not touched, its spaces included."""
    exchange = streamed("Nothing", " to hide")
    clean = Redaction.of_rules(["/id/none", "xyz"]).of(exchange)
    assert (clean.pieces, clean.body) == (exchange.pieces, exchange.body)


@pytest.mark.parametrize("is_stream", [True, False])
def test_a_pointer_hides_a_text_of_the_completion(is_stream):
    """One rule for both ways in which an answer travels."""
    body = {**QUESTION, "stream": is_stream}
    rules = Redaction.of_rules(["/choices/*/message/content", "/messages/0/content"])
    clean = rules.of(recorded(real_service(), body))
    value = join(json_events(clean.reply_body)) if is_stream else clean.reply
    assert value["choices"][0]["message"]["content"] == MARK
    assert clean.request["messages"][0] == {"role": "user", "content": MARK}
    assert value["model"] == "gpt-4o-2024-08-06"


def test_arguments_of_tool_calls_are_looked_at_as_a_whole():
    """Arguments travel in fragments of JSON."""
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}
    deltas = [{"tool_calls": [{"index": 0, **call}]}]
    deltas += [
        {"tool_calls": [{"index": 0, "function": {"arguments": text}}]}
        for text in ('{"key": "hun', "ter2-of-the", '-team"}')
    ]
    chunks = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    data = b"".join(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks)
    exchange = recorded(
        real_service(), STREAM, pieces=((0.1, data),), reply_headers=EVENTS, secrets=(SECRET,)
    )
    found = json_events(Redaction().of(exchange).reply_body)
    texts = [one["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"] for one in found]
    assert json.loads("".join(texts)) == {"key": MARK}


def test_a_pattern_is_replaced_in_requests_answers_and_paths():
    """Names of customers stand anywhere."""
    body = {**QUESTION, "user": "ann@example.com", "metadata": {"ann@example.com": "x"}}
    exchange = recorded(real_service(), body, path="/v1/ann@example.com/chat/completions")
    clean = Redaction.of_rules([r"[a-z]+@[a-z.]+"]).of(exchange)
    assert b"ann@" not in clean.body
    assert (clean.path, clean.request["user"]) == (f"/v1/{MARK}/chat/completions", MARK)


def test_values_of_other_types_say_nothing_either():
    """A number can be a secret; what is not a text keeps its type."""
    body = {**QUESTION, "metadata": {"age": "x", "list": [1, True, None, {"a": "b"}]}}
    clean = Redaction.of_rules(["/metadata"]).of(recorded(real_service(), body))
    assert clean.request["metadata"] == {"age": MARK, "list": [0, True, None, {"a": MARK}]}


def test_names_of_organisations_are_not_written():
    """Error messages quote them, and fields tell them."""
    told = b'{"error": {"message": "Limit in organization org-AbC123dEf456gHi on tokens"}}'
    fields = (("openai-organization", "acme"), ("content-type", "application/json"))
    exchange = recorded(
        real_service(), QUESTION, status=429, reply_headers=fields, pieces=((0.1, told),)
    )
    clean = Redaction().of(exchange)
    assert b"org-AbC" not in clean.reply_body
    assert dict(clean.reply_headers)["openai-organization"] == MARK


def test_bytes_that_are_no_json_are_looked_at_too():
    """A proxy's page may quote the key it refuses."""
    page = b"<p>\xff " + SECRET.encode() + b" is refused</p>"
    exchange = recorded(real_service(), QUESTION, pieces=((0.1, page),), secrets=(SECRET,))
    assert Redaction().of(exchange).reply_body == b"<p>\xff [redacted] is refused</p>"


def test_a_redacted_request_is_still_told_from_others(tmp_path):
    """Its form, and all that was not redacted in it, must be the same."""
    path = tmp_path / "recording.yaml"
    body = {**QUESTION, "messages": [{"role": "user", "content": f"My key {SECRET} (is) it."}]}
    exchange = recorded(real_service(), body, secrets=(SECRET,))
    scenario = scenario_of(
        [exchange, recorded(real_service(), {**body, "n": 2}, secrets=(SECRET,))]
    )
    write_scenario(path, scenario)
    assert SECRET not in path.read_text()
    app = serving_file(path)

    def status(**changes):
        return delivered(app, {**body, **changes}).status

    longer = [*body["messages"], {"role": "user", "content": "x"}]
    assert status() == 200
    assert status(n=2) == 200
    assert status(messages=[{"role": "user", "content": "My key other-key (is) it."}]) == 200
    assert status(messages=[{"role": "user", "content": "My key other (is) not."}]) == 400
    assert (status(temperature=1), status(messages=longer)) == (400, 400)


def test_a_request_can_be_told_from_its_stub():
    """Whoever sends a recording again needs what was asked."""
    body = {
        **QUESTION,
        "metadata": {"a/b": "x.*y\\", "list": [], "one": {"equals": 1}},
        "stop": ["a"],
    }
    for exchange in (
        recorded(real_service(), body),
        recorded(real_service(), body, secrets=(SECRET,)),
    ):
        (stub,) = scenario_of([exchange])["stubs"]
        assert request_of(stub["when"]) == body
    hidden = {**body, "messages": [{"role": "user", "content": f"a.\\{SECRET}\n*"}]}
    (stub,) = scenario_of([recorded(real_service(), hidden, secrets=(SECRET,))])["stubs"]
    assert request_of(stub["when"])["messages"][0]["content"] == f"a.\\{MARK}\n*"
    assert request_of(stub["when"])["metadata"] == body["metadata"]
    (stub,) = scenario_of([recorded(real_service(), QUESTION)], match="conversation")["stubs"]
    assert request_of(stub["when"]) == {**QUESTION, "stream": False}


def test_fields_that_sound_like_credentials_are_taken_for_such():
    """Gateways invent names for theirs."""
    fields = (
        ("authorization", "Bearer abcdefgh"),
        ("x-litellm-virtual-key", SECRET),
        ("accept", "*/*"),
    )
    assert all_secrets_of(fields, "api-key=zyxwvu&n=1") == (
        "hunter2-of-the-team",
        "Bearer abcdefgh",
        "abcdefgh",
        "zyxwvu",
    )


def test_a_rule_that_is_none_is_refused():
    """A rule that is silently ignored lets out what it should hide."""
    with pytest.raises(BadArgument, match=re.escape("redact is '[a'")):
        Redaction.of_rules(["[a"])


def test_an_exchange_without_anything_to_hide_is_the_same():
    """Redaction changes what it must, and nothing else."""
    exchange = replace(recorded(real_service(), QUESTION), reply_headers=EVENTS[:0])
    assert Redaction().of(exchange) == exchange
