"""Which stubs one request, or one further stub, can concern: found without asking all of them.

Most stubs want one exact text, or a fragment of it. Those are looked up; only what no text tells is
asked one by one. What is left out is certain: a stub that is not named here does not match.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

from mockchat.scripting.conditions import TEXTS_OF
from mockchat.scripting.matching import Matcher, RequestView
from mockchat.scripting.stubs import Stub
from mockchat.scripting.wanted import Contains

Wanted = tuple[str, str]
"""A keyword of `when`, and a text."""


class StubIndex:
    """The stubs of one script by the text that each of them wants.

    Looking one up costs as much with ten thousand stubs as with one where texts are wanted exactly,
    and a search for each fragment where they are wanted in part. Not safe to share between threads:
    the script's lock is held.
    """

    def __init__(self) -> None:
        self._exact: dict[str, dict[str, list[Stub]]] = {}
        self._within: dict[str, list[tuple[str, Stub]]] = {}
        self._others: list[Stub] = []

    def add(self, stub: Stub) -> None:
        """Add a stub behind the others."""
        keyword, wanted = _told_by(stub.matcher)
        if isinstance(wanted, str):
            self._exact.setdefault(keyword, {}).setdefault(wanted, []).append(stub)
        elif isinstance(wanted, Contains):
            self._within.setdefault(keyword, []).append((wanted.fragment, stub))
        else:
            self._others.append(stub)

    def remove(self, stub: Stub) -> None:
        """Take a stub away."""
        keyword, wanted = _told_by(stub.matcher)
        if isinstance(wanted, str):
            self._exact[keyword][wanted].remove(stub)
        elif isinstance(wanted, Contains):
            self._within[keyword].remove((wanted.fragment, stub))
        else:
            self._others.remove(stub)

    def asked_by(self, view: RequestView) -> Sequence[Stub]:
        """Return the stubs that could match a request, in the order written."""
        texts = {keyword: set(TEXTS_OF[keyword](view)) for keyword in {*self._exact, *self._within}}
        return self._found((keyword, text) for keyword in texts for text in texts[keyword])

    def around(self, matcher: Matcher) -> Sequence[Stub]:
        """Return the stubs that could match whatever `matcher` matches, in the order written."""
        return self._found(set(_texts_in(matcher)))

    def _found(self, texts: Iterable[Wanted]) -> Sequence[Stub]:
        found: dict[int, Stub] = {}
        for keyword, text in texts:
            for stub in self._exact.get(keyword, _NOTHING).get(text, ()):
                found[stub.place] = stub
            for fragment, stub in self._within.get(keyword, ()):
                if fragment in text:
                    found[stub.place] = stub
        if not found:
            return tuple(self._others)
        return sorted([*self._others, *found.values()], key=lambda stub: stub.place)


_NOTHING: Mapping[str, list[Stub]] = {}


def _told_by(matcher: Matcher) -> tuple[str, object]:
    """Return the condition that tells most requests from those a matcher wants, ("", None): none."""
    wanted = dict(matcher.conditions)
    for keyword in TEXTS_OF:
        # A text of a class of its own may compare in its own way.
        if type(wanted.get(keyword)) in (str, Contains):
            return keyword, wanted[keyword]
    return "", None


def _texts_in(matcher: Matcher) -> Iterator[Wanted]:
    """Yield the texts that a matcher wants by itself, or as one of several."""
    for keyword, wanted in matcher.conditions:
        if keyword == "any_of":
            for one in cast("tuple[Matcher, ...]", wanted):
                yield from _texts_in(one)
        elif keyword in TEXTS_OF and isinstance(wanted, str | Contains):
            yield keyword, wanted if isinstance(wanted, str) else wanted.fragment
