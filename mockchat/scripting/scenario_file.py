"""Bytes of a scenario file to what they say; every bad file is told in one line."""

import re
from pathlib import Path

from mockchat.scripting.scenario_json import compose_json
from mockchat.scripting.scenario_places import (
    BrokenScenario,
    Located,
    Misread,
    Node,
    Place,
    Problem,
    located,
)

LARGEST = 1024 * 1024
"""The largest file that is read, in bytes."""

_NO_TEXT = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What stands in no text file (YAML 1.2 section 5.1 has the list)."""


def located_bytes(data: bytes, file: str) -> Located:
    """Return what the bytes of a scenario file say: JSON where its name ends so, else YAML.

    Args:
        data: The file's bytes.
        file: Its name, as messages show it.

    Raises:
        BrokenScenario: It is too large, no text, neither YAML nor JSON, or holds what is not
            certain or safe to read.
    """
    try:
        return located(_node(_text(data), Path(file).suffix.lower()))
    except Misread as misread:
        raise BrokenScenario(Problem(file, misread.place, misread.message)) from None


def _node(text: str, suffix: str) -> Node:
    if suffix == ".json":
        return compose_json(text)
    from mockchat.scripting.scenario_yaml import compose_yaml  # noqa: PLC0415 - PyYAML takes 10 ms

    return compose_yaml(text)


def _text(data: bytes) -> str:
    if len(data) > LARGEST:
        raise Misread(
            Place(1, 1), f"the file has {len(data):,} bytes; at most {LARGEST:,} are read"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Misread(
            _place_of(data[: error.start]), "this is no UTF-8; save the file as UTF-8"
        ) from None
    found = _NO_TEXT.search(text)
    if found is not None:
        place = _place_of(text[: found.start()].encode())
        code = f"U+{ord(found[0]):04X}"
        raise Misread(place, f"the character {code} stands in no text file; is this a scenario?")
    return text


def _place_of(before: bytes) -> Place:
    last = before.rpartition(b"\n")[2].decode("utf-8-sig", errors="replace")
    return Place(before.count(b"\n") + 1, len(last) + 1)
