"""JSON as Python code: what copied tests hold."""

import ast

import pytest

from mockchat.payloads.shown import as_code

LONG = "x" * 90


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "None"),
        ({"a": [1, True]}, "{'a': [1, True]}"),
        (LONG, repr(LONG)),
        ([], "[]"),
        (10**90, str(10**90)),
        ({"a": LONG, "b": [LONG, {}]}, f"{{\n    'a': '{LONG}',\n    'b': [\n        '{LONG}',\n        {{}},\n    ],\n}}"),
    ],
)  # fmt: skip
def test_json_is_written_as_python(value, code):
    """What is pasted must mean the same, and be read by people."""
    assert as_code(value) == code
    assert ast.literal_eval(code) == value
