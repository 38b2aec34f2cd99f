"""JSON Merge Patch (RFC 7396): how a profile varies its parent without copying it."""

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
