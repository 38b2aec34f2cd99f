"""Figures for Prometheus: what was answered how, and how long that took."""

from collections.abc import Callable, Iterable
from typing import Protocol

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric

from mockchat.exchange import Exchange
from mockchat.server.observing import Observation, used_by

_OTHER = "other"
_LIMITS = {
    408: "time",
    413: "body size",
    414: "head size",
    429: "rate",
    431: "head size",
    503: "connections",
}
"""Which limit a refusal speaks of, by its status."""

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Kept(Protocol):
    """A journal, as far as its size goes."""

    @property
    def dropped(self) -> int:
        """How many exchanges it has dropped."""
        ...

    def __len__(self) -> int: ...


class Meter:
    """Counts exchanges; what is told of them has a bounded number of values each.

    Args:
        models: The names that are told; any other model is "other".
        journals: Returns the journals there are.

    Attributes:
        content_type: What the text is.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, models: Iterable[str], journals: Callable[[], Iterable[Kept]]) -> None:
        self._models = frozenset(models)
        self._registry = CollectorRegistry()
        registry = self._registry
        self._exchanges = Counter(
            "mockchat_exchanges",
            "Exchanges that are over.",
            ("operation", "status", "source", "outcome"),
            registry=registry,
        )
        self._seconds = Histogram(
            "mockchat_exchange_seconds",
            "Seconds from the request to the last byte of its answer.",
            ("operation",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._in_flight = Gauge("mockchat_in_flight", "Requests being answered.", registry=registry)
        self._chunks = Counter(
            "mockchat_stream_chunks", "Chunks of streams that left.", registry=registry
        )
        self._tokens = Counter(
            "mockchat_tokens",
            "Tokens that answers said they used.",
            ("model", "kind"),
            registry=registry,
        )
        self._broken = Counter(
            "mockchat_invalid_requests", "Requests that broke the contract.", registry=registry
        )
        self._limits = Counter(
            "mockchat_limits_reached",
            "Requests refused because of a limit.",
            ("limit",),
            registry=registry,
        )
        self._registry.register(_Journals(journals))

    def began(self) -> None:
        """Count a request that is being answered."""
        self._in_flight.inc()

    def ended(self, observed: Observation) -> None:
        """Count an exchange that is over."""
        self._in_flight.dec()
        self._exchanges.labels(
            operation=observed.operation,
            status=str(observed.status),
            source=observed.source,
            outcome=observed.outcome.value,
        ).inc()
        self._seconds.labels(operation=observed.operation).observe(observed.seconds)
        if observed.source == "refused" and observed.status in _LIMITS:
            self._limits.labels(limit=_LIMITS[observed.status]).inc()
        if observed.exchange is not None:
            self._count(observed.exchange)

    def text(self) -> str:
        """Return all figures in Prometheus's text format."""
        return generate_latest(self._registry).decode()

    def _count(self, exchange: Exchange) -> None:
        self._chunks.inc(len(exchange.sent_chunks))
        if any(not violation.is_note for violation in exchange.violations):
            self._broken.inc()
        request = exchange.request
        model = request.get("model") if isinstance(request, dict) else None
        for kind, count in used_by(exchange).items():
            known = model if model in self._models else _OTHER
            self._tokens.labels(model=known, kind=kind).inc(count)


class _Journals:
    """The sizes of the journals, looked at when they are asked for."""

    def __init__(self, journals: Callable[[], Iterable[Kept]]) -> None:
        self._journals = journals

    def collect(self) -> Iterable[Metric]:
        """Return what the library writes."""
        kept = [(len(journal), journal.dropped) for journal in self._journals()]
        yield GaugeMetricFamily(
            "mockchat_journal_exchanges",
            "Exchanges that the journals keep.",
            value=sum(count for count, _ in kept),
        )
        yield GaugeMetricFamily(
            "mockchat_journal_dropped",
            "Exchanges that the journals there are have dropped.",
            value=sum(dropped for _, dropped in kept),
        )
