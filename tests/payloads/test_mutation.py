"""Mutants of documents: every one is refused where it says, its parent is not, no keyword is left out."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockchat.contract.contract import contract_for
from mockchat.contract.drafts import subschemas
from mockchat.contract.profile import profile_names
from mockchat.payloads.breakages import breakages, wrong_types
from mockchat.payloads.drawn import HypothesisDraw
from mockchat.payloads.mutation import found_at, mutant_of, targets
from mockchat.payloads.places import narrowed, steps_from
from mockchat.payloads.rule_keeping import AMENDS, keeping_rules
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.simplest import SimplestDraw
from mockchat.payloads.targets import changed, drawn_for, targets_of
from mockchat.payloads.values import compile_schema

OPENAI = contract_for("openai")
DOCUMENTS = tuple(name for name in OPENAI.profile.documents if name != "openapi")
PLACES = [
    (profile, document)
    for profile in profile_names()
    for document in contract_for(profile).profile.documents
    if document != "openapi"
]
REPLIES = ("response", "chunk")
"""The documents that differ by level."""

ASSERTIONS = {
    "type", "const", "enum", "required", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern", "minItems", "maxItems",
    "uniqueItems", "contains", "minProperties", "maxProperties", "dependentRequired", "not",
}  # fmt: skip


def wrong(contract, document, value, level="observed"):
    """Return what is wrong with `value`, notes left out."""
    found = contract.violations(document, value, level=level)
    return [violation for violation in found if not violation.is_note]


INSEPARABLE = (
    # An empty name breaks its length and its pattern.
    {"schema.minLength", "schema.pattern"},
    # Calls that are no list say nothing either, and the content is null.
    {"schema.type", "request.content-is-given"},
    # Where one number alone is allowed, one that is no integer is also too large.
    {"schema.type", "schema.maximum"},
    # A message or its calls, taken away, leave a finish_reason that tells of them.
    {"schema.required", "reply.content-or-something", "reply.finish-reason-tells-calls"},
)
"""The mutants with more than one fault: what makes one makes the others."""


def is_alone(violations):
    """Tell whether a mutant has one fault, or faults that cannot be had apart."""
    rules = {violation.rule for violation in violations}
    return len(violations) == 1 or (rules and any(rules <= known for known in INSEPARABLE))


@pytest.mark.proof
@pytest.mark.parametrize(
    ("profile", "document", "level"),
    [
        *((profile, document, "observed") for profile, document in PLACES),
        *((profile, name, "documented") for profile, name in PLACES if name in REPLIES),
    ],
)
def test_every_target_makes_a_mutant_that_is_refused_where_it_says(
    profile, document, level, proof_count
):
    """An invalid payload that is valid tests nothing, one with two faults does not say which."""
    contract = contract_for(profile)
    listed = [*targets(contract, document, level=level).items()]
    for name, target in listed[:: 10 // proof_count(10)]:
        mutant = mutant_of(contract, document, target, SimplestDraw(), level=level)
        mutation = mutant.mutation
        found = wrong(contract, document, mutant.payload, level)
        assert is_alone(found), name
        by_rule = {violation.rule: violation for violation in found}
        assert by_rule[mutation.rule].pointer == mutation.pointer, name
        assert by_rule[mutation.rule].keyword == mutation.keyword, name
        assert wrong(contract, document, mutant.parent, level) == [], name
        assert mutation.before == found_at(mutant.parent, mutation.pointer), name
        assert mutation.after == found_at(mutant.payload, mutation.pointer), name
        assert mutation.reason, name


@pytest.mark.proof
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_a_drawn_mutant_is_refused_where_it_says(data):
    """What holds of the simplest payload holds of any: no draw is thrown away to get there."""
    profile, document = data.draw(st.sampled_from(PLACES))
    contract = contract_for(profile)
    name = data.draw(st.sampled_from([*targets(contract, document)]))
    target = targets(contract, document)[name]
    kind = data.draw(st.sampled_from(["wild", "plain"]))
    mutant = mutant_of(contract, document, target, HypothesisDraw(data.draw), kind=kind)
    pointers = [violation.pointer for violation in wrong(contract, document, mutant.payload)]
    assert mutant.mutation.pointer in pointers
    assert is_alone(wrong(contract, document, mutant.payload))
    assert wrong(contract, document, mutant.parent) == []


@pytest.mark.proof
@pytest.mark.parametrize("document", DOCUMENTS)
def test_mutants_of_seeds(document, proof_count):
    """The command line makes mutants from seeds: the same law, another draw."""
    listed = [*targets(OPENAI, document).values()]
    for seed in range(proof_count(500)):
        draw = SeededDraw(seed)
        target = listed[draw.index(len(listed))]
        mutant = mutant_of(OPENAI, document, target, draw)
        assert is_alone(wrong(OPENAI, document, mutant.payload)), target.name


def schemas():
    """Yield every schema of the documents with its place: "request.json#/$defs/stop"."""
    for name in DOCUMENTS:
        pending = [("", OPENAI.profile.documents[name])]
        while pending:
            pointer, schema = pending.pop()
            if isinstance(schema, dict):
                yield f"{name}.json#{pointer}", schema
                pending += [(pointer + token, each) for token, each in subschemas(schema)]


def assertions():
    """Yield the place of every keyword that can refuse a value."""
    for place, schema in schemas():
        yield from (f"{place}/{keyword}" for keyword in schema if keyword in ASSERTIONS)
        if schema.get("additionalProperties") is False:
            yield f"{place}/additionalProperties"


def decided_by_unions(reported):
    """Yield the assertions that a union reports in their place.

    A union chooses its branch by the JSON type and by tags, so what its branches say of these
    is never asked again: the union's own fault stands for them.
    """
    known = dict(schemas())
    for place, schema in known.items():
        faults = {keyword for at, keyword in reported if at == f"{place}/oneOf"}
        for position, branch in enumerate(schema.get("oneOf", ())):
            at, target = f"{place}/oneOf/{position}", branch
            while "$ref" in target:
                document, _, pointer = target["$ref"].partition("#")
                at = f"{document or at.partition('#')[0]}#{pointer}"
                target = known[at]
            if "type" in faults:
                yield f"{at}/type"
            if "required" in faults:
                yield f"{at}/required"
            if "enum" in faults:
                yield f"{at}/const"
                yield from (f"{at}/properties/{name}/const" for name in target.get("required", ()))


@pytest.mark.proof
def test_targets_break_every_assertion_of_every_document():
    """A keyword that no mutant breaks is one whose check could be deleted unnoticed."""
    reported = set()
    for document in DOCUMENTS:
        for target in targets(OPENAI, document).values():
            mutation = mutant_of(OPENAI, document, target, SimplestDraw()).mutation
            reported.add((mutation.schema_pointer, mutation.keyword))
    told = {place for place, _ in reported} | {*decided_by_unions(reported)}
    assert [place for place in assertions() if place not in told] == []


def test_names_of_targets_tell_them_apart_and_stay():
    """Names become the ids of tests: two runs and two workers must agree on them."""
    node = compile_schema(OPENAI.profile.document("error")).node
    names = [target.name for target in targets_of(node)]
    assert len(set(names)) == len(names)
    assert names == [target.name for target in targets_of(node)]
    assert "/messages/0=assistant/tool_calls/0=custom/custom without input" in targets(
        OPENAI, "request"
    )


def test_what_a_request_may_leave_open_is_no_target():
    """The server reads null as absent in most members: a null there breaks nothing."""
    listed = targets(OPENAI, "request")
    assert "/tools null" not in listed
    assert "/model null" in listed


def test_a_mutation_does_not_touch_its_parent():
    """Parent and mutant are compared by whoever reads the report; they may share nothing."""
    target = targets(OPENAI, "response")["/choices/0/index null"]
    mutant = mutant_of(OPENAI, "response", target, SimplestDraw())
    before = copy.deepcopy(mutant.parent)
    mutant.payload["choices"].clear()
    assert mutant.parent == before


SCHEMAS = {
    "multiple of an integer": ({"type": "integer", "multipleOf": 3}, {"off step"}),
    "multiple of a number": ({"type": "number", "multipleOf": 0.5}, {"off step"}),
    "unique items": (
        {"type": "array", "items": {"type": "integer"}, "uniqueItems": True},
        {"repeated"},
    ),
    "a full list of unique items": (
        {"type": "array", "items": {"type": "integer"}, "uniqueItems": True, "maxItems": 3, "minItems": 3},
        {"repeated", "too few"},
    ),
    "one unique item": (
        {"type": "array", "items": {"type": "integer"}, "uniqueItems": True, "maxItems": 1},
        set(),
    ),
    "members that need each other": (
        {
            "type": "object",
            "properties": {"a": {"type": "null"}, "b": {"type": "null"}},
            "dependentRequired": {"a": ["b"]},
        },
        {"a without b"},
    ),
    "a member that can never be there": (
        {"type": "object", "properties": {"a": False}, "dependentRequired": {"a": ["b"]}},
        set(),
    ),
    "few members": ({"type": "object", "minProperties": 2}, {"too few members"}),
    "many members": ({"type": "object", "maxProperties": 2}, {"too many members"}),
    "members of two kinds": (
        {"type": "object", "patternProperties": {"^p": {"type": "null"}}, "maxProperties": 3},
        set(),
    ),
    "names from a list": ({"type": "object", "propertyNames": {"enum": ["a"]}}, set()),
    "nothing allowed in it": (
        {"type": "object", "additionalProperties": False},
        {"unknown member"},
    ),
    "a branch without values": ({"anyOf": [{"type": "null"}, False]}, set()),
    "an integer or a text": ({"type": ["integer", "string"]}, set()),
    "very many members": ({"type": "object", "maxProperties": 10**9}, set()),
    "names of few digits": (
        {"type": "object", "propertyNames": {"maxLength": 1}, "maxProperties": 20},
        {"name too long"},
    ),
    "names of a pattern": (
        {"type": "object", "propertyNames": {"pattern": "^[0-9]$"}},
        {"name strange character"},
    ),
    "names out of reach": (
        {"type": "object", "propertyNames": {"pattern": "^q{7}$"}, "maxProperties": 2},
        set(),
    ),
    "a pattern that everything matches": ({"type": "string", "pattern": "^"}, set()),
    "a tuple": (
        {"type": "array", "prefixItems": [{"type": "null"}, {"const": "a"}], "minItems": 2},
        {"wrong case", "suffix", "empty text", "too few"},
    ),
    "listed numbers": ({"enum": [1, 2, 3]}, {"below", "above"}),
    "listed values of several types": ({"enum": [1, "a"]}, {"wrong case", "suffix", "empty text"}),
    "both cases listed": ({"enum": ["a", "A"]}, {"suffix", "empty text"}),
    "a long text": ({"type": "string", "minLength": 30_000, "maxLength": 40_000}, {"too short"}),
    "a large number": ({"type": "number", "maximum": 1e300}, set()),
}  # fmt: skip
TYPES = {"null", "boolean", "integer", "number", "string", "array", "object", "float"}


@pytest.mark.parametrize(("schema", "variants"), SCHEMAS.values(), ids=SCHEMAS)
def test_breakages_of_any_schema(schema, variants):
    """Profiles of others use keywords ours do not: each is broken, or says nothing, never wrongly."""
    document = compile_schema(schema)
    made = set()
    for target in targets_of(document.node):
        value = drawn_for(target, document, SimplestDraw(), "wild")
        assert document.source.accepts(document.source.schema, value), target.name
        spoilt = changed(value, target.path, target.breakage)
        if not document.source.accepts(document.source.schema, spoilt):
            made.add(target.breakage.variant)
    assert made - TYPES == variants


def test_anything_cannot_be_spoilt():
    """Where everything is allowed, nothing is wrong."""
    node = compile_schema(True).node
    assert [*wrong_types(node)] == []
    assert [*breakages(node.branches[0])] == []


def test_a_route_leads_where_it_says_or_nowhere():
    """A step that does not fit its node is a fault of ours, not a value without the place."""
    node = compile_schema({"type": "object", "properties": {"a": {"type": "null"}}}).node
    (branch, below), *_ = steps_from(node)
    (member, _), *_ = steps_from(below)
    assert narrowed(node, (branch, member)).branches[0].required == ("a",)
    with pytest.raises(AssertionError):
        narrowed(node, (member,))


def broken(**members):
    """Return a request that breaks rules only."""
    return {"model": "some-model", "messages": [{"role": "user", "content": "hi"}], **members}


CALLING = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}],
}
ANSWER = {"role": "tool", "tool_call_id": "b", "content": ""}
STRICT = {"name": "f", "strict": True, "parameters": {"type": "object", "properties": {"a": {}}}}


@pytest.mark.parametrize(
    "body",
    [
        broken(messages=[CALLING, {**ANSWER, "tool_call_id": "a"}, ANSWER]),
        broken(messages=[ANSWER, CALLING]),
        broken(messages=[{"role": "user", "content": "hi"}, ANSWER]),
        broken(tool_choice={"type": "function", "function": {"name": "g"}}),
        broken(tool_choice={"type": "custom", "custom": {"name": "g"}}),
        broken(function_call={"name": "g"}),
        broken(parallel_tool_calls=True),
        broken(top_logprobs=1, stream_options={}, max_tokens=1, max_completion_tokens=1),
        broken(response_format={"type": "json_object"}, modalities=["audio"]),
        broken(logit_bias={"x": 1, "y": 2}),
        broken(tools=[{"type": "function", "function": STRICT}], functions=[STRICT]),
        broken(functions=[{"name": "f", "parameters": {"type": 5}}]),
        broken(response_format={"type": "json_schema", "json_schema": {"name": "f", "schema": {"type": 5}}}),
        broken(
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "f", "strict": True, "schema": {"type": "string"}},
            }
        ),
        broken(model="o1", temperature=0.5, stop="x", max_tokens=5),
    ],
)  # fmt: skip
def test_a_request_is_put_right(body):
    """Whatever a draw breaks beside its target is mended, so that the mutant has one fault."""
    kept, _ = keeping_rules(OPENAI, "request", copy.deepcopy(body), ())
    assert OPENAI.request_violations(kept) == ()


def test_the_limit_that_is_aimed_at_is_kept():
    """The target must survive the amends."""
    body = broken(max_tokens=1, max_completion_tokens=1)
    kept, path = keeping_rules(OPENAI, "request", body, ("max_tokens",))
    assert path == ("max_tokens",)
    assert "max_completion_tokens" not in kept


def test_a_target_is_followed_to_where_it_moves():
    """A call inserted before a tool message moves the message."""
    body = broken(messages=[ANSWER])
    kept, path = keeping_rules(OPENAI, "request", body, ("messages", 0, "content"))
    assert path == ("messages", 1, "content")
    assert kept["messages"][1] == ANSWER


def test_metadata_is_stored_where_a_profile_asks():
    """A rule that is off in our profiles may be on in a user's."""
    body = broken(metadata={})
    AMENDS["request.metadata-needs-store"](type("D", (), {"body": body})(), None)
    assert body["store"] is True


def choice(**members):
    """Return a completion with one choice."""
    made = {
        "index": 0,
        "message": {"role": "assistant", "content": None, "refusal": None},
        "logprobs": None,
        "finish_reason": "stop",
    }
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 5,
             "prompt_tokens_details": {"cached_tokens": 9}}  # fmt: skip
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [made | members],
        "usage": usage,
    }


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}


@pytest.mark.parametrize(
    "completion",
    [
        choice(index=3),
        choice(finish_reason="tool_calls"),
        choice(message={"role": "assistant", "content": None, "refusal": None,
                        "tool_calls": [CALL.copy(), CALL.copy()]}),
        choice(message={"role": "assistant", "content": None, "refusal": None,
                        "tool_calls": [CALL.copy(), CALL.copy()],
                        "function_call": {"name": "f", "arguments": ""}}),
    ],
)  # fmt: skip
def test_a_completion_is_put_right(completion):
    """The rules on replies are mended too, at both levels."""
    kept, _ = keeping_rules(OPENAI, "response", completion, (), level="documented")
    assert wrong(OPENAI, "response", kept, "documented") == []


def test_what_cannot_be_put_right_is_told():
    """A rule without amends would make mutants of invalid parents."""
    with pytest.raises(AssertionError, match=r"schema\.required"):
        keeping_rules(OPENAI, "request", {"model": "m"}, ())


def test_amends_that_do_not_mend_are_told(monkeypatch):
    """Putting right what stays wrong would go on for ever."""
    monkeypatch.setitem(AMENDS, "request.one-token-limit", lambda *_: None)
    body = broken(max_tokens=1, max_completion_tokens=1)
    with pytest.raises(AssertionError, match=r"request\.one-token-limit"):
        keeping_rules(OPENAI, "request", body, ())
