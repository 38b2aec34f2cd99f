"""A stub that can never answer is told where it is written; no other ever is."""

import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.scripting.builders import error
from mockchat.scripting.matching import RequestView, contains, matcher, matches_schema
from mockchat.scripting.script import Script
from mockchat.scripting.shadowing import UnreachableStub, covers

WORDS = ["a", "ab", "b"]
TEXTS = st.sampled_from(
    [
        *WORDS,
        contains("a"),
        contains("ab"),
        re.compile("^a"),
        re.compile("b"),
        matches_schema({"minLength": 2}),
        matches_schema({"const": "b"}),
        str.isupper,
    ]
)
VALUES = st.sampled_from([1, 1.0, True, None, "a", contains("a"), matches_schema({"const": 1})])
TOOL_NAMES = st.lists(st.sampled_from(WORDS), max_size=2)
FORMATS = st.sampled_from(["text", "json_object", {"type": "text"}, contains("t")])
PLAIN = {
    "model": TEXTS,
    "last_role": st.sampled_from(["user", "tool"]),
    "any_text": TEXTS,
    "any_message": st.fixed_dictionaries(
        {}, optional={"role": st.sampled_from(["user", "tool"]), "text": TEXTS}
    ).filter(bool),
    "turns": st.integers(0, 2),
    "tools": st.one_of(TEXTS, TOOL_NAMES),
    "tool_result": st.one_of(TEXTS, st.dictionaries(st.sampled_from(WORDS), TEXTS, max_size=2)),
    "response_format": FORMATS,
    "stream": st.booleans(),
    "headers": st.dictionaries(
        st.sampled_from(["x-a", "X-A", "x-b"]), st.one_of(st.none(), TEXTS), max_size=2
    ),
    "pointer": st.dictionaries(st.sampled_from(["/x", "/model"]), VALUES, max_size=2),
    "schema": st.sampled_from([True, False, {"required": ["x"]}, {"properties": {"x": True}}]),
    "where": st.sampled_from([bool]),
}
SIMPLE = st.lists(st.sampled_from(sorted(PLAIN)), max_size=3, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: PLAIN[name] for name in names})
)
CONDITIONS = st.recursive(
    SIMPLE,
    lambda inner: st.builds(
        lambda base, more: base | more,
        SIMPLE,
        st.fixed_dictionaries(
            {},
            optional={
                "any_of": st.lists(inner.filter(bool), min_size=1, max_size=2),
                "not_": inner.filter(bool),
            },
        ),
    ),
    max_leaves=4,
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["user", "tool", "assistant"]),
            "content": st.sampled_from([*WORDS, None]),
            "tool_call_id": st.sampled_from(WORDS),
        }
    ),
    max_size=3,
)
VIEWS = st.builds(
    lambda headers, body: RequestView(
        method="POST", path="/v1/chat/completions", headers=tuple(headers.items()), body=body
    ),
    st.dictionaries(st.sampled_from(["x-a", "x-b"]), st.sampled_from(WORDS)),
    st.fixed_dictionaries(
        {"model": st.sampled_from(WORDS), "messages": MESSAGES},
        optional={
            "x": st.sampled_from([1, True, None, "a", "ab"]),
            "stream": st.booleans(),
            "response_format": st.sampled_from([{"type": "text"}, {"type": "json_object"}]),
            "tools": TOOL_NAMES.map(
                lambda names: [{"type": "function", "function": {"name": name}} for name in names]
            ),
        },
    ),
)


@given(general=CONDITIONS, special=CONDITIONS, views=st.lists(VIEWS, min_size=1, max_size=5))
def test_a_covered_matcher_never_matches_alone(general, special, views):
    """One false report would make a correct script impossible to write."""
    wide, narrow = matcher(**general), matcher(**special)
    both = matcher(**{**special, **general}) if not special.keys() & general.keys() else narrow
    assert covers(matcher(), narrow)
    if both is not narrow and "where" not in general and str.isupper not in general.values():
        covers(wide, both)  # any verdict; the law below must hold of it too
    for view in views:
        for one in (narrow, both):
            if covers(wide, one) and one.matches(view):
                assert wide.matches(view)


COVERED = [
    ({}, {}),
    ({}, {"where": bool}),
    ({"model": "a"}, {"model": "a", "stream": True}),
    ({"model": contains("a")}, {"model": "ab"}),
    ({"model": contains("a")}, {"model": contains("ab")}),
    ({"model": re.compile("^a")}, {"model": re.compile("^a")}),
    ({"model": matches_schema({"minLength": 2})}, {"model": "ab"}),
    ({"model": matches_schema({"minLength": 2})}, {"model": matches_schema({"minLength": 2})}),
    ({"headers": {"X-A": "1"}}, {"headers": {"x-a": "1", "x-b": "2"}}),
    ({"headers": {"x-a": None}}, {"headers": {"x-a": None}}),
    ({"tools": "a"}, {"tools": ["b", "a"]}),
    ({"tools": ["a", "b"]}, {"tools": ["b", "a"]}),
    ({"tool_result": contains("4")}, {"tool_result": {"call_1": "4 degrees"}}),
    ({"tool_result": {"call_1": "4"}}, {"tool_result": {"call_1": "4", "call_2": "5"}}),
    ({"response_format": "json_object"}, {"response_format": {"type": "json_object"}}),
    ({"response_format": {"type": "text"}}, {"response_format": {"type": "text"}}),
    ({"schema": True}, {"schema": {"required": ["x"]}}),
    ({"schema": {"required": ["x"]}}, {"schema": {"required": ["x"]}}),
    ({"pointer": {"/x": 1}}, {"pointer": {"/x": 1.0, "/y": 2}}),
    ({"any_message": {"role": "user"}}, {"any_message": {"role": "user", "text": "hi"}}),
    ({"any_of": [{"model": "a"}, {"model": "b"}]}, {"model": "b", "turns": 1}),
    ({"model": contains("a")}, {"any_of": [{"model": "a"}, {"model": "ab"}]}),
    ({"not_": {"model": "a"}}, {"not_": {"model": "a"}}),
    ({"not_": {"model": "a", "turns": 1}}, {"not_": {"model": "a"}}),
]

APART = [
    ({"where": bool}, {"where": bool}),
    ({"model": str.islower}, {"model": str.islower}),
    ({"model": str.islower}, {"model": "a"}),
    ({"model": "a"}, {}),
    ({"model": "a"}, {"model": "b"}),
    ({"model": "a"}, {"model": contains("a")}),
    ({"model": re.compile("a")}, {"model": re.compile("a", re.IGNORECASE)}),
    ({"model": matches_schema({"const": 1})}, {"model": matches_schema({"const": True})}),
    ({"headers": {"x-a": None}}, {"headers": {"x-a": "1"}}),
    ({"headers": {"x-a": "1"}}, {"headers": {"x-a": None}}),
    ({"tools": ["a"]}, {"tools": "a"}),
    ({"tool_result": {"call_1": "4"}}, {"tool_result": "4"}),
    ({"response_format": {"type": "text"}}, {"response_format": "text"}),
    ({"response_format": "text"}, {"response_format": {"x": 1}}),
    ({"any_message": {"role": "user"}}, {"any_message": bool}),
    ({"pointer": {"/x": 1}}, {"pointer": {"/x": True}}),
    ({"not_": {"model": "a"}}, {"not_": {"model": "a", "turns": 1}}),
    ({"any_of": [{"model": "a"}]}, {"any_of": [{"model": "a"}, {"model": "b"}]}),
]


@pytest.mark.parametrize(
    ("general", "special"), COVERED, ids=lambda value: re.sub(" at 0x.*", "", str(value))
)
def test_what_is_more_particular_is_covered(general, special):
    """These are the shadows that people write."""
    assert covers(matcher(**general), matcher(**special))


@pytest.mark.parametrize(
    ("general", "special"), APART, ids=lambda value: re.sub(" at 0x.*", "", str(value))
)
def test_what_may_differ_is_not_covered(general, special):
    """A predicate may change its mind, and a wider condition leaves something over."""
    assert not covers(matcher(**general), matcher(**special))


def test_a_stub_behind_an_endless_one_is_refused_where_it_is_written():
    """The test would only find a reply unused, far from the cause."""
    script = Script()
    first = script.when(model="gpt-4o").reply("always").forever()
    script.when(model="o3").reply("reachable")
    with pytest.raises(UnreachableStub) as caught:
        script.when(model="gpt-4o", stream=True)
    line = int(first.name.rpartition(":")[2][:-1])
    assert str(caught.value) == (
        f"stub 3 (test_shadowing.py:{line + 3}) can never answer: {first.name} answers every "
        "request with model='gpt-4o' for ever.\n"
        "\n"
        "Write it before stub 1, or limit that one with .times(n) instead of .forever(): "
        "README.md#matching-a-request"
    )
    assert len(script.stubs) == 2


def test_a_stub_that_becomes_endless_must_not_bury_a_later_one():
    """The order of calls differs from the order of stubs; the shadow is the same."""
    script = Script()
    first = script.reply("a")
    second = script.when(model="gpt-4o")
    with pytest.raises(UnreachableStub) as caught:
        first.then("b").forever()
    assert (caught.value.stub, caught.value.shadow, caught.value.wanted) == (
        second.name,
        first.name,
        "",
    )
    assert f"{first.name} answers every request for ever." in str(caught.value)


def test_stubs_that_still_answer_are_left_alone():
    """Finite stubs first, endless ones behind, is how scripts are written."""
    script = Script()
    script.reply(error(503)).times(2)
    early = script.reply("early")
    view = RequestView(method="POST", path="/", body={"model": "a", "messages": []})
    for _ in range(3):
        script.select(view)
    early.then("more")
    script.when(model="a").reply("x").times(2)
    script.when(model="a").reply("y").forever()
    script.when(model=str.islower).reply("z").forever()
    script.reply("rest").forever()


def test_an_unreachable_stub_pickles():
    """It travels between the processes of pytest-xdist."""
    told = UnreachableStub("stub 2 (t.py:9)", "stub 1 (t.py:3)", "turns=1")
    assert str(pickle.loads(pickle.dumps(told))) == str(told)
