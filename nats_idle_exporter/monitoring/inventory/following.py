"""Follow the inventories of systems beside the poll loop, which never waits long."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from nats_idle_exporter.activity import ServerFacts
from nats_idle_exporter.monitoring.followed import Followed
from nats_idle_exporter.monitoring.inventory.listing import Told, tell
from nats_idle_exporter.monitoring.inventory.union import Inventory
from nats_idle_exporter.snapshot import InventoryStatus


class KeepsInventory(Protocol):
    """What is needed of a reader of an inventory."""

    interval_seconds: float
    inventory: Inventory

    async def step(self, now: float) -> Inventory | None:
        """Read all sources if it is time; monotonic seconds."""

    async def close(self) -> None:
        """Give back what the sources hold."""


class FollowedInventory(Followed):
    """One system's inventory, read in a task of its own, told cycle by cycle.

    Args:
        system: the system's name.
        keeper: reads the inventory.
    """

    def __init__(self, system: str, keeper: KeepsInventory) -> None:
        super().__init__(keeper)
        self._system = system
        self.keeper = keeper
        self._servers: dict[str, ServerFacts] = {}
        self._told = 0
        self.statuses: tuple[InventoryStatus, ...] = ()
        """Of the last refresh, by the end of the last cycle."""

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
