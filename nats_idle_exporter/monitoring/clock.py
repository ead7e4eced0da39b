"""The clock: the only place that reads time, so that tests can own it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from nats_idle_exporter.activity import Instant, Timeline


class Clock(Protocol):
    """Every time the poll loop asks for; seconds throughout."""

    @property
    def shift_seconds(self) -> float:
        """Return what to add to ``Instant.slow`` to publish it as wall time."""

    def now(self) -> Instant:
        """Return this moment on the two timelines of the proof."""

    def wall(self) -> float:
        """Return Unix seconds; they may step."""

    def monotonic(self) -> float:
        """Return seconds since an unknown moment; they never step."""

    async def sleep_until(self, monotonic_at: float) -> None:
        """Return as soon as ``monotonic`` has reached the given value."""


def _since_boot() -> float:
    # Unlike CLOCK_MONOTONIC it counts while the machine is suspended, and a
    # suspended machine watches nothing.
    return time.clock_gettime(time.CLOCK_BOOTTIME)


_MONOTONIC = _since_boot if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic


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
        self._timeline = Timeline(wall(), monotonic())

    @property
    def shift_seconds(self) -> float:
        """Return what to add to ``Instant.slow`` to publish it as wall time."""
        return self._timeline.shift_seconds

    def now(self) -> Instant:
        """Return this moment on the two timelines of the proof."""
        return self._timeline.advance(self._wall(), self._monotonic())

    def wall(self) -> float:
        """Return Unix seconds; they may step."""
        return self._wall()

    def monotonic(self) -> float:
        """Return seconds since an unknown moment; they never step."""
        return self._monotonic()

    async def sleep_until(self, monotonic_at: float) -> None:
        """Return as soon as ``monotonic`` has reached the given value."""
        await asyncio.sleep(max(0.0, monotonic_at - self._monotonic()))
