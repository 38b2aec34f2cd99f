"""The house stays readable: small rooms, short functions, one word per thing."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PACKAGE = PROJECT / "mockchat"
MODULES = sorted(PACKAGE.rglob("*.py"))
ROOM_LINES = 450
FUNCTION_LINES = 60
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
FORBIDDEN = re.compile(
    r"utils?|helpers?|manager|misc|imposter|expectation|interaction|chaos", re.IGNORECASE
)


def relative(path: Path) -> str:
    """Return `path` as the project sees it."""
    return str(path.relative_to(PROJECT))


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function; its decorators, a table of options at most, do not count."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def committed() -> list[Path]:
    """Return the files that git tracks but this one, or skip outside a repository (an sdist)."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    if listing.returncode:
        pytest.skip("not a git repository")
    paths = (PROJECT / name for name in listing.stdout.split("\0") if name)
    return [path for path in paths if path.is_file() and path != Path(__file__)]


def test_rooms_stay_small():
    """A file that fits in one's head is a file one dares to change."""
    sizes = {relative(path): len(path.read_text().splitlines()) for path in MODULES}
    too_large = {name: lines for name, lines in sizes.items() if lines > ROOM_LINES}
    assert too_large == {}, f"over {ROOM_LINES} lines: two rooms in one?"


def test_functions_stay_short():
    """The longest function is where the bugs are."""
    too_long = {
        f"{relative(path)}:{node.lineno} {node.name}": length(node)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, FUNCTIONS) and length(node) > FUNCTION_LINES
    }
    assert too_long == {}, f"over {FUNCTION_LINES} lines: which steps have names?"


def test_names_say_what_a_thing_is():
    """A module of odds and ends, or a second word for one thing, makes the next reader search."""
    found = []
    for path in MODULES:
        names = [path.stem, *(part for part in path.relative_to(PACKAGE).parts[:-1])]
        tree = ast.parse(path.read_text())
        names += [n.name for n in ast.walk(tree) if isinstance(n, (*FUNCTIONS, ast.ClassDef))]
        words = {word for name in names for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", name)}
        found += [f"{relative(path)}: {word}" for word in words if FORBIDDEN.fullmatch(word)]
    assert found == []


def test_every_public_name_has_a_docstring():
    """What a user can call must say what it does, or it is not public."""
    found = [
        f"{relative(path)}:{node.lineno} {node.name}"
        for path in MODULES
        for node in ast.parse(path.read_text()).body
        if isinstance(node, (*FUNCTIONS, ast.ClassDef))
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert found == []


def test_nothing_is_left_for_later():
    """A promise in a comment is kept by nobody; an unexplained silence hides the next error."""
    marks = re.compile(r"\b(?:TODO|FIXME|XXX)\b|pragma: no cover|type: ignore(?!\[)|noqa(?!:)")
    found = [
        f"{relative(path)}:{number}: {line.strip()}"
        for path in committed()
        if path.suffix in {".py", ".md", ".toml", ""} and path.name != "uv.lock"
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if marks.search(line)
    ]
    assert found == []


def test_every_test_says_why_it_matters():
    """A test whose purpose is unknown is deleted or obeyed, and both are wrong."""
    found = [
        f"{relative(path)}:{node.lineno} {node.name}"
        for path in sorted((PROJECT / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, FUNCTIONS)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert found == []


def test_no_committed_file_names_a_place_on_one_machine():
    """A path of somebody's disk works on that disk alone."""
    places = re.compile(r"(?<![\w.:~-])/(?:work|root|home|Users)/\w")
    found = [
        f"{relative(path)}:{number}: {line.strip()[:100]}"
        for path in committed()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if places.search(line)
    ]
    assert found == []
