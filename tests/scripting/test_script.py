"""Which stub answers, and what a test is told when nothing went as written."""

import pickle
import threading
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.errors import BadArgument, MockchatError
from mockchat.exchange import Exchange, Outcome
from mockchat.scripting.builders import error, text, unchecked
from mockchat.scripting.contents import Said
from mockchat.scripting.failures import (
    InvalidReply,
    LateRequest,
    NoStubMatched,
    ServerFailed,
    UnusedReply,
)
from mockchat.scripting.faults_timing import Pacing
from mockchat.scripting.matching import RequestView
from mockchat.scripting.script import Script
from mockchat.scripting.scripts import Scripts


def view(model="gpt-4o", **body):
    """Make a request."""
    messages = [{"role": "user", "content": "hi"}]
    return RequestView(
        method="POST",
        path="/v1/chat/completions",
        body={"model": model, "messages": messages, **body},
    )


def arrive(script):
    """Journal a request as an app does."""
    script.journal.add(
        Exchange(index=0, method="POST", path="/", status=200, outcome=Outcome.DELIVERED)
    )


def asked(script, *views):
    """Return the text each request gets, None where no stub matches."""
    answers = []
    for request in views:
        try:
            content = script.select(request).reply.content
        except NoStubMatched:
            answers.append(None)
        else:
            answers.append(content.text if isinstance(content, Said) else content)
    return answers


def test_the_first_stub_that_matches_and_has_a_reply_answers():
    """This is the one rule of scripting; everything else follows from it."""
    script = Script()
    script.when(model="gpt-4o").reply("one").then("two")
    script.reply("any")
    script.when(model="gpt-4o").reply("late")
    assert asked(script, view(), view("o3"), view(), view(), view()) == [
        "one",
        "any",
        "two",
        "late",
        None,
    ]


def test_a_selection_tells_stub_reply_and_ordinal():
    """The ordinal goes into the draw: two generated replies of one stub must differ."""
    script = Script()
    stub = script.reply("a").times(2).then("b")
    selections = [script.select(view()) for _ in range(3)]
    assert [s.ordinal for s in selections] == [0, 1, 2]
    assert {s.stub for s in selections} == {stub}
    assert [s.reply.content for s in selections] == [Said(text="a"), Said(text="a"), Said(text="b")]


PLAN = st.lists(
    st.tuples(st.booleans(), st.lists(st.integers(1, 3), min_size=1, max_size=3), st.booleans()),
    max_size=4,
)


@given(plan=PLAN, requests=st.integers(0, 20))
def test_a_script_is_a_sequence_of_texts(plan, requests):
    """Whatever is written, replies come in written order, each as often as said."""
    script, expected = Script(), []
    for number, (matches, counts, is_endless) in enumerate(plan):
        # A predicate: of conditions that compare, one that repeats for ever would leave none over.
        stub = script.when(where=lambda _, matches=matches: matches)
        for position, count in enumerate(counts):
            name = f"{number}.{position}"
            stub = (stub.then if position else stub.reply)(name).times(count)
            expected += [name] * count if matches else []
        if is_endless:
            stub.forever()
            if matches:
                expected = expected[: -counts[-1]] + [f"{number}.{len(counts) - 1}"] * requests
    expected = (expected + [None] * requests)[:requests]
    assert asked(script, *[view() for _ in range(requests)]) == expected


def test_a_stub_is_named_after_its_line():
    """The name must lead to the line of the test, not to ours."""
    script = Script()
    first = script.reply("x")
    here = first.name
    second = script.when(model="m")
    assert here.startswith("stub 1 (test_script.py:")
    assert second.name.startswith("stub 2 (test_script.py:")
    assert int(second.name.split(":")[1][:-1]) == int(here.split(":")[1][:-1]) + 2
    assert repr(first) == f"<{here}>"
    assert script.stubs == (first, second)


def test_threads_get_each_reply_once():
    """Two connections must never be given the same reply."""
    script = Script()
    for number in range(100):
        script.reply(str(number))
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.extend(asked(script, *[view()] * 25)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers, key=int) == [str(number) for number in range(100)]
    script.verify()


def test_no_stub_matched_shows_every_stub_closest_first():
    """The text is the whole of what a user has to find the cause."""
    script = Script()
    script.when(model="o3", stream=True).reply("x")
    script.when(model="o3").reply("x")
    script.reply("y")
    script.select(view())
    with pytest.raises(NoStubMatched) as caught:
        script.select(view(stream=True))
    first, second, third = (stub.name for stub in script.stubs)
    assert str(caught.value) == (
        "POST /v1/chat/completions matched none of 3 stubs.\n"
        "\n"
        "Request: model='gpt-4o', 1 message, last role 'user', stream=True\n"
        f"- {first}: model is 'gpt-4o', wanted 'o3'\n"
        f"- {second}: model is 'gpt-4o', wanted 'o3'\n"
        f"- {third}: exhausted, 1 of 1 reply sent\n"
        "\n"
        "Add a stub for this request, or let stub 3 repeat: README.md#repeating-a-reply"
    )
    script.when(model="o3").reply("z")
    with pytest.raises(NoStubMatched) as caught:
        script.select(view())
    assert caught.value.lines[0].startswith("stub 2 ")
    assert caught.value.lines[-1].endswith(
        ": model is 'gpt-4o', wanted 'o3'; stream is False, wanted True"
    )


@pytest.mark.parametrize(
    ("write", "advice"),
    [
        (lambda script: None, "Add a stub for this request: README.md#matching-a-request"),
        (
            lambda script: script.when(model="o3").reply("x"),
            "Add a stub for this request, or change what stub 1 wants: README.md#matching-a-request",
        ),
        (
            lambda script: script.when(),
            "Add a stub for this request, or change what stub 1 wants: README.md#matching-a-request",
        ),
    ],
)
def test_the_advice_fits_the_cause(write, advice):
    """One sentence says what to do; it must be the right one."""
    script = Script()
    write(script)
    with pytest.raises(NoStubMatched) as caught:
        script.select(view())
    assert str(caught.value).splitlines()[-1] == advice


def test_keys_in_a_request_stay_out_of_the_text():
    """A failure is printed in CI logs."""
    error_ = NoStubMatched("POST /", "model='sk-abcdef'", [("stub 1", ("model is 'sk-abcdef'",))])
    assert "sk-abcdef" not in str(error_)


def test_an_unmatched_request_fails_the_test():
    """A client may swallow the error it got; the test must fail all the same."""
    script = Script()
    script.reply("x")
    assert asked(script, view(), view(), view()) == ["x", None, None]
    assert [type(problem) for problem in script.problems()] == [NoStubMatched]
    with pytest.raises(NoStubMatched):
        script.verify()
    script.verify()


def test_an_unmatched_request_may_be_generated():
    """Under `generate` it is for the server to answer, and nothing fails."""
    script = Script(unmatched="generate")
    assert asked(script, view()) == [None]
    script.verify()


def test_an_unused_reply_fails_the_test():
    """A reply that nothing asked for means that the code did less than the author thinks."""
    script = Script()
    script.reply("x").then("y")
    script.when(model="o3").reply("z").times(3)
    script.when(model="o4")
    asked(script, view())
    arrive(script)
    with pytest.raises(UnusedReply) as caught:
        script.verify()
    names = [stub.name for stub in script.stubs]
    assert str(caught.value) == (
        "4 of 5 replies unused, 1 request arrived.\n"
        "\n"
        f"- {names[0]}: 1 of 2 replies sent\n"
        f"- {names[1]}: 0 of 3 replies sent\n"
        f"- {names[2]}: has no reply; give it one with .reply(...)\n"
        "\n"
        'Remove what is not needed, or allow it with unused="ignore": README.md#unused-replies'
    )


def test_stubs_without_a_reply_are_not_replies_unused():
    """Of zero replies none can be unused, and no client was built too early."""
    script = Script()
    script.when(model="o3")
    with pytest.raises(UnusedReply) as caught:
        script.verify()
    assert str(caught.value) == (
        "1 stub is without a reply, no request arrived.\n"
        "\n"
        f"- {script.stubs[0].name}: has no reply; give it one with .reply(...)"
    )


def test_no_request_at_all_points_to_a_client_built_too_early():
    """The commonest cause is a client that was built before the test set its environment."""
    script = Script()
    script.reply("x")
    with pytest.raises(UnusedReply) as caught:
        script.verify()
    assert str(caught.value) == (
        "1 of 1 reply unused, no request arrived.\n"
        "\n"
        f"- {script.stubs[0].name}: 0 of 1 reply sent\n"
        "\n"
        "Is an await missing, or was the client given another base_url? Was it built before the "
        "test set OPENAI_BASE_URL, at import or in a wider fixture? Build it in the test, or set "
        "mockchat_env = session: README.md#a-client-built-at-import"
    )


def test_requests_are_counted_though_the_journal_forgets_them():
    """A bounded journal must not make busy code look as if it had asked for nothing."""
    script = Script(journal_limit=1)
    script.reply("x")
    for _ in range(2):
        arrive(script)
    with pytest.raises(UnusedReply, match="1 of 1 reply unused, 2 requests arrived"):
        script.verify()


def test_unused_replies_may_be_ignored():
    """A shared script may offer more than each test needs."""
    script = Script(unused="ignore")
    script.reply("x")
    script.verify()


def test_a_reply_for_ever_must_be_asked_for_once():
    """An endless stub that never answered is as suspicious as any other."""
    script = Script()
    script.reply("x").forever()
    with pytest.raises(UnusedReply, match="1 of 1 reply unused"):
        script.verify()
    script = Script()
    script.reply("x").forever()
    assert asked(script, view(), view()) == ["x", "x"]
    script.verify()


def test_several_problems_are_told_together():
    """The second problem is often the cause of the first."""
    script = Script()
    script.when(model="o3").reply("x")
    asked(script, view())
    script.charge(ServerFailed("POST /", "KeyError: 'x'"))
    with pytest.raises(NoStubMatched) as caught:
        script.verify()
    notes = caught.value.__notes__
    assert notes[0] == "\nServerFailed: POST / could not be answered: KeyError: 'x'"
    assert notes[1].startswith("\nUnusedReply: 1 of 1 reply unused")


def test_what_the_body_raised_is_not_hidden():
    """The assertion that failed is the news; what the script found explains it."""
    script = Script()
    script.when(model="o3").reply("x")
    asked(script, view())
    arrive(script)
    raised = AssertionError("the news")
    script.verify(raised)
    assert len(raised.__notes__) == 1
    assert raised.__notes__[0].startswith("\nNoStubMatched: POST /v1/chat/completions matched")
    script.verify()


def test_a_failed_body_hears_of_unused_replies_only_if_nothing_arrived():
    """A test that failed half way has replies left; that is no news unless nothing arrived."""
    script = Script()
    script.reply("x")
    raised = AssertionError()
    script.verify(raised)
    assert raised.__notes__[0].startswith("\nUnusedReply: 1 of 1 reply unused, no request arrived")


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (lambda script: script.reply("x").reply("y"), "reply()"),
        (lambda script: script.when().then("y"), "then()"),
        (lambda script: script.reply("x").forever().then("y"), "then()"),
        (lambda script: script.reply("x").times(0), "times()"),
        (lambda script: script.reply("x").times(True), "times()"),
        (lambda script: script.reply("x").times("2"), "times()"),
        (lambda script: script.when().times(2), "times()"),
        (lambda script: script.when().forever(), "forever()"),
        (lambda script: script.reply(4), "reply()"),
        (lambda script: script.reply("x", pacin=1), "keyword of reply()"),
        (lambda script: script.reply("x", plan=3), "reply(plan=)"),
        (lambda script: script.reply("x", pacing=0.2), "reply(pacing=)"),
        (lambda script: script.reply("x", pacing=Pacing), "reply(pacing=)"),
        (lambda script: script.reply("x", fault="cut"), "reply(fault=)"),
        (lambda script: script.reply("x", finish_reason=1), "reply(finish_reason=)"),
        (lambda script: script.reply("x", usage=[1]), "reply(usage=)"),
        (lambda script: script.reply({"created": date(2020, 1, 1)}), "reply() at /created"),
        (lambda script: script.reply(unchecked({"a": [1, {"b/c": {2}}]})), "reply() at /a/1/b~1c"),
        (lambda script: script.reply(unchecked([{"a": (1, b"x")}])), "reply() at /0/a/1"),
        (lambda script: script.reply(unchecked({"a": float("nan")})), "reply() at /a"),
        (lambda script: script.reply({"a": {1: "b"}}), "reply() at /a"),
        (lambda script: script.reply(error(400, message=date(2020, 1, 1))), "reply() at /message"),
        (lambda script: script.reply("x", usage={"a": date(2020, 1, 1)}), "reply() at /usage/a"),
        (
            lambda script: script.reply(error(500), finish_reason="stop"),
            "reply(finish_reason=, usage=)",
        ),
    ],
)
def test_a_mistake_in_a_stub_is_told_where_it_is_written(write, name):
    """What can never work must not wait for a request."""
    with pytest.raises(BadArgument) as caught:
        write(Script())
    assert caught.value.name == name


def test_a_misspelt_option_is_guessed():
    """The list of what is allowed is longer than the mistake."""
    with pytest.raises(BadArgument, match=r"Did you mean 'pacing'\?$"):
        Script().reply("x", pasing=Pacing(ttft=1))


def test_what_json_can_carry_is_let_through():
    """Whoever sends nonsense on purpose may send any JSON there is."""
    whole = {"a": [None, True, 1, 1.5, "x", {"b": [{}, []]}], "c": (1, 2), "d": 10**400}
    assert Script().reply(unchecked(whole)).expected == 1


def test_a_refused_reply_leaves_no_stub_behind():
    """A stub without its reply would be reported as unused as well."""
    script = Script()
    with pytest.raises(InvalidReply):
        script.reply(text("x", finish_reason="done"))
    assert script.stubs == ()


def test_what_a_callable_raises_reaches_the_caller():
    """The server thread must hear of it, to carry it to the test."""

    def explode(request):
        raise ZeroDivisionError

    script = Script()
    script.when(where=explode).reply("x")
    with pytest.raises(ZeroDivisionError):
        script.select(view())


FAILURES = [
    NoStubMatched("POST /", "model='m'", [("stub 1 (a.py:1)", ("x", "y"))], "stub 1 (a.py:1)"),
    UnusedReply([("stub 1", "0 of 1 reply sent")], 1, 1, 0),
    InvalidReply("The reply is wrong.", ["/a: b"]),
    LateRequest("test_x.py::test_y", "POST /"),
    LateRequest(None, "POST /"),
    ServerFailed("POST /", "KeyError: 1", "trace\n"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_failures_pickle(failure):
    """pytest-xdist sends failures from process to process."""
    copy = pickle.loads(pickle.dumps(failure))
    assert (type(copy), str(copy), copy.args) == (type(failure), str(failure), failure.args)
    assert isinstance(copy, MockchatError)
    assert isinstance(copy, AssertionError)


def test_late_requests_and_server_failures_read_well():
    """These two have no stub to point to."""
    assert str(FAILURES[3]) == (
        "POST / came after test_x.py::test_y had ended; it was refused. "
        "Close the client and join its threads in that test."
    )
    assert str(FAILURES[4]) == "POST / came while no test was running; it was refused."
    assert str(FAILURES[5]) == "POST / could not be answered: KeyError: 1\n\ntrace"


def test_a_token_leads_to_its_script():
    """The token keeps tests apart that share a server."""
    scripts, one, two = Scripts(), Script(name="one"), Script(name="two")
    first, second = scripts.open(one), scripts.open(two)
    assert scripts.resolve(f"/{first}/v1/models") == (one, "/v1/models")
    assert scripts.resolve(f"/{second}/v1/models") == (two, "/v1/models")
    assert scripts.resolve(f"/{second}") == (two, "/")
    assert scripts.resolve("/v1/models") == (two, "/v1/models")
    scripts.close(second)
    assert scripts.resolve("/v1/models") == (one, "/v1/models")
    scripts.close(first)
    assert scripts.resolve("/v1/models") == (None, "/v1/models")
    assert scripts.resolve(f"/{first}x/v1") == (None, f"/{first}x/v1")
    assert scripts.late == ()


def test_a_late_request_is_charged_to_its_test():
    """A thread that outlives its test must not answer for the next one."""
    scripts = Scripts()
    token = scripts.open(Script(name="test_early"))
    scripts.close(token)
    scripts.open(Script(name="test_later"))
    with pytest.raises(LateRequest) as caught:
        scripts.resolve(f"/{token}/v1/models", method="GET")
    assert (caught.value.test, caught.value.request) == ("test_early", "GET /v1/models")
    with pytest.raises(LateRequest) as caught:
        scripts.resolve("/script-0123456789ab/v1/models")
    assert (caught.value.test, caught.value.request) == (None, "/v1/models")
    assert [late.test for late in scripts.late] == ["test_early", None]


def test_closed_scripts_are_forgotten_in_the_end(monkeypatch):
    """Millions of examples under @given must not fill the memory."""
    monkeypatch.setattr("mockchat.scripting.scripts._REMEMBERED", 2)
    scripts = Scripts()
    tokens = [scripts.open(Script(name=str(number))) for number in range(3)]
    for token in tokens:
        scripts.close(token)
    for token, test in zip(tokens, [None, "1", "2"], strict=True):
        with pytest.raises(LateRequest) as caught:
            scripts.resolve(f"/{token}/v1")
        assert caught.value.test == test


def test_a_script_keeps_its_first_problems_only():
    """A server that runs for months would keep a problem for each strange request."""
    script = Script(unused="ignore")
    for number in range(1000):
        script.charge(BadArgument("x", number, "another"))
    assert [problem.value for problem in script.problems()] == list(range(100))
