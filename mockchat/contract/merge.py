"""JSON Merge Patch (RFC 7396): how a profile varies its parent without copying it."""

from collections.abc import Sequence

from mockchat.types import Json


def merge_patch(target: Json, patch: Json) -> Json:
    """Return `target` with `patch` applied; neither is changed.

    A member of null removes, an object merges, anything else (arrays too) replaces. Parts the patch
    does not name are shared with `target`, so the result is for reading.
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def without(target: Json, tokens: Sequence[str]) -> Json:
    """Return `target` without the member that `tokens` lead to; `target` is not changed.

    Raises:
        LookupError: There is no such member.
    """
    name, *rest = tokens
    if not isinstance(target, dict) or name not in target:
        raise LookupError(name)
    if rest:
        return target | {name: without(target[name], rest)}
    return {key: value for key, value in target.items() if key != name}
