"""An exchange as one JSON object: for other processes, for files, for `mockchat validate`."""

from datetime import UTC, datetime

from mockchat.exchange import Exchange, header
from mockchat.types import Json, JsonObject


def as_json(exchange: Exchange, *, epoch: float) -> JsonObject:
    """Return an exchange as JSON; what is not there is left out.

    Args:
        exchange: As the journal keeps it, free of credentials.
        epoch: When the journal's clock stood at 0, in seconds since 1970.
    """
    delivery = exchange.delivery
    writes = () if delivery is None else delivery.writes[: exchange.written]
    members: JsonObject = {
        "index": exchange.index,
        "received": _time(exchange.received, epoch),
        "method": exchange.method,
        "path": exchange.path,
        "query": exchange.query,
        "headers": [list(pair) for pair in exchange.headers],
        "request": exchange.request,
        "attempt": exchange.attempt,
        "stub": exchange.stub,
        "mismatches": list(exchange.mismatches),
        "violations": [
            {"rule": one.rule, "pointer": one.pointer, "message": one.message}
            for one in exchange.violations
        ],
        "status": exchange.status,
        "content_type": header(exchange.reply_headers, "content-type"),
        "reply_headers": [list(pair) for pair in exchange.reply_headers],
        "body": _body(exchange),
        "writes": [[write.delay, len(write.data)] for write in writes],
        "left_at": [round(left - exchange.received, 4) for left in exchange.left_at],
        "unsent": None if delivery is None else len(delivery.writes) - len(writes) or None,
        "fault": exchange.fault,
        "ending": exchange.ending.value,
        "outcome": exchange.outcome.value,
        "answered": _time(exchange.answered, epoch),
        "finished": None if exchange.finished is None else _time(exchange.finished, epoch),
    }
    kept = ("request", "body", "status", "path", "method")
    return {
        name: value
        for name, value in members.items()
        if name in kept or value not in (None, "", [])
    }


def _body(exchange: Exchange) -> Json:
    """Return what left: JSON where it is the reply as it was meant, else the bytes as text."""
    delivery = exchange.delivery
    is_whole = delivery is not None and exchange.written == len(delivery.writes)
    if exchange.reply is not None and is_whole and exchange.fault is None and not exchange.chunks:
        return exchange.reply
    return exchange.sent.decode("utf-8", "backslashreplace")


def _time(seconds: float, epoch: float) -> str:
    return datetime.fromtimestamp(seconds + epoch, UTC).isoformat(timespec="milliseconds")
