"""`mockchat coverage …` and `mockchat check --coverage`."""

import json
import re

import pytest
from click.testing import CliRunner

from mockchat.cli import main
from mockchat.contract.contract import contract_for
from mockchat.coverage.data_file import FORMAT, BrokenCoverage, combined, of_data, read, write
from mockchat.coverage.tally import Row, Tally
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.settings import Settings
from mockchat.server.werkzeug_server import LiveServer

STOP, LENGTH = "response/choices/finish_reason=stop", "response/choices/finish_reason=length"


@pytest.fixture
def run(tmp_path, tiny_folder, monkeypatch):
    """Run a command of ours in an empty folder, with the tiny profile at hand."""
    monkeypatch.chdir(tmp_path)

    def invoke(*words):
        schemas = () if words[0] == "combine" else ("--schemas", str(tiny_folder))
        return CliRunner().invoke(main, ["coverage", *words, *schemas])

    return invoke


@pytest.fixture
def met(run, tmp_path):
    """Write what a run has met: two items given, one of them well."""
    tally = Tally(profile="tiny", given={STOP, LENGTH, "odd/one"}, well={STOP}, exchanges=2)
    write(tmp_path / ".mockchat-coverage", tally)
    return tally


def test_the_table_is_printed_again(run, met):
    """The terminal of the run is long gone."""
    told = run("report")
    assert told.exit_code == 0
    lines = told.output.splitlines()
    assert lines[1] == (
        "  chat                         5     2     1   20%  choices#one,"
        " choices/finish_reason=length, and 2 more"
    )
    assert lines[-2:] == [
        "profile tiny, 2 exchanges, 9 items nobody can meet left out",
        "1 marks of another version of the profile left out",
    ]


def test_every_missing_item_can_be_named(run, met):
    """What is abbreviated must be there to be read."""
    lines = run("report", "--missing").output.splitlines()
    assert lines[1:6] == [
        "  chat                         5     2     1   20%",
        "      response/choices#one",
        f"      {LENGTH}",
        "      response/choices/message/content#null",
        "      response/choices/message/content#given",
    ]


@pytest.mark.parametrize(("least", "status"), [("1", 0), ("2", 1)])
def test_a_report_can_fail(run, met, least, status):
    """One of 78 items: 1.28 %."""
    told = run("report", "--fail-under", least)
    assert told.exit_code == status
    assert ("1.28 % went well, 2 % is wanted" in told.output) == bool(status)


def test_json_tells_every_item(run, met):
    """Whoever draws curves over months needs the items, not a table."""
    data = json.loads(run("json").output)
    states = {item["id"]: item["state"] for item in data["items"]}
    assert (states[STOP], states[LENGTH]) == ("well", "given")
    assert states["response/choices/message/content#null"] == "missing"
    assert states["response/choices#none"] == "excluded"
    assert data["totals"]["reply"] == {"items": 78, "given": 2, "well": 1, "percent": 100 / 78}
    assert data["percent"] == 100 / 78
    assert data["unknown"] == ["odd/one"]


def test_the_page_tells_every_item(run, met, tmp_path):
    """It is kept beside the page of coverage.py."""
    told = run("html", "-o", "page.html")
    assert told.output == "page.html\n"
    page = (tmp_path / "page.html").read_text()
    data = json.loads(run("json").output)
    assert all(f"<code>{item['id']}</code>" in page for item in data["items"])
    assert page.count("<table") == 2
    assert "<script" not in page
    assert " style=" not in page


def test_files_of_several_runs_add_up(run, met, tmp_path):
    """CI splits a suite over machines."""
    other = Tally(profile="tiny", given={LENGTH}, well={LENGTH}, exchanges=1, others=2)
    write(tmp_path / "other", other)
    told = run("combine", ".mockchat-coverage", "other", "--data", "both")
    assert told.output == "both: 3 items of 2 files\n"
    both = read(tmp_path / "both")
    assert both == Tally(
        profile="tiny",
        given={STOP, LENGTH, "odd/one"},
        well={STOP, LENGTH},
        exchanges=3,
        others=2,
    )


def test_files_of_several_profiles_do_not_add_up():
    """A percent of two contracts is one of none."""
    with pytest.raises(BrokenCoverage, match=r"its profile is b, that of the others a\."):
        combined([Tally(profile="a"), Tally(profile="b")])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("odd", "it is no JSON"),
        ("[]", "it is no coverage of mockchat"),
        ('{"format": 99}', "it is of format 99, and this version reads 1"),
        (f'{{"format": {FORMAT}, "profile": 3}}', "its 'profile' is missing, or of another type"),
        (
            f'{{"format": {FORMAT}, "profile": "a", "exchanges": true}}',
            "its 'exchanges' is missing, or of another type",
        ),
    ],
)
def test_a_file_of_others_is_refused(run, tmp_path, text, problem):
    """It says what is wrong with it, and what writes the right one."""
    (tmp_path / ".mockchat-coverage").write_text(text)
    told = run("report")
    assert told.exit_code == 2
    assert told.output.startswith(f"mockchat: .mockchat-coverage cannot be used: {problem}")


def test_a_file_that_is_not_there_is_told(run):
    """The first thing that happens to whoever forgets the option."""
    told = run("html")
    assert told.exit_code == 2
    assert told.output == (
        "mockchat: .mockchat-coverage cannot be used: No such file or directory. "
        "`pytest --mockchat-coverage` writes such a file\n"
    )


def test_what_is_written_is_read_again(tmp_path):
    """Nothing is lost on the way, and nothing half-written is left."""
    tally = Tally(profile="tiny", given={STOP, LENGTH}, well={STOP}, exchanges=3, others=1)
    write(tmp_path / "file", tally)
    assert read(tmp_path / "file") == tally
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    with pytest.raises(BrokenCoverage):
        write(tmp_path / "no" / "file", tally)
    with pytest.raises(BrokenCoverage, match="no coverage"):
        of_data(None, "it")


@pytest.mark.parametrize(
    ("well", "items", "shown"), [(0, 7, 0), (1, 1000, 1), (999, 1000, 99), (7, 7, 100), (0, 0, 100)]
)
def test_all_and_nothing_are_shown_only_where_they_are_exact(well, items, shown):
    """A 100 that is none would end the search for the last item."""
    row = Row(side="reply", name="x", items=items, given=well, well=well, missing=())
    assert row.shown == shown


def test_suggestions_for_single_items(run, met):
    """One asks for what one wants to see."""
    told = run("suggest", LENGTH)
    assert told.output == (
        f"mockchat.reply(text('Hello, wor', finish_reason='length'))\n    meets {LENGTH}\n"
    )


def test_suggestions_for_requests_are_what_code_should_send(run, met):
    """No test can make somebody's code send something."""
    told = run("suggest", "--requests", "request/stream=true")
    assert told.output == 'your code sends {"stream": true}\n    meets request/stream=true\n'
    refused = run("suggest", "--requests", "-o", "test_x.py")
    assert refused.exit_code == 2


def test_an_item_that_does_not_exist_is_told(run, met):
    """A typo must not look like an item that nothing meets."""
    told = run("suggest", "response/odd")
    assert told.exit_code == 2
    assert told.output == (
        "mockchat: there is no item 'response/odd'; mockchat coverage json lists them\n"
    )


def test_output_that_cannot_be_written_is_told(run, met):
    """Not as a stack of frames."""
    told = run("json", "-o", "no/where.json")
    assert told.exit_code == 2
    assert told.output == "mockchat: no/where.json: No such file or directory\n"


def test_a_check_tells_what_its_probes_met(tmp_path, monkeypatch):
    """In the terminal, in JSON and on the page, the same."""
    monkeypatch.chdir(tmp_path)
    app = App(Settings(profile=contract_for().profile), Scripts())
    with LiveServer(app) as server:
        words = ["check", server.base_url, "--coverage", "--json", "r.json", "--html", "r.html"]
        told = CliRunner().invoke(main, words)
    data = json.loads((tmp_path / "r.json").read_text())["coverage"]
    page = (tmp_path / "r.html").read_text()
    states = {item["id"]: item["state"] for item in data["items"]}
    assert states["stream/usage-apart"] == "well"
    assert states["response/choices/message/tool_calls#given"] == "well"
    assert states["response/choices#many"] == "well"
    assert states["errors/missing_required_parameter"] == "well"
    assert states["request/stream=true"] == "well"
    assert not any(item.startswith("fault/") for item in states)
    total = data["totals"]["reply"]
    row = re.search(r"^  total +(\d+) +(\d+) +(\d+)", told.output, re.MULTILINE)
    assert [int(number) for number in row.groups()] == [
        total["items"],
        total["given"],
        total["well"],
    ]
    assert "<h2>What clients were given</h2>" in page
