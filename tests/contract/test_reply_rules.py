"""Rules on completions and on exchanges: what breaks each alone, and real traffic that breaks none."""

import dataclasses
import json

import pytest
from request_samples import TOOL, USER, function_tool, json_schema, request

from mockchat.contract.contract import Contract, contract_for
from mockchat.contract.exchange_rules import EXCHANGE
from mockchat.contract.profile import load_profile
from mockchat.contract.reply_rules import REPLY, logprobs_spell_content

CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CUSTOM = {"id": "call_2", "type": "custom", "custom": {"name": "c", "input": "x"}}
USAGE = {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
CUSTOM_TOOL = {"type": "custom", "custom": {"name": "c"}}


def token(text, top=0):
    """Return a token with `top` alternatives."""
    entry = {"token": text, "logprob": -0.5, "bytes": None}
    return entry | {"top_logprobs": [entry] * top}


def choice(content="hi", *, index=0, finish="stop", logprobs=None, **members):
    """Return a choice whose message has `members`."""
    message = {"role": "assistant", "content": content, "refusal": None, **members}
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish}


def completion(*choices, **members):
    """Return a completion of `choices`, one text by default."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-2024-08-06",
        "choices": list(choices) or [choice()],
        "usage": USAGE,
        "system_fingerprint": "fp_1",
        **members,
    }


def calling(*calls, finish="tool_calls", **members):
    """Return a choice that calls tools."""
    return choice(None, finish=finish, tool_calls=list(calls), **members)


def arguments(text, name="f"):
    """Return a call with these arguments."""
    return CALL | {"function": {"name": name, "arguments": text}}


def usage(**members):
    """Return counts that differ in `members`."""
    return USAGE | members


BREAKING_REPLY = {
    "reply.choice-indices": [
        completion(choice(index=1)),
        completion(choice(), choice(index=0)),
    ],
    "reply.finish-reason-tells-calls": [
        completion(choice(finish="tool_calls")),
        completion(choice(finish="tool_calls", tool_calls=[])),
        completion(choice(finish="function_call")),
        completion(calling(CALL, finish="function_call")),
    ],
    "reply.content-or-something": [completion(choice(None)), completion(choice(None, audio=None))],
    "reply.call-ids-differ": [completion(calling(CALL, CALL))],
    "reply.usage-adds-up": [completion(usage=usage(total_tokens=6))],
    "reply.usage-details-fit": [
        completion(usage=usage(prompt_tokens_details={"cached_tokens": 3})),
        completion(usage=usage(completion_tokens_details={"reasoning_tokens": 4})),
    ],
    "reply.id-prefix": [
        completion(id="chat-1"),
        completion(calling(CALL | {"id": "1"})),
    ],
    "reply.logprobs-spell-content": [
        completion(choice(logprobs={"content": [token("h")], "refusal": None})),
    ],
}
"""By rule: completions that break it and no other, at level `documented`."""

KEEPING_REPLY = [
    completion(),
    completion(choice(), choice(index=1)),
    completion(calling(CALL)),
    completion(calling(CALL, CUSTOM)),
    completion(calling(CALL, finish="length")),
    completion(choice(None, finish="function_call", function_call=CALL["function"])),
    completion(choice(None, finish="content_filter")),
    completion(choice(None, refusal="no")),
    completion(choice(None, audio={"id": "a", "expires_at": 1, "data": "", "transcript": ""})),
    completion(choice(logprobs={"content": [token("h"), token("i")], "refusal": None})),
    completion(choice(None, refusal="no", logprobs={"content": None, "refusal": [token("no")]})),
]

JSON_OBJECT = request(
    response_format={"type": "json_object"}, messages=[{"role": "user", "content": "json"}]
)
NUMBER = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
STRICT = NUMBER | {"additionalProperties": False}
STRICT_TOOL = function_tool(parameters=STRICT, strict=True)
NAMED = {"type": "function", "function": {"name": "f"}}


def allowed(mode, *tools):
    """Return a tool_choice of allowed_tools."""
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": list(tools)}}


BREAKING_EXCHANGE = {
    "exchange.n": [
        (request(n=2), completion()),
        (request(), completion(choice(), choice(index=1))),
    ],
    "exchange.stop-is-absent": [
        (request(stop="h"), completion()),
        (request(stop=["x", "i"]), completion()),
    ],
    "exchange.token-limit": [
        (request(max_tokens=2), completion()),
        (request(max_completion_tokens=1, n=2), completion(choice(), choice(index=1))),
    ],
    "exchange.tool-choice": [
        (request(tools=[TOOL], tool_choice="none"), completion(calling(CALL))),
        (request(tools=[TOOL], tool_choice="required"), completion()),
        (request(tools=[TOOL], tool_choice=NAMED), completion()),
        (
            request(tools=[TOOL, CUSTOM_TOOL], tool_choice=NAMED),
            completion(calling(CUSTOM)),
        ),
        (
            request(tools=[TOOL, CUSTOM_TOOL], tool_choice=allowed("auto", NAMED)),
            completion(calling(CUSTOM)),
        ),
        (request(tools=[TOOL], tool_choice=allowed("required", NAMED)), completion()),
        (
            request(functions=[{"name": "f"}], function_call={"name": "f"}),
            completion(),
        ),
        (
            request(functions=[{"name": "f"}], function_call="none"),
            completion(choice(None, finish="function_call", function_call=CALL["function"])),
        ),
    ],
    "exchange.parallel-tool-calls": [
        (
            request(tools=[TOOL, CUSTOM_TOOL], parallel_tool_calls=False),
            completion(calling(CALL, CUSTOM)),
        ),
    ],
    "exchange.called-tool-exists": [
        (request(), completion(calling(CALL))),
        (request(tools=[TOOL]), completion(calling(arguments("{}", name="g")))),
    ],
    "exchange.arguments": [
        (request(tools=[STRICT_TOOL]), completion(calling(arguments("{")))),
        (request(tools=[STRICT_TOOL]), completion(calling(arguments('{"a": "x"}')))),
        (request(tools=[TOOL]), completion(calling(arguments("not json")))),
        (request(tools=[TOOL]), completion(calling(arguments("[" * 100_000)))),
        (
            request(functions=[{"name": "f", "parameters": NUMBER}]),
            completion(choice(None, finish="function_call", function_call=CALL["function"])),
        ),
    ],
    "exchange.response-format": [
        (JSON_OBJECT, completion()),
        (JSON_OBJECT, completion(choice("[]"))),
        (request(response_format=json_schema(STRICT, strict=True)), completion(choice("{}"))),
        (request(response_format=json_schema(NUMBER)), completion(choice('{"a": "x"}'))),
    ],
    "exchange.logprobs": [
        (request(logprobs=True), completion()),
        (request(), completion(choice(logprobs={"content": [token("hi")], "refusal": None}))),
        (
            request(logprobs=True, top_logprobs=1),
            completion(choice(logprobs={"content": [token("hi", top=2)], "refusal": None})),
        ),
    ],
    "exchange.model": [
        (request(model="gpt-4"), completion()),
        (request(model="nobody"), completion()),
    ],
}
"""By rule: request and completion that break it and no other, at level `documented`."""

KEEPING_EXCHANGE = [
    (request(), completion()),
    (request(tools=[TOOL], tool_choice=allowed("required")), completion()),
    (request(model="gpt-4o-2024-08-06"), completion()),
    (request(model="mine"), completion(model="mine-2026")),
    (request(n=2), completion(choice(), choice(index=1))),
    (request(stop=["x", "", "hi there"]), completion()),
    (request(max_tokens=3), completion()),
    (request(max_tokens=1), {k: v for k, v in completion().items() if k != "usage"}),
    (request(tools=[TOOL], tool_choice="required"), completion(calling(CALL))),
    (request(tools=[TOOL], tool_choice="required"), completion(choice(finish="length"))),
    (request(tools=[TOOL], tool_choice="required"), completion(choice(None, refusal="no"))),
    (request(tools=[TOOL], tool_choice=NAMED), completion(calling(CALL))),
    (
        request(tools=[TOOL], tool_choice=allowed("auto", {"type": "mcp"})),
        completion(calling(CALL)),
    ),
    (request(tools=[TOOL, CUSTOM_TOOL]), completion(calling(CALL, CUSTOM))),
    (request(tools=[TOOL], parallel_tool_calls=False), completion(calling(CALL))),
    (request(tools=[STRICT_TOOL]), completion(calling(arguments('{"a": 1}')))),
    (request(tools=[STRICT_TOOL]), completion(calling(arguments('{"a":'), finish="length"))),
    (
        request(functions=[{"name": "f"}], function_call="auto"),
        completion(choice(None, finish="function_call", function_call=CALL["function"])),
    ),
    (JSON_OBJECT, completion(choice("{}"))),
    (JSON_OBJECT, completion(choice("{", finish="length"))),
    (JSON_OBJECT, completion(choice(None, refusal="no"))),
    (request(response_format=json_schema(STRICT, strict=True)), completion(choice('{"a": 1}'))),
    (request(response_format={"type": "text"}), completion()),
    (
        request(logprobs=True, top_logprobs=2),
        completion(choice(logprobs={"content": [token("hi", top=2)], "refusal": None})),
    ),
    (request(logprobs=True), completion(choice(""))),
]


def pairs(breaking):
    """Return a parameter per sample."""
    return [
        pytest.param(rule, sample, id=f"{rule}-{index}")
        for rule, samples in breaking.items()
        for index, sample in enumerate(samples)
    ]


def test_every_rule_has_a_payload():
    """A rule nobody can break is a rule nobody has tested."""
    assert BREAKING_REPLY.keys() == REPLY.rules.keys()
    assert BREAKING_EXCHANGE.keys() == EXCHANGE.rules.keys()


def test_every_rule_is_named_by_the_profile():
    """A rule the profile forgets is silently off."""
    named = {
        name
        for name in load_profile("openai").settings["rules"]
        if name.startswith(("reply.", "exchange."))
    }

    assert named == REPLY.rules.keys() | EXCHANGE.rules.keys()


@pytest.mark.parametrize(
    "rule", [*REPLY.rules.values(), *EXCHANGE.rules.values()], ids=lambda r: r.id
)
def test_rule_tells_its_evidence(rule):
    """Whoever doubts a rule must find how we know."""
    assert "recorded" in rule.summary or "official document" in rule.summary.casefold()


@pytest.mark.parametrize(("rule", "reply"), pairs(BREAKING_REPLY))
def test_reply_breaks_its_rule_alone(rule, reply):
    """A rule that fires beside another would hide which of the two is wrong."""
    found = contract_for().violations("response", reply, level="documented")

    assert {violation.rule for violation in found} == {rule}
    assert contract_for().violations("response", reply, level="documented", rules=False) == ()


@pytest.mark.parametrize("level", ["documented", "observed"])
@pytest.mark.parametrize("reply", KEEPING_REPLY)
def test_keeping_reply_breaks_nothing(reply, level):
    """A false alarm on an honest reply makes the report worthless."""
    assert contract_for().violations("response", reply, level=level) == ()


@pytest.mark.parametrize(("rule", "exchange"), pairs(BREAKING_EXCHANGE))
def test_exchange_breaks_its_rule_alone(rule, exchange):
    """Each promise of a request is judged by itself."""
    found = contract_for().exchange_violations(*exchange, level="documented")

    assert {violation.rule for violation in found} == {rule}


@pytest.mark.parametrize("exchange", KEEPING_EXCHANGE)
def test_keeping_exchange_breaks_nothing(exchange):
    """An answer that keeps every promise is not blamed."""
    asked, reply = exchange

    assert contract_for().exchange_violations(asked, reply, level="documented") == ()
    assert contract_for().violations("response", reply) == ()


MILDER = {
    "calls that end with stop": (
        "response",
        completion(calling(CALL, finish="stop")),
        "reply.finish-reason-tells-calls",
    ),
    "sums that do not add up": (
        "response",
        completion(usage=usage(total_tokens=6)),
        "reply.usage-adds-up",
    ),
}


@pytest.mark.parametrize(("document", "reply", "rule"), MILDER.values(), ids=MILDER)
def test_what_only_the_pages_promise_is_a_note_when_observed(document, reply, rule):
    """Honest servers differ there; a client copes."""
    (observed,) = contract_for().violations(document, reply)
    (documented,) = contract_for().violations(document, reply, level="documented")

    assert (observed.rule, observed.is_note, observed.level) == (rule, True, "documented")
    assert (documented.rule, documented.is_note) == (rule, False)
    assert contract_for().is_valid(document, reply)
    assert not contract_for().is_valid(document, reply, level="documented")


def test_a_note_stays_a_note_at_both_levels():
    """What no document promises is never wrong."""
    reply = completion(id="mine")

    for level in ("documented", "observed"):
        (note,) = contract_for().violations("response", reply, level=level)
        assert note.is_note
        assert contract_for().is_valid("response", reply, level=level)


@pytest.mark.parametrize(("stop", "is_note"), [({}, False), ({"stop": "}"}, True)])
def test_json_that_a_stop_sequence_may_have_cut_is_a_note(stop, is_note):
    """The service ends the text before the sequence and says `stop`, as at the end of an answer."""
    (violation,) = contract_for().exchange_violations(
        JSON_OBJECT | stop, completion(choice("{")), level="documented"
    )
    assert (violation.rule, violation.is_note) == ("exchange.response-format", is_note)


@pytest.mark.parametrize(
    ("tool", "is_note"), [(TOOL | function_tool(parameters=NUMBER), True), (STRICT_TOOL, False)]
)
def test_only_strict_arguments_are_wrong(tool, is_note):
    """The official page warns that a model may write arguments outside the schema."""
    asked, reply = request(tools=[tool]), completion(calling(arguments('{"a": "x"}')))
    (violation,) = contract_for().exchange_violations(asked, reply)

    assert violation.is_note is is_note
    assert violation.expected == "/a: 'x' is not of type 'integer'"


def test_schema_that_is_none_judges_no_reply():
    """A request with a broken schema is refused elsewhere; its reply is not to blame."""
    asked = request(tools=[function_tool(parameters={"type": "x"})])

    assert contract_for().exchange_violations(asked, completion(calling(CALL))) == ()


@pytest.mark.parametrize("reply", [5, {}, completion(choice(5)), None])
def test_reply_that_its_schema_refuses_is_not_read(reply):
    """Rules rely on shapes; what is missing was said by the schema."""
    assert contract_for().exchange_violations(request(), reply) == ()
    found = contract_for().violations("response", reply)
    assert all(violation.rule.startswith("schema.") for violation in found)
    assert found


def test_level_documented_still_reads_what_is_honest():
    """A missing refusal is against the pages, and must not hide the next fault."""
    reply = completion(choice(finish="tool_calls"))
    del reply["choices"][0]["message"]["refusal"]

    found = contract_for().violations("response", reply, level="documented")

    assert [violation.rule for violation in found] == [
        "schema.required",
        "reply.finish-reason-tells-calls",
    ]


def test_faulty_request_does_not_break_the_judge():
    """A reply to a request that was wrong is judged by what was right in it."""
    asked = request(tools=5, n="x", stop=5, messages=[USER])

    assert contract_for().exchange_violations(asked, completion()) == ()


def test_rule_can_be_switched_off():
    """A vendor's profile says which promises it does not make."""
    profile = load_profile("openai")
    rules = profile.settings["rules"] | {"exchange.n": False}
    lenient = Contract(dataclasses.replace(profile, settings=profile.settings | {"rules": rules}))

    assert lenient.exchange_violations(request(n=2), completion()) == ()


def test_other_documents_are_judged_by_their_schema():
    """Errors and models have no rules."""
    error = {"error": {"message": "m", "type": "t", "param": None, "code": None}}

    assert contract_for().is_valid("error", error)
    assert not contract_for().is_valid("error", {"error": {}})
    assert not contract_for().is_valid("model", error)


def test_stream_judge_knows_the_contract():
    """The judge of a stream takes profile, request and level from here."""
    judge = contract_for().stream_judge(request=request(), level="documented")

    found = judge.feed({"object": "nonsense"})

    assert "schema.required" in {violation.rule for violation in found}


SCHEMA_MISFITS = {
    "api.mistral.ai": "tool_calls is null where there are none; for the mistral profile",
    "api.together.xyz": "sampling parameters and a finish_reason of its own; for the together profile",
    "traceloop-stg.openai.azure.com": "a choice without a message; for the azure profile",
}


def test_recorded_traffic_is_innocent(shared):
    """A rule that fires on a real server's honest traffic is wrong."""
    lines = (shared / "wire" / "chat-exchanges.jsonl").read_text().splitlines()
    blamed = {}
    judged = 0
    for exchange in map(json.loads, lines):
        found = list(contract_for().request_violations(exchange["request"]))
        if isinstance(exchange["body"], dict) and "choices" in exchange["body"]:
            judged += 1
            found += contract_for().violations("response", exchange["body"])
            found += contract_for().exchange_violations(exchange["request"], exchange["body"])
        for violation in found:
            if not violation.is_note:
                blamed.setdefault(exchange["host"], set()).add(violation.rule.split(".")[0])

    assert judged > 200
    assert blamed == {key: {"schema"} for key in SCHEMA_MISFITS}


def test_recorded_errors_are_ours(shared):
    """The catalogue's texts are those of the wire."""
    lines = (shared / "wire" / "chat-exchanges.jsonl").read_text().splitlines()
    recorded = [
        (exchange["status"], exchange["body"])
        for exchange in map(json.loads, lines)
        if exchange["host"] == "api.openai.com" and exchange["status"] >= 400
    ]
    contract = contract_for()
    ours = [
        contract.error("model_not_found", model="this-model-does-not-exist"),
        contract.error("model_deprecated", model="gpt-3.5-turbo-0613"),
        contract.error("invalid_image_url", url="https://source.unsplash.com/8xznAGy4HcY/800x400"),
        contract.error("model_not_found", model="not-found-TEST_CHAT_MODEL"),
    ]

    assert [(error.status, contract.envelope(error)) for error in ours] == recorded


@pytest.mark.parametrize("entry", [token(None), "h", None])
def test_tokens_that_are_no_text_spell_nothing(entry):
    """Some vendors send null for a token: that is told once, by the schema, and as what it is."""
    odd = completion(choice(logprobs={"content": [token("h"), entry], "refusal": None}))
    assert list(logprobs_spell_content(odd, {})) == []
