"""Restarts of our own: what our machine tells, and what a store keeps."""

from __future__ import annotations

from typing import NamedTuple

from nats_idle_exporter.activity import Changes, Clocks, Instant, SavedRow
from tests.simulator.world import World


class OwnRestart(NamedTuple):
    """One restart of ours, at the first cycle after ``at``.

    The downtime begins at the last cycle that was saved: what was learned in
    later ones is lost, as if there had been none.
    """

    at: float
    down_seconds: float
    keeps_state: bool
    reboots: bool
    """Our machine restarts too, so that only the wall clock tells of the time."""


class Machine:
    """The machine we run on: its clocks, and which boot it is."""

    def __init__(self, world: World, *, counts_suspension: bool) -> None:
        self.world = world
        self.counts_suspension = counts_suspension
        self.boots = 1
        self.booted_at = 0.0

    def reboot(self, when: float) -> None:
        """Let the clock of the boot start anew."""
        self.boots += 1
        self.booted_at = when

    def clocks(self, now: Instant, when: float) -> Clocks:
        """Read all clocks that a saved state is tied to."""
        running_at = when - self.booted_at
        if not self.counts_suspension:
            running_at -= self.world.suspended
        return Clocks(
            now, when + self.world.wall_offset, running_at, f"boot {self.boots}"
        )


class Store:
    """What a heart saved, as the database keeps it."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], bytes] = {}

    def save(self, changes: Changes) -> None:
        """Take the changes of one cycle in."""
        for kind, key, value in changes.puts:
            self._values[kind, key] = value
        for place in changes.deletes:
            self._values.pop(place, None)

    def rows(self) -> list[SavedRow]:
        """Return all that is kept."""
        return [(kind, key, value) for (kind, key), value in self._values.items()]
