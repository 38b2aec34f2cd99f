"""Stored completions and their pages, without a server."""

import gc
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.scripting.script import Script
from mockchat.server.repeats import Repeats
from mockchat.server.stored import Store, Stored, Stores, page


def stored(id_, *, created=0, model="gpt-4o", **request):
    """Make a stored completion with little in it."""
    completion = {"id": id_, "created": created, "model": "gpt-4o-2024-08-06", "choices": []}
    return Stored.of(completion, {"model": model, "messages": [], **request})


ITEMS = [{"id": str(number)} for number in range(25)]


@given(
    st.integers(0, 30),
    st.integers(1, 30),
    st.sampled_from(["asc", "desc"]),
)
def test_pages_follow_each_other_to_the_end(count, limit, order):
    """Clients page until `has_more` is false: every item once, in order, no endless loop."""
    items = [{"id": str(number)} for number in range(count)]
    query = {"limit": limit, "order": order}
    seen = []
    while True:
        part = page(items, query)
        seen += part["data"]
        assert len(part["data"]) <= limit
        if not part["has_more"]:
            break
        query = {**query, "after": part["last_id"]}
    assert seen == (items if order == "asc" else items[::-1])


def test_a_page_names_its_ends():
    """first_id and last_id are what the next request carries; null where there are none."""
    assert page(ITEMS, {"limit": 2, "order": "asc", "after": "3"}) == {
        "object": "list",
        "data": [{"id": "4"}, {"id": "5"}],
        "first_id": "4",
        "last_id": "5",
        "has_more": True,
    }
    assert page(ITEMS, {"limit": 2, "order": "asc", "after": "no such"}) == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


def test_completions_are_found_by_model_and_labels():
    """The model counts as it was asked for or as it answered; all labels must fit."""
    store = Store(10)
    store.keep(stored("b", created=2, metadata={"k": "1", "l": "2"}))
    store.keep(stored("a", created=1, model="other", metadata={"k": "1"}))
    store.keep(stored("c", created=3, metadata=None))

    def ids(**query):
        return [completion["id"] for completion in store.find(query)]

    assert ids() == ["a", "b", "c"]
    assert ids(model="gpt-4o") == ["b", "c"]
    assert ids(model="gpt-4o-2024-08-06") == ["a", "b", "c"]
    assert ids(metadata={"k": "1"}) == ["a", "b"]
    assert ids(metadata={"k": "1", "l": "2"}) == ["b"]
    assert ids(metadata={"k": "2"}) == []


def test_the_oldest_makes_room():
    """A server that runs for weeks must not grow."""
    store = Store(2)
    for name in "abac":
        store.keep(stored(name))
    assert (store.get("a"), store.get("b") is None, store.get("c") is None) == (None, False, False)


def test_labels_are_replaced_and_completions_deleted():
    """Update replaces all labels; what is deleted is gone for every reader."""
    store = Store(2)
    store.keep(stored("a", metadata={"k": "1"}))
    assert store.update("a", {"l": "2"}).completion["metadata"] == {"l": "2"}
    assert store.update("a", None).completion["metadata"] == {}
    assert store.update("b", {}) is None
    assert (store.delete("a"), store.delete("a"), store.get("a")) == (True, False, None)


def test_messages_are_listed_as_the_api_lists_them():
    """Text stays text, parts stand beside it, calls are kept; ids are the completion's and a number."""
    parts = [
        {"type": "text", "text": "x"},
        {"type": "input_audio", "input_audio": {}},
        {"type": "image_url", "image_url": {"url": "y"}},
    ]
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "hi", "name": "me"},
        {"role": "user", "content": parts},
        {"role": "assistant", "tool_calls": [call], "refusal": None},
    ]
    kept = stored("z", messages=messages).messages
    assert kept == (
        {"id": "z-0", "role": "user", "content": "hi", "name": "me", "content_parts": None},
        {
            "id": "z-1",
            "role": "user",
            "content": None,
            "name": None,
            "content_parts": [parts[0], parts[2]],
        },
        {
            "id": "z-2",
            "role": "assistant",
            "content": None,
            "name": None,
            "content_parts": None,
            "tool_calls": [call],
        },
    )


def test_scripts_do_not_see_each_other():
    """One test's stored completion in another's list would depend on the order of tests."""
    stores = Stores(10)
    one, two = Script(), Script()
    stores.of(one).keep(stored("a"))
    assert stores.of(one).get("a")
    assert (stores.of(two).get("a"), stores.of(None).get("a")) == (None, None)

    del one
    gc.collect()
    assert len(stores._of) == 1


def test_repeats_are_counted_for_each_request():
    """The n-th repetition of one body, whoever sends it; member order does not make another body."""
    repeats = Repeats(counts=True)
    assert [repeats.count("/a", {"x": 1, "y": 2}) for _ in range(3)] == [0, 1, 2]
    assert repeats.count("/a", {"y": 2, "x": 1}) == 3
    assert repeats.count("/b", {"y": 2, "x": 1}) == 0
    assert [Repeats(counts=False).count("/a", None) for _ in range(2)] == [0, 0]


def test_repeats_forget_what_is_long_unseen(monkeypatch):
    """Bounded, like everything a long-running server remembers."""
    monkeypatch.setattr("mockchat.server.repeats._REMEMBERED", 2)
    repeats = Repeats(counts=True)
    assert [repeats.count("/", body) for body in (1, 2, 1, 3, 2, 1)] == [0, 0, 1, 0, 0, 0]


@pytest.mark.parametrize("threads", [8])
def test_no_repeat_is_counted_twice(threads):
    """Two threads with one body get two numbers."""
    repeats = Repeats(counts=True)
    numbers = []

    def work():
        numbers.extend(repeats.count("/", 1) for _ in range(200))

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(numbers) == list(range(200 * threads))
