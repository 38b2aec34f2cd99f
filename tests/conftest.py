"""What every test folder shares: full counts on request, and the facts beside the checkout."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from redis_store import RedisStore

PROJECT = Path(__file__).parents[1]

# An example takes as long as the machine is busy: limits of time would tell nothing about the code.
# The same examples every time, so that a change is judged by what it changes; MOCKCHAT_EXPLORE=1
# looks for new ones. Without the phase that explains failures: most of them are planted here.
settings.register_profile(
    "house",
    deadline=None,
    derandomize=os.environ.get("MOCKCHAT_EXPLORE") != "1",
    phases=[phase for phase in Phase if phase is not Phase.explain],
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("house")


def proof_count(full: int) -> int:
    """Return `full` under `make proof` (MOCKCHAT_PROOF=1), a tenth of it (at least 1) otherwise."""
    return full if os.environ.get("MOCKCHAT_PROOF") == "1" else max(1, full // 10)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the facts folder beside the checkout, or skip."""
    folder = PROJECT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the facts folder `shared` does not stand beside this checkout")
    return folder


@pytest.fixture(name="proof_count")
def _proof_count() -> object:
    """Give `proof_count` to tests in folders of their own."""
    return proof_count


@pytest.fixture
def redis_store(tmp_path: Path) -> Iterator[RedisStore]:
    """Give a Redis that runs, or skip."""
    try:
        store = RedisStore(tmp_path / "redis.sock")
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    store.start()
    yield store
    store.stop()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for a count as a proof, so that `make proof` runs it."""
    for item in items:
        if "proof_count" in getattr(item, "fixturenames", ()):
            item.add_marker("proof")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """Let no test leave signals blocked: what the next one starts could not be told to end."""
    yield
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    if blocked:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, blocked)
        pytest.fail(f"signals are still blocked: {sorted(blocked)}")
