"""Questions to the journal, and failures that show what arrived."""

import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.errors import BadArgument
from mockchat.exchange import Ending, Exchange, Outcome
from mockchat.scripting.failures import CarelessClient, RequestsDiffer
from mockchat.scripting.journal import Journal
from mockchat.scripting.matching import contains, matcher

PATH = "/v1/chat/completions"


def said(model, *texts, **fields):
    """Make an exchange of a conversation."""
    messages = [{"role": "user", "content": text} for text in texts]
    usual = {"index": 0, "method": "POST", "path": PATH, "status": 200}
    usual |= {"outcome": Outcome.DELIVERED, "request": {"model": model, "messages": messages}}
    return Exchange(**(usual | fields))


def journal_of(*exchanges, **options):
    """Make a journal whose clock stands still."""
    journal = Journal(clock=lambda: 0.0, **options)
    for exchange in exchanges:
        journal.add(exchange)
    return journal


def failure(check, *args, **kwargs):
    """Return the text of a failed assertion."""
    with pytest.raises(RequestsDiffer) as caught:
        check(*args, **kwargs)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    return str(caught.value)


TWO = (
    said("gpt-4o", "Oslo?", status=429, stub="stub 1 (test_x.py:3)"),
    said("gpt-4o", "Oslo?", stub="stub 10 (test_x.py:4)"),
    said("gpt-4o-mini", "Bergen?", outcome=Outcome.CLIENT_LEFT, ending=Ending.CUT),
)
LINES = [
    (
        "request 0 [model='gpt-4o', 1 message, last role 'user', stream=False, "
        "POST /v1/chat/completions -> 429, delivered]"
    ),
    (
        "request 1 (attempt 2) [model='gpt-4o', 1 message, last role 'user', stream=False, "
        "POST /v1/chat/completions -> 200, delivered]"
    ),
    (
        "request 2 [model='gpt-4o-mini', 1 message, last role 'user', stream=False, "
        "POST /v1/chat/completions -> 200, client left]"
    ),
]
UNSEEN = (
    "Is an await missing, or was the client given another base_url? Was it built before the test "
    "set OPENAI_BASE_URL, at import or in a wider fixture? Build it in the test, or set "
    "mockchat_env = session: README.md#a-client-built-at-import"
)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [0, 1, 2]),
        ({"model": "gpt-4o"}, [0, 1]),
        ({"model": re.compile("mini")}, [2]),
        ({"last_text": contains("erg")}, [2]),
        ({"path": "/v1/models"}, []),
        ({"status": 429}, [0]),
        ({"attempt": 2}, [1]),
        ({"stub": "stub 1"}, [0]),
        ({"stub": "stub 10 (test_x.py:4)"}, [1]),
        ({"outcome": "client left"}, [2]),
        ({"outcome": Outcome.DELIVERED, "status": 200}, [1]),
        ({"ending": "cut"}, [2]),
        ({"ending": Ending.COMPLETE, "model": "gpt-4o-mini"}, []),
    ],
)
def test_exchanges_are_found_by_request_and_by_fate(wanted, found):
    """A test asks for the request it means, not for the third."""
    journal = journal_of(*TWO)
    assert [one.index for one in journal.matching(**wanted)] == found
    assert [view.body["model"] for view in journal.views] == ["gpt-4o", "gpt-4o", "gpt-4o-mini"]


def test_a_body_that_is_no_object_matches_as_an_empty_one():
    """A client may send anything."""
    journal = journal_of(said("x", request=[1]), said("x", request=None, method="GET"))
    assert journal.matching(model="x") == ()
    assert len(journal.matching(path=PATH)) == 2
    assert [view.body for view in journal.views] == [{}, {}]


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"modle": "x"}, "keyword is 'modle'; allowed: model, "),
        ({"modle": "x"}, "Did you mean 'model'?"),
        ({"zzz": "x"}, "keyword is 'zzz'"),
        ({"model": 3}, "when(model=) is 3"),
        ({"outcome": "client_left"}, "Did you mean 'client left'?"),
        ({"ending": "zzz"}, "ending is 'zzz'; allowed: complete, cut, reset."),
        ({"status": "429"}, "status is '429'; allowed: a whole number."),
        ({"attempt": True}, "attempt is True; allowed: a whole number."),
        ({"stub": 1}, "stub is 1; allowed: a name"),
    ],
)
def test_a_wrong_question_is_refused(wanted, text):
    """A typo would find nothing, and `assert_not_called` would pass."""
    journal = Journal()
    for ask in (journal.matching, journal.assert_not_called, journal.assert_called_once):
        with pytest.raises(BadArgument) as caught:
            ask(**wanted)
        assert text in str(caught.value)
    for ask in (journal.assert_requests, journal.assert_order):
        with pytest.raises(BadArgument):
            ask(wanted)


def test_a_request_wanted_as_text_is_refused():
    """`assert_requests("Oslo?")` looks right."""
    with pytest.raises(BadArgument, match=r"request is 'Oslo\?'; allowed: a mapping"):
        Journal().assert_requests("Oslo?")


def test_what_is_as_wanted_passes():
    """Each assertion holds where it should."""
    journal = journal_of(*TWO)
    journal.assert_called_once(model="gpt-4o-mini")
    journal.assert_called_once(model="gpt-4o", attempt=1)
    journal.assert_not_called(model="gpt-5")
    journal.assert_requests({"status": 429}, {"attempt": 2}, matcher(model="gpt-4o-mini"))
    journal.assert_requests({"status": 200}, {"ending": "cut"}, {}, in_any_order=True)
    journal.assert_order({"status": 429}, {"ending": "cut"})
    journal.assert_order()
    Journal().assert_not_called()
    Journal().assert_not_called(model="x")
    Journal().assert_requests()
    Journal().assert_order()
    journal_of(TWO[0]).assert_called_once()


@pytest.mark.parametrize(
    ("check", "args", "kwargs", "wanted"),
    [
        ("assert_called_once", (), {"model": "x"}, "exactly one"),
        ("assert_requests", ({}, {}), {}, "2"),
        ("assert_order", ({}, {}), {}, "2 in order"),
        ("assert_well_behaved", (), {}, "one or more to judge"),
    ],
)
def test_silence_points_to_its_usual_causes(check, args, kwargs, wanted):
    """The request is seldom lost: it was never sent, or went elsewhere."""
    text = failure(getattr(Journal(), check), *args, **kwargs)
    assert text == f"No request arrived, wanted {wanted}.\n\n{UNSEEN}"


def test_one_call_too_many_is_shown():
    """A retry looks like a second call."""
    assert failure(journal_of(*TWO).assert_called_once, model="gpt-4o").splitlines() == [
        "2 requests like that arrived, wanted exactly one.",
        "",
        f"- {LINES[0]}",
        f"- {LINES[1]}",
        "",
        ("Further attempts count as well: attempt=1 leaves them out, journal.retries counts them."),
    ]
    text = failure(journal_of(TWO[1], TWO[2]).assert_called_once)
    assert text.splitlines()[0] == "2 requests arrived, wanted exactly one."
    assert text.splitlines()[-1].startswith("- request 1 ")


def test_a_call_that_is_otherwise_is_shown_with_what_differs():
    """The closest request first."""
    text = failure(
        journal_of(*TWO).assert_called_once, model="gpt-4o", last_text="Bergen?", status=200
    )
    assert text.splitlines() == [
        (
            "3 requests arrived, wanted exactly one with model='gpt-4o', last_text='Bergen?', "
            "status=200."
        ),
        "",
        f"- {LINES[1]}: last_text is 'Oslo?', wanted 'Bergen?'",
        f"- {LINES[2]}: model is 'gpt-4o-mini', wanted 'gpt-4o'",
        f"- {LINES[0]}: last_text is 'Oslo?', wanted 'Bergen?'; status is 429, wanted 200",
    ]


def test_a_call_that_must_not_be_is_shown():
    """With conditions and without."""
    text = failure(journal_of(TWO[0]).assert_not_called)
    assert text == f"1 request arrived, wanted none.\n\n- {LINES[0]}"
    text = failure(journal_of(*TWO).assert_not_called, outcome="client left")
    assert text == f"1 request like that arrived, wanted none.\n\n- {LINES[2]}"


def test_requests_are_compared_place_by_place():
    """What is right is said too: it shows which one is meant."""
    text = failure(
        journal_of(*TWO).assert_requests, {"status": 429}, {"status": 429}, {"model": "gpt-5"}
    )
    assert text.splitlines() == [
        "3 requests arrived, not as wanted.",
        "",
        f"- {LINES[0]}: as wanted",
        f"- {LINES[1]}: status is 200, wanted 429",
        f"- {LINES[2]}: model is 'gpt-4o-mini', wanted 'gpt-5'",
        "",
        ("Further attempts count as well: attempt=1 leaves them out, journal.retries counts them."),
    ]


def test_missing_and_further_requests_are_named():
    """Counts alone send the reader to a debugger."""
    text = failure(journal_of(TWO[0]).assert_requests, {}, {"model": "gpt-5"}, matcher())
    assert text.splitlines() == [
        "1 request arrived, wanted 3.",
        "",
        f"- {LINES[0]}: as wanted",
        "- missing: model='gpt-5'",
        "- missing: any request",
    ]
    text = failure(journal_of(TWO[0], TWO[2]).assert_requests, {})
    assert text.splitlines()[-1] == f"- {LINES[2].replace('request 2', 'request 1')}: one too many"
    text = failure(journal_of(*TWO).assert_requests)
    assert text.splitlines()[0] == "3 requests arrived, wanted none."


def test_another_order_is_recognized():
    """Concurrent calls arrive as they like; the remedy is one word."""
    text = failure(journal_of(*TWO).assert_requests, {"ending": "cut"}, {}, {"status": 429})
    assert text.splitlines()[-1] == (
        "They are the ones wanted in another order; in_any_order=True allows that."
    )


def test_what_no_order_explains_is_shown_with_the_closest():
    """Which request was meant is a guess, and said to be one."""
    text = failure(
        journal_of(*TWO).assert_requests,
        {"status": 429},
        {"model": "gpt-5", "status": 200},
        {"outcome": "delivered"},
        {"status": 500},
        in_any_order=True,
    )
    assert text.splitlines()[:5] == [
        "3 requests arrived, wanted 4.",
        "",
        (
            f"- missing: model='gpt-5', status=200; closest is {LINES[2]}: "
            "model is 'gpt-4o-mini', wanted 'gpt-5'"
        ),
        f"- missing: status=500; closest is {LINES[2]}: status is 200, wanted 500",
        f"- {LINES[2]}: not wanted",
    ]
    text = failure(journal_of(TWO[0]).assert_requests, {}, {"status": 1}, in_any_order=True)
    assert text.splitlines()[-1] == "- missing: status=1"


def test_an_order_that_did_not_happen_is_told():
    """Too early, otherwise, or not at all."""
    journal = journal_of(*TWO)
    text = failure(journal.assert_order, {"ending": "cut"}, {"status": 429})
    assert text == (
        "No request like number 2 of 2 arrived after request 2: status=429.\n\n"
        "- request 0 is like that, and came before"
    )
    text = failure(journal.assert_order, {"status": 429}, {"model": "gpt-5"})
    assert text.splitlines() == [
        "No request like number 2 of 2 arrived after request 0: model='gpt-5'.",
        "",
        f"- {LINES[1]}: model is 'gpt-4o', wanted 'gpt-5'",
        f"- {LINES[2]}: model is 'gpt-4o-mini', wanted 'gpt-5'",
    ]
    text = failure(journal.assert_order, {"ending": "cut"}, {"status": 500})
    assert text.endswith("\n\n- nothing arrived after it")
    text = failure(journal.assert_order, {"status": 500})
    assert text.startswith("No request like number 1 of 1 arrived: status=500.")


def test_nothing_is_said_of_all_where_some_were_dropped():
    """`assert_not_called` after ten thousand requests would be a guess."""
    journal = journal_of(*TWO, limit=1)
    checks = [
        (journal.assert_not_called, ()),
        (journal.assert_called_once, ()),
        (journal.assert_requests, ({},)),
        (journal.assert_order, ({},)),
    ]
    for check, args in checks:
        assert failure(check, *args).splitlines()[0] == (
            "2 of 3 exchanges were dropped, so nothing can be said of all."
        )
    journal.assert_well_behaved()


def test_a_request_without_a_conversation_is_named_by_its_path():
    """Models are listed without a body."""
    text = failure(journal_of(said("x", request=None, method="GET")).assert_not_called)
    assert text.endswith(f"- request 0 [GET {PATH} -> 200, delivered]")


def test_credentials_are_not_in_a_failure():
    """CI logs are read by many."""
    journal = journal_of(said("sk-abcdef123", "x"))
    assert "abcdef" not in failure(journal.assert_not_called)
    assert "abcdef" not in str(CarelessClient(["sk-abcdef123"], ["sk-abcdef123"]))


def test_a_careless_client_is_told_what_it_did_and_what_is_not_known():
    """Broken rules first; what a server cannot see is said to be so."""
    one = CarelessClient(["client.backs-off: it did not"])
    assert str(pickle.loads(pickle.dumps(one))) == (
        "The client broke 1 rule of good behaviour.\n"
        "\n"
        "- client.backs-off: it did not\n"
        "\n"
        "Correct the client, set another threshold, or name the rule in ignore=: "
        "README.md#how-the-client-behaved"
    )
    assert str(CarelessClient(["a", "b"], ["c: d"])).splitlines() == [
        "The client broke 2 rules of good behaviour.",
        "",
        "- a",
        "- b",
        "",
        "Not to be seen from here:",
        "- c: d",
        "",
        str(one).splitlines()[-1],
    ]


MODELS = st.sampled_from(["a", "b", "c"])


@given(st.permutations(["a", "a", "b", "c"]), st.permutations([{}, "a", "b", "a|c"]))
def test_any_order_is_found_if_there_is_one(arrived, wanted):
    """A greedy search gives `any request` away to the one that another needs."""
    journal = journal_of(*(said(model) for model in arrived))
    queries = [{"model": re.compile(f"^({one})$")} if one else {} for one in wanted]
    journal.assert_requests(*queries, in_any_order=True)


@given(st.lists(MODELS, max_size=5), st.lists(MODELS, max_size=4))
def test_an_order_holds_exactly_where_one_is_a_subsequence_of_the_other(arrived, wanted):
    """The definition of order, checked against the plainest program for it."""
    rest = iter(arrived)
    is_subsequence = all(model in rest for model in wanted)
    journal = journal_of(*(said(model) for model in arrived))
    queries = [{"model": model} for model in wanted]
    if is_subsequence:
        journal.assert_order(*queries)
    else:
        failure(journal.assert_order, *queries)
