"""Metrics of our own process, written by prometheus_client."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import (
    generate_latest as generate_openmetrics,
)

from nats_idle_exporter.metrics.exposition import END, Format


class ProcessMetrics:
    """Read ``process_*`` and ``python_*`` through a private registry."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def read(self) -> dict[Format, bytes]:
        """Return the families as they are now, in each format, without an end.

        Reads files below /proc; safe in a thread.
        """
        # prometheus_client leaves its OpenMetrics writer without types.
        openmetrics: bytes = generate_openmetrics(self._registry)  # type: ignore[no-untyped-call]
        return {
            Format.TEXT: generate_latest(self._registry),
            Format.OPENMETRICS: openmetrics.removesuffix(END),
        }
