"""Follow the inventories of systems beside the poll loop, which never waits long."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from typing import Final, Protocol

from nats_idle_exporter.activity import ServerFacts
from nats_idle_exporter.monitoring.clock import Clock
from nats_idle_exporter.monitoring.inventory.listing import Told, tell
from nats_idle_exporter.monitoring.inventory.union import Inventory
from nats_idle_exporter.snapshot import InventoryStatus

FIRST_LIST_SECONDS: Final = 2.0
"""How long the first cycle waits for inventories."""


class KeepsInventory(Protocol):
    """What is needed of a reader of an inventory."""

    interval_seconds: float
    inventory: Inventory

    async def step(self, now: float) -> Inventory | None:
        """Read all sources if it is time; monotonic seconds."""

    async def close(self) -> None:
        """Give back what the sources hold."""


class FollowedInventory:
    """One system's inventory, read in a task of its own, told cycle by cycle.

    Args:
        system: the system's name.
        keeper: reads the inventory.
    """

    def __init__(self, system: str, keeper: KeepsInventory) -> None:
        self._system = system
        self.keeper = keeper
        self._servers: dict[str, ServerFacts] = {}
        self._told = 0
        self._is_answered = asyncio.Event()
        self.statuses: tuple[InventoryStatus, ...] = ()
        """Of the last refresh, by the end of the last cycle."""
        self._task: asyncio.Task[None] | None = None

    def start(self, group: asyncio.TaskGroup, clock: Clock) -> None:
        """Read it again and again, in a task of the group, until stopped."""
        self._task = group.create_task(self.run(clock))

    async def stop(self) -> None:
        """Read it no more, and give back what its sources hold."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self.keeper.close()

    async def run(self, clock: Clock) -> None:
        """Read it again and again, until cancelled."""
        while True:
            next_at = clock.monotonic() + self.keeper.interval_seconds
            await self.keeper.step(clock.monotonic())
            self._is_answered.set()
            await clock.sleep_until(next_at)

    async def answered(self) -> None:
        """Return as soon as it was read once, well or not."""
        await self._is_answered.wait()

    def watch(self, endpoints: Collection[str]) -> None:
        """Expect answers of those only who answered at these endpoints."""
        self._servers = {e: s for e, s in self._servers.items() if e in endpoints}

    def see(self, endpoint: str, server: ServerFacts) -> None:
        """Note who answered at an endpoint: modes, and whom to expect answers of."""
        self._servers[endpoint] = server

    def news(self) -> Told | None:
        """Return what it tells anew; None for nothing.

        Until some server answered nothing tells which ids there are.
        """
        inventory = self.keeper.inventory
        if inventory.refreshes == self._told:
            return None
        told = tell(self._system, inventory, self._servers.values())
        self.statuses = told.statuses
        if not self._servers:
            return None
        self._told = inventory.refreshes
        return told


async def first_answers(inventories: Iterable[FollowedInventory]) -> bool:
    """Wait a moment until all were read once; say whether they were."""
    try:
        async with asyncio.timeout(FIRST_LIST_SECONDS):
            for inventory in inventories:
                await inventory.answered()
    except TimeoutError:
        return False
    return True
