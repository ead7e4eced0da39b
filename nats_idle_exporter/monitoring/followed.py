"""What is read again and again beside the poll loop, which never waits long for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final, Protocol

from nats_idle_exporter.monitoring.clock import Clock

FIRST_ANSWER_SECONDS: Final = 2.0
"""How long the first cycle waits."""


class Stepper(Protocol):
    """What is read again and again."""

    interval_seconds: float

    async def step(self, now: float) -> object:
        """Read if it is time; monotonic seconds."""

    async def close(self) -> None:
        """Give back what is held."""


class Followed:
    """Something that is read in a task of its own.

    Args:
        stepper: reads it.
    """

    def __init__(self, stepper: Stepper) -> None:
        self._stepper = stepper
        self._is_answered = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, group: asyncio.TaskGroup, clock: Clock) -> None:
        """Read it again and again, in a task of the group, until stopped."""
        self._task = group.create_task(self.run(clock))

    async def stop(self) -> None:
        """Read it no more, and give back what it holds."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self._stepper.close()

    async def run(self, clock: Clock) -> None:
        """Read it again and again, until cancelled."""
        while True:
            next_at = clock.monotonic() + self._stepper.interval_seconds
            await self._stepper.step(clock.monotonic())
            self._is_answered.set()
            await clock.sleep_until(next_at)

    async def answered(self) -> None:
        """Return as soon as it was read once, well or not."""
        await self._is_answered.wait()


async def first_answers(followed: Iterable[Followed]) -> bool:
    """Wait a moment until all were read once; say whether they were."""
    try:
        async with asyncio.timeout(FIRST_ANSWER_SECONDS):
            for each in followed:
                await each.answered()
    except TimeoutError:
        return False
    return True
