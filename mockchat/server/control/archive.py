"""Exchanges as an HTTP archive (HAR 1.2), for browsers' tools and other programs.

Source: the format as published by its author, http://www.softwareishard.com/blog/har-12-spec/.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from importlib.metadata import version

from mockchat.types import Json, JsonObject


def archive(exchanges: Iterable[JsonObject], *, base: str) -> JsonObject:
    """Return a HAR of exchanges as `exchange_lines` writes them.

    Args:
        exchanges: Oldest first.
        base: Where the server is: "http://127.0.0.1:4010".
    """
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "mockchat", "version": version("mockchat")},
            "entries": [_entry(exchange, base) for exchange in exchanges],
        }
    }


def _entry(exchange: JsonObject, base: str) -> JsonObject:
    wait = _milliseconds(exchange["received"], exchange["answered"])
    receive = _milliseconds(exchange["answered"], exchange.get("finished"))
    return {
        "startedDateTime": exchange["received"],
        "time": wait + receive,
        "request": _request(exchange, base),
        "response": _response(exchange),
        "cache": {},
        "timings": {"send": 0, "wait": wait, "receive": receive},
        "comment": exchange.get("stub", ""),
    }


def _request(exchange: JsonObject, base: str) -> JsonObject:
    query = exchange.get("query", "")
    request: JsonObject = {
        "method": exchange["method"],
        "url": f"{base}{exchange['path']}" + (f"?{query}" if query else ""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _fields(exchange.get("headers", [])),
        "queryString": [],
        "headersSize": -1,
        "bodySize": -1,
    }
    if exchange["request"] is not None:
        text = json.dumps(exchange["request"], ensure_ascii=False)
        request["postData"] = {"mimeType": "application/json", "text": text}
    return request


def _response(exchange: JsonObject) -> JsonObject:
    body = exchange["body"]
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return {
        "status": exchange["status"],
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _fields(exchange.get("reply_headers", [])),
        "content": {
            "size": len(text.encode()),
            "mimeType": exchange.get("content_type", ""),
            "text": text,
        },
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
        "comment": exchange["outcome"],
    }


def _fields(pairs: Iterable[list[Json]]) -> list[JsonObject]:
    return [{"name": name, "value": value} for name, value in pairs]


def _milliseconds(begin: str, end: str | None) -> float:
    if end is None:
        return 0.0
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds() * 1000
