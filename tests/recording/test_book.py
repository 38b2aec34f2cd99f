"""The file of a recording: whole at every moment, bounded, and never in a server's way."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_samples import CONTRACT, QUESTION, delivered, real_service, recorded, serving_file

from mockchat.errors import BadArgument
from mockchat.recording.book import Book, lines_of
from mockchat.recording.yaml_text import yaml_lines
from mockchat.scripting.scenario import BrokenScenario, read_scenario
from mockchat.scripting.scenario_file import located_bytes

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
LEAVES = (
    TEXTS
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=30
)


@given(st.dictionaries(TEXTS, VALUES, min_size=1), st.lists(TEXTS, max_size=2))
def test_yaml_says_what_it_was_given(value, one_line):
    """Whatever a real server sends must be read back as that."""
    text = "".join(f"{line}\n" for line in yaml_lines(value, one_line=one_line))
    assert located_bytes(text.encode(), "x.yaml").value == value


def asked(text, **changes):
    """Return a recorded exchange about a text."""
    body = {**QUESTION, "messages": [{"role": "user", "content": text}], **changes}
    return recorded(real_service(), body)


def test_a_file_is_a_scenario_after_each_exchange(tmp_path):
    """Whoever kills a recorder keeps what was recorded."""
    path = tmp_path / "recording.yaml"
    book = Book(path, CONTRACT)
    assert read_scenario(path).stubs == 0
    for count, text in enumerate(["a", "b", "c"], 1):
        book.add(asked(text))
        assert read_scenario(path).stubs == count
    book.add(asked("a"))
    assert read_scenario(path).stubs == 3
    assert [each.name for each in tmp_path.iterdir()] == ["recording.yaml"]
    app = serving_file(path)
    for text in ("a", "b", "c", "a", "a"):
        exchange = asked(text)
        assert delivered(app, exchange.request).body == exchange.reply_body


def test_what_is_no_stub_is_told_in_a_comment(tmp_path):
    """A reader of the file should not wonder where an exchange is."""
    path = tmp_path / "recording.yaml"
    book = Book(path, CONTRACT)
    odd = replace(asked("x"), method="GET", path="/v1/models\n- reply: x")
    (line,) = book.add(odd)
    assert "no stub can answer this" in line
    assert "# GET /v1/models\\n- reply: x -> 200" in path.read_text()
    assert read_scenario(path).stubs == 0
    book.add(asked("a"))
    assert read_scenario(path).stubs == 1
    assert list(lines_of(("one", "two\n"))) == ["one", "  two\\n"]


def test_a_recording_is_gone_on_with(tmp_path):
    """The second day of recording must not cost the first; comments stay."""
    path = tmp_path / "recording.yml"
    Book(path, CONTRACT).add(asked("a"))
    before = path.read_text()
    book = Book(path, CONTRACT)
    assert path.read_text() == before
    told = book.add(asked("a"))
    assert "answered by what was recorded before" in told[0]
    book.add(asked("b"))
    assert path.read_text().startswith(before)
    assert read_scenario(path).stubs == 2
    assert delivered(serving_file(path), asked("b").request).status == 200


@pytest.mark.parametrize(
    "text",
    ["stubs: [{reply: x}]\n", "stubs:\n  - reply: x\nseed: 3\n", "seed: 3\nstubs:\n- reply: x\n"],
)
def test_a_file_that_cannot_be_gone_on_with_is_refused_at_once(tmp_path, text):
    """Somebody's own file is not to be spoilt, nor an hour of recording lost."""
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(BadArgument, match="stubs stand at its end"):
        Book(path, CONTRACT)
    assert path.read_text() == text


def test_a_file_of_another_kind_is_refused(tmp_path):
    """JSON has no comments, and what is no scenario cannot become one."""
    with pytest.raises(BadArgument, match=r"ends in \.yaml or \.yml"):
        Book(tmp_path / "recording.json", CONTRACT)
    path = tmp_path / "list.yaml"
    path.write_text("- shopping\n")
    with pytest.raises(BrokenScenario):
        Book(path, CONTRACT)


def test_a_file_that_is_full_goes_on_in_another(tmp_path):
    """A scenario file has a largest size, a recording has none."""
    path = tmp_path / "recording.yaml"
    book = Book(path, CONTRACT, largest=5000)
    exchanges = [asked(f"question {number}") for number in range(6)]
    for exchange in exchanges:
        book.add(exchange)
    files = sorted(each.name for each in tmp_path.iterdir())
    assert files[:2] == ["recording-2.yaml", "recording.yaml"]
    assert all((tmp_path / name).stat().st_size <= 5000 for name in files)
    assert sum(read_scenario(tmp_path / name).stubs for name in files) == 6
    assert "answered by what was recorded before" in book.add(exchanges[0])[0]


def test_an_exchange_that_is_too_large_is_left_out_and_told(tmp_path):
    """One picture in a message must not end a recording."""
    path = tmp_path / "recording.yaml"
    book = Book(path, CONTRACT, largest=5000)
    assert "larger than a scenario may be" in book.add(asked("x" * 6000))[0]
    assert book.add(asked("small"))[0].endswith(" s")
    assert read_scenario(path).stubs == 1


def test_what_a_scenario_cannot_say_does_not_spoil_it(tmp_path):
    """Each stub is read once before it is written."""
    path = tmp_path / "recording.yaml"
    book = Book(path, CONTRACT)
    exchange = replace(asked("x"), pieces=((-1.0, b"<html>"),), status=502, reply_headers=())
    assert "a scenario cannot say this" in book.add(exchange)[0]
    assert read_scenario(path).stubs == 0


def test_violations_stand_beside_what_broke_the_contract(tmp_path):
    """Whoever reads a recording sees what the real server did wrong, up to a point."""
    path = tmp_path / "recording.yaml"
    exchange = asked("x")
    completion = json.loads(exchange.reply_body)
    completion["choices"] = [{**completion["choices"][0], "index": -number} for number in range(30)]
    told = Book(path, CONTRACT).add(
        replace(exchange, pieces=((0.1, json.dumps(completion).encode()),))
    )
    assert len(told) == 22
    assert "more" in told[-1]
    assert "  # ! /choices/" in path.read_text()
