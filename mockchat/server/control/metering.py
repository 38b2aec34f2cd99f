"""The operation of the control API that Prometheus asks for."""

from collections.abc import Callable, Mapping

from mockchat.errors import MockchatError
from mockchat.server.control.operations import Answered, Asked


class NotMetered(MockchatError, LookupError):
    """Figures were asked for that nobody counts."""

    def __str__(self) -> str:
        return (
            "this server does not count its exchanges. Start it with --metrics, which needs the "
            'package prometheus-client: pip install "mockchat[metrics]"'
        )


def _read_metrics(asked: Asked) -> Answered:
    if asked.meter is None:
        raise NotMetered
    # The charset is said by whoever sends it.
    media_type = asked.meter.content_type.partition("; charset")[0]
    return Answered(body=asked.meter.text(), media_type=media_type)


METERING: Mapping[str, Callable[[Asked], Answered]] = {"readMetrics": _read_metrics}
"""What answers each `operationId` of this module."""
