"""Rate limits that refill: how much each client may still ask for, and when.

Each limit is a bucket that empties at its rate, as the service's own reset times show: 1 of 10,000
requests a minute is free again after 6 ms. A request is charged when it is let in, at what it may
cost at most, and settled at what it did cost. Refused requests cost nothing.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from mockchat.errors import BadArgument
from mockchat.exchange import Headers
from mockchat.scripting.arguments import is_seconds, is_whole_number

Per = Literal["key", "all"]

_MINUTE = 60.0
_REMEMBERED = 10_000
_SECOND = 1000
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What clients may use; None is no limit.

    Attributes:
        requests: Requests in a window.
        tokens: Tokens in a window: of the prompt, and what the reply may have at most, until its
            usage is known.
        window: The length of the window in seconds.
        total_tokens: Tokens in all; when they are used up, `insufficient_quota` is answered for
            ever.
        context_window: How many tokens the messages of one request may have, or "model": as many
            as the profile says of the model. More are answered with `context_length_exceeded`.
        per: "key": each API key has limits of its own. "all": clients share them.
        clock: Gives the time in seconds; only differences count.

    Raises:
        BadArgument: A number is out of range.
    """

    requests: int | None = None
    tokens: int | None = None
    window: float = _MINUTE
    total_tokens: int | None = None
    context_window: int | Literal["model"] | None = None
    per: Per = "key"
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)

    def __post_init__(self) -> None:
        __tracebackhide__ = True
        for name in ("requests", "tokens", "total_tokens"):
            given = getattr(self, name)
            if given is not None and not is_whole_number(given, lowest=1):
                raise BadArgument(f"Limits({name}=)", given, "a whole number above 0")
        if not is_seconds(self.window) or self.window == 0:
            raise BadArgument("Limits(window=)", self.window, "a number of seconds above 0")
        is_size = self.context_window in (None, "model")
        if not is_size and not is_whole_number(self.context_window, lowest=1):
            allowed = 'a whole number above 0, or "model"'
            raise BadArgument("Limits(context_window=)", self.context_window, allowed)
        if self.per not in get_args(Per):
            raise BadArgument("Limits(per=)", self.per, '"key" or "all"')
        if not callable(self.clock):
            raise BadArgument("Limits(clock=)", self.clock, "a callable that gives seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one limit stands, as response fields tell it.

    Attributes:
        limit: How much there is in a window.
        left: How much of it is left.
        wait: Seconds until all of it is free again.
    """

    limit: int
    left: int
    wait: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why a request is not let in.

    Attributes:
        what: The limit: "requests", "tokens" or "total_tokens".
        limit: How much there is.
        used: How much of it is used.
        requested: How much more was asked for.
        wait: Seconds until it would be let in; None: never.
    """

    what: Literal["requests", "tokens", "total_tokens"]
    limit: int
    used: int
    requested: int
    wait: float | None


@dataclass(slots=True, kw_only=True)
class _Bucket:
    """What is used of one limit, as of a time."""

    limit: int
    window: float
    used: float = 0.0
    at: float = 0.0

    def drain(self, now: float) -> None:
        """Give back what the time since the last look has freed."""
        self.used = max(0.0, self.used - max(0.0, now - self.at) * self.limit / self.window)
        self.at = now

    def seconds(self, amount: float) -> float:
        return amount * self.window / self.limit

    def wait(self, amount: int) -> float:
        """Return the seconds until `amount` more fits, 0 where it does."""
        over = self.used + amount - self.limit
        return self.seconds(over) if over > _ROUNDING else 0.0

    @property
    def standing(self) -> Standing:
        left = max(0, math.floor(self.limit - self.used + _ROUNDING))
        return Standing(limit=self.limit, left=left, wait=self.seconds(self.used))


@dataclass(slots=True, kw_only=True)
class _Account:
    """What one client has used."""

    requests: _Bucket | None
    tokens: _Bucket | None
    spent: int = 0


class Quotas:
    """Counts what clients use; safe to use from many threads.

    Args:
        limits: What they may use.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._accounts: OrderedDict[str, _Account] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, client: str, *, tokens: int) -> Refused | None:
        """Let a request in and charge it, or return why not and charge nothing.

        Args:
            client: Who asks; without a meaning where limits are shared.
            tokens: What it may cost at most.
        """
        with self._lock:
            account = self._account(client)
            refused = self._refused(account, tokens)
            if refused is None:
                for bucket, amount in ((account.requests, 1), (account.tokens, tokens)):
                    if bucket is not None:
                        bucket.used += amount
                account.spent += tokens
            return refused

    def settle(self, client: str, *, charged: int, used: int) -> None:
        """Replace the tokens that `take` has charged for a request by what it did use."""
        with self._lock:
            account = self._account(client)
            account.spent += used - charged
            if account.tokens is not None:
                account.tokens.used = max(0.0, account.tokens.used + used - charged)

    def standings(self, client: str) -> Mapping[str, Standing]:
        """Return how the limits of requests and tokens stand, without those that are not set."""
        with self._lock:
            account = self._account(client)
            buckets = {"requests": account.requests, "tokens": account.tokens}
            return {name: bucket.standing for name, bucket in buckets.items() if bucket is not None}

    def _refused(self, account: _Account, tokens: int) -> Refused | None:
        total = self._limits.total_tokens
        if total is not None and account.spent >= total:
            return Refused(
                what="total_tokens", limit=total, used=account.spent, requested=tokens, wait=None
            )
        if account.requests is not None and (wait := account.requests.wait(1)):
            return _of_bucket("requests", account.requests, 1, wait)
        if account.tokens is not None and (wait := account.tokens.wait(tokens)):
            never = tokens > account.tokens.limit
            return _of_bucket("tokens", account.tokens, tokens, None if never else wait)
        return None

    def _account(self, client: str) -> _Account:
        """Return a client's account as of now; those unseen for longest are forgotten."""
        limits, now = self._limits, self._limits.clock()
        key = client if limits.per == "key" else ""
        account = self._accounts.pop(key, None)
        if account is None:
            account = _Account(
                requests=self._bucket(limits.requests, now), tokens=self._bucket(limits.tokens, now)
            )
        self._accounts[key] = account
        if len(self._accounts) > _REMEMBERED:
            self._accounts.popitem(last=False)
        for bucket in (account.requests, account.tokens):
            if bucket is not None:
                bucket.drain(now)
        return account

    def _bucket(self, limit: int | None, now: float) -> _Bucket | None:
        return None if limit is None else _Bucket(limit=limit, window=self._limits.window, at=now)


def _of_bucket(
    what: Literal["requests", "tokens"], bucket: _Bucket, amount: int, wait: float | None
) -> Refused:
    used = math.ceil(bucket.used - _ROUNDING)
    return Refused(what=what, limit=bucket.limit, used=used, requested=amount, wait=wait)


def retry_fields(seconds: float) -> Headers:
    """Return the response fields that tell a client to wait: whole seconds, and milliseconds."""
    milliseconds = math.ceil(round(seconds * _SECOND, 6))
    return (
        ("retry-after", str(-(-milliseconds // _SECOND))),
        ("retry-after-ms", str(milliseconds)),
    )
