"""How polling one endpoint goes: counters that only grow, and the last result."""

from __future__ import annotations

from nats_idle_exporter.activity import Ring
from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.monitoring.failures import REASONS
from nats_idle_exporter.snapshot import EndpointStatus


class Tally:
    """Count the polls of one endpoint.

    Args:
        system: the system's name.
        endpoint: the URL without credentials.
    """

    def __init__(self, system: str, endpoint: str) -> None:
        self._system = system
        self._endpoint = endpoint
        self._polls = 0
        self._errors = dict.fromkeys(REASONS, 0)
        self._is_up = False
        self._duration_seconds = 0.0
        self._last_success_at: float | None = None
        self._last_error = ""
        self._ring_overflows = 0

    @property
    def is_failing(self) -> bool:
        """Say whether the last poll failed."""
        return self._last_error != ""

    def succeeded(self, at: float, duration_seconds: float, ring: Ring) -> None:
        """Count a good poll that ended at a wall-clock time."""
        self._polls += 1
        self._is_up = True
        self._last_success_at = at
        self._duration_seconds = duration_seconds
        self._last_error = ""
        self._ring_overflows += not ring.reaches_back

    def failed(self, error: EndpointError, duration_seconds: float) -> None:
        """Count a failed poll."""
        self._polls += 1
        self._errors[error.reason] += 1
        self._is_up = False
        self._duration_seconds = duration_seconds
        self._last_error = str(error)

    def status(self) -> EndpointStatus:
        """Return what is known now; later polls do not change it."""
        return EndpointStatus(
            system=self._system,
            endpoint=self._endpoint,
            is_up=self._is_up,
            polls=self._polls,
            errors=dict(self._errors),
            poll_duration_seconds=self._duration_seconds,
            last_success_at=self._last_success_at,
            last_error=self._last_error,
            ring_overflows=self._ring_overflows,
        )
