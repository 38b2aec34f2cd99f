"""What workers share, kept in Redis: counts of replies, accounts of clients, exchanges.

Needs the extra `redis`. All keys of one state begin with its name, so that several live side by
side; a state that nobody used for a week is forgotten.
"""

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from threading import BoundedSemaphore
from typing import Any, TypeVar, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from mockchat.errors import BadArgument
from mockchat.exchange import Exchange
from mockchat.scripting.exchange_lines import as_json
from mockchat.scripting.sharing import Account, Accounts, Counts, SharedExchanges, StateLost
from mockchat.scripting.steering import Steering, Steerings
from mockchat.server.reports import logger
from mockchat.types import JsonObject

T = TypeVar("T")

SCHEMES = ("redis://", "rediss://", "unix://")
_PATIENCE = 1.0
_AT_ONCE = 500
_MOST_WAITING = 10_000
_WEEK = 7 * 24 * 3600
_CREDENTIALS = re.compile(r"(?<=//)[^/@]*@")

_TAKE = """
for place = 2, #ARGV, 2 do
  local before = tonumber(redis.call('HGET', KEYS[1], ARGV[place]) or '0')
  if ARGV[place + 1] == '' or before < tonumber(ARGV[place + 1]) then
    redis.call('HSET', KEYS[1], ARGV[place], before + 1)
    redis.call('EXPIRE', KEYS[1], ARGV[1])
    return {tonumber(ARGV[place]), before}
  end
end
return {}
"""
"""Counts one reply of the first stub that has one: seconds to live, then place and most, or ''."""

_ADD = """
local index = redis.call('HINCRBY', KEYS[2], 'added', 1) - 1
local first = tonumber(redis.call('HGET', KEYS[2], 'first') or '0')
redis.call('HSET', KEYS[1], index, ARGV[1])
local bytes = redis.call('HINCRBY', KEYS[2], 'bytes', #ARGV[1])
while index - first >= tonumber(ARGV[2]) or (bytes > tonumber(ARGV[3]) and first < index) do
  local old = redis.call('HSTRLEN', KEYS[1], first)
  redis.call('HDEL', KEYS[1], first)
  bytes = redis.call('HINCRBY', KEYS[2], 'bytes', -old)
  first = first + 1
end
redis.call('HSET', KEYS[2], 'first', first)
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
return index
"""
"""Adds an exchange and drops the oldest: its text, the most exchanges, bytes, seconds to live."""

_END = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
local old = redis.call('HSTRLEN', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HINCRBY', KEYS[2], 'bytes', #ARGV[2] - old)
return 1
"""
"""Replaces an exchange that was not dropped yet: its index, its text."""

_CLEAR = """
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[2], 'bytes', 0, 'first', redis.call('HGET', KEYS[2], 'added') or 0)
return 1
"""
"""Drops all exchanges of a journal."""


class SharedState:
    """The state of all workers that give the same URL and name.

    A store that does not answer within a second counts as lost; every use tries again.

    Args:
        url: Where Redis is: `redis://host:port/number`, `rediss://…` or `unix://path`.
        name: Whose state it is; workers of the same name share it.
        journal_limit: How many exchanges are kept.
        journal_bytes: How many bytes of text they may take together; the newest one always stays.

    Raises:
        BadArgument: The URL is none of those.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str = "default",
        journal_limit: int = 1000,
        journal_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        allowed = "a URL such as redis://127.0.0.1:6379/0"
        if not url.startswith(SCHEMES):
            raise BadArgument("state", _CREDENTIALS.sub("", url), allowed)
        self._store = _Store(url, f"mockchat:{{{name}}}", allowed)
        self._accounts = _SharedAccounts(self._store)
        self._steerings = _SharedSteerings(self._store)
        self._limits = journal_limit, journal_bytes

    def check(self) -> None:
        """Ask whether the store is there.

        Raises:
            StateLost: It is not.
        """
        with self._store.use() as client:
            client.ping()

    def counts(self, script: str) -> Counts:
        """Return how many replies of each stub were given; scripts of one name share that."""
        return _SharedCounts(self._store, self._store.key(f"counts:{script}"))

    @property
    def accounts(self) -> Accounts:
        """What clients have used; the store's clock is everybody's."""
        return self._accounts

    @property
    def steerings(self) -> Steerings:
        """What was said about each session."""
        return self._steerings

    def journal(self, session: str = "") -> SharedExchanges:
        """Return where the exchanges of a session go; the session "" is everybody's."""
        limit, size = self._limits
        return SharedJournal(self._store, session, limit=limit, size=size)

    def reset(self) -> int:
        """Forget everything under this name and return how many keys that were.

        Raises:
            StateLost: The store is not there.
        """
        with self._store.use() as client:
            pattern = re.sub(r"([*?\[\]\\])", r"\\\1", self._store.key("")) + "*"
            keys = list(client.scan_iter(match=pattern, count=1000))
            return int(client.delete(*keys)) if keys else 0


class _Store:
    """A connection to Redis that tells its failures in one way."""

    def __init__(self, url: str, prefix: str, allowed: str) -> None:
        self._told = _CREDENTIALS.sub("", url)
        self._prefix = prefix
        try:
            self._client = redis.Redis.from_url(
                url,
                socket_timeout=_PATIENCE,
                socket_connect_timeout=_PATIENCE,
                retry=Retry(NoBackoff(), 1),
                decode_responses=True,
            )
        except ValueError:
            raise BadArgument("state", self._told, allowed) from None
        # Endings are told by event loops, which must not wait; whoever exits waits for them.
        self.later = ThreadPoolExecutor(1, thread_name_prefix="mockchat-state")
        self.waiting = BoundedSemaphore(_MOST_WAITING)
        self.take = self._client.register_script(_TAKE)
        self.add = self._client.register_script(_ADD)
        self.end = self._client.register_script(_END)
        self.clear = self._client.register_script(_CLEAR)

    def key(self, part: str) -> str:
        return f"{self._prefix}:{part}"

    @contextmanager
    def use(self) -> Iterator[Any]:  # the client's own types differ between its versions
        try:
            yield self._client
        except redis.RedisError as error:
            said = _CREDENTIALS.sub("", str(error)) or type(error).__name__
            raise StateLost(self._told, said.rstrip(".")) from error


class _SharedCounts:
    """How many replies of each stub all workers gave."""

    def __init__(self, store: _Store, key: str) -> None:
        self._store = store
        self._key = key

    def take(self, wanted: Iterable[tuple[int, int | None]]) -> tuple[int, int] | None:
        rest = iter(wanted)
        while some := list(islice(rest, _AT_ONCE)):
            asked = ["" if one is None else one for pair in some for one in pair]
            with self._store.use():
                found = self._store.take(keys=[self._key], args=[_WEEK, *asked])
            if found:
                return int(found[0]), int(found[1])
        return None

    def taken(self, place: int) -> int:
        with self._store.use() as client:
            return int(client.hget(self._key, str(place)) or 0)


class _SharedAccounts:
    """What clients used at all workers: a JSON object for each, changed by compare and set."""

    def __init__(self, store: _Store) -> None:
        self._store = store

    def change(self, client: str, use: Callable[[Account, float], T]) -> T:
        key = self._store.key(f"account:{client}")

        def step(pipe: Any) -> T:
            text = pipe.get(key)
            seconds, microseconds = pipe.time()
            account: Account = json.loads(text) if text else {}
            result = use(account, seconds + microseconds / 1e6)
            pipe.multi()
            pipe.set(key, json.dumps(account), ex=_WEEK)
            return result

        with self._store.use() as connection:
            return cast("T", connection.transaction(step, key, value_from_callable=True))


class _SharedSteerings:
    """What was said about each session at any worker."""

    def __init__(self, store: _Store) -> None:
        self._store = store

    def get(self, session: str) -> Steering:
        with self._store.use() as client:
            return _steering(client.get(self._key(session)))

    def change(self, session: str, change: Callable[[Steering], Steering]) -> Steering:
        key = self._key(session)

        def step(pipe: Any) -> Steering:
            changed = change(_steering(pipe.get(key)))
            pipe.multi()
            pipe.set(key, json.dumps(changed.as_json()), ex=_WEEK)
            return changed

        with self._store.use() as connection:
            return cast("Steering", connection.transaction(step, key, value_from_callable=True))

    def _key(self, session: str) -> str:
        return self._store.key(f"steering:{session}")


def _steering(text: str | None) -> Steering:
    return Steering.of(json.loads(text)) if text else Steering()


class SharedJournal:
    """Exchanges of a session at all workers in one order, bounded by number and by bytes."""

    def __init__(self, store: _Store, session: str, *, limit: int, size: int) -> None:
        self._store = store
        self._limit = limit
        self._size = size
        self._keys = [store.key(f"journal:{session}"), store.key(f"journal:{session}:state")]
        self._epoch = time.time() - time.monotonic()
        self._places: dict[int, int] = {}  # index here to index there, while in flight

    def added(self, exchange: Exchange) -> None:
        """Keep an exchange, and let the oldest go where there are too many."""
        with self._store.use():
            arguments: list[str | int] = [self._text(exchange), self._limit, self._size, _WEEK]
            place = int(self._store.add(keys=self._keys, args=arguments))
        self._places[exchange.index] = place

    def ended(self, exchange: Exchange) -> None:
        """Keep how an exchange ended, soon; if the store is lost by then, that is told in the log."""
        place = self._places.pop(exchange.index, None)
        if place is None:
            return
        if self._store.waiting.acquire(blocking=False):
            self._store.later.submit(self._end, place, exchange)
        else:
            logger.warning("how exchange %d ended is not kept: too many wait for it", place)

    def _end(self, place: int, exchange: Exchange) -> None:
        try:
            with self._store.use():
                self._store.end(keys=self._keys, args=[place, self._text(exchange)])
        except StateLost as lost:
            logger.warning("how exchange %d ended is not kept: %s", place, lost)
        finally:
            self._store.waiting.release()

    def indexes(self) -> list[int]:
        """Return the indexes of all that are kept, in order."""
        with self._store.use() as client:
            return sorted(map(int, client.hkeys(self._keys[0])))

    def exchanges(self, is_wanted: Callable[[int], bool] | None = None) -> Iterator[JsonObject]:
        """Return what is kept, oldest first, each with its index among those of all workers.

        Waits for the endings that this process has to tell.
        """
        self._store.later.submit(int).result()
        wanted = [index for index in self.indexes() if is_wanted is None or is_wanted(index)]
        with self._store.use() as client:
            kept = client.hmget(self._keys[0], wanted) if wanted else []
        for index, text in zip(wanted, kept, strict=True):
            if text is not None:  # not dropped meanwhile
                yield {**json.loads(text), "index": index}

    def clear(self) -> None:
        """Drop what is kept; the next one's index goes on."""
        self._store.later.submit(int).result()
        with self._store.use():
            self._store.clear(keys=self._keys)

    def _text(self, exchange: Exchange) -> str:
        return json.dumps(as_json(exchange, epoch=self._epoch))
