"""Bytes to values with places: what every reader agrees on is read, the rest is one clear line."""

import json
import os

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mockchat.contract.pointers import tokens_of, value_at
from mockchat.scripting.scenario_file import LARGEST, located_bytes
from mockchat.scripting.scenario_places import DEEPEST, MOST_VALUES, BrokenScenario, Place

TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\ufffe\uffff")
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20
)


def said(data, name="s.yaml"):
    """Return the one line that a bad file is told in, without its name."""
    with pytest.raises(BrokenScenario) as caught:
        located_bytes(data if isinstance(data, bytes) else data.encode(), name)
    (problem,) = caught.value.problems
    line = str(problem)
    assert "\n" not in line
    assert line.startswith(f"{name}:")
    return line.removeprefix(f"{name}:")


@given(VALUES)
def test_json_is_read_as_python_reads_it(value):
    """Whatever JSON says arrives unchanged, and every part of it has a place."""
    read = located_bytes(json.dumps(value, indent=1).encode(), "s.json")
    assert read.value == value
    for pointer in read.values:
        value_at(value, tokens_of(pointer))


@given(VALUES)
def test_yaml_is_read_as_it_was_written(value):
    """Another program's YAML says the same to us."""
    text = yaml.safe_dump(value, allow_unicode=True, width=1000)
    try:
        read = located_bytes(text.encode(), "s.yaml").value
    except BrokenScenario as broken:
        refused = str(broken)
    else:
        assert read == value
        return
    # PyYAML writes without quotes what YAML 1.2 takes for a number, and some odd characters.
    assert "to all readers of YAML" in refused or "no text file" in refused


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("a: ~", None),
        ("a:", None),
        ("a: Null", None),
        ("a: True", True),
        ("a: false", False),
        ("a: -12", -12),
        ("a: 0.5", 0.5),
        ("a: 1.0e-3", 0.001),
        ("a: plain text", "plain text"),
        ('a: "no"', "no"),
        ("a: 'on'", "on"),
        ("a: |\n  two\n  lines\n", "two\nlines\n"),
        ('a: "\\ud83d\\ude00"', "😀"),
        ("a: [1, {b: c}]", [1, {"b": "c"}]),
        ("b: &x [1]\na: *x", [1]),
    ],
)
def test_what_all_readers_agree_on_is_read(written, value):
    """The usual ways to write YAML just work."""
    assert located_bytes(written.encode(), "s.yaml").value["a"] == value


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("", "1:1: the file is empty; a scenario has stubs: docs/scenarios.md"),
        ("# nothing\n", "1:1: the file is empty; a scenario has stubs: docs/scenarios.md"),
        ("a:\n\t- b", "2:1: a tab stands where YAML wants spaces"),
        ("a: [", "1:5: no YAML: expected the node content, but found '<stream end>'"),
        ("a: b: c", "1:5: no YAML: mapping values are not allowed here"),
        (
            "a: 1\nb: 2\na: 3",
            "3:1: the key 'a' stands in line 1 already; one of them would be lost",
        ),
        ("a: 1\n---\nb: 2", "2:1: a second document starts; a scenario is one"),
        ("404: x", "1:1: this key is no text; write it in quotes"),
        ("[a]: x", "1:1: this key is no text; write it in quotes"),
        (
            "a: no",
            (
                "1:4: no is a truth value to some readers of YAML and text to others; "
                'write true, false or "no"'
            ),
        ),
        (
            "on: 1",
            (
                "1:1: on is a truth value to some readers of YAML and text to others; "
                'write true, false or "on"'
            ),
        ),
        (
            "a: 2024-08-06",
            '1:4: 2024-08-06 is a date to some readers of YAML and text to others; write "2024-08-06"',
        ),
        (
            "a: 1e3",
            (
                "1:4: 1e3 is not the same to all readers of YAML; "
                'write a plain number (1000, 0.5) or "1e3"'
            ),
        ),
        (
            "a: 1:30",
            (
                "1:4: 1:30 is not the same to all readers of YAML; "
                'write a plain number (1000, 0.5) or "1:30"'
            ),
        ),
        (
            "a: 010",
            (
                "1:4: 010 is not the same to all readers of YAML; "
                'write a plain number (1000, 0.5) or "010"'
            ),
        ),
        ("<<: {a: 1}", "1:1: merge keys (<<) are not read; write the members out"),
        (
            "a: !!str 5",
            "1:4: the tag 'tag:yaml.org,2002:str' is not read; quotes make a text of anything",
        ),
        (
            "a: !!python/name:os.system",
            "1:4: the tag 'tag:yaml.org,2002:python/name:os.system' is not read; quotes make a text of anything",
        ),
        ("a: *b", "1:4: *b refers to nothing; &b must stand before it"),
        ("a: &b [*b]", "1:8: *b stands inside of what it refers to"),
        ("a: &b 1\nc: &b 2", "2:4: the anchor &b is defined twice"),
        ('a: "\\ud83d"', "1:4: the text has half of a surrogate pair in it"),
        ("a: " + "9" * 5000, "1:4: the number has too many digits"),
        (
            "[" * 200,
            f"1:{DEEPEST + 2}: more than {DEEPEST} lists and mappings stand inside one another",
        ),
        (b"a: \xff", "1:4: this is no UTF-8; save the file as UTF-8"),
        ("a: ä\nb: ".encode("latin-1"), "1:4: this is no UTF-8; save the file as UTF-8"),
        ("a: 1".encode("utf-16"), "1:1: this is no UTF-8; save the file as UTF-8"),
        (b"PK\x03\x04", "1:3: the character U+0003 stands in no text file; is this a scenario?"),
        (b"a: b\nc: \x00", "2:4: the character U+0000 stands in no text file; is this a scenario?"),
        (b"x" * 10_000_000, f"1:1: the file has 10,000,000 bytes; at most {LARGEST:,} are read"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_bad_file_is_one_clear_line(written, line):
    """Whoever made the mistake must see where it is, and never a traceback."""
    assert said(written) == line


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("", "1:1: the file is empty; a scenario has stubs: docs/scenarios.md"),
        ('{"a":\n }', "2:2: no JSON: expecting value"),
        (
            '{"a": 1, "a": 2}',
            "1:10: the key 'a' stands in line 1 already; one of them would be lost",
        ),
        ('{"a": NaN}', "1:1: no JSON: NaN is a number that JSON cannot carry"),
        ('{"a": 1e999}', "1:7: inf is a number that JSON cannot carry"),
        ('{"\\udc00": 1}', "1:2: the text has half of a surrogate pair in it"),
        ("[" * 100_000, "1:1: too many lists and mappings stand inside one another"),
        (
            "[" * 150 + "]" * 150,
            f"1:{DEEPEST + 2}: more than {DEEPEST} lists and mappings stand inside one another",
        ),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_bad_json_is_one_clear_line(written, line):
    """The same for JSON, whose reader is another."""
    assert said(written, "s.json") == line


def test_a_number_of_many_digits_is_one_line():
    """Python's own advice, to raise its limit, helps nobody here."""
    assert said("9" * 5000, "s.json").startswith("1:1: no JSON: ")


def test_laughter_is_bounded():
    """Nine aliases of nine aliases fill a machine where nobody counts."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert said("\n".join(lines)).endswith(f": the file holds more than {MOST_VALUES:,} values")


@pytest.mark.parametrize("name", ["s.yaml", "s.json"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte order mark"])
def test_places_count_as_editors_do(name, line_end, mark):
    """Windows editors write both; a line number that is off by one sends the reader astray."""
    text = mark + line_end.join(["{", '  "a": [1,', '    "ä", {"b": 2}]', "}"])
    read = located_bytes(text.encode(), name)
    assert read.value == {"a": [1, "ä", {"b": 2}]}
    assert read.value_place("/a/1") == Place(3, 5)
    assert read.key_place("/a/2/b") == Place(3, 11)
    assert read.value_place("/a/2/b") == Place(3, 16)
    assert read.value_place("/a/2/c/d") == Place(3, 10)  # nothing is there: the object around it
    assert read.key_place("/a/7") == Place(2, 8)


def test_only_the_name_says_json(tmp_path):
    """YAML takes JSON as well, but not JSON with tabs: the name decides, never a guess."""
    data = b'{\n\t"a": 1e3\n}'
    assert located_bytes(data, os.fspath(tmp_path / "S.JSON")).value == {"a": 1000.0}
    assert said(data) == "2:1: a tab stands where YAML wants spaces"
