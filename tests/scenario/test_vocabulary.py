"""One vocabulary: what Python can say, a scenario file can, or it is listed here with the reason."""

import dataclasses
import inspect
from typing import get_args

import pytest
from jsonschema import Draft202012Validator

import mockchat
from mockchat import types
from mockchat.payloads import plans
from mockchat.payloads.plans import Plan
from mockchat.scripting import builders, conditions, scenario_stubs, scenario_words, wanted
from mockchat.scripting.conditions import Conditions
from mockchat.scripting.contents import Reply, ReplyOptions
from mockchat.scripting.fault_list import stream_faults
from mockchat.scripting.faults import NamedFault
from mockchat.scripting.faults_timing import Pacing
from mockchat.scripting.scenario_form import form
from mockchat.server.script_options import ScriptOptions

PYTHON_ONLY = {
    "where": "a condition that is a callable",
    "schemas": "a folder is named by whoever starts the server",
    "scenario": "a scenario does not name another",
    "clock": "a callable",
    "random_plan": "takes a draw",
}
FORM = form()
DEFS = FORM["$defs"]


def written(names):
    """Return the names that a file can say."""
    return {name for name in names if name not in PYTHON_ONLY}


def properties(schema):
    """Return the names of the members a part of the form has."""
    return set(schema["properties"])


def functions(module, result):
    """Return the public functions of a module that return `result`, by name."""
    return {
        name: function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and inspect.signature(function).return_annotation in {result, result.__name__}
    }


def fields(record):
    """Return the parameters of a frozen record: name to whether it must be given."""
    return {
        field.name: field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
        for field in dataclasses.fields(record)
    }


def test_the_form_is_a_schema_that_needs_nothing_else():
    """An editor reads it without us."""
    Draft202012Validator.check_schema(FORM)
    assert FORM["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_options_are_those_of_script():
    """What a marker can say, a file can."""
    assert properties(FORM) - {"$schema", "stubs"} == written(ScriptOptions.__annotations__)


@pytest.mark.parametrize(
    ("option", "alias"),
    [
        ("unmatched", types.Unmatched),
        ("unused", types.Unused),
        ("validation", types.Validation),
        ("kind", types.Kind),
        ("models", types.Models),
        ("level", types.Level),
    ],
)
def test_an_option_takes_what_python_takes(option, alias):
    """A value that only one of the two knows is a surprise in the other."""
    assert set(FORM["properties"][option]["enum"]) == set(get_args(alias))


def test_the_conditions_are_the_keywords_of_when():
    """A request that Python can tell apart, a file can."""
    assert properties(DEFS["conditions"]) == written(Conditions.__annotations__)


def test_a_message_is_matched_by_the_same_members():
    """The same one level deeper."""
    message = DEFS["conditions"]["properties"]["any_message"]
    assert properties(message) == set(conditions._MEMBERS)


def test_texts_are_matched_by_the_same_words():
    """`regex` stands for `re.compile`, `equals` for what looks like a matcher and is none."""
    made = {*functions(wanted, wanted.Contains), *functions(wanted, wanted.MatchesSchema), "regex"}
    assert properties(DEFS["matcher"]) == made
    assert set(scenario_words.MATCHERS) == {*made, "equals"}


def test_the_kinds_of_replies_are_the_builders():
    """What can be answered in Python, a file can."""
    made = written(functions(builders, Reply))
    assert set(scenario_words.REPLIES) == made
    assert properties(DEFS["built_reply"]) == {*made, *scenario_words.RAW}


@pytest.mark.parametrize("name", sorted(scenario_words.REPLIES))
def test_a_kind_of_reply_takes_what_its_builder_takes(name):
    """A parameter that the form lacks would be refused, one the builder lacks would be a crash."""
    parameters = inspect.signature(scenario_words.REPLIES[name]).parameters.values()
    named = {p.name for p in parameters if p.kind is not p.VAR_KEYWORD}
    shape = DEFS[f"{name}_reply"]
    if name == "generated":
        assert properties(shape["properties"]["generated"]) == named
        return
    first = next(iter(parameters)).name
    if name == "error":
        named |= set(builders.ErrorChanges.__annotations__)
    assert properties(shape) == named - {first} | {name}
    assert shape["required"] == [name]


def test_the_keywords_of_reply_stand_beside_it():
    """Plans, pacing and faults belong to one reply, the first and every further one."""
    options = set(ReplyOptions.__annotations__)
    assert set(scenario_stubs._OPTIONS) == options
    assert properties(DEFS["step"]) == {"reply", "times", "forever", *options}
    assert properties(DEFS["stub"]) == {"when", "then", *properties(DEFS["step"])}


def test_the_plans_are_all_there():
    """A plan without argument is a word, one with an argument a mapping."""
    made = functions(plans, Plan)
    assert set(scenario_words.PLANS) == written(made)
    words, mapping = DEFS["plan"]["oneOf"]
    bare = {name for name in written(made) if not inspect.signature(made[name]).parameters}
    assert (set(words["enum"]), properties(mapping)) == (bare, written(made) - bare)


def test_pacing_takes_the_same_arguments():
    """The fourth argument of a record is easily forgotten."""
    assert properties(DEFS["pacing"]) == set(fields(Pacing))


def fault_classes():
    """Return the public classes of faults by name."""
    public = {name: getattr(mockchat, name) for name in mockchat.__all__}
    return {
        name: made
        for name, made in public.items()
        if dataclasses.is_dataclass(made) and hasattr(made, "needs") and made is not NamedFault
    }


def test_the_faults_are_all_there():
    """By class with parameters, by name without."""
    classes = fault_classes()
    names, mapping = DEFS["fault"]["oneOf"]
    bare = {name for name, made in classes.items() if not any(fields(made).values())}
    bare.remove("CutStream")  # one of its parameters must be given
    assert set(scenario_words.FAULTS) == set(classes)
    assert properties(mapping) == {*classes, "sometimes", "together"}
    assert set(names["enum"]) == {*bare, *map(str, stream_faults())}


@pytest.mark.parametrize("name", sorted(scenario_words.FAULTS))
def test_a_fault_takes_what_its_class_takes(name):
    """The same for the parameters of each."""
    shape = DEFS["fault"]["oneOf"][1]["properties"][name]
    taken = fields(scenario_words.FAULTS[name])
    assert properties(shape) == set(taken)
    assert set(shape.get("required", ())) == {field for field, must in taken.items() if must}


def described(part, place=""):
    """Yield the place of every member without a description, its own or its definition's."""
    if isinstance(part, dict):
        for name, member in part.get("properties", {}).items():
            inner = f"{place}/{name}"
            target = DEFS[member["$ref"].rpartition("/")[2]] if "$ref" in member else {}
            if "description" not in {**target, **member} and name in properties(DEFS["stub"]):
                yield inner
        for key, inner in part.items():
            yield from described(inner, f"{place}/{key}")
    elif isinstance(part, list):
        for inner in part:
            yield from described(inner, place)


def test_an_editor_explains_every_key_of_a_stub():
    """Completion without a word on what a key does sends its reader to the manual."""
    assert list(described(FORM)) == []
