"""What the tests of profiles share: the readers of schema documents beside the schema tests."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "schemas"))
