"""HTTP archives (HAR 1.2) as exchanges: what browsers, proxies and `mockchat` itself export.

Source: the format as published by its author, http://www.softwareishard.com/blog/har-12-spec/.
"""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from mockchat.contract.pointers import pointer_of
from mockchat.exchange import Headers
from mockchat.recording.exchanges import RecordedExchange
from mockchat.recording.imported import Note, Taken, Unimportable
from mockchat.recording.messages import Message, exchange_of
from mockchat.types import Json, JsonView

_MILLISECONDS = 1000
_CUT = "cut"


def har_exchanges(archive: Json) -> Taken:
    """Return the entries of an archive; their places are pointers into it.

    Raises:
        Unimportable: It has no entries, or one of them is malformed.
    """
    log = archive.get("log") if isinstance(archive, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise Unimportable("no HAR: the array /log/entries is missing")
    exchanges: list[RecordedExchange] = []
    places: list[str] = []
    notes: list[Note] = []
    for at, entry in enumerate(entries):
        place = pointer_of(("log", "entries", at))
        try:
            found = _exchange(entry)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            problem = f"{type(error).__name__}: {error}"
            raise Unimportable(f"no HAR: {place} is malformed ({problem})") from None
        if isinstance(found, str):
            notes.append(Note(place=place, message=f"the entry is not imported: {found}"))
        else:
            exchanges.append(found)
            places.append(place)
    return Taken(exchanges=tuple(exchanges), places=tuple(places), notes=tuple(notes))


def _exchange(entry: JsonView) -> RecordedExchange | str:
    """Return the exchange of an entry, or why there is none."""
    request, response = entry["request"], entry["response"]
    status = int(response["status"])
    content = response.get("content") or {}
    if not status:
        return "it has no answer"
    text = content.get("text")
    if text is None and content.get("size", 0):
        return "the archive left out the body of the answer"
    parts = urlsplit(request["url"])
    wait, receive = _seconds(entry.get("timings") or {})
    data = _data(text or "", content.get("encoding"))
    return exchange_of(
        asked=Message(
            headers=_fields(request.get("headers") or ()),
            body=str((request.get("postData") or {}).get("text") or "").encode(),
        ),
        answered=Message(
            headers=_labelled(_fields(response.get("headers") or ()), content.get("mimeType")),
            body=data,
        ),
        method=str(request["method"]).upper(),
        path=parts.path,
        query=parts.query,
        status=status,
        wait=wait,
        seconds=wait + receive,
        began=_began(entry.get("startedDateTime")),
    )


def _data(text: str, encoding: Json) -> bytes:
    if encoding != "base64":
        return text.encode("utf-8", "surrogateescape")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("the body is no base64") from None


def _fields(given: Sequence[JsonView]) -> Headers:
    return tuple((str(field["name"]).lower(), str(field["value"])) for field in given)


def _labelled(fields: Headers, content_type: Json) -> Headers:
    """Return the fields with a content type: some exporters tell it with the content alone."""
    if content_type and "content-type" not in dict(fields):
        return (*fields, ("content-type", str(content_type)))
    return fields


def _seconds(timings: JsonView) -> tuple[float, float]:
    """Return the seconds before the answer's first byte and those behind it; -1 is not known."""
    wait, receive = (max(0.0, float(timings.get(name) or 0)) for name in ("wait", "receive"))
    return wait / _MILLISECONDS, receive / _MILLISECONDS


def _began(given: Json) -> float | None:
    try:
        return datetime.fromisoformat(str(given)).timestamp()
    except ValueError:
        return None
