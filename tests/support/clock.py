"""A clock that tests own: time passes only when a test says so."""

from __future__ import annotations

import asyncio

from nats_idle_exporter.activity import Clocks, Instant, Timeline


class FakeClock:
    """Every reading of time, set by hand; seconds.

    ``sleep_until`` jumps to its moment at once and notes it in ``sleeps``.
    """

    def __init__(
        self, wall: float = 1_800_000_000.0, monotonic: float = 5000.0
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._timeline = Timeline(wall, monotonic)
        self.sleeps: list[float] = []

    @property
    def shift_seconds(self) -> float:
        """Return what the timeline says."""
        return self._timeline.shift_seconds

    def now(self) -> Instant:
        """Return this moment."""
        return self._timeline.advance(self._wall, self._monotonic)

    def clocks(self) -> Clocks:
        """Return this moment on all clocks."""
        return Clocks(self.now(), self._wall, self._monotonic, "boot")

    def wall(self) -> float:
        """Return Unix seconds."""
        return self._wall

    def monotonic(self) -> float:
        """Return seconds since an unknown moment."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass on every clock."""
        self._wall += seconds
        self._monotonic += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock forward, or back."""
        self._wall += seconds

    async def sleep_until(self, monotonic_at: float) -> None:
        """Jump there, after everybody else had a turn."""
        await asyncio.sleep(0)
        self.sleeps.append(monotonic_at)
        self.advance(max(0.0, monotonic_at - self._monotonic))
