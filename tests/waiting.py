"""Wait for what another thread or process is about to do."""

import time


def wait_for(condition, seconds=10.0):
    """Return as soon as a condition holds; fail where it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.002)
