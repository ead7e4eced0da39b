"""A poll loop with fakes all around it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from nats_idle_exporter.monitoring.discovery import KeepsDiscovery
from nats_idle_exporter.monitoring.inventory import (
    Inventory,
    InventoryAccount,
    SourceStatus,
)
from nats_idle_exporter.monitoring.inventory.following import KeepsInventory
from nats_idle_exporter.monitoring.polled import Pace, WatchedSystem
from nats_idle_exporter.monitoring.poller import Poller
from nats_idle_exporter.snapshot import EndpointStatus, Snapshot
from tests.monitoring.fakes import FakeLedger, FakeReader
from tests.support.clock import FakeClock

A, B, C = "http://a", "http://b", "http://c"
PACE = Pace(interval_seconds=30, jetstream_interval_seconds=300, concurrency=8)
HURRIED = PACE._replace(interval_seconds=0.2)
"""Short in real time: for polls that only the cycle's end can stop."""


class World:
    """A loop with fakes all around it, and one system unless told otherwise."""

    def __init__(
        self,
        *endpoints: str,
        pace: Pace = PACE,
        inventory: KeepsInventory | None = None,
        discovery: KeepsDiscovery | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.reader = FakeReader(self.clock)
        self.ledger = FakeLedger()
        self.published: list[Snapshot] = []
        system = self.system(*endpoints, inventory=inventory, discovery=discovery)
        self.poller = self.poll({"default": system}, pace)

    def system(
        self,
        *endpoints: str,
        ledger: FakeLedger | None = None,
        inventory: KeepsInventory | None = None,
        discovery: KeepsDiscovery | None = None,
    ) -> WatchedSystem:
        """Return a system to watch."""
        return WatchedSystem(
            ledger or self.ledger, self.reader, endpoints, inventory, discovery
        )

    def poll(self, systems: Mapping[str, WatchedSystem], pace: Pace = PACE) -> Poller:
        """Return a loop over systems."""
        return Poller(systems, self.clock, self.published.append, pace)

    async def arrange(
        self, systems: Mapping[str, WatchedSystem], pace: Pace = PACE
    ) -> None:
        """Have other systems watched."""
        async with self.poller.between_cycles:
            await self.poller.arrange(systems, pace)

    @property
    def statuses(self) -> dict[str, EndpointStatus]:
        """The last published statuses by endpoint."""
        return {each.endpoint: each for each in self.published[-1].endpoints}

    @property
    def order(self) -> list[str]:
        """The endpoints in the order their polls started."""
        return [url for url, _ in self.reader.calls]


class Keeper:
    """An inventory that answers when a test lets it; each step lists one more.

    Without an interval, as the clock of the tests jumps over every sleep.
    """

    interval_seconds = 0.0

    def __init__(self) -> None:
        self.inventory = Inventory()
        self.lets = asyncio.Semaphore(0)
        self.stepped = asyncio.Semaphore(0)
        self.is_closed = False

    async def close(self) -> None:
        """Note that it was closed."""
        self.is_closed = True

    async def step(self, now: float) -> Inventory | None:  # noqa: ARG002 - the seam's
        """Answer once the test lets it."""
        await self.lets.acquire()
        self.list_one_more()
        self.stepped.release()
        return self.inventory

    def list_one_more(self) -> None:
        """Make a refresh."""
        number = self.inventory.refreshes + 1
        account = f"A{number}"
        self.inventory = Inventory(
            accounts={account: InventoryAccount(account=account)},
            statuses=(SourceStatus(label="s", accounts=1, is_complete=True),),
            refreshes=number,
        )


class Enough(BaseException):
    """Ends a loop that never ends."""
