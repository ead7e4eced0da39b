"""The clock: the only place that reads time, so that tests can own it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from nats_idle_exporter.activity import Clocks, Instant, Timeline


class Clock(Protocol):
    """Every time the poll loop asks for; seconds throughout."""

    @property
    def shift_seconds(self) -> float:
        """Return what to add to ``Instant.slow`` to publish it as wall time."""

    def now(self) -> Instant:
        """Return this moment on the two timelines of the proof."""

    def clocks(self) -> Clocks:
        """Return this moment on all clocks, for what outlives the process."""

    def wall(self) -> float:
        """Return Unix seconds; they may step."""

    def monotonic(self) -> float:
        """Return seconds since an unknown moment; they never step."""

    async def sleep_until(self, monotonic_at: float) -> None:
        """Return as soon as ``monotonic`` has reached the given value."""


BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def _since_boot() -> float:
    # Unlike CLOCK_MONOTONIC it counts while the machine is suspended, and a
    # suspended machine watches nothing.
    return time.clock_gettime(time.CLOCK_BOOTTIME)


_MONOTONIC = _since_boot if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic


def read_boot_id(path: Path = BOOT_ID) -> str:
    """Return what tells one boot of the machine from others; "" when nothing does."""
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


class SystemClock:
    """The machine's clocks.

    Args:
        wall: Unix seconds.
        monotonic: seconds that never step.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = _MONOTONIC,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._boot_id = read_boot_id()
        self._timeline = Timeline(wall(), monotonic())

    @property
    def shift_seconds(self) -> float:
        """Return what to add to ``Instant.slow`` to publish it as wall time."""
        return self._timeline.shift_seconds

    def now(self) -> Instant:
        """Return this moment on the two timelines of the proof."""
        return self._timeline.advance(self._wall(), self._monotonic())

    def clocks(self) -> Clocks:
        """Return this moment on all clocks, for what outlives the process."""
        wall_at, monotonic_at = self._wall(), self._monotonic()
        now = self._timeline.advance(wall_at, monotonic_at)
        return Clocks(now, wall_at, monotonic_at, self._boot_id)

    def wall(self) -> float:
        """Return Unix seconds; they may step."""
        return self._wall()

    def monotonic(self) -> float:
        """Return seconds since an unknown moment; they never step."""
        return self._monotonic()

    async def sleep_until(self, monotonic_at: float) -> None:
        """Return as soon as ``monotonic`` has reached the given value."""
        await asyncio.sleep(max(0.0, monotonic_at - self._monotonic()))
