"""Two timelines made of clocks that may step, stop or lie.

Wall clocks step; monotonic clocks stop while a machine is suspended. Idleness
is measured with the least of what our clocks say, gaps with the most, so that
no clock error can make an account look idle for longer than it was.
"""

from __future__ import annotations

from nats_idle_exporter.activity.facts import Instant

STEP_SECONDS = 1.0
"""Smaller differences between the clocks are drift and jitter, not a step."""


class Timeline:
    """Turn pairs of clock readings into instants that never go back.

    Both timelines start at the wall clock's first reading, in Unix seconds.
    """

    def __init__(self, wall_at: float, monotonic_at: float) -> None:
        self._wall_at = wall_at
        self._monotonic_at = monotonic_at
        self._now = Instant(wall_at, wall_at)
        self._shift = 0.0

    def advance(self, wall_at: float, monotonic_at: float) -> Instant:
        """Return the instant of one reading of both clocks, taken in order."""
        by_wall = wall_at - self._wall_at
        by_monotonic = monotonic_at - self._monotonic_at
        self._wall_at, self._monotonic_at = wall_at, monotonic_at
        self._now = Instant(
            self._now.slow + max(0.0, min(by_wall, by_monotonic)),
            self._now.fast + max(0.0, by_wall, by_monotonic),
        )
        # Only ever forward: a published time must not go back either.
        ahead = wall_at - self._now.slow
        if ahead > self._shift + STEP_SECONDS:
            self._shift = ahead
        return self._now

    @property
    def shift_seconds(self) -> float:
        """Return what to add to ``slow`` to publish it as a wall-clock time."""
        return self._shift
