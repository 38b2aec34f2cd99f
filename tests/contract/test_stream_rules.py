"""Every stream rule: the streams that keep them all, and for each one that breaks it alone."""

import pytest
from stream_samples import (
    CALL,
    CALLING,
    COUNTS,
    DONE,
    REQUEST,
    ROLE,
    TEXT,
    WITH_USAGE,
    Sample,
    chunk,
    entry,
    header,
    nulled,
    part,
    says,
    with_padding,
)
from test_stream_framing import BROKEN as BROKEN_FRAMING

from mockchat.contract.stream_chunk_rules import padding_length
from mockchat.contract.stream_rules import (
    STREAM_RULE_LEVELS,
    STREAM_RULES,
    StreamJudge,
    stream_violations,
)

USAGE = chunk(usage=COUNTS)
MODERATION = chunk(moderation={"input": {}, "output": {}}, usage=None)
ERROR = {"error": {"message": "Sorry", "type": "server_error", "param": None, "code": None}}
SIDE = {"id": "", "object": "", "created": 0, "model": "", "choices": []}
WHOLE_CALL = header(arguments="{}")["tool_calls"][0]
LOGPROBS = {"content": [{"token": "Hi", "logprob": -0.1, "bytes": None, "top_logprobs": []}]}


def custom(arguments, index=0, **members):
    """Return the delta of a custom tool's call."""
    body = {"input": arguments} | ({"name": "sql"} if members else {})
    return {"tool_calls": [{"index": index, **members, "custom": body}]}


def legacy(**members):
    """Return the delta of a legacy function call."""
    return {"function_call": members}


VALID = {
    "text": Sample(events=TEXT),
    "nobody knows what was asked": Sample(events=TEXT, request=None),
    "cut off by the length": Sample(events=(*TEXT[:2], says({}, "length"), DONE)),
    "refusal": Sample(
        events=(
            says({"role": "assistant", "content": None, "refusal": ""}),
            says({"refusal": "No."}),
            says({}, "stop"),
            DONE,
        )
    ),
    "one call": Sample(events=CALL),
    "parallel calls": Sample(
        events=(
            says(CALLING),
            says(header(0)),
            says(part("{}", 0)),
            says(header(1)),
            says(part("[", 1)),
            says(part("]", 1)),
            says({}, "tool_calls"),
            DONE,
        )
    ),
    "custom tool, whose input is any text": Sample(
        events=(
            says(CALLING),
            says(custom("", id="call_0", type="custom")),
            says(custom("SELECT")),
            says({}, "tool_calls"),
            DONE,
        )
    ),
    "calls without indices, told apart by their ids": Sample(
        events=(
            says(CALLING),
            says({"tool_calls": [{**header(0)["tool_calls"][0], "index": None}]}),
            says({"tool_calls": [{"function": {"arguments": "{}"}}]}),
            says({"tool_calls": [{**header(1)["tool_calls"][0], "index": None}]}),
            says({"tool_calls": [{"function": {"arguments": "{}"}}]}),
            says({}, "tool_calls"),
            DONE,
        )
    ),
    "calls sent whole": Sample(
        events=(
            says({**CALLING, "tool_calls": [WHOLE_CALL, WHOLE_CALL | {"index": 1, "id": "b"}]}),
            says({}, "tool_calls"),
            DONE,
        ),
        axes={"tool_calls": "whole"},
    ),
    "legacy function call": Sample(
        events=(
            says({**CALLING, **legacy(name="f", arguments="")}),
            says(legacy(arguments="{}")),
            says({}, "function_call"),
            DONE,
        )
    ),
    "two choices in turn": Sample(
        events=(
            says(ROLE),
            says({"content": "Hi"}),
            says(ROLE, index=1),
            says({"content": "Ho"}, index=1),
            says({}, "stop"),
            says({}, "stop", index=1),
            DONE,
        ),
        request={**REQUEST, "n": 2},
    ),
    "log probabilities": Sample(
        events=(
            chunk(entry(ROLE, logprobs={"content": [], "refusal": None})),
            chunk(entry({"content": "Hi"}, logprobs=LOGPROBS)),
            chunk(entry({}, "stop", logprobs=None)),
            DONE,
        ),
        request={**REQUEST, "logprobs": True},
    ),
    "audio, which needs no finish reason": Sample(
        events=(
            says({**ROLE, "audio": {"id": "audio_1", "transcript": "Hi"}}),
            says({"audio": {"data": "AA=="}}),
            says({"audio": {"expires_at": 1700003600}}),
            DONE,
        )
    ),
    "usage": Sample(events=(*nulled(*TEXT[:-1]), USAGE, DONE), request=WITH_USAGE),
    "usage and moderation": Sample(
        events=(*nulled(*TEXT[:-1]), USAGE, MODERATION, DONE), request=WITH_USAGE
    ),
    "usage with the finish": Sample(
        events=(*TEXT[:2], says({}, "stop", usage=COUNTS), DONE),
        axes={"usage": "finish", "usage_always": True},
    ),
    "usage behind the finish": Sample(
        events=(*TEXT[:3], says({"content": ""}, usage=COUNTS), DONE),
        axes={"usage": "finish", "usage_always": True},
    ),
    "usage in every chunk": Sample(
        events=tuple(event if event == DONE else event | {"usage": COUNTS} for event in TEXT),
        axes={"usage": "every", "usage_always": True},
    ),
    "usage in every chunk, as vLLM can be asked": Sample(
        events=tuple(event if event == DONE else event | {"usage": COUNTS} for event in TEXT),
        request={
            "stream_options": {
                "include_usage": True,
                "continuous_usage_stats": True,
                "include_obfuscation": False,
            }
        },
    ),
    "usage without nulls": Sample(
        events=(*TEXT[:-1], USAGE, DONE), request=WITH_USAGE, axes={"usage_null": False}
    ),
    "padded": Sample(events=with_padding(TEXT), request={"stream": True}),
    "padded, characters of every width": Sample(
        events=with_padding(
            (says(ROLE), says({"content": 'å€😀\n"\ud800'}), says({}, "stop"), DONE)
        ),
        request={"stream": True},
    ),
    "padding of a server that we know nothing of": Sample(
        events=tuple(event if event == DONE else event | {"obfuscation": "?"} for event in TEXT),
        axes={"obfuscation": False},
    ),
    "role in every delta": Sample(
        events=(
            says(ROLE),
            says({"role": "assistant", "content": "Hi"}),
            says({"role": "assistant"}, "stop"),
            DONE,
        ),
        axes={"role": "every"},
    ),
    "finish with the last content": Sample(
        events=(says(ROLE), says({"content": "Hi"}, "stop"), DONE),
        axes={"finish": "with-last-content"},
    ),
    "finish with empty content": Sample(
        events=(*TEXT[:2], says({"content": ""}, "stop"), DONE),
        axes={"finish_delta": {"content": ""}},
    ),
    "Azure's opening": Sample(events=(SIDE, *TEXT), axes={"leading_empty": True}),
    "ended by an error": Sample(events=(*nulled(*TEXT[:2]), ERROR), request=WITH_USAGE),
    "ended by an error, then by [DONE]": Sample(events=(ERROR, DONE)),
    "no [DONE] where none is promised": Sample(events=TEXT[:-1], axes={"done": False}),
    "null and absent members of the head": Sample(
        events=tuple(
            event if event == DONE else {**event, "system_fingerprint": None} for event in TEXT
        )
    ),
    "what is for the schema": Sample(
        events=(
            says(ROLE),
            chunk(7, {"delta": {"content": 7}}),
            chunk({"index": True, "delta": {}}),
            says({"tool_calls": [7], "function_call": {}, "content": "x"}, usage=7),
            says({}, "stop"),
            DONE,
        ),
        axes={"usage_always": False, "tool_calls": "whole"},
        request=None,
    ),
    "members at their places": Sample(
        events=(
            chunk(filter="safe", id="", object=""),
            chunk(entry(ROLE, results={}, reason=None), x_groq={}),
            chunk(entry({"content": "Hi"}, results={"hate": 0}, reason=None)),
            chunk(entry({}, "stop", results={"hate": 0}, reason="stop"), x_groq={}, timings={}),
            DONE,
        ),
        axes={
            "leading_empty": True,
            "member_places": {"filter": "leading", "x_groq": "edges", "timings": "last"},
            "choice_member_places": {"results": "text", "reason": "null-first"},
        },
    ),
    "padding of no rule": Sample(
        events=(TEXT[0], TEXT[1] | {"p": "a"}, TEXT[2] | {"p": "abc"}, DONE),
        axes={"padding_field": "p"},
    ),
    "reasoning beside a null": Sample(
        events=(TEXT[0], says({"reasoning_content": "Hm", "content": None}), *TEXT[1:]),
        axes={"reasoning_field": "reasoning_content", "reasoning_null": True},
    ),
    "a named call that stops": Sample(
        events=(*CALL[:3], says({}, "stop"), DONE), axes={"named_call_finish": "stop"}
    ),
    "usage in a chunk of its own behind the finish": Sample(
        events=(*TEXT[:3], says({}, usage=COUNTS), DONE),
        request=WITH_USAGE,
        axes={"usage": "behind", "usage_null": False},
    ),
}


def changed(events, at, **members):
    """Return `events` with other members in the chunk at `at`."""
    return (*events[:at], events[at] | members, *events[at + 1 :])


BROKEN = {
    "stream.event-object": (Sample(events=(*TEXT[:3], "[DONE] ", DONE)), "/3"),
    "stream.done-once": (Sample(events=(*TEXT, DONE)), "/4"),
    "stream.done-last": (Sample(events=(*TEXT, TEXT[1])), "/4"),
    "stream.error-last": (Sample(events=(TEXT[0], ERROR, TEXT[1], DONE)), "/2"),
    "stream.one-id": (Sample(events=changed(TEXT, 1, id="chatcmpl-2")), "/1/id"),
    "stream.one-object": (
        Sample(events=changed(TEXT, 1, object="chat.completion")),
        "/1/object",
    ),
    "stream.one-created": (Sample(events=changed(TEXT, 1, created=1700000001)), "/1/created"),
    "stream.one-model": (Sample(events=changed(TEXT, 1, model="gpt-4o")), "/1/model"),
    "stream.one-system-fingerprint": (
        Sample(events=changed(TEXT, 1, system_fingerprint="fp_1")),
        "/1/system_fingerprint",
    ),
    "stream.one-service-tier": (
        Sample(events=changed(TEXT, 1, service_tier="priority")),
        "/1/service_tier",
    ),
    "stream.side-chunk": (Sample(events=(SIDE, *TEXT)), "/0/choices"),
    "stream.one-choice-per-chunk": (
        Sample(
            events=(
                says(ROLE),
                says(ROLE, index=1),
                chunk(entry({"content": "Hi"}), entry({"content": "Ho"}, index=1)),
                says({}, "stop"),
                says({}, "stop", index=1),
                DONE,
            ),
            request={**REQUEST, "n": 2},
        ),
        "/2/choices",
    ),
    "stream.usage-unasked": (Sample(events=(*TEXT[:-1], USAGE, DONE)), "/3/usage"),
    "stream.usage-once": (
        Sample(events=(*nulled(*TEXT[:-1]), USAGE, USAGE, DONE), request=WITH_USAGE),
        "/4/usage",
    ),
    "stream.usage-placement": (
        Sample(
            events=(*nulled(*TEXT[:2]), says({}, "stop", usage=COUNTS), DONE), request=WITH_USAGE
        ),
        "/2/usage",
    ),
    "stream.usage-last": (
        Sample(events=(*nulled(*TEXT[:2]), USAGE, *nulled(TEXT[2]), DONE), request=WITH_USAGE),
        "/3",
    ),
    "stream.usage-null": (
        Sample(events=(*nulled(*TEXT[:2]), TEXT[2], USAGE, DONE), request=WITH_USAGE),
        "/2/usage",
    ),
    "stream.usage-sum": (
        Sample(
            events=(*nulled(*TEXT[:3]), chunk(usage={**COUNTS, "total_tokens": 6}), DONE),
            request=WITH_USAGE,
        ),
        "/3/usage/total_tokens",
    ),
    "stream.usage-missing": (
        Sample(events=nulled(*TEXT), request=WITH_USAGE),
        "/3",
    ),
    "stream.obfuscation-presence": (
        Sample(events=(*with_padding(TEXT[:2]), *TEXT[2:]), request={"stream": True}),
        "/2/obfuscation",
    ),
    "stream.obfuscation-alphabet": (
        Sample(
            events=changed(
                with_padding(TEXT),
                0,
                obfuscation="_" * len(with_padding(TEXT)[0]["obfuscation"]),
            ),
            request={"stream": True},
        ),
        "/0/obfuscation",
    ),
    "stream.obfuscation-length": (
        Sample(
            events=changed(
                with_padding(TEXT),
                0,
                obfuscation="x" * (len(with_padding(TEXT)[0]["obfuscation"]) + 16),
            ),
            request={"stream": True},
        ),
        "/0/obfuscation",
    ),
    "stream.done-missing": (Sample(events=TEXT[:-1]), "/3"),
    "stream.choice-missing": (Sample(events=(DONE,)), "/0"),
    "stream.finish-missing": (Sample(events=(*TEXT[:2], DONE)), "/2"),
    "stream.choice-index": (
        Sample(
            events=(says(ROLE), says(ROLE, index=1), says({}, "stop"), says({}, "stop", 1), DONE)
        ),
        "/1/choices/0/index",
    ),
    "stream.choice-order": (
        Sample(
            events=(
                says(ROLE, index=1),
                says(ROLE),
                says({}, "stop"),
                says({}, "stop", index=1),
                DONE,
            ),
            request={**REQUEST, "n": 2},
        ),
        "/0/choices/0/index",
    ),
    "stream.role-first": (Sample(events=TEXT[1:]), "/0/choices/0/delta/role"),
    "stream.role-once": (
        Sample(events=(TEXT[0], says({**ROLE, "content": "Hi"}), *TEXT[2:])),
        "/1/choices/0/delta/role",
    ),
    "stream.logprobs-unasked": (
        Sample(events=(TEXT[0], chunk(entry({"content": "Hi"}, logprobs=LOGPROBS)), *TEXT[2:])),
        "/1/choices/0/logprobs",
    ),
    "stream.finish-once": (
        Sample(events=(*TEXT[:3], says({}, "length"), DONE)),
        "/3/choices/0/finish_reason",
    ),
    "stream.content-after-finish": (
        Sample(events=(*TEXT[:3], says({"content": "!"}), DONE)),
        "/3/choices/0/delta/content",
    ),
    "stream.entry-after-finish": (
        Sample(events=(*TEXT[:3], says({"content": ""}), DONE)),
        "/3/choices/0",
    ),
    "stream.finish-delta": (
        Sample(events=(TEXT[0], says({"content": "Hi"}, "stop"), DONE)),
        "/1/choices/0/delta",
    ),
    "stream.finish-needs-calls": (
        Sample(events=(*TEXT[:2], says({}, "tool_calls"), DONE)),
        "/2/choices/0/finish_reason",
    ),
    "stream.calls-need-finish": (
        Sample(events=(*CALL[:3], says({}, "stop"), DONE)),
        "/3/choices/0/finish_reason",
    ),
    "stream.arguments-json": (
        Sample(events=(*CALL[:2], *CALL[3:])),
        "/2/choices/0/finish_reason",
    ),
    "stream.call-index": (
        Sample(
            events=(
                says(CALLING),
                says(header(1)),
                says(part("{}", 1)),
                says({}, "tool_calls"),
                DONE,
            )
        ),
        "/1/choices/0/delta/tool_calls/0/index",
    ),
    "stream.call-header": (
        Sample(
            events=(
                says(CALLING),
                says({"tool_calls": [{**header()["tool_calls"][0], "type": None}]}),
                says(part("{}")),
                says({}, "tool_calls"),
                DONE,
            )
        ),
        "/1/choices/0/delta/tool_calls/0/type",
    ),
    "stream.call-header-once": (
        Sample(events=(CALL[0], says(part("{}", id="call_0")), *CALL[3:])),
        "/1/choices/0/delta/tool_calls/0/id",
    ),
    "stream.call-header-arguments": (
        Sample(events=(says({**CALLING, **header(arguments="{}")}), *CALL[3:])),
        "/0/choices/0/delta/tool_calls/0",
    ),
    "stream.calls-in-turn": (
        Sample(
            events=(
                says(CALLING),
                says(header(0)),
                says(header(1)),
                says(part("{}", 0)),
                says(part("{}", 1)),
                says({}, "tool_calls"),
                DONE,
            )
        ),
        "/3/choices/0/delta/tool_calls/0/index",
    ),
    "stream.one-call-per-chunk": (
        Sample(
            events=(
                CALL[0],
                says({"tool_calls": [*part("{}")["tool_calls"], *header(1)["tool_calls"]]}),
                says(part("{}", 1)),
                says({}, "tool_calls"),
                DONE,
            )
        ),
        "/1/choices/0/delta/tool_calls",
    ),
    "stream.member-place": (
        Sample(
            events=(TEXT[0], TEXT[1] | {"x_groq": {}}, *TEXT[2:]),
            axes={"member_places": {"x_groq": "edges"}},
        ),
        "/1/x_groq",
    ),
    "stream.choice-member-place": (
        Sample(
            events=(TEXT[0], chunk(entry({"content": "Hi"}, reason="stop")), *TEXT[2:]),
            axes={"choice_member_places": {"reason": "null-first"}},
        ),
        "/1/choices/0/reason",
    ),
    "stream.padding-presence": (
        Sample(events=(TEXT[0], TEXT[1] | {"p": "ab"}, *TEXT[2:]), axes={"padding_field": "p"}),
        "/2/p",
    ),
    "stream.reasoning-null": (
        Sample(
            events=(TEXT[0], says({"reasoning_content": "Hm"}), *TEXT[1:]),
            axes={"reasoning_field": "reasoning_content", "reasoning_null": True},
        ),
        "/1/choices/0/delta/content",
    ),
}


HARMLESS = {
    "fingerprint in some chunks alone": (
        Sample(events=changed(TEXT, 1, system_fingerprint=None)),
        "stream.one-system-fingerprint",
    ),
    "fingerprint in the last chunk alone": (
        Sample(
            events=(
                *({**event, "system_fingerprint": None} for event in TEXT[:2]),
                *TEXT[2:],
            )
        ),
        "stream.one-system-fingerprint",
    ),
    "type of a call repeated": (
        Sample(events=(CALL[0], says(part("{}", type="function")), *CALL[3:])),
        "stream.call-header-once",
    ),
    "call without arguments": (Sample(events=(CALL[0], *CALL[3:])), "stream.arguments-json"),
    "fewer choices than asked for": (
        Sample(events=TEXT, request={**REQUEST, "n": 2}),
        "stream.choice-missing",
    ),
    "fragments where calls come whole": (
        Sample(events=(CALL[0], says(part("{}")), *CALL[3:]), axes={"tool_calls": "whole"}),
        "stream.call-header-arguments",
    ),
    "padding that was switched off": (
        Sample(events=(*TEXT[:2], *with_padding(TEXT[2:]))),
        "stream.obfuscation-presence",
    ),
    "opening chunk behind the opening": (
        Sample(events=(TEXT[0], SIDE, *TEXT[1:]), axes={"leading_empty": True}),
        "stream.side-chunk",
    ),
}
"""Forms of a fault that real servers send and clients bear: notes at level observed."""

HARMFUL = {
    "fingerprint that changes back": (
        Sample(
            events=(
                {**TEXT[0], "system_fingerprint": None},
                {**TEXT[1], "system_fingerprint": "fp_1"},
                *TEXT[2:],
            )
        ),
        "/2/system_fingerprint",
    ),
    "choice below zero": (
        Sample(events=(says(ROLE, "stop", -1), *TEXT), request=None),
        "/0/choices/0/index",
    ),
    "legacy call without a name": (
        Sample(
            events=(
                says({**CALLING, **legacy(arguments="{}")}),
                says({}, "function_call"),
                DONE,
            )
        ),
        "/0/choices/0/delta/function_call/name",
    ),
    "legacy call that is not JSON": (
        Sample(
            events=(
                says({**CALLING, **legacy(name="f", arguments="")}),
                says(legacy(arguments="{")),
                says({}, "function_call"),
                DONE,
            )
        ),
        "/2/choices/0/finish_reason",
    ),
    "call finished as the legacy one": (
        Sample(events=(*CALL[:3], says({}, "function_call"), DONE)),
        "/3/choices/0/finish_reason",
    ),
    "arguments that only Python reads": (
        Sample(events=(CALL[0], says(part("NaN")), *CALL[3:])),
        "/2/choices/0/finish_reason",
    ),
    "reasoning behind the finish": (
        Sample(
            events=(*TEXT[:3], says({"reasoning": "Hm"}), DONE),
            axes={"reasoning_field": "reasoning"},
        ),
        "/3/choices/0/delta/reasoning",
    ),
    "usage promised and not sent": (
        Sample(events=TEXT, request=None, axes={"usage_always": True}),
        "/3",
    ),
    "one of two choices unfinished": (
        Sample(
            events=(says(ROLE), says(ROLE, index=1), says({}, "stop"), DONE),
            request={**REQUEST, "n": 2},
        ),
        "/3",
    ),
}
"""Further forms of a fault that count at both levels."""


def judged(sample, level):
    """Return what the judge finds in the sample."""
    return stream_violations(sample.events, sample.settings, request=sample.request, level=level)


@pytest.mark.parametrize("level", ["documented", "observed"])
@pytest.mark.parametrize("name", VALID)
def test_a_stream_as_the_api_sends_it_breaks_no_rule(name, level):
    """A judge that cries wolf is switched off."""
    assert judged(VALID[name], level) == ()


def test_every_rule_is_broken_by_a_stream_here():
    """A rule that nothing has ever broken may be unable to fire."""
    assert {*BROKEN, *BROKEN_FRAMING} == set(STREAM_RULES)


@pytest.mark.parametrize("rule", BROKEN)
def test_each_rule_is_broken_alone(rule):
    """One fault, one violation, at the place of the fault."""
    sample, pointer = BROKEN[rule]
    found = judged(sample, "documented")
    assert [(one.rule, one.pointer, one.is_note) for one in found] == [(rule, pointer, False)]
    assert found[0].level == STREAM_RULE_LEVELS[rule]
    assert found[0].message


@pytest.mark.parametrize("rule", BROKEN)
def test_what_only_the_documents_promise_is_a_note_about_real_servers(rule):
    """At level observed, honest servers must pass while we still say what differs."""
    sample, pointer = BROKEN[rule]
    is_note = STREAM_RULE_LEVELS[rule] == "documented"
    found = judged(sample, "observed")
    assert [(one.rule, one.pointer, one.is_note) for one in found] == [(rule, pointer, is_note)]


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_form_of_a_fault_counts_as_documented_only(name):
    """Some faults have a form that real servers send and every client bears."""
    sample, rule = HARMLESS[name]
    for level, is_note in (("documented", False), ("observed", True)):
        found = judged(sample, level)
        assert [(one.rule, one.level, one.is_note) for one in found] == [
            (rule, "documented", is_note)
        ]


@pytest.mark.parametrize("name", HARMFUL)
def test_a_harmful_form_of_a_fault_counts_at_both_levels(name):
    """The table of single faults has one form of each; these are the others."""
    sample, pointer = HARMFUL[name]
    for level in ("documented", "observed"):
        found = [one for one in judged(sample, level) if one.level == "observed"]
        assert [(one.pointer, one.is_note) for one in found] == [(pointer, False)]


@pytest.mark.parametrize("reason", ["length", "content_filter"])
@pytest.mark.parametrize("level", ["documented", "observed"])
def test_arguments_cut_short_by_the_finish_are_a_note(reason, level):
    """A call that ran into the token limit ends anywhere; a client should know, no rule is broken."""
    cut = (*CALL[:2], says({}, reason), DONE)
    found = stream_violations(cut, Sample(events=cut).settings, request=REQUEST, level=level)
    assert [(one.rule, one.is_note) for one in found] == [("stream.arguments-json", True)]


def test_counts_before_the_finish_are_misplaced_and_lost():
    """Under the axis `usage` "finish" they may come with the finish or behind it, not before."""
    events = (TEXT[0], says({"content": "Hi"}, usage=COUNTS), TEXT[2], DONE)
    axes = {"usage": "finish", "usage_always": True}
    found = judged(Sample(events=events, request=None, axes=axes), "documented")
    assert [(one.rule, one.pointer) for one in found] == [
        ("stream.usage-placement", "/1/usage"),
        ("stream.usage-last", "/2"),
    ]


@pytest.mark.parametrize(
    ("content", "size"),
    [
        ("abc", 3),
        ("å", 2),
        ("€", 3),
        ("😀", 4),
        ("\u2028", 3),
        ('"', 2),
        ("\x01", 6),
        ("\ud800", 6),
    ],
)
def test_padding_counts_the_bytes_of_the_wire(content, size):
    """Characters are not bytes: a count of the former is right for English alone."""
    bare = len('{"x":""}')
    for member in ({}, {"obfuscation": "abc"}):
        assert padding_length({"x": content, **member}) == -(bare + size) % 16


def test_an_empty_entry_may_follow_the_finish_for_the_sake_of_the_counts_alone():
    """The axis `usage` "finish" excuses a chunk that carries them, not any other."""
    sample = Sample(
        events=(*TEXT[:3], says({"content": ""}), DONE), request=None, axes={"usage": "finish"}
    )
    assert [one.rule for one in judged(sample, "documented")] == ["stream.entry-after-finish"]


def test_a_chunk_behind_an_error_and_done_is_one_fault():
    """Both ends are behind it, and it is told once."""
    sample = Sample(events=(ERROR, DONE, TEXT[0]))
    assert [one.rule for one in judged(sample, "documented")] == ["stream.done-last"]


def test_members_of_the_head_that_are_missing_are_left_to_the_schema():
    """One fault is told once; the schema requires id, object, created and model."""
    bare = {name: TEXT[1][name] for name in ("choices", "service_tier", "system_fingerprint")}
    assert judged(Sample(events=(TEXT[0], bare, *TEXT[2:])), "documented") == ()
    assert judged(Sample(events=(bare | TEXT[0] | {"id": None}, *TEXT[1:])), "documented") == ()


def test_moderation_beside_a_choice_does_not_excuse_it():
    """The chunk that may follow the counts has no choices: others overwrite them in clients."""
    events = (*nulled(*TEXT[:2]), USAGE, TEXT[2] | {"usage": None, "moderation": {"input": {}}})
    found = judged(Sample(events=(*events, DONE), request=WITH_USAGE), "documented")
    assert [one.rule for one in found] == ["stream.usage-last"]


def test_counts_that_are_overwritten_are_told_once():
    """They are lost with the first chunk behind them; the next ones lose nothing more."""
    late = nulled(TEXT[1], TEXT[2])
    events = (*nulled(TEXT[0]), USAGE, *late, DONE)
    found = judged(Sample(events=events, request=WITH_USAGE), "documented")
    assert [(one.rule, one.pointer) for one in found] == [("stream.usage-last", "/2")]


def test_calls_without_indices_go_on_under_the_id_they_began_with():
    """Clients go by the id there: the same one is the same call, though it should not repeat."""
    call = {"id": "call_0", "function": {"arguments": "{}"}}
    events = (CALL[0], says({"tool_calls": [call]}), *CALL[3:])
    found = judged(Sample(events=events), "documented")
    assert [(one.rule, one.actual) for one in found] == [("stream.call-header-once", "call_0")]


def test_arguments_that_are_not_json_are_told_with_the_name_of_their_function():
    """With several tools the name says where to look."""
    sample, _ = BROKEN["stream.arguments-json"]
    (found,) = judged(sample, "observed")
    assert found.message == "The arguments of call 0 ('get_weather') are not JSON text."
    assert found.actual == '{"city":'


def test_a_note_is_given_once_per_stream():
    """A server that differs does so in every chunk; saying it each time buries the rest."""
    sample = Sample(events=TEXT, request=WITH_USAGE | {"stream_options": {"include_usage": True}})
    notes = [one.rule for one in judged(sample, "observed") if one.is_note]
    assert notes == ["stream.usage-null", "stream.obfuscation-presence"]


def test_an_error_is_an_end_of_its_own():
    """A stream that fails honestly is neither complete nor broken."""
    ends = {}
    for name in ("text", "ended by an error", "ended by an error, then by [DONE]"):
        judge = StreamJudge(VALID[name].settings, request=VALID[name].request)
        for event in VALID[name].events:
            judge.feed(event)
        ends[name] = judge.end
    assert ends == {
        "text": "complete",
        "ended by an error": "error",
        "ended by an error, then by [DONE]": "error",
    }
    assert StreamJudge(VALID["text"].settings).end == "open"


def test_every_rule_has_a_summary_of_one_sentence():
    """The list of rules in the documentation is made of them."""
    assert all(summary.endswith(".") and len(summary) < 100 for summary in STREAM_RULES.values())
    assert all(rule.startswith("stream.") for rule in STREAM_RULES)
