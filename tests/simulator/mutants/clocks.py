"""Wrong timelines: hearts that trust a clock."""

from __future__ import annotations

from nats_idle_exporter.activity import (
    Instant,
    Timeline,
)


class WallTimeline(Timeline):
    """Trust the wall clock alone."""

    def advance(self, wall_at: float, monotonic_at: float) -> Instant:
        """Return the wall clock's time on both timelines."""
        super().advance(wall_at, monotonic_at)
        return Instant(wall_at, wall_at)


class MonotonicTimeline(Timeline):
    """Measure idleness and gaps with the monotonic clock alone."""

    _began: tuple[float, float] | None = None

    def advance(self, wall_at: float, monotonic_at: float) -> Instant:
        """Return the monotonic clock's time on both timelines."""
        super().advance(wall_at, monotonic_at)
        if self._began is None:
            self._began = (wall_at, monotonic_at)
        at = self._began[0] + monotonic_at - self._began[1]
        return Instant(at, at)


class FollowingTimeline(Timeline):
    """Publish times by a wall clock that may step back."""

    _ahead = 0.0

    def advance(self, wall_at: float, monotonic_at: float) -> Instant:
        """Note how far the wall clock is ahead now."""
        now = super().advance(wall_at, monotonic_at)
        self._ahead = wall_at - now.slow
        return now

    @property
    def shift_seconds(self) -> float:
        """Return the newest difference, whatever it was before."""
        return self._ahead
