"""The page of clients tells what the installed clients do."""

import pytest
from client_cases import CASES
from client_page import PAGE, blocks, read, with_blocks
from client_runs import CLIENTS, NEWEST, READERS, measure, verdict

PAGE_TEXT = PAGE.read_text()
CELLS = read(PAGE_TEXT)
OTHERS = [client for client in CLIENTS if client is not NEWEST]

READ = {"role": "assistant", "text": "", "finish": "tool_calls", "calls": [], "usage": False}


def said_on_the_page(client, cases):
    """Return the cells of one client as a measurement has them."""
    return {
        (case.name, reader): CELLS[case.name, reader][client.name]
        for case in cases
        for reader in case.readers
    }


def test_the_newest_client_does_what_the_page_says(proof_count):
    """Whoever writes an application on this client must know what reaches it."""
    some = CASES[:: 1 if proof_count(10) == 10 else 4]
    measured = measure(NEWEST, some)
    assert measured.version.startswith(f"{NEWEST.name}."), "a new major version: make clients"
    assert measured.cells == said_on_the_page(NEWEST, some), "make clients writes the page anew"


@pytest.mark.parametrize("client", OTHERS, ids=lambda client: client.name)
def test_the_other_clients_do_what_the_page_says(client, proof_count):
    """Many applications stay behind by a major version or two, or are written in JavaScript."""
    if client.missing:
        pytest.skip(client.missing)
    some = CASES[:: 10 // proof_count(10)]
    measured = measure(client, some)
    assert measured.version.startswith(f"{client.name}.")
    assert measured.cells == said_on_the_page(client, some), "make clients writes the page anew"


def test_the_page_has_every_case_and_every_client():
    """A case without a row is one that nobody looks up."""
    assert list(CELLS) == [
        (case.name, reader) for reader in READERS for case in CASES if reader in case.readers
    ]
    assert {tuple(said) for said in CELLS.values()} == {tuple(client.name for client in CLIENTS)}


def test_the_findings_follow_from_the_tables():
    """The two short tables on top are the ones that are read."""
    assert with_blocks(PAGE_TEXT, blocks(CELLS)) == PAGE_TEXT


def test_sync_and_async_clients_do_the_same():
    """The page says so, and whoever uses one relies on it."""
    assert [key for key, said in CELLS.items() if "sync: " in "".join(said.values())] == []


def test_every_plan_is_read_whole_by_every_client():
    """A plan only cuts; a client that reads it otherwise has met a stream of ours that is wrong."""
    plans = {case.name for case in CASES if case.group == "plan"}
    assert len(plans) == 18
    read_as = {word for (name, _), said in CELLS.items() if name in plans for word in said.values()}
    assert read_as == {"whole"}


def test_a_reply_that_is_not_all_there_is_not_read_whole():
    """What is called not survivable must be felt by one reader of the newest client at least."""
    damaged = [case for case in CASES if case.group == "fault" and not case.fault.is_survivable]
    assert damaged
    for case in damaged:
        felt = {CELLS[case.name, reader][NEWEST.name] for reader in ("loop", "helper")}
        assert felt != {"whole"}, case.name


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"raised": "APIError"}, "raises APIError"),
        ({"waits": True}, "waits"),
        ({"read": READ}, "wrong: calls"),
        ({"read": {**READ, "role": None, "text": "?"}}, "wrong: role, text, calls"),
    ],
)
def test_a_verdict_names_all_that_differs(found, words):
    """A comparison that looks away would call every client good."""
    assert verdict(found, "tool calls", "loop") == words


def test_a_page_without_a_place_for_a_table_is_not_written():
    """A heading rewritten by hand must not swallow what was measured."""
    with pytest.raises(LookupError, match="has no <!-- measured: loop -->"):
        with_blocks("# Clients\n", {"loop": "| sent |\n"})
