"""How the server's room tells of trouble: one line for everybody, the traceback for who debugs."""

import logging

logger = logging.getLogger("mockchat.server")
"""Requests at INFO, trouble at ERROR, tracebacks at DEBUG."""


def report(what: str, error: BaseException) -> None:
    """Log what went wrong; nothing reaches a client, and no traceback unless it is asked for."""
    logger.error("%s: %s: %s", what, type(error).__name__, error)
    logger.debug("%s", what, exc_info=error)
