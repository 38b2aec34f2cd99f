"""What a profile's replies carry besides what every server's do: read from its documents.

A vendor's own member (Azure's filter results, OpenRouter's provider) is promised where the response
document requires it at level documented. What it says is, in this order: what another member says
(`reply.copies` in `profile.json`), the `default` of its schema, null where that is allowed, and
else a value drawn from the schema.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from mockchat.contract.profile import Profile
from mockchat.payloads.draw import Draw
from mockchat.payloads.members import DocumentReader, Path
from mockchat.payloads.values import Compiled, compile_schema, generate
from mockchat.types import Json, JsonObject, JsonView

Holder = Literal["completion", "choice", "message", "usage"]
"""The objects of a reply that have promised members."""

_PATHS: Mapping[Holder, Path] = {
    "completion": (),
    "choice": ("choices", "*"),
    "message": ("choices", "*", "message"),
    "usage": ("usage",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One member that is always there.

    Attributes:
        path: Where it stands in a completion; its name is the last step.
        is_streamed: Whether chunks have it too.
        copies: The member beside it that it repeats, or None.
        is_drawn: Whether its value is drawn from its schema.
        usual: What it says otherwise; None for null.
    """

    path: Path
    is_streamed: bool
    copies: str | None
    is_drawn: bool
    usual: Json


def keep_promises(
    holder: JsonView, place: Holder, profile: Profile, draw: Draw, *, is_stream: bool
) -> JsonObject:
    """Return `holder` with what its profile promises and it lacks.

    Values are plain ones: what a vendor adds is decoration, and its wild forms are nobody's test.

    Args:
        holder: A completion, a choice, a message or a usage, finished but for these members.
        place: Which of them it is.
        profile: Whose reply.
        draw: Where choices come from.
        is_stream: Whether it will be cut into chunks, which have fewer members.
    """
    kept = dict(holder)
    for promise in _promises(profile)[place]:
        name = promise.path[-1]
        if name in kept or (is_stream and not promise.is_streamed):
            continue
        if promise.copies is not None:
            kept[name] = deepcopy(kept.get(promise.copies))
        elif promise.is_drawn:
            kept[name] = generate(_compiled(profile, promise.path), draw)
        else:
            kept[name] = deepcopy(promise.usual)
    return kept


@lru_cache(maxsize=64)
def _promises(profile: Profile) -> Mapping[Holder, tuple[Promise, ...]]:
    reader = DocumentReader(profile, "response", "documented")
    chunk = DocumentReader(profile, "chunk")
    copies = profile.settings.get("reply", {}).get("copies", {})
    found: dict[Holder, tuple[Promise, ...]] = {}
    for place, path in _PATHS.items():
        streamed = chunk.names(path)
        promises = []
        for name in dict.fromkeys(reader.required(path)):
            usual = reader.keyword((*path, name), "default")
            promise = Promise(
                path=(*path, name),
                is_streamed=name in streamed,
                copies=copies.get(place, {}).get(name),
                is_drawn=usual is None and "null" not in reader.types((*path, name)),
                usual=usual,
            )
            promises.append(promise)
        found[place] = tuple(promises)
    return found


@lru_cache(maxsize=256)
def _compiled(profile: Profile, path: Path) -> Compiled:
    schema = DocumentReader(profile, "response", "documented").schema(path)
    return compile_schema(schema, root=profile.document("response", "documented"))
