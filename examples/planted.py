"""Plant the fault of an example in a copy: the first tests must miss it, the suggested ones find it.

python examples/planted.py NAME [NAME ...]
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

EXAMPLES = Path(__file__).parent


def failures(folder: Path, tests: str) -> bool:
    """Run a test file of an example and tell whether it fails."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1}:
        raise SystemExit(f"{folder.name}: {tests} could not be run\n{done.stdout}{done.stderr}")
    return done.returncode == 1


def prove(name: str) -> None:
    """Plant, run both, and end the program where that does not come out as it should."""
    plan = json.loads((EXAMPLES / name / "planted.json").read_text())
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / name
        shutil.copytree(EXAMPLES / name, folder, symlinks=True)
        file = folder / plan["file"]
        source = file.read_text()
        if source.count(plan["old"]) != 1:
            raise SystemExit(f"{name}: {plan['old']!r} does not stand once in {plan['file']}")
        if failures(folder, plan["suggested"]):
            raise SystemExit(f"{name}: {plan['suggested']} fails without the planted fault")
        file.write_text(source.replace(plan["old"], plan["new"]))
        if failures(folder, plan["first"]):
            raise SystemExit(f"{name}: {plan['first']} finds the planted fault by itself")
        if not failures(folder, plan["suggested"]):
            raise SystemExit(f"{name}: {plan['suggested']} misses the planted fault")
    print(f"{name}: the planted fault is found by {plan['suggested']} alone")


for example in sys.argv[1:]:
    prove(example)
