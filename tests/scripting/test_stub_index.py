"""Stubs are looked up by the texts they want: the answer is that of asking each, at less cost."""

import re
from enum import StrEnum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockchat.scripting.failures import NoStubMatched
from mockchat.scripting.matching import Matcher, RequestView, contains, matcher
from mockchat.scripting.script import Script
from mockchat.scripting.shadowing import UnreachableStub, covers


class Loud(StrEnum):
    """A text that compares in its own way."""

    A = "a"

    def __eq__(self, other):
        return isinstance(other, str) and other.lower() == "a"

    def __hash__(self):
        return hash("a")


def is_loud(text):
    """Tell whether a text is in capitals."""
    return str(text).isupper()


WORDS = st.sampled_from(["a", "ab", "b", "A"])
WANTED = st.one_of(
    WORDS, st.sampled_from([contains("a"), contains("b"), re.compile("^a"), is_loud])
)


def conditions(wanted):
    """Draw the keywords of `when`, with these wanted texts: one or two, so that many match."""
    some = st.one_of(
        *(
            st.fixed_dictionaries({keyword: wanted})
            for keyword in ("last_text", "any_text", "system_text", "model")
        ),
        st.fixed_dictionaries({"any_message": st.fixed_dictionaries({"text": wanted})}),
        st.just({"stream": False}),
    )
    simple = st.builds(lambda one, other: one | other, some, st.one_of(st.just({}), some))
    several = st.lists(simple, min_size=1, max_size=2)
    return st.one_of(
        simple,
        st.builds(lambda one, other: {**one, "any_of": other}, st.just({}) | some, several),
        simple.map(lambda one: {"not_": one}),
    )


MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "system"]), "content": WORDS}),
    min_size=1,
    max_size=2,
)
BODIES = st.fixed_dictionaries(
    {"model": st.one_of(WORDS, st.just(5)), "messages": MESSAGES | st.none()}
)
ALL_CONDITIONS = st.lists(conditions(st.one_of(WANTED, st.just(Loud.A))), max_size=6)


def view(body):
    """Make a request."""
    return RequestView(method="POST", path="/v1/chat/completions", body=body)


def question(text):
    """Make a request with one message."""
    return view({"model": "m", "messages": [{"role": "user", "content": text}]})


def asked(script, request):
    """Return the place of the stub that answers, or the stubs that an error names."""
    try:
        return script.select(request).stub.place
    except NoStubMatched as unmatched:
        return [name for name, _ in unmatched.stubs]


@settings(max_examples=150)
@given(ALL_CONDITIONS, st.lists(BODIES, min_size=1, max_size=4), st.data())
def test_the_answer_is_that_of_asking_each_stub(wanted, bodies, data):
    """What is not asked must be what cannot match: otherwise a stub is silently passed over."""
    script = Script(unmatched="generate")
    stubs = [script.when(**conditions).reply("hi").times(100) for conditions in wanted]
    if stubs and data.draw(st.booleans()):
        gone = data.draw(st.sampled_from(stubs))
        assert script.remove(gone.place)
        stubs.remove(gone)
    for request in map(view, bodies):
        closest = sorted(stubs, key=lambda stub: len(stub.matcher.mismatches(request)))
        first = next((stub.place for stub in stubs if stub.matcher.matches(request)), None)
        names = [stub.name for stub in closest]
        assert asked(script, request) == (names if first is None else first)


@settings(max_examples=150)
@given(st.lists(conditions(WANTED), max_size=5))
def test_a_stub_is_refused_as_if_each_earlier_one_were_looked_at(wanted):
    """A stub that can never answer is told with ten thousand before it as with one."""
    script, kept = Script(), []
    for conditions in wanted:
        new = matcher(**conditions)
        shadow = next((stub for stub in kept if covers(stub.matcher, new)), None)
        if shadow is None:
            kept.append(script.when(**conditions).reply("hi").forever())
            continue
        with pytest.raises(UnreachableStub) as caught:
            script.when(**conditions)
        assert caught.value.shadow == shadow.name


@pytest.mark.parametrize("wanted", [str, contains], ids=["exact", "contains"])
def test_few_of_many_stubs_are_asked(wanted, monkeypatch):
    """A scenario recorded from ten thousand calls answers as quickly as one of ten."""
    script = Script()
    for number in range(1000):
        script.when(model="m", last_text=wanted(f"question {number};")).reply("hi").forever()
    script.when(last_role="system").reply("hi")
    compared = []
    mismatches = Matcher.mismatches
    monkeypatch.setattr(
        Matcher, "mismatches", lambda self, seen: compared.append(self) or mismatches(self, seen)
    )
    assert asked(script, question("question 998;")) == 998
    assert len(compared) == 1
    script.when(last_role="user").reply("hi")
    assert asked(script, question("nothing;")) == 1001
    assert len(compared) == 3


def test_a_refusal_names_the_closest_of_many_stubs():
    """Ten thousand lines tell a reader less than a hundred, and cost each request a second."""
    script = Script()
    for number in range(150):
        script.when(model="other", last_text=f"question {number}").reply("hi")
    script.when(last_text="question 7").reply("hi")
    with pytest.raises(NoStubMatched) as caught:
        script.select(question("question"))
    assert len(caught.value.lines) == 100
    assert caught.value.lines[0].startswith("stub 151 ")
    text = str(caught.value)
    assert text.startswith("POST /v1/chat/completions matched none of 151 stubs.")
    assert "\n- and 51 further stubs\n\nAdd a stub" in text


def test_an_exhausted_stub_is_named_behind_any_number_of_others():
    """The one that matched and has nothing left is what its author looks for."""
    script = Script()
    for number in range(100):
        script.when(last_text=f"question {number}").reply("hi")
    script.when(last_text="again").reply("hi")
    assert asked(script, question("again")) == 100
    with pytest.raises(NoStubMatched) as caught:
        script.select(question("again"))
    assert caught.value.exhausted == script.stubs[-1].name
    assert str(caught.value).count("\n- ") == 101
    assert "\n- and 1 further stub\n" in str(caught.value)
    assert "let stub 101 repeat" in str(caught.value)
