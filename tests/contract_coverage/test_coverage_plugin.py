"""`pytest --mockchat-coverage`, as a suite meets it."""

import json
import re

import pytest
from click.testing import CliRunner
from tiny_profile import REPLY_ITEMS, REQUEST_ITEMS

from mockchat.cli import main
from mockchat.contract.contract import contract_for
from mockchat.coverage.catalogue import catalogue_of
from mockchat.scripting.fault_list import stream_faults

FAULTS = len(stream_faults()) - 6  # five of calls and one of usage have no room
OF_REPLIES = len(REPLY_ITEMS) + FAULTS

SUITE = """
    from client import ask
    from mockchat import error

    def test_text(mockchat):
        mockchat.reply("Hello")
        ask()

    def test_too_fast(mockchat):
        mockchat.reply(error("slow", fields={"seconds": 3}, retry_after=3))
        ask(stream=False)

    def test_it_fails(mockchat):
        mockchat.reply("Hel", finish_reason="length")
        ask()
        assert False
"""
GIVEN = {
    "response/choices#one",
    "response/choices/message/content#given",
    "response/choices/finish_reason=stop",
    "response/choices/finish_reason=length",
    "errors/slow",
    "status/429",
    "status/429/retry-after#given",
    "error/error/code#given",
}
WELL = GIVEN - {"response/choices/finish_reason=length"}
SENT = {
    "request/stream#absent",
    "request/stream#given",
    "request/stream=false",
    "request/messages#one",
    "request/messages/role=user",
    "request/messages/content#given",
}


@pytest.fixture
def tiny_suite(covered, tiny_folder):
    """Run a suite under the tiny profile."""

    def run(source, *options, in_process=True):
        profile = ("--mockchat-profile=tiny", f"--mockchat-schemas={tiny_folder}")
        return covered(source, *profile, *options, in_process=in_process)

    return run


def data_of(pytester):
    """Return what the run has written."""
    return json.loads((pytester.path / ".mockchat-coverage").read_text())


def table(result):
    """Return the counts that were printed, by the name of the row: the replies' rows first."""
    rows = re.findall(
        r"^  ([a-z ]+?) +(\d+) +(\d+) +(\d+) +(\d+)%", result.stdout.str(), re.MULTILINE
    )
    return [(name, *map(int, counts)) for name, *counts in rows]


def test_the_numbers_are_those_counted_by_hand(tiny_suite, pytester):
    """Seven of the items went well, eight were given: no more, no less."""
    result = tiny_suite(SUITE, "--mockchat-coverage")
    data = data_of(pytester)
    assert set(data["given"]) == GIVEN | SENT
    assert set(data["well"]) == WELL | SENT
    assert table(result) == [
        ("chat", 5, 4, 3, 60),
        ("streaming", 13, 0, 0, 0),
        ("errors", 8, 4, 4, 50),
        ("faults", FAULTS, 0, 0, 0),
        ("total", OF_REPLIES, 8, 7, round(700 / OF_REPLIES)),
        ("chat", 6, 3, 3, 50),
        ("streaming", 4, 3, 3, 75),
        ("total", len(REQUEST_ITEMS), 6, 6, 60),
    ]
    result.stdout.fnmatch_lines(["profile tiny, 3 exchanges, 9 items nobody can meet left out"])
    assert result.ret == 1


def test_workers_of_xdist_count_the_same(tiny_suite, pytester):
    """Whoever runs in parallel must not get another percent."""
    one = tiny_suite(SUITE, "--mockchat-coverage")
    alone = data_of(pytester)
    several = tiny_suite(None, "--mockchat-coverage", "-n", "2", in_process=False)
    assert data_of(pytester) == alone
    assert table(several) == table(one)


def test_nothing_is_loaded_where_nobody_asks(covered):
    """It is installed in suites that never heard of it."""
    result = covered(
        """
        import sys
        from client import ask

        def test_it(mockchat):
            mockchat.reply("Hello")
            ask()
            assert not [name for name in sys.modules if "coverage" in name and "mockchat" in name]
            assert mockchat.journal.tap is None
        """,
        in_process=False,
    )
    result.assert_outcomes(passed=1)
    assert "mockchat coverage" not in result.stdout.str()


def test_too_little_fails_the_run(tiny_suite):
    """A gate that only prints keeps nobody out."""
    exact = 700 / OF_REPLIES
    suite = SUITE.replace("assert False", "raise SystemError").replace("test_it_fails", "it_fails")
    enough = tiny_suite(suite, "--mockchat-coverage", f"--mockchat-coverage-fail-under={exact}")
    assert enough.ret == 0
    above = tiny_suite(None, "--mockchat-coverage", f"--mockchat-coverage-fail-under={exact + 0.1}")
    assert above.ret == 1
    above.stdout.fnmatch_lines(
        [
            f"mockchat coverage: {exact:.2f} % of what clients can be given went well, {exact + 0.1:g} % is wanted: mockchat coverage suggest writes tests of what is missing",
        ]
    )


def test_a_run_goes_on_with_the_one_before_if_told(tiny_suite, pytester):
    """One part of a suite runs here, another there."""
    tiny_suite(SUITE, "--mockchat-coverage", "-k", "text")
    tiny_suite(None, "--mockchat-coverage", "-k", "too_fast", "--mockchat-coverage-append")
    both = data_of(pytester)
    assert set(both["well"]) == WELL | SENT
    assert both["exchanges"] == 2
    tiny_suite(None, "--mockchat-coverage", "-k", "too_fast")
    assert data_of(pytester)["exchanges"] == 1


def test_scripts_of_every_kind_count(tiny_suite, pytester):
    """Shared scripts, scripts in a block and clients without a socket are given replies too."""
    tiny_suite(
        """
        from client import ask
        import mockchat as m

        shared = m.script_fixture(scope="module", unused="ignore")

        def test_shared(shared):
            shared.reply("Hello")
            ask()

        def test_block(mockchat_server):
            for _ in range(2):
                with mockchat_server.script() as face:
                    face.reply("Hel", finish_reason="length")
                    ask(face.base_url)
        """,
        "--mockchat-coverage",
    )
    data = data_of(pytester)
    assert data["exchanges"] == 3
    assert {"response/choices/finish_reason=stop", "response/choices/finish_reason=length"} < set(
        data["well"]
    )


def test_other_profiles_are_left_out_and_said(covered, tiny_folder, pytester):
    """A suite may speak to several services; a percent is of one."""
    result = covered(
        """
        from client import ask
        import pytest

        @pytest.mark.mockchat(profile="openai-2023-03")
        def test_old(mockchat):
            mockchat.reply("Hello")
            ask()
        """,
        "--mockchat-coverage=tiny",
        f"--mockchat-schemas={tiny_folder}",
    )
    assert (data_of(pytester)["exchanges"], data_of(pytester)["others"]) == (0, 1)
    result.stdout.fnmatch_lines(["1 of other profiles left out"])


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            ["--mockchat-coverage", "test_agent.py"],
            "ERROR: *: no profile 'test_agent.py'; known: *(write --mockchat-coverage=PROFILE, *",
        ),
        (
            ["--mockchat-coverage", "--mockchat-coverage-append"],
            "ERROR: --mockchat-coverage: *.mockchat-coverage cannot be used: it is no JSON: *",
        ),
    ],
)
def test_an_option_that_cannot_be_is_told_at_once(covered, pytester, options, text):
    """Not after the run, when nothing was counted."""
    (pytester.path / ".mockchat-coverage").write_text("odd")
    result = covered(SUITE, *options)
    assert result.ret == 4
    result.stderr.fnmatch_lines([text])


def test_collecting_alone_keeps_what_there_was(tiny_suite, pytester):
    """An editor that lists tests must not wipe a result."""
    (pytester.path / ".mockchat-coverage").write_text("kept")
    result = tiny_suite(SUITE, "--mockchat-coverage", "--collect-only", "-q")
    assert (pytester.path / ".mockchat-coverage").read_text() == "kept"
    assert "what clients were given" not in result.stdout.str()


def test_a_file_that_cannot_be_written_fails_the_run(tiny_suite, pytester):
    """A result that is lost must not look like one."""
    (pytester.path / ".mockchat-coverage").mkdir()
    result = tiny_suite(SUITE, "--mockchat-coverage", "-k", "text")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["mockchat coverage: *.mockchat-coverage cannot be used: *"])


def test_suggested_tests_pass_and_bring_what_they_promise(tiny_suite, tiny_folder, pytester):
    """The file is written, run as it is, and the percent is the one that was promised."""
    tiny_suite(SUITE, "--mockchat-coverage", "-k", "text")
    data, file = pytester.path / ".mockchat-coverage", pytester.path / "test_suggested.py"
    options = ["--data", str(data), "--schemas", str(tiny_folder), "-o", str(file)]
    told = CliRunner().invoke(main, ["coverage", "suggest", *options]).output
    promised = float(re.search(r"to ([\d.]+) %", told)[1])
    assert promised == 100
    result = tiny_suite(
        None, "--mockchat-coverage", "-k", "text or takes", "--mockchat-coverage-fail-under=100"
    )
    assert result.ret == 0
    assert table(result)[4] == ("total", OF_REPLIES, OF_REPLIES, OF_REPLIES, 100)


def test_the_catalogue_is_made_once():
    """Reading a profile takes longer than marking a thousand exchanges."""
    assert catalogue_of(contract_for()) is catalogue_of(contract_for())
