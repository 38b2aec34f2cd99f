"""Print the oldest versions `pyproject.toml` allows, as requirements: what `make lowest` installs."""

import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def main() -> None:
    """Print one requirement for each dependency, those of the extra `serve` included."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    declared = [*project["dependencies"], *project["optional-dependencies"]["serve"]]
    for requirement in declared:
        name, floor = requirement.split(">=")
        print(f"{name}=={floor}.*")


if __name__ == "__main__":
    main()
