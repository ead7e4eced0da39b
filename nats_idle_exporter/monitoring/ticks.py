"""Ticks: moments that come at one interval, which may be changed while waiting."""

from __future__ import annotations

import asyncio

from nats_idle_exporter.monitoring.clock import Clock


class Ticks:
    """Ticks at start + k * interval; those that passed unawaited are skipped.

    Args:
        clock: the only source of time.
        interval_seconds: from tick to tick.
    """

    def __init__(self, clock: Clock, interval_seconds: float) -> None:
        self._clock = clock
        self._interval_seconds = interval_seconds
        self._start = clock.monotonic()
        self._number = 0
        self._is_changed = asyncio.Event()

    def begin(self) -> None:
        """Let the first tick be now."""
        self._start = self._clock.monotonic()
        self._number = 0

    def change(self, interval_seconds: float) -> None:
        """Count another interval from the last tick on, for whoever waits now, too."""
        if interval_seconds == self._interval_seconds:
            return
        self._start = self._at(self._number)
        self._number = 0
        self._interval_seconds = interval_seconds
        self._is_changed.set()

    async def next(self) -> None:
        """Return at the next tick that has not passed."""
        while True:
            self._is_changed.clear()
            passed = (self._clock.monotonic() - self._start) // self._interval_seconds
            number = max(self._number, int(passed)) + 1
            if await self._wait_for(self._at(number)):
                self._number = number
                return

    def _at(self, number: int) -> float:
        return self._start + number * self._interval_seconds

    async def _wait_for(self, moment: float) -> bool:
        """Say whether the moment came; it did not when the interval was changed."""
        sleep = asyncio.ensure_future(self._clock.sleep_until(moment))
        change = asyncio.ensure_future(self._is_changed.wait())
        try:
            await asyncio.wait({sleep, change}, return_when=asyncio.FIRST_COMPLETED)
            if sleep.done():
                await sleep
            return sleep.done()
        finally:
            sleep.cancel()
            change.cancel()
