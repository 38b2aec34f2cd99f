"""What a profile changes against its parent: whole values, no noise."""

import json

import pytest

from mockchat.contract.profile import load_profile, parent_of, profile_names
from mockchat.contract.profile_changes import Change, changes_of, differences


def written(directory, name, profile, **files):
    """Write a profile folder."""
    folder = directory / name
    folder.mkdir()
    settings = {"name": name, "summary": "Ours.", **profile}
    for stem, content in {"profile": settings, **files}.items():
        (folder / f"{stem.replace('_', '.')}.json").write_text(json.dumps(content))


def changes(name, directory=None):
    """Return what the profile `name` changes."""
    profile = load_profile(name, directory)
    return changes_of(profile, parent_of(profile, directory))


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("changed", "/a", 1, 2)]),
        ({"a": 1}, {"a": True}, [("changed", "/a", 1, True)]),
        ({"a": 1}, {}, [("removed", "/a", 1, None)]),
        ({}, {"a/b": {"c": 1}}, [("added", "/a~1b", None, {"c": 1})]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [("changed", "/a/c", 2, 3)]),
        ({"a": [1]}, {"a": [2]}, [("changed", "/a", [1], [2])]),
        (1, 2, [("changed", "", 1, 2)]),
    ],
)
def test_differences_are_told_where_they_are(before, after, found):
    """As high as one side ends, as low as both go on."""
    rows = [Change(how=how, pointer=at, before=old, after=new) for how, at, old, new in found]
    assert list(differences(before, after)) == rows


def test_everything_a_profile_changes_has_its_place(tmp_path):
    """Whoever chooses a profile reads this instead of the documents."""
    written(
        tmp_path,
        "mine",
        {
            "extends": "openai",
            "without": {"stored-update": [""]},
            "levels": {"documented": {"response": {"properties": {"id": {"minLength": 1}}}}},
            "nulls_as_omitted": False,
            "rules": {
                "exchange.n": False,
                "request.metadata-needs-store": {},
                "reply.id-prefix": {"call": "x"},
            },
            "stream": {"role": "every"},
            "models": [{"id": "gpt-4o"}, {"id": "mine"}],
        },
        request_patch={
            "description": "Another one.",
            "required": ["messages", "model"],
            "properties": {"n": {"maximum": 1}, "mine": {"type": "string", "description": "x"}},
        },
        errors={"mine": {"status": 400, "message": "No."}, "slow_down": None},
        extra={"$id": "x", "type": "object"},
    )
    found = changes("mine", tmp_path)
    openai = load_profile("openai")
    assert found.documents == {
        "request": (
            Change(how="changed", pointer="/properties/n/maximum", before=128, after=1),
            Change(how="added", pointer="/properties/mine", after={"type": "string"}),
        ),
        "stored-update": (Change(how="removed", pointer=""),),
        "extra": (Change(how="added", pointer="/type", after="object"),),
    }
    assert found.documented == {
        "response": (Change(how="added", pointer="/properties", after={"id": {"minLength": 1}}),)
    }
    prefixes = openai.settings["rules"]["reply.id-prefix"]
    assert found.rules == (
        Change(how="removed", pointer="/exchange.n", before={}),
        Change(
            how="changed",
            pointer="/reply.id-prefix",
            before=prefixes,
            after=prefixes | {"call": "x"},
        ),
        Change(how="added", pointer="/request.metadata-needs-store", after={}),
    )
    assert found.stream == (Change(how="changed", pointer="/role", before="first", after="every"),)
    assert found.settings == (
        Change(how="changed", pointer="/nulls_as_omitted", before=True, after=False),
    )
    assert found.errors == (
        Change(how="removed", pointer="/slow_down", before=openai.errors["slow_down"]),
        Change(how="added", pointer="/mine", after={"status": 400, "message": "No."}),
    )
    assert found.models[-1] == Change(how="added", pointer="/mine", after={"id": "mine"})
    known = [each for each in found.models if each.pointer == "/gpt-4o"]
    assert [(each.how, each.after) for each in known] == [("changed", {"id": "gpt-4o"})]
    assert {each.how for each in found.models[:-1] if each not in known} == {"removed"}


def test_a_profile_without_a_parent_changes_nothing_but_has_all():
    """Its documents are told as wholes: their members are no changes."""
    found = changes("openai")
    documents = load_profile("openai").documents
    assert found.documents == {name: (Change(how="added", pointer=""),) for name in documents}
    assert {each.how for each in (*found.rules, *found.stream, *found.settings)} == {"added"}


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_of_ours_can_be_told(name):
    """Nothing in them is of a shape that only tests have avoided."""
    found = changes(name)
    assert any([found.documents, found.rules, found.stream, found.settings, found.models])
