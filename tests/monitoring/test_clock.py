"""Tests of the machine's clocks, with the machine's part scripted."""

from __future__ import annotations

import time

from nats_idle_exporter.activity import Instant
from nats_idle_exporter.monitoring.clock import SystemClock


class TestSystemClock:
    """What the loop sees of time."""

    def test_starts_at_the_wall_clock(self) -> None:
        """Both timelines start at Unix seconds."""
        clock = SystemClock(lambda: 1000.0, lambda: 5.0)

        assert clock.now() == Instant(1000.0, 1000.0)
        assert (clock.wall(), clock.monotonic()) == (1000.0, 5.0)

    def test_a_step_of_the_wall_clock_is_a_gap_not_idleness(self) -> None:
        """The slow timeline follows the lesser clock, the shift makes up for it."""
        walls, monotonics = iter([1000.0, 1100.0]), iter([5.0, 15.0])
        clock = SystemClock(lambda: next(walls), lambda: next(monotonics))

        assert clock.now() == Instant(1010.0, 1100.0)
        assert clock.shift_seconds == 90.0

    def test_uses_a_clock_that_counts_suspension(self) -> None:
        """Time asleep counts, so that nobody was watched in it."""
        before = time.clock_gettime(time.CLOCK_BOOTTIME)

        now = SystemClock().monotonic()

        assert before <= now <= time.clock_gettime(time.CLOCK_BOOTTIME)

    async def test_sleeps_until_a_moment(self) -> None:
        """The sleep ends at or after its moment; a moment past is no sleep."""
        clock = SystemClock()
        moment = clock.monotonic() + 0.02

        await clock.sleep_until(clock.monotonic() - 100)
        await clock.sleep_until(moment)

        assert clock.monotonic() >= moment - 0.001
