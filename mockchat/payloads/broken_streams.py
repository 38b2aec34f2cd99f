"""Streams that break one rule each: the ways, by what the rule is about."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mockchat.payloads import broken_choices as choices
from mockchat.payloads import broken_events as events
from mockchat.payloads.stream_sites import Change
from mockchat.types import Json, JsonView

TEXT: JsonView = {"role": "assistant", "content": "Hello, world"}
_PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_FUNCTION = {"name": "f", "description": "Tells.", "parameters": _PARAMETERS}
_TOOLS = {"tools": [{"type": "function", "function": _FUNCTION}]}
_SAID = {"type": "function", "function": {"name": "f", "arguments": '{"city": "Oslo"}'}}
_ONE_CALL: JsonView = {"role": "assistant", "content": None, "tool_calls": [_SAID]}
_TWO_CALLS: JsonView = {"role": "assistant", "content": None, "tool_calls": [_SAID, _SAID]}


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamBreakage:
    """One way to break a rule on streams.

    Attributes:
        rule: The rule.
        reason: What is wrong then, in words.
        change: Spoils the events.
        message: What the stream says.
        request: What is answered, besides model, messages, stream and its options.
        options: The `stream_options`.
    """

    rule: str
    reason: str
    change: Change
    message: JsonView = field(default_factory=lambda: TEXT)
    request: Mapping[str, Json] = field(default_factory=dict)
    options: Mapping[str, Json] = field(default_factory=dict)


def _broken(rule: str, reason: str, change: Change, **more: Json) -> StreamBreakage:
    return StreamBreakage(
        rule=f"stream.{rule}",
        reason=reason,
        change=change,
        message=more.pop("message", TEXT),
        options=more.pop("options", {}),
        request=more,
    )


_USAGE = {"include_usage": True}
_ONE = {"message": _ONE_CALL, **_TOOLS}
_TWO = {"message": _TWO_CALLS, **_TOOLS}

STREAM_BREAKAGES = (
    _broken("event-object", "an event that is no object", events.no_object),
    _broken("done-once", "[DONE] twice", events.done_twice),
    _broken("done-last", "a chunk behind [DONE]", events.chunk_after_done),
    _broken("error-last", "a chunk behind an error", events.error_before_the_end),
    _broken("one-id", "a chunk with another id", events.changing("id", "chatcmpl-other")),
    _broken("one-object", "a chunk with another object", events.changing("object", "other")),
    _broken("one-created", "a chunk with another time", events.changing("created", 1)),
    _broken("one-model", "a chunk of another model", events.changing("model", "other")),
    _broken(
        "one-system-fingerprint",
        "a chunk of another system",
        events.changing("system_fingerprint", "fp_other"),
    ),
    _broken("one-service-tier", "a chunk of another tier", events.changing("service_tier", "flex")),
    _broken("side-chunk", "a chunk that says nothing", events.nothing_said),
    _broken("one-choice-per-chunk", "two entries in one chunk", events.two_choices),
    _broken("usage-unasked", "usage that nobody asked for", events.usage_unasked),
    _broken("usage-once", "usage twice", events.usage_twice, options=_USAGE),
    _broken("usage-placement", "usage beside the finish", events.usage_elsewhere, options=_USAGE),
    _broken("usage-last", "a chunk behind usage", events.usage_first, options=_USAGE),
    _broken(
        "usage-null", "a chunk that does not say usage null", events.usage_not_null, options=_USAGE
    ),
    _broken("usage-sum", "a total that is not the sum", events.usage_wrong, options=_USAGE),
    _broken("usage-missing", "no usage though asked for", events.without_usage, options=_USAGE),
    _broken(
        "obfuscation-presence",
        "a chunk without padding",
        events.padding(lambda _: None),
        options={"include_obfuscation": True},
    ),
    _broken(
        "obfuscation-alphabet",
        "padding that is no letter",
        events.padding(lambda text: "!" * len(text)),
        options={"include_obfuscation": True},
    ),
    _broken(
        "obfuscation-length",
        "padding of another length",
        events.padding(lambda text: text[1:]),
        options={"include_obfuscation": True},
    ),
    _broken("done-missing", "no [DONE] at the end", events.without_done),
    _broken("choice-missing", "no choice at all", events.without_choices),
    _broken("finish-missing", "no finish_reason", events.without_finish),
    _broken("choice-index", "a choice nobody asked for", choices.choice_too_many),
    _broken("choice-order", "the second choice first", choices.choices_in_another_order, n=2),
    _broken("role-first", "no role at the start", choices.without_role),
    _broken("role-once", "the role twice", choices.role_twice),
    _broken("logprobs-unasked", "log probabilities nobody asked for", choices.logprobs_unasked),
    _broken("finish-once", "finish_reason twice", choices.finish_twice),
    _broken(
        "content-after-finish",
        "text behind the finish",
        choices.behind_finish("/delta/content", content="more"),
    ),
    _broken("entry-after-finish", "an empty delta behind the finish", choices.behind_finish("")),
    _broken("finish-delta", "text beside finish_reason", choices.finish_that_speaks),
    _broken(
        "finish-needs-calls", "a text that finishes as a call does", choices.finish_as("tool_calls")
    ),
    _broken(
        "calls-need-finish",
        "a call that finishes as a text does",
        choices.finish_as("stop"),
        **_ONE,
    ),
    _broken("arguments-json", "arguments that stop short", choices.without_last_piece, **_ONE),
    _broken("call-index", "calls counted from one", choices.calls_from_one, **_ONE),
    _broken("call-header", "a call without id", choices.header_without("id"), **_ONE),
    _broken("call-header-once", "the id of a call twice", choices.header_twice, **_ONE),
    _broken(
        "call-header-arguments",
        "arguments beside the header",
        choices.arguments_with_header,
        **_ONE,
    ),
    _broken("calls-in-turn", "two calls in turns", choices.calls_interleaved, **_TWO),
    _broken("one-call-per-chunk", "two pieces in one chunk", choices.two_pieces_together, **_ONE),
)
"""Every way to break a rule on the events of a stream."""
