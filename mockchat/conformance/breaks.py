"""Which real clients break where a server breaks a rule of the contract, and how.

What openai-python does was run with its versions 1.109, 2.54 and 3.51; what openai-node and
langchain-openai do was read from their sources. A rule that none of them minds says so: then a
server breaks it for the sake of programs nobody here looked at.
"""

from collections.abc import Mapping
from types import MappingProxyType

_NONE = ("none of openai-python, openai-node and langchain-openai",)
_DIFFERS = ("whoever takes one chunk's value for that of the whole stream",)
_LOST_CHOICE = (
    "openai-python's accumulator raises IndexError where the first chunk is of choice 1",
    "openai-node refuses an index that is not below n",
)
_NO_EVENTS = ("openai-python yields nothing and raises nothing; its accumulator an AssertionError",)
_NOT_JSON = ("openai-python raises JSONDecodeError", "openai-node raises SyntaxError")
_CALL = (
    "openai-python gives a call whose name or type is None",
    "openai-node refuses it as missing",
)
_CUT = (
    "openai-python ends without an error, its finish_reason None",
    "openai-node raises that the finish_reason is missing",
)

BREAKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "schema.response": (
            "openai-python does not validate: what is missing is None, an AttributeError later",
            "langchain-openai raises TypeError where choices is null",
        ),
        "schema.chunk": (
            "openai-python does not validate: what is missing is None, an AttributeError later",
            "langchain-openai drops calls without function or index, and asks for delta",
        ),
        "schema.error": (
            "openai-python takes the whole body for the error where `error` is missing",
        ),
        "reply.choice-indices": ("programs that read choices by their place",),
        "reply.finish-reason-tells-calls": ("agents that look for calls after `tool_calls` alone",),
        "reply.content-or-something": ("programs that print the content: None",),
        "reply.call-ids-differ": ("agents that answer calls by their ids: one is answered twice",),
        "stream.event-object": _NOT_JSON,
        "stream.done-once": _NONE,
        "stream.done-last": (
            "openai-python and openai-node stop reading at it: what follows is lost",
        ),
        "stream.error-last": ("openai-python raises APIError at it: what follows is lost",),
        "stream.side-chunk": ("programs that read choices[0] of every chunk: IndexError",),
        "stream.one-id": _DIFFERS,
        "stream.one-object": ("openai-python's accumulator skips a chunk with another one",),
        "stream.one-created": _DIFFERS,
        "stream.one-model": _DIFFERS,
        "stream.one-system-fingerprint": _DIFFERS,
        "stream.one-service-tier": _DIFFERS,
        "stream.one-choice-per-chunk": ("langchain-openai reads choices[0] alone",),
        "stream.usage-unasked": _NONE,
        "stream.usage-once": ("langchain-openai adds the counts up",),
        "stream.usage-placement": ("programs that wait for empty choices before they count",),
        "stream.usage-last": (
            "openai-python's accumulator overwrites usage in each chunk: the counts are lost",
        ),
        "stream.usage-null": _NONE,
        "stream.usage-sum": ("programs that bill by the total",),
        "stream.obfuscation-presence": _NONE,
        "stream.obfuscation-alphabet": _NONE,
        "stream.obfuscation-length": _NONE,
        "stream.member-place": ("the vendor's own clients, which look for it there",),
        "stream.padding-presence": _NONE,
        "stream.choice-index": _LOST_CHOICE,
        "stream.choice-order": _LOST_CHOICE,
        "stream.role-first": (
            "openai-python's accumulator gives a message whose role is None",
            "openai-node refuses a message without a role",
        ),
        "stream.role-once": (
            "openai-python's accumulator joins them: role is 'assistantassistant'",
        ),
        "stream.logprobs-unasked": _NONE,
        "stream.finish-once": _DIFFERS,
        "stream.content-after-finish": ("programs that stop at the finish lose it",),
        "stream.entry-after-finish": _NONE,
        "stream.finish-delta": _NONE,
        "stream.one-call-per-chunk": _NONE,
        "stream.choice-member-place": ("the vendor's own clients, which look for it there",),
        "stream.reasoning-null": ("programs that take a null content for the sign of reasoning",),
        "stream.call-index": (
            "openai-python's accumulator raises IndexError where it starts at 1",
        ),
        "stream.call-header": _CALL,
        "stream.call-header-once": (
            "openai-python's accumulator joins them: 'call_1call_1', 'ff'",
        ),
        "stream.call-header-arguments": _NONE,
        "stream.calls-in-turn": _NONE,
        "stream.finish-needs-calls": ("agents that wait for calls after `tool_calls`",),
        "stream.calls-need-finish": ("agents that look for calls after `tool_calls` alone",),
        "stream.arguments-json": ("every program that reads the arguments: JSONDecodeError",),
        "stream.done-missing": _NONE,
        "stream.choice-missing": ("programs that read choices[n-1]: IndexError",),
        "stream.finish-missing": _CUT,
        "stream.usage-missing": ("programs that count tokens: usage is None",),
        "stream.content-type": ("clients that decide by it whether to read events see none",),
        "stream.bom": (
            "openai-python loses the first event, and with it the role in its accumulator",
        ),
        "stream.line-feed": _NONE,
        "stream.utf-8": ("openai-python raises UnicodeDecodeError",),
        "stream.field": _NO_EVENTS,
        "stream.control-field": (
            "openai-node takes `event: error` for an error, openai-python does not",
        ),
        "stream.data-prefix": _NONE,
        "stream.comment": _NONE,
        "stream.blank-line": _NO_EVENTS,
        "stream.one-data-line": _NONE,
        "stream.stray-blank-line": _NONE,
        "stream.data-json": _NOT_JSON,
        "stream.ending": _NONE,
    }
)
"""What breaks, by the id of the check."""
