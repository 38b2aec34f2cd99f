"""Profiles: found, read with their parents, merged, and refused with file and pointer."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mockchat
from mockchat.contract import profile as profiles
from mockchat.contract.contract import contract_for
from mockchat.contract.merge import merge_patch
from mockchat.contract.pointers import pointer_of, tokens_of, value_at
from mockchat.contract.profile import Model, load_profile, profile_names, schemas_directory
from mockchat.errors import BadArgument, BrokenProfile, UnknownProfile


def write(folder, **files):
    """Write JSON files into a profile folder; text is written as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{name.replace('__', '.')}.json").write_text(text)


def schema(**members):
    """Return a small document."""
    return {"$id": "https://elsewhere.invalid/request.json", "type": "object", **members}


def test_our_own_folder_is_found_beside_the_package():
    """An edit of a document shows at once in a checkout."""
    assert schemas_directory() == Path(mockchat.__file__).parents[1] / "schemas"
    assert "openai" in profile_names()


def test_folder_inside_the_package_comes_first(tmp_path, monkeypatch):
    """A wheel carries its documents inside."""
    package = tmp_path / "mockchat"
    (package / "schemas").mkdir(parents=True)
    monkeypatch.setattr(profiles, "__file__", str(package / "contract" / "profile.py"))

    assert schemas_directory() == package / "schemas"


@pytest.mark.parametrize(
    "project", [None, "not toml [", '[project]\nname = "another"\n', "[tool]\n"]
)
def test_somebody_else_s_schemas_are_not_taken(tmp_path, monkeypatch, project):
    """A `schemas` folder beside site-packages is not ours."""
    (tmp_path / "schemas").mkdir()
    if project is not None:
        (tmp_path / "pyproject.toml").write_text(project)
    monkeypatch.setattr(
        profiles, "__file__", str(tmp_path / "mockchat" / "contract" / "profile.py")
    )

    with pytest.raises(BrokenProfile, match="installed without its schema folder"):
        schemas_directory()


def test_no_schemas_at_all_is_said(tmp_path, monkeypatch):
    """A broken installation must not look like an unknown profile."""
    monkeypatch.setattr(
        profiles, "__file__", str(tmp_path / "mockchat" / "contract" / "profile.py")
    )

    with pytest.raises(BrokenProfile, match="installed without its schema folder"):
        schemas_directory()


def test_unknown_name_gets_one_suggestion():
    """A typo is answered with the name that was meant."""
    with pytest.raises(UnknownProfile) as caught:
        load_profile("opnai")

    assert caught.value.suggestion == "openai"
    assert "openai" in caught.value.known


@pytest.mark.parametrize("name", ["../openai", "", "OPENAI", "openai/", ".", "openai\n"])
def test_name_is_no_path(name):
    """A profile's name can come from a command line and must not leave the folder."""
    with pytest.raises(UnknownProfile):
        load_profile(name)


def test_profile_is_read_once():
    """Reading and merging must not be paid for by every test."""
    assert load_profile("openai") is load_profile("openai")
    assert contract_for("openai") is contract_for("openai")


def test_child_adds_to_its_parents(tmp_path):
    """A vendor is a folder: what it does not say, its parents say."""
    write(
        tmp_path / "a",
        profile={
            "name": "a",
            "summary": "A.",
            "sources": ["one"],
            "deviations": ["d"],
            "rules": {"x": {"limit": 1}, "y": {}},
        },
        errors={"e": {"status": 400, "message": "m"}, "f": {"status": 500}},
        request=schema(required=["model"], properties={"a": {"type": "string"}, "b": True}),
        response=schema(title="parent"),
    )
    write(
        tmp_path / "b",
        profile={"name": "b", "extends": "a", "summary": "B.", "rules": {"x": {"limit": 2}}},
        errors={"e": {"message": "n"}, "f": None},
        request__patch={"properties": {"b": None, "c": {"type": "null"}}},
    )
    write(
        tmp_path / "c",
        profile={"extends": "b", "levels": {"documented": {"response": {"title": "tight"}}}},
        response=schema(title="child"),
    )

    child = load_profile("c", tmp_path)

    assert child.settings["rules"] == {"x": {"limit": 2}, "y": {}}
    assert child.errors == {"e": {"status": 400, "message": "n"}}
    assert child.document("request") == {
        "$id": "https://mockchat.invalid/c/request.json",
        "type": "object",
        "required": ["model"],
        "properties": {"a": {"type": "string"}, "c": {"type": "null"}},
    }
    assert child.document("response")["title"] == "child"
    assert child.document("response", "documented")["title"] == "tight"
    assert (child.name, child.settings["name"]) == ("c", "c")
    assert (child.summary, child.sources, child.deviations) == ("", (), ())
    assert child.extends == "b"
    assert load_profile("b", tmp_path).summary == "B."


def test_user_s_profile_may_extend_ours_even_its_own_name(tmp_path):
    """A user adjusts `openai` without giving it another name."""
    write(tmp_path / "openai", profile={"extends": "openai", "nulls_as_omitted": False})

    child = load_profile("openai", tmp_path)

    assert child.settings["nulls_as_omitted"] is False
    assert child.documents.keys() == load_profile("openai").documents.keys()
    assert set(profile_names(tmp_path)) == set(profile_names())


def test_relative_references_lead_to_the_child_s_own_documents(tmp_path):
    """A patched definition counts wherever another document refers to it."""
    write(
        tmp_path / "a",
        profile={},
        request=schema(**{"$ref": "response.json#/$defs/part"}),
        response=schema(**{"$defs": {"part": {"required": ["a"]}}}),
    )
    write(
        tmp_path / "b",
        profile={"extends": "a"},
        response__patch={"$defs": {"part": {"required": ["b"]}}},
    )

    contract = contract_for("b", tmp_path)

    assert [each.pointer for each in contract.violations("request", {})] == ["/b"]


def test_child_takes_away_from_its_parents(tmp_path):
    """A merge patch cannot say that an older API lacked a field without naming it null."""
    write(
        tmp_path / "a",
        profile={},
        request=schema(properties={"a": True, "b/c": True}),
        response=schema(),
    )
    taken = {"request": ["/properties/b~1c", "/type"], "response": [""]}
    write(tmp_path / "b", profile={"extends": "a", "without": taken})

    child = load_profile("b", tmp_path)

    assert child.documents == {
        "request": {"$id": "https://mockchat.invalid/b/request.json", "properties": {"a": True}}
    }
    assert load_profile("a", tmp_path).documents["request"]["type"] == "object"


@pytest.mark.parametrize(
    ("taken", "pointer"),
    [
        ({"request": ["/type", "/none"]}, "/without/request/1"),
        ({"request": ["/type/deeper"]}, "/without/request/0"),
        ({"requst": [""]}, "/without/requst/0"),
        ({"requst": ["/type"]}, "/without/requst/0"),
    ],
)
def test_child_cannot_take_what_is_not_there(tmp_path, taken, pointer):
    """A parent that changed must not leave a vendor's folder silently wrong."""
    write(tmp_path / "a", profile={}, request=schema())
    write(tmp_path / "b", profile={"extends": "a", "without": taken})

    with pytest.raises(BrokenProfile) as caught:
        load_profile("b", tmp_path)

    assert (Path(caught.value.path).parent.name, caught.value.pointer) == ("b", pointer)


@pytest.mark.parametrize(
    ("files", "file", "pointer", "problem"),
    [
        ({"profile": "{"}, "profile.json", "", "cannot be read as JSON"),
        ({"profile": "[]"}, "profile.json", "", "a JSON object is wanted"),
        ({"profile": '"\\ud800"'}, "profile.json", "", "a JSON object is wanted"),
        ({"profile": {}, "errors": "5"}, "errors.json", "", "a JSON object is wanted"),
        ({"profile": {}, "request": "nul"}, "request.json", "", "cannot be read as JSON"),
        ({"profile": {}, "x__patch": {}}, "x.patch.json", "", "patches 'x', which no parent has"),
        ({"profile": {"extends": 5}}, "profile.json", "/extends", "a profile's name is wanted"),
        ({"profile": {"extends": "opnai"}}, "profile.json", "/extends", "no profile 'opnai'"),
        ({"profile": {"extends": "p"}}, "profile.json", "/extends", "'p' extends itself"),
        (
            {"profile": {"levels": {"documented": {"a/b": {}}}}},
            "profile.json",
            "/levels/documented/a~1b",
            "there is no document 'a/b'",
        ),
        ({"profile": {"models": [{}]}}, "profile.json", "/models/0", "a model needs an `id`"),
        ({"profile": {"models": ["x"]}}, "profile.json", "/models/0", "a model needs an `id`"),
    ],
)
def test_broken_folder_is_refused_with_file_and_pointer(tmp_path, files, file, pointer, problem):
    """Whoever writes a profile must be led to the mistake."""
    write(tmp_path / "p", **files)

    with pytest.raises(BrokenProfile) as caught:
        load_profile("p", tmp_path)

    assert (Path(caught.value.path).name, caught.value.pointer) == (file, pointer)
    assert problem in caught.value.problem


def test_unreadable_file_is_refused(tmp_path):
    """A folder in the place of a file is an error of the profile, not of Python."""
    write(tmp_path / "p", profile={})
    (tmp_path / "p" / "request.json").mkdir()

    with pytest.raises(BrokenProfile, match=r"request\.json: cannot be read"):
        load_profile("p", tmp_path)


def test_circle_of_parents_is_refused(tmp_path):
    """Two profiles that extend each other must not hang."""
    write(tmp_path / "p", profile={"extends": "q"})
    write(tmp_path / "q", profile={"extends": "p"})

    with pytest.raises(BrokenProfile, match="'p' extends itself"):
        load_profile("p", tmp_path)


def test_reference_into_nothing_is_refused(tmp_path):
    """A broken $ref must be found when the contract is made, not at the first odd request."""
    bad = schema(properties={"a": {"anyOf": [{"$ref": "#/$defs/x"}]}})
    write(tmp_path / "p", profile={}, request=bad)

    with pytest.raises(BrokenProfile) as caught:
        contract_for("p", tmp_path)

    assert caught.value.path == "p/request.json"
    assert caught.value.pointer == "/properties/a/anyOf/0/$ref"
    assert "leads nowhere" in caught.value.problem


def test_unknown_document_is_a_bad_argument():
    """A misspelt document's name gets a suggestion."""
    with pytest.raises(BadArgument, match="Did you mean 'request'"):
        load_profile("openai").document("requst")
    with pytest.raises(BadArgument, match="document is 'requst'"):
        contract_for().violations("requst", {})


def test_folder_that_is_not_there_has_no_profiles(tmp_path):
    """A missing folder of one's own leaves ours."""
    assert profile_names(tmp_path / "none") == profile_names()


def test_folder_with_an_odd_name_is_no_profile(tmp_path):
    """Only names that can be asked for are listed."""
    write(tmp_path / "Odd Name", profile={})

    assert profile_names(tmp_path) == profile_names()


def test_model_answers_with_its_dated_snapshot():
    """The wire tells the dated name, and the dated name is a model, too."""
    profile = load_profile("openai")
    alias, dated = profile.model("gpt-4o"), profile.model("gpt-4o-2024-08-06")

    assert alias.snapshot == dated.snapshot == dated.id == "gpt-4o-2024-08-06"
    assert alias.capabilities == dated.capabilities
    assert profile.model("gpt-nobody") is None


def test_snapshot_listed_by_itself_is_kept(tmp_path):
    """An entry of its own may differ from its alias."""
    models = [
        {"id": "m", "snapshot": "m-1", "capabilities": {"a": 1}},
        {"id": "m-1", "created": 7, "owned_by": "me"},
    ]
    write(tmp_path / "p", profile={"models": models})

    listed = load_profile("p", tmp_path).models

    assert [(model.id, model.created, model.owned_by) for model in listed] == [
        ("m", 0, "system"),
        ("m-1", 7, "me"),
    ]


def test_every_model_says_what_rules_ask():
    """A capability with a misspelt name would switch a rule off."""
    known = {
        "reasoning",
        "logprobs",
        "vision",
        "audio",
        "web_search",
        "context_window",
        "max_output_tokens",
        "efforts",
        "refused_roles",
        "tools_with_effort",
        "max_n",
        "max_top_logprobs",
    }
    for model in load_profile("openai").models:
        assert model.capabilities.keys() <= known, model.id
        assert {"reasoning", "vision", "audio", "web_search"} <= model.capabilities.keys()


def test_recorded_snapshots_are_ours(shared):
    """The alias answers with the dated name that was recorded most."""
    profile = load_profile("openai")
    lines = (shared / "wire" / "chat-exchanges.jsonl").read_text().splitlines()
    recorded = {
        (exchange["request"]["model"], exchange["body"]["model"])
        for exchange in map(json.loads, lines)
        if exchange["host"] == "api.openai.com" and isinstance(exchange["body"], dict)
        if "model" in exchange["body"]
    }
    known = {pair for pair in recorded if profile.model(pair[0]) is not None}
    # A gateway recorded under that name answered with a model of another house.
    known.discard(("gpt-4.1-mini", "moonshotai/kimi-k2"))

    assert len(known) >= 5
    assert {(asked, profile.model(asked).snapshot) for asked, _ in known} == known


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=8,
)


@given(JSON, JSON)
def test_merge_patch_is_rfc_7396(target, patch):
    """The law a vendor's author relies on: patching twice is patching once, no null is left."""
    merged = merge_patch(target, patch)

    assert merge_patch(merged, patch) == merged
    if not isinstance(patch, dict):
        assert merged == patch


@pytest.mark.parametrize(
    ("target", "patch", "merged"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_examples_of_the_rfc(target, patch, merged):
    """The test cases of RFC 7396, appendix A."""
    assert merge_patch(target, patch) == merged


@given(st.lists(st.text()))
def test_pointer_returns_to_its_tokens(tokens):
    """A pointer must lead back to the member, whatever its name."""
    assert tokens_of(pointer_of(tokens)) == tuple(tokens)


def test_value_at_follows_and_refuses():
    """A pointer that leads nowhere is one kind of error."""
    value = {"a": [{"b": 5}]}

    assert value_at(value, ("a", "0", "b")) == 5
    for tokens in (("x",), ("a", "1"), ("a", "x"), ("a", "0", "b", "c")):
        with pytest.raises(LookupError):
            value_at(value, tokens)


def test_checkout_is_ours_only_by_its_name(tmp_path):
    """The check reads the project's name, nothing else."""
    shutil.copy(Path(mockchat.__file__).parents[1] / "pyproject.toml", tmp_path)

    assert profiles._is_our_checkout(tmp_path)


def test_models_are_added_by_name():
    """A server that a test stands for has models of its own; what is known stays known."""
    profile = load_profile("openai")
    more = profile.with_models(["llama-3", "gpt-4o", "llama-3"])
    newest = max(model.created for model in profile.models)
    assert more.models[:-1] == profile.models
    assert more.model("llama-3") == Model(
        id="llama-3", created=newest, owned_by="system", snapshot="llama-3", capabilities={}
    )
    assert profile.model("llama-3") is None
    with pytest.raises(BadArgument, match="allowed: a name that is not empty"):
        profile.with_models([""])
