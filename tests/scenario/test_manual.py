"""docs/scenarios.md tells the truth, and all of it."""

import re
from pathlib import Path

import pytest

from mockchat.scripting.scenario import read_scenario
from mockchat.scripting.scenario_form import form

MANUAL = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text()
README = (Path(__file__).parents[2] / "README.md").read_text()
DEFS = form()["$defs"]
KEYS = {
    *form()["properties"],
    *DEFS["stub"]["properties"],
    *DEFS["matcher"]["properties"],
    *DEFS["built_reply"]["properties"],
    *DEFS["plan"]["oneOf"][0]["enum"],
    *DEFS["plan"]["oneOf"][1]["properties"],
    *form()["properties"]["limits"]["properties"],
}


@pytest.mark.parametrize("source", re.findall(r"```yaml\n(.*?)```", MANUAL, re.DOTALL))
def test_every_example_is_a_scenario(source, tmp_path):
    """What is copied first must work."""
    path = tmp_path / "s.yaml"
    path.write_text(source)
    read_scenario(path).check()


@pytest.mark.parametrize("key", sorted(KEYS))
def test_every_key_is_explained(key):
    """A key that only the schema knows is found by luck."""
    assert re.search(rf"(?<!\w){re.escape(key)}\b", MANUAL)


def test_links_lead_somewhere():
    """The words of Python are explained where Python is."""
    anchors = {
        re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    }
    assert set(re.findall(r"README\.md#([\w-]+)", MANUAL)) - anchors == set()
