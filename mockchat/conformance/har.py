"""HTTP archives (HAR 1.2), as browsers and proxies export them."""

import base64
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from mockchat.conformance.kinds import UnreadableFile
from mockchat.conformance.records import Payload, Record, Stream, payload_of, reply_of
from mockchat.contract.pointers import pointer_of
from mockchat.types import Json, JsonObject


def har_records(archive: Json) -> tuple[Record, ...]:
    """Return the entries of an archive, in order; their places are pointers into it.

    A body that the archive left out (browsers do so with streams) is not judged.

    Raises:
        UnreadableFile: It has no entries, or one of them is malformed.
    """
    log = archive.get("log") if isinstance(archive, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise UnreadableFile("no HAR: the array /log/entries is missing")
    return tuple(_records(entries))


def _records(entries: Sequence[Json]) -> Iterator[Record]:
    for index, entry in enumerate(entries):
        place = pointer_of(("log", "entries", index))
        try:
            yield _record(entry, place)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            problem = f"{type(error).__name__}: {error}"
            raise UnreadableFile(f"no HAR: {place} is malformed ({problem})") from None


def _record(entry: JsonObject, place: str) -> Record:
    request = entry["request"]
    posted = request.get("postData") or {}
    text = posted.get("text")
    return Record(
        place=place,
        method=str(request["method"]),
        path=urlsplit(request["url"]).path,
        request=payload_of("request", text.encode()) if text else None,
        reply=_reply(entry["response"]),
        status=int(entry["response"]["status"]) or None,
    )


def _reply(response: JsonObject) -> Payload | Stream | None:
    content = response.get("content") or {}
    text, status = content.get("text"), int(response["status"])
    if not text or not status:
        return None
    data = text.encode()
    if content.get("encoding") == "base64":
        data = base64.b64decode(data)
    return reply_of(data, status=status, content_type=_content_type(response, content))


def _content_type(response: JsonObject, content: JsonObject) -> str | None:
    for field in response.get("headers") or ():
        if str(field["name"]).lower() == "content-type":
            return str(field["value"])
    return content.get("mimeType") or None
