"""The tiny profile, and suites that are run inside a test."""

import os

import pytest
from small_client import CLIENT
from tiny_profile import write_tiny

# Loaded here, whole: after an inner run in this process pytester forgets what that has loaded, and
# a part that is loaded again would meet classes of the first time.
import mockchat.cli
import mockchat.coverage.as_html
import mockchat.coverage.suggestions_text
import mockchat.pytest_coverage
import mockchat.server.mock_server  # noqa: F401
from mockchat.contract.contract import contract_for
from mockchat.coverage.catalogue import catalogue_of

FOREIGN = ("NO_PROXY", "no_proxy", "PYTEST_ADDOPTS", "CI", "BUILD_NUMBER")
PLUGINS = ("mockchat.pytest_plugin", "xdist.plugin")


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """Give a folder of profiles with the tiny one."""
    return write_tiny(tmp_path_factory.mktemp("schemas"))


@pytest.fixture(scope="session")
def tiny(tiny_folder):
    """Give the items of the tiny profile."""
    return catalogue_of(contract_for("tiny", tiny_folder))


@pytest.fixture(scope="session")
def openai():
    """Give the items of the profile `openai`."""
    return catalogue_of(contract_for())


@pytest.fixture
def covered(pytester, monkeypatch):
    """Run a suite with a client of the standard library; in this process unless said."""
    for name in list(os.environ):
        if name.startswith("OPENAI_") or name in FOREIGN:
            monkeypatch.delenv(name)
    pytester.makepyfile(client=CLIENT)
    plugins = [part for plugin in PLUGINS for part in ("-p", plugin)]

    def run(source, *options, in_process=True):
        if source is not None:
            pytester.makepyfile(test_agent=source)
        if in_process:
            # pytest-asyncio warns of an option that these suites do not set.
            own = ("-p", "no:asyncio", "-p", "no:cacheprovider")
            return pytester.runpytest_inprocess(*own, *options)
        # Other plugins take most of the time that a process needs to start.
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        return pytester.runpytest_subprocess(*plugins, "-p", "no:cacheprovider", *options)

    return run
