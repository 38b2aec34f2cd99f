"""Our documents against the official one, place by place, at level `documented`."""

import inspect
import re

import pytest
from listed_differences import ABSENT, LISTED, PRESENT
from official_document import NAMES, official_definitions
from schema_facts import facts
from schema_walk import resolve

from mockchat.contract.profile import load_profile


@pytest.fixture(scope="module")
def official(shared):
    """Give the official document's schemas by name."""
    return official_definitions(shared)


def _with_homes(part, home):
    """Write every reference with its file, so that it can be followed from anywhere."""
    if isinstance(part, list):
        return [_with_homes(inner, home) for inner in part]
    if not isinstance(part, dict):
        return part
    copy = {key: _with_homes(inner, home) for key, inner in part.items()}
    if isinstance(copy.get("$ref"), str) and copy["$ref"].startswith("#"):
        copy["$ref"] = f"{home}.json{copy['$ref']}"
    return copy


def _ours(name):
    documents = load_profile("openai").levels["documented"]
    whole = {key: _with_homes(body, key) for key, body in documents.items() if "$id" in body}
    return facts(whole[name], lambda schema: resolve(whole, name, schema["$ref"])[1])


def _theirs(official, name):
    def follow(schema):
        return official[schema["$ref"].rpartition("/")[2]]

    return facts(official[NAMES[name]], follow)


def _differences(ours, theirs):
    """Return {(place, keyword): (official, ours)}; a place only one side knows counts once."""
    places = {place for place, _ in ours}, {place for place, _ in theirs}
    found = {}
    for place, keyword in ours.keys() | theirs.keys():
        known = [place in side for side in places]
        if all(known):
            one, other = theirs.get((place, keyword), ABSENT), ours.get((place, keyword), ABSENT)
            if one != other or type(one) is not type(other):
                found[place, keyword] = (one, other)
            continue
        side = places[known.index(True)]
        if not any(_is_inside(place, top) for top in side - (places[0] & places[1])):
            found[place, "member"] = (PRESENT, ABSENT) if known[1] else (ABSENT, PRESENT)
    return found


def _is_inside(place, top):
    return place != top and place.startswith(top) and place[len(top)] in ".[{<"


def _covers(row, name, place, keyword, values):
    pattern = ".*".join(re.escape(part) for part in row.place.split("*"))
    return (
        name in row.documents
        and row.keyword == keyword
        and re.fullmatch(pattern, place) is not None
        and (row.official, row.ours) == values
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_difference_is_listed(name, official):
    """A difference nobody listed is a mistake of ours, or news nobody noticed."""
    unlisted = {
        at: values
        for at, values in _differences(_ours(name), _theirs(official, name)).items()
        if not any(_covers(row, name, *at, values) for row in LISTED)
    }
    assert unlisted == {}


def test_every_listed_difference_is_real(official):
    """A stale row would excuse the next mistake."""
    real = [
        (name, *at, values)
        for name in NAMES
        for at, values in _differences(_ours(name), _theirs(official, name)).items()
    ]
    stale = [
        (row.place, row.keyword, name)
        for row in LISTED
        for name in row.documents
        if not any(_covers(row, name, *each[1:]) for each in real if each[0] == name)
    ]
    assert stale == []


def test_both_sides_say_a_great_deal(official):
    """An empty comparison would pass."""
    sizes = {name: (len(_ours(name)), len(_theirs(official, name))) for name in NAMES}
    assert min(min(pair) for pair in sizes.values()) >= 6
    assert min(sizes["request"]) > 400


def test_request_has_every_parameter_of_the_sdk():
    """What the official client can send, the request schema has to know."""
    completions = pytest.importorskip("openai.resources.chat.completions")
    parameters = inspect.signature(completions.Completions.create).parameters
    wire = {name for name in parameters if not name.startswith("extra_")} - {"self", "timeout"}
    known = load_profile("openai").documents["request"]["properties"].keys()
    assert wire - known == set()
