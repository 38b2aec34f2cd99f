"""Find exchanges by what a request says and by what became of it."""

import difflib
from collections.abc import Iterable, Mapping
from typing import cast

from mockchat.errors import BadArgument
from mockchat.exchange import Ending, Exchange, Outcome
from mockchat.scripting.conditions import Conditions
from mockchat.scripting.matching import Matcher, matcher
from mockchat.scripting.request_view import RequestView
from mockchat.scripting.wanted import described, short


class Wanted(Conditions, total=False):
    """The keywords of `when`, and these for what became of a request.

    Attributes:
        status: The HTTP status answered.
        attempt: Which attempt at its request, from 1.
        stub: The stub that answered: its whole name, or the beginning, such as "stub 2".
        outcome: What became of the delivery, or its words: "delivered", "client left" …
        ending: How the delivery was planned to end, or its word: "complete", "cut", "reset".
    """

    status: int
    attempt: int
    stub: str
    outcome: Outcome | str
    ending: Ending | str


_WORDS = {
    "outcome": tuple(outcome.value for outcome in Outcome),
    "ending": tuple(ending.value for ending in Ending),
}
_FACTS = tuple(Wanted.__annotations__.keys() - Conditions.__annotations__.keys())


def view_of(exchange: Exchange) -> RequestView:
    """Return the request of an exchange as matchers see it; a body that is no object is empty.

    Credentials are not in it: the journal keeps none.
    """
    is_object = isinstance(exchange.request, dict)
    return RequestView(
        method=exchange.method,
        path=exchange.path,
        headers=exchange.headers,
        body=exchange.request if is_object else {},
    )


class Query:
    """Conditions on exchanges, checked when it is made. None at all match everything.

    Args:
        wanted: Keywords of `when` and of `Wanted`, or a matcher.

    Raises:
        BadArgument: A keyword does not exist, or its value cannot be compared.
    """

    def __init__(self, wanted: "Wanted | Matcher | Mapping[str, object]") -> None:
        __tracebackhide__ = True
        if isinstance(wanted, Matcher):
            self._facts: dict[str, object] = {}
            self._matcher = wanted
            return
        if not isinstance(wanted, Mapping):
            raise BadArgument("request", wanted, "a mapping of keywords, such as {'model': …}")
        known = Wanted.__annotations__
        for keyword in wanted:
            if keyword not in known:
                close = difflib.get_close_matches(str(keyword), known, n=1)
                raise BadArgument("keyword", keyword, ", ".join(known), close[0] if close else None)
        self._facts = {name: wanted[name] for name in wanted if name in _FACTS}
        for name, value in self._facts.items():
            _check_fact(name, value)
        said = {name: wanted[name] for name in wanted if name not in _FACTS}
        self._matcher = matcher(**cast("Conditions", said))

    def __bool__(self) -> bool:
        return bool(self._facts or self._matcher.conditions)

    def __str__(self) -> str:
        said = (*self._matcher.conditions, *self._facts.items())
        return ", ".join(f"{keyword}={_shown(value)}" for keyword, value in said) or "any request"

    def mismatches(self, exchange: Exchange) -> tuple[str, ...]:
        """Return what speaks against an exchange, one line for each condition it does not meet."""
        return (
            *map(str, self._matcher.mismatches(view_of(exchange))),
            *(
                f"{name} is {_shown(_fact(name, exchange))}, wanted {_shown(value)}"
                for name, value in self._facts.items()
                if not _is_fact(name, value, exchange)
            ),
        )


def matching(
    exchanges: Iterable[Exchange], wanted: "Wanted | Matcher | Mapping[str, object]"
) -> tuple[Exchange, ...]:
    """Return the exchanges that meet all conditions; arguments and errors as for `Query`."""
    __tracebackhide__ = True
    query = Query(wanted)
    return tuple(exchange for exchange in exchanges if not query.mismatches(exchange))


def _check_fact(name: str, value: object) -> None:
    __tracebackhide__ = True
    words = _WORDS.get(name)
    if words is not None:
        if not isinstance(value, Outcome | Ending) and value not in words:
            close = difflib.get_close_matches(str(value), words, n=1)
            raise BadArgument(name, value, ", ".join(words), close[0] if close else None)
    elif name == "stub":
        if not isinstance(value, str):
            raise BadArgument(name, value, 'a name, such as "stub 2"')
    elif not isinstance(value, int) or isinstance(value, bool):
        raise BadArgument(name, value, "a whole number")


def _fact(name: str, exchange: Exchange) -> object:
    fact: object = getattr(exchange, name)
    return fact


def _is_fact(name: str, value: object, exchange: Exchange) -> bool:
    fact = _fact(name, exchange)
    if name == "stub":
        return fact == value or str(fact).startswith(f"{value} ")
    return fact == value or (isinstance(fact, Outcome | Ending) and fact.value == value)


def _shown(value: object) -> str:
    return short(value.value) if isinstance(value, Outcome | Ending) else described(value)
