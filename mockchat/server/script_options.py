"""The options of a script: the keywords of `script`, of the marker and of the plugin's settings."""

import difflib
import os
from collections.abc import Iterable, Mapping
from typing import TypedDict, get_args

from mockchat.errors import BadArgument
from mockchat.scripting.quotas import Limits
from mockchat.types import Kind, Level, Models, Unmatched, Unused, Validation


class ScriptOptions(TypedDict, total=False):
    """The keywords of `script` and of the marker.

    Attributes:
        profile: Which contract is served; "openai" unless said.
        schemas: A folder of the caller's own profiles, looked at before the built-in ones.
        unmatched: What a request gets that no stub matches: "fail" (the default) the test, or
            "generate" a completion.
        unused: Whether a reply that nothing asked for fails the test: "fail" (the default), or
            "ignore".
        validation: What is asked of requests; "strict" unless said.
        kind: What is generated; "plain" unless said.
        seed: Where generated parts start; the server's unless said.
        models: Whether unknown model names are accepted: "any" (the default), or "known".
        level: How scripted replies are judged; "observed" unless said.
        locale: The language of generated text; "en_US" unless said.
        limits: What the client may use in a time: `Limits(...)`; as much as it likes unless said.
        scenario: A scenario file with stubs to begin with, relative to the test's file; options it
            has count where they are not given here.
    """

    profile: str
    schemas: str | os.PathLike[str]
    unmatched: Unmatched
    unused: Unused
    validation: Validation
    kind: Kind
    seed: int
    models: Models
    level: Level
    locale: str
    limits: Limits
    scenario: str | os.PathLike[str]


_CHOICES = {
    "unmatched": get_args(Unmatched),
    "unused": get_args(Unused),
    "validation": get_args(Validation),
    "kind": get_args(Kind),
    "models": get_args(Models),
    "level": get_args(Level),
}

_PATHS = {"schemas": "folder", "scenario": "file"}


def check_options(options: Mapping[str, object]) -> None:
    """Refuse an option that does not exist or has a value that is not allowed.

    Raises:
        BadArgument: With the closest name or value, if one is close.
    """
    __tracebackhide__ = True
    known = ScriptOptions.__annotations__
    for name, value in options.items():
        if name not in known:
            raise BadArgument("option", name, ", ".join(known), _close(name, known))
        allowed = _CHOICES.get(name)
        if allowed is not None and value not in allowed:
            words = " or ".join(map(repr, allowed))
            raise BadArgument(name, value, words, _close(value, allowed))
        if name in ("profile", "locale") and not isinstance(value, str):
            raise BadArgument(name, value, "a name")
        if name in _PATHS and not isinstance(value, str | os.PathLike):
            raise BadArgument(name, value, f"the path of a {_PATHS[name]}")
        if name == "seed" and (not isinstance(value, int) or isinstance(value, bool)):
            raise BadArgument(name, value, "a whole number")
        if name == "limits" and not isinstance(value, Limits):
            raise BadArgument(name, value, "such as Limits(requests=3, window=60)")


def _close(value: object, known: Iterable[str]) -> str | None:
    if not isinstance(value, str):
        return None
    return next(iter(difflib.get_close_matches(value, list(known), n=1)), None)
