"""The conversation that a failed test shows."""

import pytest

from mockchat.exchange import Delivery, Ending, Exchange, Outcome, Violation, Write
from mockchat.scripting.transcript import transcript

PATH = "/v1/chat/completions"


def exchange(**fields):
    """Make an exchange that was delivered."""
    usual = {"index": 0, "method": "POST", "path": PATH, "status": 200}
    return Exchange(**(usual | {"outcome": Outcome.DELIVERED} | fields))


def request(*messages):
    """Make the body of a request."""
    return {"model": "gpt-4o", "messages": list(messages)}


def reply(message, reason="stop"):
    """Make a completion of one choice."""
    return {"choices": [{"index": 0, "message": message, "finish_reason": reason}]}


def chunk(delta, reason=None):
    """Make a chunk of one choice."""
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
CUSTOM = {"id": "call_2", "type": "custom", "custom": {"name": "g", "input": "SELECT 1"}}
HI = {"role": "user", "content": "hi"}

CASES = [
    (
        {"request": request(HI), "reply": reply({"role": "assistant", "content": "Hello\nyou"})},
        [
            f"[0] POST {PATH} -> 200, model 'gpt-4o', 1 message, delivered",
            "    user: hi",
            r"    assistant: Hello\nyou [stop]",
        ],
    ),
    (
        {
            "request": request(HI, {"role": "tool", "content": "4 C"}),
            "reply": reply({"content": None, "tool_calls": [CALL, CUSTOM]}, "tool_calls"),
            "stub": "stub 1 (test_x.py:3)",
        },
        [
            (
                f"[0] POST {PATH} -> 200, model 'gpt-4o', 2 messages, stub 1 (test_x.py:3), "
                "delivered"
            ),
            "    tool: 4 C",
            '    assistant: f({"a": 1}) g(SELECT 1) [tool_calls]',
        ],
    ),
    (
        {
            "request": request(HI),
            "chunks": (
                chunk({"role": "assistant", "content": "He"}),
                chunk({"content": "llo"}),
                chunk({}, "stop"),
            ),
            "ending": Ending.CUT,
        },
        [
            f"[0] POST {PATH} -> 200, model 'gpt-4o', 1 message, 3 chunks, cut, delivered",
            "    user: hi",
            "    assistant: Hello [stop]",
        ],
    ),
    (
        {"chunks": ({"nothing": "of the kind"},)},
        [f"[0] POST {PATH} -> 200, 1 chunk, delivered"],
    ),
    (
        {
            "reply": reply(
                {"role": "assistant", "refusal": "No.", "function_call": CALL["function"]}
            )
        },
        [f"[0] POST {PATH} -> 200, delivered", '    assistant: refuses: No. f({"a": 1}) [stop]'],
    ),
    (
        {
            "request": request(),
            "status": 400,
            "reply": {"error": {"message": "Incorrect API key: sk-abcdef\n\nAsk."}},
            "violations": (
                Violation(rule="schema.required", pointer="", message="'x' is missing"),
                Violation(rule="schema.type", pointer="/n", message="no number"),
            ),
        },
        [
            f"[0] POST {PATH} -> 400, model 'gpt-4o', 0 messages, delivered",
            "    ! /: 'x' is missing (schema.required)",
            "    ! /n: no number (schema.type)",
            "    error: Incorrect API key: [redacted]",
        ],
    ),
    (
        {
            "status": 400,
            "reply": {"error": {"message": "the same at length"}},
            "mismatches": ("stub 1: model is 'a', wanted 'b'",),
            "outcome": Outcome.CLIENT_LEFT,
        },
        [
            f"[0] POST {PATH} -> 400, client left",
            "    - stub 1: model is 'a', wanted 'b'",
        ],
    ),
    (
        {
            "attempt": 2,
            "fault": "CutStream(after_chunks=1)",
            "ending": Ending.CUT,
            "outcome": Outcome.CLIENT_LEFT,
            "delivery": Delivery(status=200, writes=(Write(data=b"a"), Write(data=b"b"))),
            "written": 1,
        },
        [
            (
                f"[0] POST {PATH} -> 200, attempt 2, CutStream(after_chunks=1), cut, client left, "
                "1 of 2 writes left"
            ),
        ],
    ),
    (
        {"request": request({"role": "user", "content": "x" * 300})},
        [
            f"[0] POST {PATH} -> 200, model 'gpt-4o', 1 message, delivered",
            f"    user: {'x' * 200}…",
        ],
    ),
]


@pytest.mark.parametrize(("fields", "lines"), CASES)
def test_an_exchange_reads_as_a_conversation(fields, lines):
    """Whoever reads a failure wants to know who said what, and what became of it."""
    assert transcript([exchange(**fields)]).splitlines() == lines


def test_exchanges_follow_one_another():
    """Order and what is missing are part of the evidence."""
    shown = transcript([exchange(index=3, path="/a"), exchange(index=4, path="/b")], dropped=3)
    assert shown.splitlines() == [
        "(3 earlier exchanges were dropped)",
        "[3] POST /a -> 200, delivered",
        "[4] POST /b -> 200, delivered",
    ]


def test_silence_is_said():
    """An empty section looks like a bug."""
    assert transcript([]) == "no request arrived"
