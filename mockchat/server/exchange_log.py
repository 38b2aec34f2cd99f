"""One line of JSON for each exchange, and for whatever else the log says."""

import json
import logging
from datetime import UTC, datetime

from mockchat.exchange import Exchange, header
from mockchat.server.observing import Observation, used_by
from mockchat.types import JsonObject

_NAME = "mockchat.exchanges"
_ATTRIBUTE = "exchange_fields"


class ExchangeLog:
    """Writes a line to the log for each exchange that is over.

    Args:
        has_bodies: Whether what was asked and answered stands in it.
    """

    def __init__(self, *, has_bodies: bool) -> None:
        self._has_bodies = has_bodies
        self._logger = logging.getLogger(_NAME)
        self._logger.setLevel(logging.INFO)  # they are asked for, whatever else is told

    def began(self) -> None:
        """Write nothing yet."""

    def ended(self, observed: Observation) -> None:
        """Write the line of an exchange that is over."""
        fields = _fields(observed)
        if self._has_bodies and observed.exchange is not None:
            fields |= _bodies(observed.exchange)
        self._logger.info("exchange", extra={_ATTRIBUTE: fields})


class JsonLines(logging.Formatter):
    """Writes records of the log as JSON, one a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record; an exception stands in it as text."""
        line: JsonObject = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, _ATTRIBUTE, {}),
        }
        if record.exc_info is not None:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _fields(observed: Observation) -> JsonObject:
    """Return what is told of an exchange; what is not there is left out."""
    fields: JsonObject = {
        "operation": observed.operation,
        "status": observed.status,
        "source": observed.source,
        "outcome": observed.outcome.value,
        "ms": round(observed.seconds * 1000, 3),
    }
    exchange = observed.exchange
    if exchange is None:
        return fields
    request = exchange.request if isinstance(exchange.request, dict) else {}
    told = {
        "method": exchange.method,
        "path": exchange.path,
        "model": request.get("model"),
        "stream": request.get("stream") is True,
        "stub": exchange.stub,
        "attempt": exchange.attempt,
        "fault": exchange.fault,
        "mismatches": len(exchange.mismatches),
        "violations": [f"{one.pointer or '/'} {one.rule}" for one in exchange.violations],
        "chunks": len(exchange.sent_chunks),
        "tokens": dict(used_by(exchange)),
        "request_id": header(exchange.reply_headers, "x-request-id"),
        "session": header(exchange.headers, "x-mockchat-session"),
    }
    return {**fields, **{name: value for name, value in told.items() if value}}


def _bodies(exchange: Exchange) -> JsonObject:
    return {
        "request": exchange.request,
        "body": exchange.sent.decode("utf-8", "backslashreplace"),
    }
