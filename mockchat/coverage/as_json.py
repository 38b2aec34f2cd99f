"""Coverage as JSON: the counts, and the state of every item."""

import json
from collections.abc import Mapping

from mockchat.coverage.data_file import FORMAT
from mockchat.coverage.items import Item
from mockchat.coverage.tally import Counted, Row, Tally
from mockchat.types import JsonObject


def as_object(items: Mapping[str, Item], counted: Counted, tally: Tally) -> JsonObject:
    """Return the counts and the items of a tally.

    `percent` is that of what clients can be given, exact; `state` of an item is "well", "given",
    "missing" or "excluded".
    """
    excluded = {item.id: item.excluded for item in counted.excluded}
    return {
        "format": FORMAT,
        "profile": tally.profile,
        "exchanges": tally.exchanges,
        "percent": counted.percent,
        "totals": {side: _counts(row) for side, row in counted.totals.items()},
        "capabilities": [
            {"side": row.side, "name": row.name, **_counts(row)} for row in counted.rows
        ],
        "items": [
            {
                "id": item.id,
                "side": item.side,
                "capability": item.capability,
                "state": "excluded" if item.id in excluded else state_of(item.id, tally),
                **({"meaning": item.meaning} if item.meaning else {}),
                **({"reason": excluded[item.id]} if item.id in excluded else {}),
            }
            for item in items.values()
        ],
        "unknown": list(counted.unknown),
    }


def as_json(items: Mapping[str, Item], counted: Counted, tally: Tally) -> str:
    """Return the same as text for a file."""
    return json.dumps(as_object(items, counted, tally), indent=1) + "\n"


def state_of(item_id: str, tally: Tally) -> str:
    """Return how far an item was met: "well", "given" or "missing"."""
    if item_id in tally.well:
        return "well"
    return "given" if item_id in tally.given else "missing"


def _counts(row: Row) -> JsonObject:
    return {"items": row.items, "given": row.given, "well": row.well, "percent": row.percent}
