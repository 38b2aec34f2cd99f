"""The house stands: imports point down only."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PACKAGE = PROJECT / "mockchat"

# From the ground up; a room may import rooms of lower floors and its own.
FLOORS = (
    ("mockchat.errors", "mockchat.types"),
    ("mockchat.exchange",),
    ("mockchat.contract",),
    ("mockchat.payloads",),
    ("mockchat.scripting",),
    ("mockchat.server",),
    ("mockchat.conformance",),
    ("mockchat.recording",),
    ("mockchat.drift",),
    ("mockchat.coverage",),
    (
        "mockchat",
        "mockchat.__main__",
        "mockchat.asgi",
        "mockchat.cases",
        "mockchat.cli",
        "mockchat.control",
        "mockchat.cli_drift",
        "mockchat.cli_engine",
        "mockchat.cli_import",
        "mockchat.cli_generate",
        "mockchat.cli_limits",
        "mockchat.cli_options",
        "mockchat.cli_profiles",
        "mockchat.cli_observe",
        "mockchat.cli_record",
        "mockchat.cli_control",
        "mockchat.cli_coverage",
        "mockchat.cli_scenario",
        "mockchat.cli_state",
        "mockchat.cli_check",
        "mockchat.cli_repeat",
        "mockchat.cli_validate",
        "mockchat.pytest_coverage",
        "mockchat.pytest_options",
        "mockchat.pytest_target",
        "mockchat.hosted",
        "mockchat.machine_turns",
        "mockchat.machines",
        "mockchat.pytest_plugin",
        "mockchat.pytest_scripts",
        "mockchat.strategies",
        "mockchat.wsgi",
    ),
)
FLOOR_OF = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}


def room_of(module: str) -> str:
    """Return the room that `module` belongs to: its folder, or the module itself at top level."""
    return ".".join(module.split(".")[:2])


def module_of(path: Path) -> str:
    """Return the dotted name of the module at `path`."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and module of every import in `tree`, those inside functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            module = node.module or ""
            if module == "mockchat":
                yield from ((node.lineno, f"mockchat.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, module
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")) == "import_module"
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node.lineno, str(node.args[0].value)


def needed(tree: ast.AST) -> ast.AST:
    """Return `tree` without what type checkers alone read."""

    class WithoutTyping(ast.NodeTransformer):
        def visit_If(self, node):
            is_typing = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
            return None if is_typing else self.generic_visit(node)

    return WithoutTyping().visit(tree)


def upward_imports(module: str, tree: ast.AST) -> list[str]:
    """Name each import of `tree`, the source of `module`, that does not point down."""
    room = room_of(module)
    return [
        f"{module}:{line} imports {target}"
        for line, target in imported(tree)
        if target.split(".")[0] == "mockchat"
        and room_of(target) != room
        and FLOOR_OF.get(room_of(target), len(FLOORS)) >= FLOOR_OF[room]
        and not is_face(room)
    ]


def is_face(room: str) -> bool:
    """Tell whether `room` is of the top floor, whose rooms may use each other."""
    return FLOOR_OF[room] == len(FLOORS) - 1


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=module_of)
def test_imports_point_down(path):
    """A lower floor that knows a higher one cannot be tested or reused without it."""
    module = module_of(path)
    assert room_of(module) in FLOOR_OF, f"{module} belongs to no floor: ARCHITECTURE.md names them"
    assert upward_imports(module, ast.parse(path.read_text())) == []


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        ("mockchat.contract.rules", "from mockchat.errors import MockchatError", 0),
        ("mockchat.contract.rules", "from mockchat.contract.profile import Profile", 0),
        ("mockchat.contract.rules", "from mockchat.payloads.draw import Draw", 1),
        ("mockchat.contract.rules", "def f():\n    import mockchat.server.app", 1),
        ("mockchat.contract.rules", "from mockchat import server", 1),
        ("mockchat.contract.rules", "from mockchat import Script", 1),
        ("mockchat.scripting.script", "importlib.import_module('mockchat.server.app')", 1),
        ("mockchat.errors", "import mockchat.exchange", 1),
        ("mockchat.cli", "from mockchat.server.app import App", 0),
    ],
)
def test_an_upward_import_is_found(module, source, found):
    """A test that sees no offence anywhere proves nothing."""
    assert len(upward_imports(module, ast.parse(source))) == found


def test_no_room_imports_a_module_of_the_tests_or_of_a_development_tool():
    """The wheel holds the package alone: what only developers have must not be needed."""
    foreign = {"tests", "conftest", "benchmarks", "schemathesis", "openai", "httpx", "httpx2"}
    found = [
        f"{module_of(path)}:{line} imports {target}"
        for path in MODULES
        for line, target in imported(needed(ast.parse(path.read_text())))
        if target.split(".")[0] in foreign
    ]
    assert found == []
