"""The examples of docs/property-tests.md are tests that pass."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "property-tests.md").read_text()


def test_the_examples_of_the_page_pass(pytester, monkeypatch):
    """An example that fails teaches the wrong thing."""
    monkeypatch.setenv(
        "HYPOTHESIS_STORAGE_DIRECTORY", str(Path(__file__).parents[2] / ".hypothesis")
    )
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    pytester.makepyfile(**{f"test_block_{place}": block for place, block in enumerate(blocks)})
    pytester.makeconftest(
        "from hypothesis import settings\n"
        "few = settings(max_examples=15, stateful_step_count=5, deadline=None)\n"
        "settings.register_profile('few', few)\n"
        "settings.load_profile('few')\n"
    )
    run = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider")
    run.assert_outcomes(passed=3)
