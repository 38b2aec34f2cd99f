"""When the parts of a reply left: what the live page draws."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from mockchat.payloads.encoding import DONE
from mockchat.scripting.request_view import objects
from mockchat.scripting.sse import SseDecoder
from mockchat.types import Json, JsonObject, JsonView

_MOST_SENDS = 1_000
_MOST_WORDS = 12
_LONGEST = 80
_DONE = DONE.removeprefix(b"data: ").strip().decode()


def timeline(line: JsonView) -> JsonObject:
    """Return when the sends of a delivery left, in milliseconds since the request was read.

    Writes without a delay leave with those before them, as one send; where there are more than a
    thousand, neighbours are told together. Where times were not noted, a send counts as punctual.

    Args:
        line: An exchange as `exchange_lines` writes it.
    """
    received = line["received"]
    answered = _since(received, line.get("answered")) or 0.0
    finished = _since(received, line.get("finished"))
    sends = list(_sends(line, answered, finished))
    times = [send["at"] for send in sends]
    return {
        "answered": answered,
        "finished": finished,
        "first": times[0] if times else None,
        "longest_gap": max((after - before for before, after in pairwise(times)), default=None),
        "sends": _joined(sends),
        "unsent": line.get("unsent", 0),
        "ending": line["ending"],
        "outcome": line["outcome"],
    }


def _sends(line: JsonView, answered: float, finished: float | None) -> Iterator[JsonObject]:
    groups: list[list[tuple[float, int]]] = []
    for delay, size in line.get("writes", ()):
        if delay > 0 or not groups:
            groups.append([])
        groups[-1].append((delay, size))
    is_stream = "event-stream" in str(line.get("content_type"))
    body = line["body"] if isinstance(line["body"], str) else ""
    rest, noted = body.encode("utf-8", "surrogatepass"), line.get("left_at", ())
    due = answered
    for place, group in enumerate(groups):
        due += group[0][0] * 1000 if place else 0.0
        size = sum(size for _, size in group)
        data, rest = rest[:size], rest[size:]
        if place < len(noted):
            at = noted[place] * 1000
        else:
            is_last = place == len(groups) - 1 and line["outcome"] == "delivered"
            at = finished if is_last and finished is not None else due
        words = list(_words(data)) if is_stream else []
        yield {"at": round(at, 1), "bytes": size, "events": len(words), "words": words}


def _words(data: bytes) -> Iterator[str]:
    """Say what each event is about, in few words."""
    decoder = SseDecoder()
    for event in (*decoder.feed(data), *decoder.finish()):
        if event.data == _DONE:
            yield _DONE
            continue
        try:
            chunk = json.loads(event.data)
        except (ValueError, RecursionError):
            yield _short(event.data)
        else:
            yield _short(", ".join(_of_chunk(chunk)))


def _of_chunk(chunk: Json) -> Iterator[str]:
    if not isinstance(chunk, Mapping):
        yield str(chunk)
        return
    for choice in objects(chunk.get("choices")):
        delta = choice.get("delta")
        for name, value in delta.items() if isinstance(delta, Mapping) else ():
            if value not in (None, "", []):
                yield _of_member(name, value)
        if choice.get("finish_reason") is not None:
            yield f"finish_reason {choice['finish_reason']}"
    yield from (name for name in ("usage", "error") if chunk.get(name))


def _of_member(name: str, value: Json) -> str:
    if name == "content" and isinstance(value, str):
        return value
    if name == "tool_calls":
        called = (call.get("function") or call.get("custom") for call in objects(value))
        return " ".join(
            "".join(str(one[key]) for key in ("name", "arguments", "input") if one.get(key))
            for one in called
            if isinstance(one, Mapping)
        )
    return f"{name} {value}"


def _joined(sends: Sequence[JsonObject]) -> list[JsonObject]:
    """Return at most a thousand sends, with at most a dozen words of each."""
    step = -(-len(sends) // _MOST_SENDS) or 1
    return [_one(sends[start : start + step]) for start in range(0, len(sends), step)]


def _one(sends: Sequence[JsonObject]) -> JsonObject:
    words = [word for send in sends for word in send["words"]]
    return {
        "at": sends[0]["at"],
        "bytes": sum(send["bytes"] for send in sends),
        "events": sum(send["events"] for send in sends),
        "words": words[:_MOST_WORDS],
    }


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _since(begin: str, moment: str | None) -> float | None:
    if moment is None:
        return None
    passed = datetime.fromisoformat(moment) - datetime.fromisoformat(begin)
    return max(0.0, passed.total_seconds() * 1000)
