"""Verdicts on clients rest on what a server can see, and on nothing else."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Ending, Exchange, Outcome, Write
from mockchat.scripting.failures import CarelessClient
from mockchat.scripting.journal import Journal
from mockchat.scripting.matching import Conditions
from mockchat.scripting.queries import Wanted
from mockchat.scripting.verdicts import RULES, verdicts
from mockchat.scripting.verdicts_kinds import Limits, Thresholds
from mockchat.scripting.verdicts_retries import told_wait

PROJECT = Path(__file__).parents[2]
HEEDS, FINAL, BACKS_OFF, STOPS, DROPS, ANSWERS = RULES
USER = {"role": "user", "content": "Weather?"}
COUNT = "x-stainless-retry-count"


def at(received, status=200, *, lasting=0.0, headers=(), **fields):
    """Make an exchange at a time; `lasting` is how long its delivery took."""
    usual = {
        "index": 0,
        "method": "POST",
        "path": "/v1/chat/completions",
        "status": status,
        "request": {"messages": [USER]},
        "outcome": Outcome.DELIVERED,
        "received": float(received),
        "answered": float(received),
        "finished": float(received) + lasting,
        "delivery": Delivery(status=status, headers=tuple(headers.items() if headers else ())),
    }
    return Exchange(**(usual | fields))


def sent_back(*messages, received=10, **fields):
    """Make a later request of a conversation that began with USER."""
    return at(received, request={"messages": [USER, *messages]}, **fields)


def judged(exchanges, **thresholds):
    """Return the verdicts of each rule as pairs of state and exchanges."""
    numbered = [
        Exchange(**({name: getattr(one, name) for name in one.__slots__} | {"index": number}))
        for number, one in enumerate(exchanges)
    ]
    said = verdicts(numbered, thresholds)
    assert all(one.sentence for one in said)
    return {
        rule: [(one.state, one.exchanges) for one in said if one.rule == rule] for rule in RULES
    }


WAIT_1 = {"retry-after": "1"}
FAILED_429 = [at(0, 429, headers=WAIT_1)]


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([], [("unknown", ())]),
        ([at(0)], [("unknown", ())]),
        ([at(0, 429)], [("unknown", ())]),
        (FAILED_429, [("unknown", (0,))]),
        ([*FAILED_429, at(1)], [("ok", (0, 1))]),
        ([*FAILED_429, at(0.96)], [("ok", (0, 1))]),
        ([*FAILED_429, at(0.9)], [("broken", (0, 1))]),
        ([*FAILED_429, at(0.9, path="/other")], [("unknown", (0,))]),
        ([*FAILED_429, at(0.5, 429, headers=WAIT_1), at(2)], [("broken", (0, 1)), ("ok", (1, 2))]),
        ([at(0, 429, headers={"retry-after-ms": "250"}), at(0.3)], [("ok", (0, 1))]),
        (
            [at(0, 429, headers={"retry-after-ms": "250", "retry-after": "1"}), at(0.3)],
            [("ok", (0, 1))],
        ),
        ([at(0, 503, headers={"retry-after": "0"}), at(0)], [("ok", (0, 1))]),
        (
            [at(0, 429, headers={"retry-after": "Fri, 31 Dec 2027 23:59:59 GMT"}), at(0)],
            [("unknown", (0,))],
        ),
        ([at(0, 429, headers={"retry-after": "-1"}), at(0)], [("unknown", (0,))]),
        ([at(0, 429, headers={"retry-after": "600"}), at(60)], [("broken", (0, 1))]),
        # The answer took two seconds: whether its head was read at once cannot be seen.
        ([at(0, 429, headers=WAIT_1, lasting=2), at(2.5)], [("unknown", (0, 1))]),
        ([at(0, 429, headers=WAIT_1, lasting=2), at(3)], [("ok", (0, 1))]),
        ([at(0, 429, headers=WAIT_1, outcome=Outcome.CLIENT_LEFT), at(0)], [("unknown", (0,))]),
        ([at(0, 429, headers=WAIT_1, ending=Ending.CUT), at(0)], [("unknown", (0,))]),
        (
            [at(0, 429, headers=WAIT_1), at(-1, 429, headers=WAIT_1, answered=0.0), at(0.1)],
            [("unknown", (0,)), ("unknown", (1,)), ("unknown", (0, 1, 2))],
        ),
        # A success that says when to come back says nothing of a retry.
        ([at(0, headers=WAIT_1), at(0)], [("unknown", ())]),
    ],
)
def test_retry_after_is_heeded(exchanges, expected):
    """A client that comes back sooner than told makes an overload worse."""
    assert judged(exchanges)[HEEDS] == expected


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([at(0)], [("unknown", ())]),
        ([at(0, 400)], [("ok", (0,))]),
        ([at(0, 400), at(1)], [("broken", (0, 1))]),
        ([at(0, 404), at(1), at(2)], [("broken", (0, 1))]),
        ([at(0, 400), at(1, path="/other")], [("ok", (0,))]),
        ([at(0, 429), at(1)], [("ok", (0, 1))]),
        ([at(0, 500), at(1)], [("ok", (0, 1))]),
        ([at(0, 500)], [("unknown", ())]),
        ([at(0, 401), at(1)], [("unknown", (0, 1))]),
        ([at(0, 400, headers={"x-should-retry": "true"}), at(1)], [("ok", (0, 1))]),
        ([at(0, 500, headers={"X-Should-Retry": "false"}), at(1)], [("broken", (0, 1))]),
        ([at(0, 400, ending=Ending.CUT), at(1)], [("unknown", ())]),
        (
            [at(0, 400), at(-1, 400, answered=0.0), at(1)],
            [("ok", (0,)), ("ok", (1,)), ("unknown", (0, 1, 2))],
        ),
    ],
)
def test_what_is_final_is_not_repeated(exchanges, expected):
    """The same bad request gets the same answer, for money and rate limits."""
    assert judged(exchanges)[FINAL] == expected


def test_what_may_be_repeated_is_settable():
    """A gateway may have its own idea."""
    assert judged([at(0, 425), at(1)], retryable={425})[FINAL] == [("ok", (0, 1))]
    assert judged([at(0, 429), at(1)], retryable=())[FINAL] == [("broken", (0, 1))]


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([at(0, 500)], [("unknown", ())]),
        ([at(0, 500), at(0.5)], [("ok", (0, 1))]),
        ([at(0, 500), at(0.01)], [("broken", (0, 1))]),
        ([at(0, 500, headers=WAIT_1), at(0.01)], [("unknown", ())]),
        ([at(0, 400), at(0.01)], [("unknown", ())]),
        ([at(0, ending=Ending.CUT), at(0.01)], [("broken", (0, 1))]),
        # When the client gave up is its own affair.
        ([at(0, outcome=Outcome.CLIENT_LEFT, lasting=5), at(5.01)], [("unknown", (0, 1))]),
        ([at(0, outcome=Outcome.CLIENT_LEFT, lasting=5), at(4)], [("unknown", (0, 1))]),
        ([at(0, 500, finished=None), at(1)], [("ok", (0, 1))]),
        ([at(0, 500), at(-1, 500, answered=0.0), at(1)], [("unknown", (0, 1, 2))]),
    ],
)
def test_a_client_waits_before_it_repeats(exchanges, expected):
    """A loop without a pause is an attack."""
    assert judged(exchanges)[BACKS_OFF] == expected


def test_the_shortest_wait_and_the_tolerance_are_settable():
    """A test with a fast client says so."""
    exchanges = [at(0, 500), at(0.3)]
    assert judged(exchanges, shortest_wait=1)[BACKS_OFF] == [("broken", (0, 1))]
    assert judged(exchanges, shortest_wait=1, tolerance=0.7)[BACKS_OFF] == [("ok", (0, 1))]
    assert judged(exchanges, shortest_wait=0)[BACKS_OFF] == [("ok", (0, 1))]


def storm(count):
    """Make so many attempts at one request, each failing."""
    return [at(number, 503) for number in range(count)]


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([], [("unknown", ())]),
        (storm(1), [("unknown", ())]),
        (storm(2), [("ok", (0, 1))]),
        (storm(5), [("ok", (0, 1, 2, 3, 4))]),
        (storm(6), [("broken", (0, 1, 2, 3, 4, 5))]),
        ([at(0, 500, headers={}), at(1), at(2, 500), at(3)], [("ok", (0, 1)), ("ok", (2, 3))]),
        # The client itself counts more attempts than arrived.
        ([at(0, attempt=8)], [("broken", (0,))]),
        (
            [at(0, 500), at(-1, 500, answered=0.0), *[at(n, 500) for n in range(1, 6)]],
            [("unknown", (6,))],
        ),
    ],
)
def test_a_client_gives_up(exchanges, expected):
    """An outage must not be answered with a flood."""
    found = judged(exchanges)[STOPS]
    assert found[: len(expected)] == expected


def test_the_number_of_attempts_is_settable():
    """Three is what the official client makes."""
    assert judged(storm(4), max_attempts=3)[STOPS] == [("broken", (0, 1, 2, 3))]


def reply(text=None, reason="stop", calls=()):
    """Make a completion."""
    message = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = [
            {"id": one, "type": "function", "function": {"name": "f", "arguments": "{}"}}
            for one in calls
        ]
    return {"choices": [{"index": 0, "message": message, "finish_reason": reason}]}


def assistant(text=None, calls=()):
    """Make the message that a client keeps of a reply."""
    return reply(text, calls=calls)["choices"][0]["message"]


def chunks(*texts, reason=None):
    """Make the chunks of a stream."""
    deltas = [{"index": 0, "delta": {"content": text}} for text in texts]
    if reason:
        deltas.append({"index": 0, "delta": {}, "finish_reason": reason})
    return tuple({"choices": [delta]} for delta in deltas)


MEANT = chunks("It is ", "4 °C ", "in Oslo.", reason="stop")
CUT = at(0, chunks=MEANT, sent_chunks=MEANT[:2], fault="CutStream(after_chunks=2)")
LENGTH = at(0, reply=reply("It is 4", "length"))
MORE = {"role": "user", "content": "And tomorrow?"}
ARGUMENTS = tuple(
    {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, **call}]}}]}
    for call in (
        {"id": "call_1", "function": {"name": "f", "arguments": ""}},
        {"function": {"arguments": '{"a":'}},
        {"function": {"arguments": " 1}"}},
    )
)


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([at(0, reply=reply("It is 4 °C"))], [("unknown", ())]),
        ([LENGTH], [("unknown", (0,))]),
        ([LENGTH, sent_back(MORE)], [("ok", (0,))]),
        ([LENGTH, sent_back(assistant("It is 4"), MORE)], [("broken", (0, 1))]),
        ([LENGTH, sent_back(assistant("It is 4"))], [("ok", (0, 1))]),
        ([LENGTH, sent_back(assistant("It is"), MORE)], [("ok", (0,))]),
        ([LENGTH, sent_back(assistant(), MORE)], [("ok", (0,))]),
        ([LENGTH, sent_back({"role": "user", "content": "It is 4"}, MORE)], [("ok", (0,))]),
        ([LENGTH, sent_back(MORE, assistant("It is 4"), MORE)], [("ok", (0,))]),
        (
            [LENGTH, at(1, reply=reply("It is 4")), sent_back(assistant("It is 4"), MORE)],
            [("ok", (0,))],
        ),
        ([CUT, sent_back(assistant("It is 4 °C "), MORE)], [("broken", (0, 1))]),
        ([CUT, sent_back(assistant("It is "), MORE)], [("broken", (0, 1))]),
        ([CUT, sent_back(assistant("It "), MORE)], [("ok", (0,))]),
        ([CUT, sent_back(assistant("It is 4 °C in Oslo."), MORE)], [("ok", (0,))]),
        (
            [
                at(0, chunks=MEANT, sent_chunks=MEANT[:2], outcome=Outcome.CLIENT_LEFT),
                sent_back(assistant("It is 4 °C "), MORE),
            ],
            [("unknown", (0,))],
        ),
        ([at(0, chunks=MEANT, sent_chunks=MEANT), at(1)], [("unknown", ())]),
        # Only the finish reason is missing: the text is whole.
        ([at(0, chunks=MEANT, sent_chunks=MEANT[:3]), at(1)], [("unknown", ())]),
        # Damaged in its midst: another text, but none that breaks off.
        ([at(0, chunks=MEANT, sent_chunks=(*MEANT[:1], *MEANT[2:3])), at(1)], [("unknown", ())]),
        ([at(0, chunks=MEANT), sent_back(assistant("x"), MORE)], [("ok", (0,))]),
        (
            [
                at(0, chunks=ARGUMENTS, sent_chunks=ARGUMENTS[:2]),
                sent_back(assistant(calls=["call_1"]), MORE),
            ],
            [("broken", (0, 1))],
        ),
        ([at(0, 500, reply=reply("x", "length")), at(1)], [("unknown", ())]),
        (
            [
                at(0, reply=reply("It is 4", "length"), fault="TruncatedJson()"),
                sent_back(assistant("It is 4"), MORE),
            ],
            [("unknown", ())],
        ),
        (
            [at(0, reply={"choices": [{"index": "x"}, {"index": 0, "message": 3}]}), at(1)],
            [("unknown", ())],
        ),
    ],
)
def test_a_reply_that_broke_off_is_not_taken_for_whole(exchanges, expected):
    """The model would be told that it said half a sentence and meant it."""
    assert judged(exchanges)[DROPS] == expected


def test_a_damaged_body_is_judged_as_it_was_sent():
    """The journal keeps what was meant as well."""
    body = b'{"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "length"}]}'
    from_wire = at(0, reply=reply("Hi"), fault="Odd()", written=1)
    from_wire = from_wire.__class__(
        **{name: getattr(from_wire, name) for name in from_wire.__slots__}
        | {"delivery": Delivery(status=200, writes=(write(body),))}
    )
    found = judged([from_wire, sent_back(assistant("Hi"), MORE)])
    assert found[DROPS] == [("broken", (0, 1))]


def write(data):
    """Make a write without a delay."""
    return Write(data=data)


CALLS = at(0, reply=reply(calls=["call_1", "call_2"], reason="tool_calls"))


def result(name):
    """Make the message with a tool's result."""
    return {"role": "tool", "tool_call_id": name, "content": "4"}


@pytest.mark.parametrize(
    ("exchanges", "expected"),
    [
        ([at(0, reply=reply("no call"))], [("unknown", ())]),
        ([CALLS], [("unknown", (0,))]),
        ([CALLS, sent_back(MORE)], [("unknown", (0,))]),
        ([CALLS, sent_back(assistant(calls=["call_1", "call_2"]), MORE)], [("broken", (0, 1))]),
        (
            [CALLS, sent_back(assistant(calls=["call_1", "call_2"]), result("call_1"))],
            [("broken", (0, 1))],
        ),
        (
            [
                CALLS,
                sent_back(
                    assistant(calls=["call_1", "call_2"]), result("call_2"), result("call_1")
                ),
                sent_back(
                    assistant(calls=["call_1", "call_2"]),
                    result("call_2"),
                    result("call_1"),
                    MORE,
                    received=20,
                ),
            ],
            [("ok", (0, 1))],
        ),
        (
            [
                CALLS,
                sent_back(assistant(calls=["call_1"]), result("call_1")),
                sent_back(assistant(calls=["call_1"]), MORE, received=20),
            ],
            [("ok", (0, 1)), ("broken", (0, 2))],
        ),
        ([CALLS, sent_back(assistant(calls=["call_9"]), MORE)], [("unknown", (0,))]),
    ],
)
def test_tool_calls_are_answered(exchanges, expected):
    """The API refuses a history with an open call, at the worst moment."""
    assert judged(exchanges)[ANSWERS] == expected


def older(name="f", arguments='{"a": 1, "b": 2}'):
    """Make an assistant's message with a function call, of the kind without an id."""
    function = {"name": name, "arguments": arguments}
    return {"role": "assistant", "content": None, "function_call": function}


def completion(message):
    """Make a completion of one message."""
    return {"choices": [{"index": 0, "message": message, "finish_reason": "function_call"}]}


def returned(name="f"):
    """Make the message with a function's result."""
    return {"role": "function", "name": name, "content": "4"}


OLDER = at(0, reply=completion(older()))
OLDER_STREAM = at(
    0,
    **dict.fromkeys(
        ("chunks", "sent_chunks"),
        tuple(
            {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
            for delta, reason in (
                ({"role": "assistant", "function_call": {"name": "f", "arguments": ""}}, None),
                ({"function_call": {"arguments": '{"a": 1,'}}, None),
                ({"function_call": {"arguments": ' "b": 2}'}}, None),
                ({}, "function_call"),
            )
        ),
    ),
)


@pytest.mark.parametrize("called", [OLDER, OLDER_STREAM], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([older(), returned()], ("ok", (0, 1))),
        ([older(arguments='{"b":2,"a":1}'), returned()], ("ok", (0, 1))),
        ([older(), returned("g")], ("broken", (0, 1))),
        ([older(), MORE], ("broken", (0, 1))),
        ([older(), {"role": "tool", "name": "f", "content": "4"}], ("broken", (0, 1))),
        ([older(arguments='{"a": 2}'), MORE], ("unknown", (0,))),
        ([older("g"), MORE], ("unknown", (0,))),
        ([MORE], ("unknown", (0,))),
    ],
)
def test_function_calls_are_answered(called, history, expected):
    """The older kind has no id: name and arguments tell calls apart, however they are spelt."""
    assert judged([called, sent_back(*history)])[ANSWERS] == [expected]


def test_a_function_call_without_its_result_is_told_by_its_name():
    """There is no id that somebody could look for."""
    (verdict,) = [
        one for one in verdicts([OLDER, sent_back(older(), MORE)], {}) if one.rule == ANSWERS
    ]
    assert "came without the result of function 'f', which reply" in verdict.sentence


@pytest.mark.parametrize("arguments", ['{"a": 1,', "[" * 100_000, 7, None])
def test_a_function_call_that_broke_off_is_no_history(arguments):
    """What came of its arguments need not be JSON, nor be text."""
    cut = completion(older(arguments=arguments))
    cut["choices"][0]["finish_reason"] = "length"
    exchanges = [at(0, reply=cut), sent_back(older(arguments=arguments), MORE)]
    assert judged(exchanges)[DROPS] == [("broken", (0, 1))]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"retry-after-ms": "1"}, 0.001),
        ({"retry-after-ms": "x", "retry-after": "3"}, 3.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "9" * 400}, None),
    ],
)
def test_a_wait_is_a_plain_number_of_seconds(headers, seconds):
    """A header holds any text."""
    assert told_wait(at(0, 429, headers=headers)) == seconds


@pytest.mark.parametrize(
    ("thresholds", "text"),
    [
        ({"max_atempts": 3}, "Did you mean 'max_attempts'?"),
        ({"max_attempts": 0}, "max_attempts is 0; allowed: a whole number above 0."),
        ({"shortest_wait": -1}, "shortest_wait is -1; allowed: a number of seconds, 0 or more."),
        ({"tolerance": True}, "tolerance is True"),
        ({"retryable": 429}, "retryable is 429; allowed: a collection of statuses"),
        ({"retryable": ["429"]}, "retryable is ['429']"),
        ({"ignore": "client.backs-off"}, "ignore is 'client.backs-off'; allowed: a collection"),
        ({"ignore": ["client.back-off"]}, "Did you mean 'client.backs-off'?"),
    ],
)
def test_a_threshold_that_cannot_be_is_refused(thresholds, text):
    """A typo would leave the default in place."""
    with pytest.raises(BadArgument) as caught:
        Journal().verdicts(**thresholds)
    assert text in str(caught.value)


@pytest.mark.parametrize("page", ["README.md", "docs/journal.md"])
def test_every_rule_is_documented(page):
    """Whoever is accused looks the rule up."""
    rows = re.findall(r"^\| `(client\.[a-z-]+)` \|", (PROJECT / page).read_text(), re.MULTILINE)
    assert rows == list(RULES)


def test_every_threshold_is_documented_with_its_default():
    """A default that nobody states is a rule that nobody agreed to."""
    page = (PROJECT / "docs" / "journal.md").read_text()
    defaults = Limits()
    for name in Thresholds.__annotations__:
        value = getattr(defaults, name)
        shown = "()" if value == frozenset() else str(value)
        said = re.search(rf"^\| `{name}` \| `(.*?)` \|", page, re.MULTILINE)[1]
        assert said == ("{408, 409, 429}" if name == "retryable" else shown)
    assert defaults.retryable == {408, 409, 429}


def test_every_further_keyword_is_documented():
    """The keywords of `when` are in the README."""
    page = (PROJECT / "docs" / "journal.md").read_text()
    further = Wanted.__annotations__.keys() - Conditions.__annotations__.keys()
    questions = page.partition("## Questions")[2].partition("## Attempts")[0]
    assert set(re.findall(r"^\| `([a-z]+)` \|", questions, re.MULTILINE)) == further
    for values in (Outcome, Ending):
        assert all(f'`"{value.value}"`' in questions for value in values)


def test_every_field_of_an_exchange_is_documented():
    """A field that nobody knows of is not read."""
    page = (PROJECT / "docs" / "journal.md").read_text()
    named = set(re.findall(r"`([a-z_]+)`", page.partition("## Questions")[0]))
    members = {name for name in dir(Exchange) if not name.startswith("_")}
    assert members <= named


def test_rules_can_be_left_out():
    """An application may ask a model to go on where it stopped."""
    said = Journal().verdicts(ignore=[BACKS_OFF, DROPS])
    assert [one.rule for one in said] == [HEEDS, FINAL, STOPS, ANSWERS]
    assert {one.state for one in said} == {"unknown"}


def test_a_broken_rule_fails_with_times_and_requests():
    """Whoever reads it knows which request to look at, and how long the client waited."""
    now = [0.0]
    journal = Journal(clock=lambda: now[0])
    for time, status in [(0.0, 429), (0.25, 400), (0.5, 200)]:
        now[0] = time
        headers = WAIT_1 if status == 429 else {}
        journal.add(at(time, status, headers=headers))
    with pytest.raises(CarelessClient) as caught:
        journal.assert_well_behaved()
    assert str(caught.value).splitlines()[:5] == [
        "The client broke 2 rules of good behaviour.",
        "",
        (
            "- client.heeds-retry-after: request 1 came 0.25 s after request 0 was answered, told "
            "to wait 1 s"
        ),
        (
            "- client.retries-nothing-final: request 1 was answered with 400, which is final, and "
            "repeated by request 2"
        ),
        "",
    ]
    first, *_ = journal.verdicts()
    assert first.seconds == {"waited": 0.25, "waited at least": 0.25, "wanted": 1.0}
    journal.assert_well_behaved(ignore=[HEEDS, FINAL])


def test_a_wait_between_two_bounds_is_told_as_such():
    """The evidence says why nobody knows."""
    (said, *_) = verdicts([at(0, 429, headers=WAIT_1, lasting=2.0), at(2.5, index=1)], {})
    assert said.sentence == (
        "request 1 came 2.5 s after request 0 was answered (or only 0.5 s: what is true is not "
        "seen), told to wait 1 s"
    )


def test_a_journal_that_dropped_its_beginning_is_judged_from_there():
    """Indexes go on counting."""
    journal = Journal(limit=2, clock=lambda: 0.0)
    for _ in range(8):
        journal.add(at(0, 503))
    found = {one.rule: one for one in journal.verdicts()}
    assert found[STOPS].state == "broken"
    assert found[STOPS].exchanges == (6, 7)


statuses = st.sampled_from([200, 400, 401, 429, 500])
waits = st.floats(1.0, 100.0)


@given(st.lists(st.tuples(statuses, waits), max_size=8))
def test_a_patient_client_that_repeats_only_what_may_be_is_never_accused(steps):
    """A false accusation costs more trust than a missed one."""
    time, exchanges = 0.0, []
    for number, (status, wait) in enumerate(steps):
        # A new question, unless the one before may be repeated.
        may = exchanges and exchanges[-1].status in {429, 500}
        request = exchanges[-1].request if may else {"messages": [USER], "n": number}
        exchanges.append(at(time, status, headers={"retry-after": "1"}, request=request))
        time += wait
    found = judged(exchanges, max_attempts=len(steps) + 1)
    assert "broken" not in {state for said in found.values() for state, _ in said}


@given(st.lists(statuses, min_size=2, max_size=8), st.floats(0, 0.04))
def test_a_hasty_client_is_always_found(answers, wait):
    """Each way of haste has its rule."""
    exchanges = [at(number * wait, status) for number, status in enumerate(answers)]
    found = judged(exchanges)
    repeated = set(answers[:-1])
    if 400 in repeated:
        assert "broken" in {state for state, _ in found[FINAL]}
    if repeated & {429, 500}:
        assert "broken" in {state for state, _ in found[BACKS_OFF]}
