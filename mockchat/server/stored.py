"""Completions kept by `store: true`: a bounded store for each script, and pages of lists."""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mockchat.scripting.script import Script
from mockchat.types import Completion, JsonObject, JsonView


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A completion that was asked for with `store: true`.

    Attributes:
        completion: The object as it was answered, with the request's `metadata`.
        model: The model as the request named it.
        messages: The messages of the request, as the API lists them.
    """

    completion: JsonObject
    model: str
    messages: tuple[JsonObject, ...]

    @classmethod
    def of(cls, completion: Completion, request: JsonView) -> "Stored":
        """Return what is kept of a completion and its request."""
        return cls(
            completion={**completion, "metadata": request.get("metadata") or {}},
            model=str(request.get("model")),
            messages=tuple(
                stored_message(completion["id"], position, message)
                for position, message in enumerate(request.get("messages") or ())
            ),
        )


def stored_message(completion_id: str, position: int, message: JsonView) -> JsonObject:
    """Return a message of a request as the API lists it: with an id, parts beside the text."""
    content = message.get("content")
    parts = (
        [part for part in content if part["type"] in _LISTED] if isinstance(content, list) else None
    )
    listed: JsonObject = {
        "id": f"{completion_id}-{position}",
        "role": message.get("role"),
        "content": None if parts is not None else content,
        "name": message.get("name"),
        "content_parts": parts,
    }
    kept = ("refusal", "audio", "tool_calls", "function_call")
    return listed | {name: message[name] for name in kept if message.get(name) is not None}


_LISTED = ("text", "image_url")
"""The kinds of parts a stored message has; others are not kept (official document, 2026-08-21)."""


class Store:
    """Stored completions in order of creation; the oldest makes room for a new one.

    Args:
        limit: How many are kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, Stored] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, stored: Stored) -> None:
        """Add a completion, or replace the one of the same id."""
        with self._lock:
            self._kept[stored.completion["id"]] = stored
            if len(self._kept) > self._limit:
                self._kept.popitem(last=False)

    def get(self, id: str) -> Stored | None:  # noqa: A002 - the API's word
        """Return a completion, or None."""
        with self._lock:
            return self._kept.get(id)

    def update(self, id: str, metadata: JsonView | None) -> Stored | None:  # noqa: A002 - the API's word
        """Replace a completion's labels and return it; None if there is none."""
        with self._lock:
            before = self._kept.get(id)
            if before is None:
                return None
            completion = {**before.completion, "metadata": dict(metadata or {})}
            after = self._kept[id] = replace(before, completion=completion)
            return after

    def delete(self, id: str) -> bool:  # noqa: A002 - the API's word
        """Forget a completion; False if there was none."""
        with self._lock:
            return self._kept.pop(id, None) is not None

    def find(self, query: JsonView) -> list[JsonObject]:
        """Return the completions with the model and the labels that a query asks for, oldest first."""
        wanted = (query.get("metadata") or {}).items()
        with self._lock:
            kept = list(self._kept.values())
        found = [
            stored.completion
            for stored in kept
            if query.get("model") in (None, stored.model, stored.completion["model"])
            and wanted <= stored.completion["metadata"].items()
        ]
        return sorted(found, key=lambda completion: completion["created"])


class Stores:
    """A store for each script, so that no test sees another's completions, and one for the rest.

    Args:
        limit: How many completions each keeps.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._shared = Store(limit)
        self._of: weakref.WeakKeyDictionary[Script, Store] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def of(self, script: Script | None) -> Store:
        """Return the store of a script; it ends with the script."""
        if script is None:
            return self._shared
        with self._lock:
            return self._of.setdefault(script, Store(self._limit))


def page(items: Sequence[JsonObject], query: JsonView) -> JsonObject:
    """Return one page of a list as the API pages.

    Args:
        items: All items, oldest first; each has an `id`.
        query: `after` (the last id of the page before; an id that is not there ends the list),
            `limit` and `order` ("asc" or "desc").
    """
    ordered = list(items) if query["order"] == "asc" else list(reversed(items))
    if "after" in query:
        ids = [item["id"] for item in ordered]
        start = ids.index(query["after"]) + 1 if query["after"] in ids else len(ids)
        ordered = ordered[start:]
    data = ordered[: query["limit"]]
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": len(ordered) > len(data),
    }
