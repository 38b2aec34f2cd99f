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
from typing import Literal, TypeAlias, TypeVar, get_args

from mockchat.errors import BadArgument
from mockchat.exchange import Headers
from mockchat.scripting.arguments import is_seconds, is_whole_number
from mockchat.scripting.sharing import Account, Accounts

Per = Literal["key", "all"]
_Refilled: TypeAlias = Literal["requests", "tokens"]
T = TypeVar("T")

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bucket:
    """What is used of one limit, as of now."""

    limit: int
    window: float
    used: float

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


class OwnAccounts:
    """The accounts of this process alone; safe to use from many threads.

    Args:
        clock: Gives the time in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._accounts: OrderedDict[str, Account] = OrderedDict()
        self._lock = threading.Lock()

    def change(self, client: str, use: Callable[[Account, float], T]) -> T:
        """Change an account, as `Accounts` says; those unseen for longest are forgotten."""
        with self._lock:
            account = self._accounts.pop(client, {})
            self._accounts[client] = account
            if len(self._accounts) > _REMEMBERED:
                self._accounts.popitem(last=False)
            return use(account, self._clock())


class Quotas:
    """Counts what clients use; safe to use from many threads.

    Args:
        limits: What they may use.
        accounts: What they have used; of this process alone where it is not given.
    """

    def __init__(self, limits: Limits, accounts: Accounts | None = None) -> None:
        self._limits = limits
        self._accounts = accounts or OwnAccounts(limits.clock)

    def take(self, client: str, *, tokens: int) -> Refused | None:
        """Let a request in and charge it, or return why not and charge nothing.

        Args:
            client: Who asks; without a meaning where limits are shared.
            tokens: What it may cost at most.

        Raises:
            StateLost: The accounts are shared, and out of reach.
        """

        def use(account: Account, now: float) -> Refused | None:
            self._drain(account, now)
            refused = self._refused(account, tokens)
            if refused is None:
                for name, amount in (("requests", 1), ("tokens", tokens), ("spent", tokens)):
                    account[name] = account.get(name, 0) + amount
            return refused

        return self._accounts.change(self._key(client), use)

    def settle(self, client: str, *, charged: int, used: int) -> None:
        """Replace the tokens that `take` has charged for a request by what it did use."""

        def use(account: Account, now: float) -> None:
            self._drain(account, now)
            account["spent"] = account.get("spent", 0) + used - charged
            account["tokens"] = max(0.0, account.get("tokens", 0) + used - charged)

        self._accounts.change(self._key(client), use)

    def standings(self, client: str) -> Mapping[str, Standing]:
        """Return how the limits of requests and tokens stand, without those that are not set."""

        def use(account: Account, now: float) -> Mapping[str, Standing]:
            self._drain(account, now)
            return {name: bucket.standing for name, bucket in self._buckets(account).items()}

        return self._accounts.change(self._key(client), use)

    def _key(self, client: str) -> str:
        return client if self._limits.per == "key" else ""

    def _buckets(self, account: Account) -> dict[_Refilled, _Bucket]:
        limits: dict[_Refilled, int | None] = {
            "requests": self._limits.requests,
            "tokens": self._limits.tokens,
        }
        return {
            name: _Bucket(limit=limit, window=self._limits.window, used=account.get(name, 0.0))
            for name, limit in limits.items()
            if limit is not None
        }

    def _drain(self, account: Account, now: float) -> None:
        """Give back what the time since the last look has freed."""
        passed = max(0.0, now - account.get("at", now))
        account["at"] = now
        for name, bucket in self._buckets(account).items():
            account[name] = max(0.0, bucket.used - passed * bucket.limit / bucket.window)

    def _refused(self, account: Account, tokens: int) -> Refused | None:
        total, spent = self._limits.total_tokens, int(account.get("spent", 0))
        if total is not None and spent >= total:
            return Refused(
                what="total_tokens", limit=total, used=spent, requested=tokens, wait=None
            )
        for name, bucket in self._buckets(account).items():
            amount = 1 if name == "requests" else tokens
            if wait := bucket.wait(amount):
                never = amount > bucket.limit
                return _of_bucket(name, bucket, amount, None if never else wait)
        return None


def _of_bucket(what: _Refilled, bucket: _Bucket, amount: int, wait: float | None) -> Refused:
    used = math.ceil(bucket.used - _ROUNDING)
    return Refused(what=what, limit=bucket.limit, used=used, requested=amount, wait=wait)


def retry_fields(seconds: float) -> Headers:
    """Return the response fields that tell a client to wait: whole seconds, and milliseconds."""
    milliseconds = math.ceil(round(seconds * _SECOND, 6))
    return (
        ("retry-after", str(-(-milliseconds // _SECOND))),
        ("retry-after-ms", str(milliseconds)),
    )
