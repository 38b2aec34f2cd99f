"""Our own documents: every seed a valid value, nothing drawn in vain, the same on every Python."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from mockchat.contract.contract import contract_for
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.values import compile_schema, generate
from mockchat.payloads.walk import Walk

PROJECT = Path(__file__).parents[2]
CONTRACT = contract_for("openai")
# The OpenAPI document ties the others together and is no schema itself.
DOCUMENTS = {name: each for name, each in CONTRACT.profile.documents.items() if name != "openapi"}
REGISTRY = Registry().with_resources(
    (document["$id"], DRAFT202012.create_resource(document)) for document in DOCUMENTS.values()
)
KINDS = ["plain", "wild"]

DIGESTS = """
import hashlib, json, sys
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from mockchat.contract.profile import load_profile
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.values import compile_schema
from mockchat.payloads.walk import Walk
documents = dict(load_profile("openai").documents)
del documents["openapi"]
registry = Registry().with_resources(
    (each["$id"], DRAFT202012.create_resource(each)) for each in documents.values()
)
for name, document in sorted(documents.items()):
    compiled = compile_schema(document, documents=registry)
    digest = hashlib.sha256()
    for seed in range(int(sys.argv[1])):
        for kind in ("plain", "wild"):
            value = Walk(SeededDraw(seed), kind, compiled.source.accepts).value(compiled.node)
            digest.update(json.dumps(value).encode())
    print(name, digest.hexdigest())
"""


def digests(python, count, **environment):
    """Run the digests in a process of their own."""
    return subprocess.run(
        [python, "-c", DIGESTS, str(count)],
        env={**os.environ, "PYTHONPATH": str(PROJECT), **environment},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.mark.proof
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_give_valid_values(name, kind, proof_count):
    """The generator and the judge read the same documents; they may not disagree."""
    compiled = compile_schema(DOCUMENTS[name], documents=REGISTRY)
    for seed in range(proof_count(500)):
        value = generate(compiled, SeededDraw(seed), kind=kind)
        assert CONTRACT.violations(name, value, rules=False) == (), seed


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_are_drawn_without_waste(name, kind):
    """Filtering would make draws slow, shrinking poor, and hide what the walker cannot build."""
    compiled = compile_schema(DOCUMENTS[name], documents=REGISTRY)
    assert compiled.tests == 0
    for seed in range(60):
        walk = Walk(SeededDraw(seed), kind, compiled.source.accepts)
        walk.value(compiled.node)
        assert walk.retries == 0


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nodes_know_where_they_come_from(name):
    """Invalid payloads are made by steering to a place of the schema: every place has a pointer."""
    compiled = compile_schema(DOCUMENTS[name], documents=REGISTRY)
    assert compiled.places[0] is compiled.node
    assert all(place.pointer for place in compiled.places[1:])


@pytest.mark.proof
def test_digests_do_not_depend_on_the_hash_seed(proof_count):
    """Replicas with different hash seeds must serve the same replies."""
    count = proof_count(1000)
    first = digests(sys.executable, count, PYTHONHASHSEED="1")
    assert first == digests(sys.executable, count, PYTHONHASHSEED="2")
    assert len(first.splitlines()) == len(DOCUMENTS)


@pytest.mark.proof
@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_digests_are_equal_on_every_python(version, proof_count):
    """A seed in a bug report must mean the same payload on the reader's machine."""
    python = PROJECT / ".venvs" / f"python{version}" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{python} is not there: `make pythons` makes it where there is such a Python")
    count = proof_count(1000)
    assert digests(str(python), count) == digests(sys.executable, count)
