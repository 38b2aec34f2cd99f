"""What may move in jsonschema: private parts that a later version need not have."""

import json
import subprocess
import sys

import pytest

CODE = """
import json, sys, types
import jsonschema
if sys.argv[1] == "moved":
    sys.modules["jsonschema._utils"] = types.ModuleType("jsonschema._utils")
from mockchat.contract.validation import DocumentJudge, schema_violations
schema = {
    "$id": "https://example.invalid/it",
    "allOf": [{"properties": {"a": True}, "prefixItems": [True]}],
    "unevaluatedProperties": False,
    "unevaluatedItems": False,
}
judge = DocumentJudge({"it": schema}, "observed")
found = []
for value in ({"a": 1}, {"a": 1, "b": 2}, [1], [1, 2], 5):
    found.append([[each.rule, each.pointer] for each in judge.violations("it", value)])
    assert found[-1] == [[each.rule, each.pointer] for each in schema_violations(schema, value)]
print(json.dumps(found))
"""


@pytest.mark.parametrize(
    ("private_parts", "places"), [("in place", ["/b", "/1"]), ("moved", ["", ""])]
)
def test_private_parts_may_move(private_parts, places):
    """A new jsonschema may cost a fault its exact place; it must not cost the import."""
    shown = subprocess.run(
        [sys.executable, "-c", CODE, private_parts], check=True, capture_output=True, text=True
    )
    of_object, of_array = places
    assert json.loads(shown.stdout) == [
        [],
        [["schema.unevaluatedProperties", of_object]],
        [],
        [["schema.unevaluatedItems", of_array]],
        [],
    ]
