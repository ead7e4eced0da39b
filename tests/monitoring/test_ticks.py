"""Ticks whose interval changes."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from nats_idle_exporter.monitoring.ticks import Ticks
from tests.support.clock import FakeClock


class SleepingClock(FakeClock):
    """A clock on which sleepers wait until a test lets time pass."""

    def __init__(self) -> None:
        super().__init__(monotonic=0.0)
        self.slept = asyncio.Semaphore(0)
        self._passed = asyncio.Condition()

    async def sleep_until(self, monotonic_at: float) -> None:
        """Note it, and wait."""
        self.sleeps.append(monotonic_at)
        self.slept.release()
        async with self._passed:
            await self._passed.wait_for(lambda: self.monotonic() >= monotonic_at)

    async def pass_to(self, monotonic_at: float) -> None:
        """Let time pass, and wake who waited for that."""
        self.advance(monotonic_at - self.monotonic())
        async with self._passed:
            self._passed.notify_all()


async def at_the_first_tick(clock: SleepingClock) -> tuple[Ticks, asyncio.Task[None]]:
    """Return ticks each 100 s, after the one at 100, and who waits for the next."""
    ticks = Ticks(clock, 100.0)
    ticks.begin()
    first = asyncio.create_task(ticks.next())
    await clock.slept.acquire()
    await clock.pass_to(100.0)
    await first
    second = asyncio.create_task(ticks.next())
    await clock.slept.acquire()
    return ticks, second


@pytest.mark.parametrize(
    ("interval", "changed_at", "tick"),
    [(30.0, 105.0, 130.0), (30.0, 195.0, 220.0), (1000.0, 130.0, 1100.0)],
)
async def test_another_interval_counts_from_the_last_tick(
    interval: float, changed_at: float, tick: float
) -> None:
    """Whoever waits, waits for the new tick; those that passed are skipped."""
    clock = SleepingClock()
    ticks, waiting = await at_the_first_tick(clock)
    await clock.pass_to(changed_at)
    ticks.change(interval)
    await clock.slept.acquire()
    await clock.pass_to(tick)
    await waiting

    assert clock.sleeps == [100.0, 200.0, tick]


async def test_the_same_interval_wakes_nobody() -> None:
    """Other changes leave the next tick where it is."""
    clock = SleepingClock()
    ticks, waiting = await at_the_first_tick(clock)
    ticks.change(100.0)
    await clock.pass_to(200.0)
    await waiting

    assert clock.sleeps == [100.0, 200.0]


async def test_who_waits_may_be_cancelled() -> None:
    """Nothing is left behind."""
    clock = SleepingClock()
    waiting = asyncio.ensure_future(Ticks(clock, 100.0).next())
    await clock.slept.acquire()
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waiting

    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
