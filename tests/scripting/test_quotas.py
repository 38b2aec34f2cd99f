"""Limits refill: no client gets more than its share, and whoever waits as told gets in."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.errors import BadArgument
from mockchat.scripting.quotas import Limits, Quotas, Refused, Standing, retry_fields


class Clock:
    """Time that passes when a test says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        """Return the time in seconds."""
        return self.now


def quotas_of(**limits):
    """Return quotas with a clock of their own."""
    clock = Clock()
    return Quotas(Limits(clock=clock, **limits)), clock


def test_requests_refill_one_by_one():
    """A limit of 3 a minute gives one back every 20 seconds, as the service's reset times say."""
    quotas, clock = quotas_of(requests=3)
    assert [quotas.take("a", tokens=9) for _ in range(3)] == [None] * 3
    assert quotas.take("a", tokens=9) == Refused(
        what="requests", limit=3, used=3, requested=1, wait=20.0
    )
    clock.now = 19.999
    assert quotas.take("a", tokens=9).wait == pytest.approx(0.001)
    clock.now = 20
    assert quotas.take("a", tokens=9) is None
    assert quotas.standings("a") == {"requests": Standing(limit=3, left=0, wait=60.0)}
    clock.now = 1000
    assert quotas.standings("a") == {"requests": Standing(limit=3, left=3, wait=0.0)}


def test_tokens_are_charged_at_most_and_settled_at_what_was_used():
    """`max_tokens` counts until the reply is there; keeping it would starve a careful client."""
    quotas, _ = quotas_of(tokens=1000)
    assert quotas.take("a", tokens=800) is None
    assert quotas.take("a", tokens=300) == Refused(
        what="tokens", limit=1000, used=800, requested=300, wait=6.0
    )
    quotas.settle("a", charged=800, used=50)
    assert quotas.take("a", tokens=300) is None
    assert quotas.standings("a")["tokens"] == Standing(limit=1000, left=650, wait=21.0)
    quotas.settle("a", charged=300, used=2000)
    assert quotas.standings("a")["tokens"].left == 0


def test_a_request_larger_than_the_limit_is_never_let_in():
    """Telling it to wait would have a client wait for ever."""
    quotas, _ = quotas_of(tokens=100)
    assert quotas.take("a", tokens=101) == Refused(
        what="tokens", limit=100, used=0, requested=101, wait=None
    )


def test_what_is_used_up_in_all_never_refills():
    """A plan that is paid out stays so, however long a client waits."""
    quotas, clock = quotas_of(total_tokens=100)
    assert quotas.take("a", tokens=60) is None
    assert quotas.take("a", tokens=60) is None
    clock.now = 10**6
    assert quotas.take("a", tokens=1) == Refused(
        what="total_tokens", limit=100, used=120, requested=1, wait=None
    )
    assert quotas.standings("a") == {}


def test_clients_have_limits_of_their_own_unless_shared():
    """A noisy neighbour is a test case too."""
    quotas, _ = quotas_of(requests=1)
    assert [quotas.take(key, tokens=0) is None for key in "abab"] == [True, True, False, False]
    quotas, _ = quotas_of(requests=1, per="all")
    assert [quotas.take(key, tokens=0) is None for key in "ab"] == [True, False]


def test_clients_unseen_for_longest_are_forgotten():
    """A server that runs for months must not keep every key it ever saw."""
    quotas, _ = quotas_of(requests=1)
    for number in range(10_001):
        assert quotas.take(str(number), tokens=0) is None
    assert quotas.take("10000", tokens=0) is not None
    assert quotas.take("0", tokens=0) is None


STEPS = st.lists(
    st.tuples(st.floats(0, 30), st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=40
)


@given(steps=STEPS, requests=st.integers(1, 5), tokens=st.integers(10, 100))
def test_no_more_than_the_limit_and_what_refilled_is_ever_let_in(steps, requests, tokens):
    """The law of a refilling window, over any pattern of requests, waits and costs."""
    quotas, clock = quotas_of(requests=requests, tokens=tokens, window=10.0)
    admitted = spent = 0
    for wait, charged, used in steps:
        clock.now += wait
        refused = quotas.take("a", tokens=charged)
        if refused is None:
            admitted += 1
            spent += charged
            share = 1 + clock.now / 10
            assert admitted <= requests * share + 1e-3
            assert spent <= tokens * share + 1e-3
            kept = min(used, charged)
            quotas.settle("a", charged=charged, used=kept)
            spent -= charged - kept
        standings = quotas.standings("a")
        assert 0 <= standings["requests"].left <= requests
        assert 0 <= standings["tokens"].left <= tokens


@given(steps=STEPS, requests=st.integers(1, 5), tokens=st.integers(60, 100))
def test_whoever_waits_as_told_is_let_in(steps, requests, tokens):
    """A wait that is too short by a rounding error costs a client one more refusal."""
    quotas, clock = quotas_of(requests=requests, tokens=tokens, window=7.0)
    for wait, charged, _ in steps:
        clock.now += wait
        for _ in range(2):  # first one limit, then the other
            refused = quotas.take("a", tokens=charged)
            if refused is None:
                break
            told = dict(retry_fields(refused.wait))
            assert int(told["retry-after"]) >= 1
            assert -1e-6 <= int(told["retry-after-ms"]) / 1000 - refused.wait <= 0.001 + 1e-6
            clock.now += int(told["retry-after-ms"]) / 1000
        else:
            assert quotas.take("a", tokens=charged) is None


def test_threads_share_what_there_is():
    """Requests that come at once must not each find the last one left."""
    quotas, _ = quotas_of(requests=50)
    admitted = []

    def ask():
        admitted.extend(quotas.take("a", tokens=1) is None for _ in range(25))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(admitted), sum(admitted)) == (100, 50)


@pytest.mark.parametrize(
    ("seconds", "fields"),
    [
        (0, ("0", "0")),
        (0.0001, ("1", "1")),
        (0.006, ("1", "6")),
        (1.2, ("2", "1200")),
        (60, ("60", "60000")),
    ],
)
def test_a_wait_is_told_in_seconds_and_milliseconds(seconds, fields):
    """`retry-after` is whole seconds; rounding down would let clients in too early."""
    assert retry_fields(seconds) == (("retry-after", fields[0]), ("retry-after-ms", fields[1]))


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        ({"requests": 0}, "Limits(requests=)"),
        ({"requests": 1.5}, "Limits(requests=)"),
        ({"tokens": True}, "Limits(tokens=)"),
        ({"total_tokens": -1}, "Limits(total_tokens=)"),
        ({"window": 0}, "Limits(window=)"),
        ({"window": float("inf")}, "Limits(window=)"),
        ({"context_window": 0}, "Limits(context_window=)"),
        ({"context_window": "modle"}, "Limits(context_window=)"),
        ({"per": "user"}, "Limits(per=)"),
        ({"clock": 5}, "Limits(clock=)"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(limits, name):
    """A limit of zero would refuse everything, and look like a broken server."""
    with pytest.raises(BadArgument) as caught:
        Limits(**limits)
    assert caught.value.name == name
