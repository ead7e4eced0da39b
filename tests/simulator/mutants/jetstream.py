"""Wrong hearts that misread what jsz tells."""

from __future__ import annotations

from nats_idle_exporter.activity import (
    Reading,
)
from tests.simulator.mutants.wrapper import Wrapper, replaced


class IgnoresStreams(Wrapper):
    """Overlook streams."""

    def reading(self, reading: Reading) -> Reading:
        """Hide who holds streams."""
        told = reading.jetstream
        if told is None:
            return reading
        return replaced(reading, jetstream=told._replace(streams=()))
