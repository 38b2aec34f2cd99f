"""How the server's room tells of trouble: one line for everybody, the traceback for who debugs."""

import logging

from mockchat.scripting.credentials import redact_text

logger = logging.getLogger("mockchat.server")
"""Requests at INFO, trouble at ERROR, tracebacks at DEBUG."""


class _WithoutKeys(logging.Filter):
    """Take out what looks like a key: a path, a value of a body or an exception may carry one."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact_text(record.getMessage()), None
        if record.exc_info is not None:
            record.exc_text = redact_text(logging.Formatter().formatException(record.exc_info))
        return True


logger.addFilter(_WithoutKeys())


def report(what: str, error: BaseException) -> None:
    """Log what went wrong; nothing reaches a client, and no traceback unless it is asked for."""
    logger.error("%s: %s: %s", what, type(error).__name__, error)
    logger.debug("%s", what, exc_info=error)
