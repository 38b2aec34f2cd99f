"""The limits by name: every one is held, changed and documented."""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from mockchat.errors import BadArgument
from mockchat.exchange import Incoming, Outcome
from mockchat.scripting.limit_words import limits_said
from mockchat.scripting.quotas import Limits as RateLimits
from mockchat.server.bounds import BOUNDS, bounds_table, with_bounds
from mockchat.server.engine.server import CONNECTIONS
from mockchat.server.framing import Limits
from mockchat.server.scenarios import ScenarioApp
from mockchat.server.settings import Settings

MANUAL = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


def test_every_limit_of_connections_has_a_name():
    """A limit that nobody can set is a wall."""
    named = {bound.field for bound in BOUNDS if bound.is_of_connections}
    assert named == {one.name for one in dataclasses.fields(Limits)}
    assert len({bound.name for bound in BOUNDS}) == len(BOUNDS)


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.name)
def test_a_name_sets_the_field_it_says(bound):
    """And nothing else: all other limits stay as they were."""
    value = bound.most or bound.default * 2
    changed = with_bounds(Settings(), {bound.name: float(value)})
    if bound.is_of_connections:
        limits = dataclasses.replace(Limits(), **{bound.field: value})
        assert changed == Settings(connection=limits)
        assert type(getattr(limits, bound.field)) is type(bound.default)
    else:
        assert changed == Settings(**{bound.field: value})
    assert with_bounds(changed, {}) is changed


def test_the_manual_has_the_table_of_the_code():
    """Defaults change; a manual that is written by hand does not notice."""
    assert bounds_table() in MANUAL
    assert f"takes {CONNECTIONS:,} unless told" in MANUAL


WRONG = [
    (
        "conections",
        3,
        r"limit is 'conections'; allowed: head-size, .*\. Did you mean 'connections'\?",
    ),
    ("x", 3, r"limit is 'x'; allowed: head-size, .*completions\."),
    (
        "connections",
        0,
        r"limit connections is 0; allowed: a whole number of connections, 1 or more\.",
    ),
    (
        "head-fields",
        101,
        r"limit head-fields is 101; allowed: a whole number of fields, 1 to 100\.",
    ),
    (
        "journal-size",
        1.5,
        r"limit journal-size is 1.5; allowed: a whole number of bytes, 1 or more\.",
    ),
    ("idle-time", -1.0, r"limit idle-time is -1.0; allowed: a number of seconds, 0 or more\."),
    (
        "idle-time",
        float("inf"),
        r"limit idle-time is inf; allowed: a number of seconds, 0 or more\.",
    ),
    (
        "idle-time",
        float("nan"),
        r"limit idle-time is nan; allowed: a number of seconds, 0 or more\.",
    ),
]


@pytest.mark.parametrize(("name", "value", "said"), WRONG)
def test_what_cannot_be_is_told(name, value, said):
    """Name, value and what would do, as everywhere."""
    with pytest.raises(BadArgument) as caught:
        with_bounds(Settings(), {name: value})
    assert re.fullmatch(said, str(caught.value))


def test_rate_limits_are_written_as_in_python():
    """Every keyword of `Limits` but the clock, whatever stands around the commas."""
    said = limits_said(
        "requests=3,tokens=100 , window = 0.5, total_tokens=9, context_window=model, per=all"
    )
    assert said == RateLimits(
        requests=3, tokens=100, window=0.5, total_tokens=9, context_window="model", per="all"
    )
    assert limits_said("context_window=8").context_window == 8


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "limits is ''; allowed: NAME=VALUE, separated by commas: requests, tokens, window,"),
        ("requests", "limits is 'requests'; allowed: NAME=VALUE, separated by commas"),
        ("requests=", "limits is 'requests='; allowed: NAME=VALUE, separated by commas"),
        ("requests=1,requests=2", "limits is 'requests=1,requests=2'; allowed: NAME=VALUE"),
        ("request=3", "limits is 'request'; allowed: requests, .*per. Did you mean 'requests'?"),
        ("clock=3", "limits is 'clock'; allowed: requests, tokens, window"),
        ("requests=many", "Limits(requests=) is 'many'; allowed: a whole number above 0."),
        ("requests=1.5", "Limits(requests=) is 1.5; allowed: a whole number above 0."),
        ("window=nan", "Limits(window=) is nan; allowed: a number of seconds above 0."),
        ("per=user", 'Limits(per=) is \'user\'; allowed: "key" or "all".'),
    ],
)
def test_rate_limits_that_cannot_be_are_told(text, said):
    """The same text comes from a command line and from an ini file."""
    with pytest.raises(BadArgument) as caught:
        limits_said(text)
    assert re.match(re.escape(said).replace(r"\.\*", ".*"), str(caught.value))


def test_the_journal_of_a_scenario_has_its_limits(tmp_path):
    """It is the journal of a server that runs for weeks."""
    file = tmp_path / "hello.yaml"
    file.write_text("stubs:\n  - reply: Hello\n    forever: true\n")
    settings = with_bounds(Settings(), {"journal-exchanges": 2, "journal-size": 50_000})
    app = ScenarioApp([file], lambda asked: dataclasses.replace(settings, **asked))
    journal = app.script.journal
    for text in ("one", "two", "three"):
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}]}
        incoming = Incoming(
            method="POST", path="/v1/chat/completions", body=json.dumps(body).encode()
        )
        app.handle(incoming).finish(Outcome.DELIVERED)
    assert (len(journal), journal.dropped) == (2, 1)
    body["messages"][0]["content"] = "x" * 60_000
    app.handle(dataclasses.replace(incoming, body=json.dumps(body).encode())).finish(
        Outcome.DELIVERED
    )
    assert (len(journal), journal.dropped) == (1, 3)
