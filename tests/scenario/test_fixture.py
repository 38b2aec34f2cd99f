"""The same file in a test: opened by marker or `script`, loaded into what is open."""

import os
import sys
from pathlib import Path

import pytest

from mockchat import BadArgument, MockServer
from mockchat.scripting.scenario import BrokenScenario

sys.path.append(str(Path(__file__).parents[1] / "fixture"))
from inner_suites import ASK

WEATHER = """\
seed: 7
unused: ignore
stubs:
  - when: {last_text: {contains: Oslo}}
    reply: It is 4 °C in Oslo.
  - when: {last_text: "Bergen?"}
    reply: It rains.
"""


@pytest.fixture
def suite(pytester, monkeypatch):
    """Give a function that runs a suite in a folder of its own, beside its scenario file."""
    for name in list(os.environ):
        if name.startswith(("OPENAI_", "PYTEST_ADDOPTS")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(client=ASK)
    folder = pytester.mkdir("agent")
    (folder / "weather.yaml").write_text(WEATHER)

    def run(source):
        pytester.makepyfile(**{"agent/test_agent": source})
        plugin = ("-p", "mockchat.pytest_plugin")
        return pytester.runpytest_subprocess(*plugin, "-p", "no:cacheprovider", "agent")

    monkeypatch.setenv("PYTHONPATH", str(pytester.path))
    return run


def test_a_suite_uses_the_file_beside_it(suite):
    """The path is meant from the test, wherever pytest was started; options go with the file."""
    result = suite(
        """
        import pytest
        from client import ask, said

        @pytest.mark.mockchat(scenario="weather.yaml")
        def test_marker(mockchat):
            assert said("How is Oslo?") == "It is 4 °C in Oslo."
            assert mockchat.transcript().startswith("profile openai, seed 7")
            assert mockchat.journal[0].stub == "stub 1 (weather.yaml:4)"

        @pytest.mark.mockchat(scenario="weather.yaml", seed=9, unmatched="generate")
        def test_marker_counts_more_than_the_file(mockchat):
            assert ask("Hamar?")[0] == 200
            assert mockchat.transcript().startswith("profile openai, seed 9")

        @pytest.mark.mockchat(unused="ignore", seed=7)
        def test_load(mockchat):
            mockchat.when(last_text="Hamar?").reply("Snow.")
            mockchat.load("weather.yaml")
            assert [said("Bergen?"), said("Hamar?")] == ["It rains.", "Snow."]
            assert mockchat.journal[0].stub == "stub 3 (weather.yaml:6)"

        def test_script(mockchat_server):
            with mockchat_server.script(scenario="weather.yaml") as mockchat:
                assert ask("Bergen?", mockchat.base_url)[0] == 200
                assert mockchat.journal[0].stub == "stub 2 (weather.yaml:6)"
        """
    )
    result.assert_outcomes(passed=4)


def test_a_failure_names_the_line_of_the_file(suite):
    """The stub stands in the file, so that is where its reader must go."""
    result = suite(
        """
        import pytest
        from client import ask

        @pytest.mark.mockchat(scenario="weather.yaml", unused="fail")
        def test_it(mockchat):
            assert ask("Hamar?")[0] == 400
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "- stub 1 (weather.yaml:4): last_text is 'Hamar?', wanted contains('Oslo')",
            "- stub 2 (weather.yaml:6): last_text is 'Hamar?', wanted 'Bergen?'",
            "- stub 1 (weather.yaml:4): 0 of 1 reply sent",
            "- stub 2 (weather.yaml:6): 0 of 1 reply sent",
        ]
    )


def test_a_broken_file_fails_the_test_in_one_line(suite):
    """The file is at fault: no line of the plugin, no line of the reader."""
    result = suite(
        """
        from pathlib import Path
        import pytest

        Path(__file__).with_name("bad.yaml").write_text("stubs: [{replay: x}]")

        @pytest.mark.mockchat(scenario="bad.yaml")
        def test_bad(mockchat):
            pass

        @pytest.mark.mockchat(scenario="none.yaml")
        def test_none(mockchat):
            pass

        @pytest.mark.mockchat(scenario=3)
        def test_no_path(mockchat):
            pass
        """
    )
    result.assert_outcomes(errors=3)
    told = [line for line in result.outlines if line.startswith("@pytest.mark.mockchat: ")]
    wrong = "'replay' is not a key here; did you mean 'reply'?"
    missing = "allowed: a file that can be read (No such file or directory)."
    assert told == [
        f"@pytest.mark.mockchat: agent/bad.yaml:1:10: {wrong}",
        f"@pytest.mark.mockchat: scenario is '{Path.cwd()}/agent/none.yaml'; {missing}",
        "@pytest.mark.mockchat: scenario is 3; allowed: the path of a file.",
    ]


@pytest.fixture(scope="module")
def server():
    """Give a server."""
    with MockServer() as running:
        yield running


def test_load_refuses_options_that_the_open_script_does_not_have(server, tmp_path):
    """Ignored, they would be options that do nothing."""
    path = tmp_path / "s.yaml"
    path.write_text("unused: ignore\nprofile: vllm\nstubs: []\n")
    with (
        server.script(unused="ignore") as mockchat,
        pytest.raises(BrokenScenario) as caught,
    ):
        mockchat.load(path)
    fact = "profile is 'vllm', but the script is open with 'openai'; open it with scenario=…"
    assert str(caught.value) == f"{path}:2:10: {fact}"


def test_a_broken_file_leaves_the_script_as_it_was(server, tmp_path):
    """Half a scenario would fail the test a second time, with words that mislead."""
    path = tmp_path / "s.yaml"
    path.write_text("stubs:\n  - reply: a\n  - reply: {error: nothing}\n")
    with server.script() as mockchat:
        with pytest.raises(BrokenScenario):
            mockchat.load(path)
        with pytest.raises(BadArgument):
            mockchat.load(tmp_path / "none.yaml")
    assert mockchat.journal.requests == ()


def test_the_profile_of_the_file_must_be_there(server, tmp_path):
    """With file and line, as everything else."""
    path = tmp_path / "s.yaml"
    path.write_text("profile: vlm\nstubs: []\n")
    with pytest.raises(BrokenScenario) as caught:
        server.script(scenario=path)
    assert str(caught.value).startswith(f"{path}:1:10: no profile 'vlm'; known: ")
