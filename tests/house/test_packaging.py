"""What is installed is what was written: schemas and type marker, from wheel, sdist and checkout."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SITE_PACKAGES = sysconfig.get_path("purelib")
WANTED = ("mockchat", "schemas", "README.md", "LICENSE", "pyproject.toml", "hatch_build.py")
PROBE = """
import json, mockchat
from mockchat.contract.profile import load_profile, schemas_directory
profile = load_profile("openai")
print(json.dumps([mockchat.__file__, str(schemas_directory()), profile.summary]))
"""


def run(*command, cwd, path=SITE_PACKAGES):
    """Run a command with what we have installed in its reach, return its stdout."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")
    }
    outcome = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**environment, "PYTHONPATH": str(path), "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return outcome.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """Give a copy of the sources: builds and edits must not touch the real ones."""
    folder = tmp_path_factory.mktemp("checkout") / "mockchat-copy"
    folder.mkdir()
    for name in WANTED:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


@pytest.fixture(scope="module")
def archives(checkout, tmp_path_factory):
    """Give the sdist, and the wheel built from it as an index's users build it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, checkout, cwd=folder)
    return next(folder.glob("*.tar.gz")), next(folder.glob("*.whl"))


def listed(folder, prefix):
    """Return the JSON documents below `folder`, named as an archive names them."""
    return {prefix + path.relative_to(folder).as_posix() for path in folder.rglob("*.json")}


def test_the_wheel_carries_schemas_and_type_marker(archives):
    """Without the documents nothing works; without the marker mypy ignores all our types."""
    with zipfile.ZipFile(archives[1]) as wheel:
        names = set(wheel.namelist())
    expected = listed(PROJECT / "schemas", "mockchat/schemas/")
    assert {name for name in names if name.startswith("mockchat/schemas/")} == expected
    assert "mockchat/py.typed" in names
    assert {f"mockchat/conformance/report.{kind}" for kind in ("css", "js")} <= names
    assert not {name for name in names if name.startswith(("tests/", "benchmarks/"))}


def test_the_sdist_carries_the_documents(archives):
    """Distributions that build from source must get the same package."""
    with tarfile.open(archives[0]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert listed(PROJECT / "schemas", "schemas/") <= names
    assert {"README.md", "LICENSE", "pyproject.toml", "hatch_build.py"} <= names


def test_an_installed_wheel_reads_its_own_schemas(archives, tmp_path):
    """A user has no checkout: nothing of ours may be in reach."""
    target = tmp_path / "installed"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target")
    run(*pip, target, archives[1], cwd=tmp_path)
    path = os.pathsep.join((str(target), SITE_PACKAGES))
    module, schemas, _ = json.loads(run(sys.executable, "-c", PROBE, cwd=tmp_path, path=path))
    assert Path(module).parent == target / "mockchat"
    assert Path(schemas) == target / "mockchat" / "schemas"


def test_an_edit_of_a_schema_shows_in_an_editable_install(checkout, tmp_path):
    """A stale copy of the documents would make every edit look ineffective."""
    environment = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=tmp_path)
    python = environment / "bin" / "python"
    install = ("install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", checkout)
    run(sys.executable, "-m", "pip", "--python", python, *install, cwd=tmp_path)
    profile = checkout / "schemas" / "openai" / "profile.json"
    original = profile.read_text()
    try:
        profile.write_text(json.dumps({**json.loads(original), "summary": "Edited."}))
        module, schemas, summary = json.loads(run(python, "-c", PROBE, cwd=tmp_path))
    finally:
        profile.write_text(original)
    assert Path(module).parent == checkout / "mockchat"
    assert Path(schemas) == checkout / "schemas"
    assert summary == "Edited."
