"""Rings of closed connections: who came and went between two readings.

What a ring tells is use. What it has forgotten may have been use of anybody.
"""

from __future__ import annotations

from nats_idle_exporter.activity.facts import Reading
from nats_idle_exporter.activity.memory import Memory
from nats_idle_exporter.activity.policy import BriefConnections
from nats_idle_exporter.activity.servers import Server, gap_seconds_since
from nats_idle_exporter.activity.stamps import stamped_at
from nats_idle_exporter.activity.view import EvidenceKind


class Rings:
    """Takes the rings of one system in.

    ``brief_connections`` may be set between cycles.
    """

    def __init__(self, memory: Memory, brief_connections: BriefConnections) -> None:
        self._memory = memory
        self.brief_connections = brief_connections
        self._stops: list[tuple[str, Reading, float]] = []

    def hear(self, reading: Reading) -> None:
        """Date the connections that were closed since the server's last reading."""
        server_id = reading.server.server_id
        last = self._memory.fleet.servers.get(server_id)
        for closed in reading.ring.new:
            at = stamped_at(reading, closed.age_seconds, last)
            self._stops.append((closed.account, reading, at))

    def settle(self) -> None:
        """Note closed connections as use, once all listings are known.

        Accounts that nobody lists are left out: who is removed from a
        configuration is in the rings for long. Should the inventory list such
        an account later, nothing is proven of it before.
        """
        memory = self._memory
        for account, reading, at in self._stops:
            if record := memory.records.get(account):
                server_id = reading.server.server_id
                record.use(EvidenceKind.CLOSED_CONNECTION, server_id, at)
            else:
                memory.strays_at = max(memory.strays_at, reading.answered.slow)
        self._stops.clear()

    def bound(self, reading: Reading, last: Server) -> None:
        """Note the hole since a server's last reading, if its ring leaves one."""
        if self.is_forgetful(reading):
            gap_seconds = gap_seconds_since(reading, last)
            self._memory.holes.add(reading.answered.slow, gap_seconds)

    def is_forgetful(self, reading: Reading) -> bool:
        """Say whether somebody may have come and gone untold since the last reading.

        For a server that was never read that is since its start.
        """
        if self.brief_connections is BriefConnections.BEST_EFFORT:
            return False
        if reading.server.server_id in self._memory.fleet.servers:
            return not reading.ring.reaches_back
        return not reading.ring.is_complete
