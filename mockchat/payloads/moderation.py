"""The verdicts a request can ask for with `moderation`."""

from collections.abc import Mapping

from mockchat.payloads.draw import Draw
from mockchat.types import Json, JsonObject, Kind

_CATEGORIES = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit",
    "illicit/violent", "self-harm", "self-harm/intent", "self-harm/instructions", "sexual",
    "sexual/minors", "violence", "violence/graphic",
)  # fmt: skip


def moderation_of(wanted: Json, choices: int, draw: Draw, kind: Kind) -> JsonObject:
    """Return the verdicts on the prompt and on each of the `choices`.

    Plain ones flag nothing. Wild ones may flag a category, or say that moderation itself failed,
    unless the request wants flagged text blocked: then nothing flagged may be answered.
    """
    model = wanted.get("model") if isinstance(wanted, Mapping) else None
    name = model if isinstance(model, str) else "omni-moderation-latest"
    policy = wanted.get("policy") if isinstance(wanted, Mapping) else None
    sides = {}
    for side, verdicts in (("input", 1), ("output", choices)):
        setting = policy.get(side) if isinstance(policy, Mapping) else None
        is_blocking = isinstance(setting, Mapping) and setting.get("mode") == "block"
        is_wild = kind == "wild" and not is_blocking
        sides[side] = _side(name, verdicts, draw, is_wild=is_wild)
    return sides


def _side(model: str, verdicts: int, draw: Draw, *, is_wild: bool) -> JsonObject:
    if is_wild and draw.chance(0.1):
        message = "The moderation model could not be reached."
        return {"type": "error", "code": "moderation_unavailable", "message": message}
    results = [_verdict(model, draw, is_wild=is_wild) for _ in range(verdicts)]
    return {"type": "moderation_results", "model": model, "results": results}


def _verdict(model: str, draw: Draw, *, is_wild: bool) -> JsonObject:
    flagged = _CATEGORIES[draw.index(len(_CATEGORIES))] if is_wild and draw.chance(0.2) else None
    quiet = round(draw.number(0, 0.01), 8)
    return {
        "type": "moderation_result",
        "model": model,
        "flagged": flagged is not None,
        "categories": {name: name == flagged for name in _CATEGORIES},
        "category_scores": {name: 0.97 if name == flagged else quiet for name in _CATEGORIES},
        "category_applied_input_types": {name: ["text"] for name in _CATEGORIES},
    }
