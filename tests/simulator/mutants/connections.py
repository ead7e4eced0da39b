"""Wrong hearts that overlook connections."""

from __future__ import annotations

from nats_idle_exporter.activity import (
    Closed,
    Reading,
    Ring,
)
from tests.simulator.mutants.wrapper import Wrapper, replaced


class IgnoresClosed(Wrapper):
    """Overlook connections that came and went between two polls."""

    def reading(self, reading: Reading) -> Reading:
        """Hide the closed connections."""
        return replaced(reading, ring=reading.ring._replace(new=()))


class TrustsAFullRing(Wrapper):
    """Believe that a ring holds whatever was closed."""

    def reading(self, reading: Reading) -> Reading:
        """Hide that the ring may have forgotten some."""
        return replaced(reading, ring=Ring(reading.ring.new))


class BelievesStamps(Wrapper):
    """Compare a server's stamps with our clock."""

    def reading(self, reading: Reading) -> Reading:
        """Tell ages as if both clocks were one."""
        ahead = reading.answered.slow - reading.server.now_at
        new = tuple(
            Closed(account, max(0.0, age + ahead)) for account, age in reading.ring.new
        )
        return replaced(reading, ring=reading.ring._replace(new=new))
