"""What workers share in Redis: one order of replies, one quota, one journal; and losing it."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event

import pytest

from mockchat.errors import BadArgument
from mockchat.exchange import Incoming, Outcome
from mockchat.scripting.quotas import Limits, Quotas
from mockchat.scripting.sharing import StateLost
from mockchat.server.scenarios import ScenarioApp
from mockchat.server.settings import Settings
from mockchat.server.shared_state import SharedState

BODY = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello!"}]}
SCENARIO = """
stubs:
  - when: {last_text: Hello!}
    reply: one
    then:
      - two
      - three
      - reply: then always this
        forever: true
"""


@pytest.fixture
def scenario(tmp_path):
    """Give a scenario file whose replies come in order."""
    file = tmp_path / "scenario.yaml"
    file.write_text(SCENARIO)
    return file


def worker(scenario, state, **settings):
    """Return the app of one worker."""
    return ScenarioApp([scenario], lambda asked: Settings(**{**asked, **settings}), state=state)


def asked(app, body=BODY, *, outcome=Outcome.DELIVERED, key="k"):
    """Ask, play the delivery to its end and return status, headers and decoded body."""
    incoming = Incoming(
        method="POST",
        path="/v1/chat/completions",
        headers=(("content-type", "application/json"), ("authorization", f"Bearer {key}")),
        body=json.dumps(body).encode(),
    )
    ticket = app.handle(incoming)
    ticket.finish(outcome)
    delivery = ticket.delivery
    return delivery.status, dict(delivery.headers), json.loads(delivery.body)


def text(answer):
    """Return the text of a completion."""
    return answer[2]["choices"][0]["message"]["content"]


def test_two_workers_serve_one_scenario_in_order(redis_store, scenario):
    """Whichever worker a client meets, the conversation goes on as it was written."""
    workers = [worker(scenario, SharedState(redis_store.url)) for _ in range(2)]
    said = [text(asked(workers[place % 2])) for place in range(6)]
    assert said == ["one", "two", "three", *["then always this"] * 3]


def test_no_reply_is_given_twice_or_lost_under_load(redis_store, scenario):
    """Exactly one of many simultaneous requests gets each reply."""
    scenario.write_text(
        json.dumps({"stubs": [{"reply": f"reply {number}"} for number in range(200)]})
    )
    workers = [worker(scenario, SharedState(redis_store.url)) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda place: text(asked(workers[place % 4])), range(200)))
    assert sorted(said) == sorted(f"reply {number}" for number in range(200))


def test_another_text_begins_anew_and_a_name_is_a_state_of_its_own(redis_store, scenario):
    """A changed scenario has all its replies again; two teams share one Redis."""
    state = SharedState(redis_store.url)
    assert text(asked(worker(scenario, state))) == "one"
    other = SharedState(redis_store.url, name="other team")
    assert text(asked(worker(scenario, other))) == "one"
    scenario.write_text(SCENARIO.replace("one", "eins"))
    assert text(asked(worker(scenario, state))) == "eins"


def test_workers_share_limits(redis_store, scenario):
    """A limit of three requests is not six because there are two workers."""
    limits = Limits(requests=3, window=3600)
    workers = [worker(scenario, SharedState(redis_store.url), limits=limits) for _ in range(2)]
    answers = [asked(workers[place % 2]) for place in range(4)]
    assert [answer[0] for answer in answers] == [200, 200, 200, 429]
    left = [answer[1]["x-ratelimit-remaining-requests"] for answer in answers]
    assert left == ["2", "1", "0", "0"]
    assert asked(workers[0], key="another")[0] == 200


def test_shared_accounts_count_as_own_ones(redis_store):
    """The same calls give the same answers, wherever the accounts are kept."""
    limits = Limits(requests=3, tokens=100, window=1e6, total_tokens=120, clock=lambda: 5.0)
    own, shared = Quotas(limits), Quotas(limits, SharedState(redis_store.url).accounts)
    for quotas_call in (
        partial(Quotas.take, client="a", tokens=60),
        partial(Quotas.settle, client="a", charged=60, used=20),
        partial(Quotas.take, client="a", tokens=90),
        partial(Quotas.take, client="a", tokens=101),
        partial(Quotas.take, client="b", tokens=10),
        partial(Quotas.take, client="a", tokens=70),
        partial(Quotas.settle, client="a", charged=70, used=110),
        partial(Quotas.take, client="a", tokens=1),
    ):
        mine, theirs = quotas_call(own), quotas_call(shared)
        assert (mine is None) == (theirs is None)
        if mine is not None:
            assert (mine.what, mine.used, mine.requested) == (
                theirs.what,
                theirs.used,
                theirs.requested,
            )


def test_the_journal_of_all_workers_is_one(redis_store, scenario):
    """What happened is read at one place, in one order, with how each delivery ended, and no key."""
    shared = [SharedState(redis_store.url) for _ in range(2)]
    workers = [worker(scenario, state) for state in shared]
    asked(workers[0], key="sk-very-secret")
    asked(workers[1], outcome=Outcome.CLIENT_LEFT)
    asked(workers[0], {"model": "gpt-4o-mini"})
    kept = [*shared[0].journal().exchanges(), *shared[1].journal().exchanges()][-3:]
    assert [one["index"] for one in kept] == [0, 1, 2]
    assert [one["outcome"] for one in kept] == ["delivered", "client left", "delivered"]
    assert [one["status"] for one in kept] == [200, 200, 400]
    assert kept[0]["request"] == BODY
    assert kept[0]["body"]["choices"][0]["message"]["content"] == "one"
    assert "sk-very-secret" not in json.dumps(kept)


def test_the_journal_is_bounded_by_number_and_bytes(redis_store, scenario):
    """A store that many share must not grow without end."""
    state = SharedState(redis_store.url, journal_limit=3)
    app = worker(scenario, state)
    for _ in range(5):
        asked(app)
    assert [one["index"] for one in state.journal().exchanges()] == [2, 3, 4]
    tight = SharedState(redis_store.url, name="tight", journal_bytes=1)
    app = worker(scenario, tight)
    for _ in range(3):
        asked(app)
    assert [one["index"] for one in tight.journal().exchanges()] == [2]


def test_what_it_kept_is_forgotten_when_told(redis_store, scenario):
    """A new test run begins at the first reply; the states of others stay."""
    state, other = SharedState(redis_store.url), SharedState(redis_store.url, name="default*")
    app = worker(scenario, state)
    asked(app)
    asked(worker(scenario, other))
    assert other.reset() > 0
    assert list(other.journal().exchanges()) == []
    assert len(list(state.journal().exchanges())) == 1
    assert state.reset() > 0
    assert text(asked(app)) == "one"
    assert SharedState(redis_store.url, name="never used").reset() == 0


def test_a_lost_store_is_told_and_used_again_when_it_is_back(redis_store, scenario):
    """The client learns what is wrong at the mock and tries again; nothing hangs, nothing restarts."""
    state = SharedState(redis_store.url)
    app = worker(scenario, state, limits=Limits(requests=100))
    assert asked(app)[0] == 200
    redis_store.stop()
    status, headers, body = asked(app)
    assert (status, headers["retry-after"]) == (503, "1")
    assert body["error"]["type"] == "mockchat_state_lost"
    assert body["error"]["message"].startswith(
        f"the shared state at {redis_store.url} cannot be used: "
    )
    with pytest.raises(StateLost):
        state.check()
    redis_store.start()
    state.check()
    assert text(asked(app)) == "one"  # a store without a disk has forgotten


def test_a_store_lost_between_reply_and_journal_is_told_as_well(redis_store, scenario, monkeypatch):
    """No reply leaves that the journal does not know."""
    state = SharedState(redis_store.url)
    app = worker(scenario, state)

    def lose(journal, exchange):
        raise StateLost("here", "gone")

    monkeypatch.setattr("mockchat.server.shared_state.SharedJournal.added", lose)
    status, _, body = asked(app)
    assert (status, body["error"]["type"]) == (503, "mockchat_state_lost")


def test_a_store_lost_before_the_end_is_told_in_the_log(redis_store, scenario, caplog):
    """The bytes have left by then: the client is not to blame, and whoever runs it is told."""
    state = SharedState(redis_store.url)
    app = worker(scenario, state)
    body = json.dumps(BODY).encode()
    path = "/v1/chat/completions"
    ticket = app.handle(Incoming(method="POST", path=path, body=body))
    redis_store.stop()
    ticket.finish(Outcome.DELIVERED)
    with pytest.raises(StateLost):  # having waited for what this process had to tell
        list(state.journal().exchanges())
    assert "how exchange 0 ended is not kept: the shared state at unix://" in caplog.text


@pytest.mark.parametrize("url", ["http://127.0.0.1:6379", "", "redis://user:pw@host:nine/0"])
def test_a_url_that_is_none_of_redis_is_told_without_its_password(url):
    """A typo must be told at the start, and a password never."""
    with pytest.raises(BadArgument, match=r"a URL such as redis://127\.0\.0\.1:6379/0") as raised:
        SharedState(url)
    assert "pw" not in str(raised.value)


def test_a_store_that_is_not_there_is_told_without_its_password():
    """The same when it cannot be reached."""
    with pytest.raises(StateLost) as raised:
        SharedState("redis://user:very-secret@127.0.0.1:1/0").check()
    said = str(raised.value)
    assert said.startswith("the shared state at redis://127.0.0.1:1/0 cannot be used: ")
    assert "very-secret" not in said


def test_endings_that_pile_up_are_dropped_and_told(redis_store, scenario, monkeypatch, caplog):
    """A store that is slow must not fill the memory of every worker."""
    monkeypatch.setattr("mockchat.server.shared_state._MOST_WAITING", 1)
    state = SharedState(redis_store.url)
    app, begun, go_on = worker(scenario, state), Event(), Event()

    def wait(**_):
        begun.set()
        go_on.wait(10)

    monkeypatch.setattr(state._store, "end", wait)
    asked(app)
    assert begun.wait(10)
    asked(app)
    go_on.set()
    list(state.journal().exchanges())
    assert "how exchange 1 ended is not kept: too many wait for it" in caplog.text
