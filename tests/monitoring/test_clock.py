"""Tests of the machine's clocks, with the machine's part scripted."""

from __future__ import annotations

import time
from pathlib import Path

from nats_idle_exporter.activity import Clocks, Instant
from nats_idle_exporter.monitoring.clock import SystemClock, read_boot_id
from tests.activity.builders import at


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

    def test_all_clocks_are_read_at_one_moment(self) -> None:
        """What ties a saved state to the present was read together."""
        walls, monotonics = iter([1000.0, 1010.0]), iter([5.0, 15.0])
        clock = SystemClock(lambda: next(walls), lambda: next(monotonics))

        clocks = clock.clocks()

        assert clocks == Clocks(at(1010.0), 1010.0, 15.0, read_boot_id())

    def test_boot_is_named(self, tmp_path: Path) -> None:
        """The kernel names each boot; where it does not, it is unknown."""
        (tmp_path / "boot_id").write_text("a-boot\n")
        (tmp_path / "strange").write_bytes(b"\xff")

        assert read_boot_id(tmp_path / "boot_id") == "a-boot"
        assert read_boot_id(tmp_path / "strange") == ""
        assert read_boot_id(tmp_path / "missing") == ""

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
