"""The poll loop: every endpoint once per cycle, on our own clock.

Proving that something is absent needs watching that never pauses, whoever
scrapes. One owner, this loop, writes the ledgers; readers get what it
publishes at the end of a cycle. A failed poll changes no ledger. Inventories are
read beside the cycles: a slow source delays none, its last list holds until then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, NamedTuple, Protocol

import structlog

from nats_idle_exporter.activity import Instant, Listing, Reading, SystemView
from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.monitoring.client import ReadsEndpoint
from nats_idle_exporter.monitoring.clock import Clock
from nats_idle_exporter.monitoring.failures import TIMEOUT, failure
from nats_idle_exporter.monitoring.inventory.following import (
    FollowedInventory,
    KeepsInventory,
    first_answers,
)
from nats_idle_exporter.monitoring.reporting import Reporter
from nats_idle_exporter.monitoring.tally import Tally
from nats_idle_exporter.snapshot import Snapshot
from nats_idle_exporter.urls import without_credentials

_log = structlog.get_logger(__name__)

POLLS_SHARE: Final = 0.9
"""Part of the interval that polls may take; the rest is for concluding, so that
a cycle with a hanging endpoint does not miss the next tick."""


class KeepsLedger(Protocol):
    """What the loop needs of a ledger."""

    def apply(self, reading: Reading) -> None:
        """Take one good reading in."""

    def consumers_wanted(self) -> frozenset[str]:
        """Return the accounts whose consumers the next rounds of jsz must tell."""

    def list_accounts(self, listing: Listing | None) -> None:
        """Take an answer of the inventory in."""

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """End the cycle and return what is now known."""


class WatchedSystem(NamedTuple):
    """One system: its ledger, and the URLs of its endpoints."""

    ledger: KeepsLedger
    endpoints: Iterable[str]


class Pace(NamedTuple):
    """How often and how hard endpoints are polled."""

    interval_seconds: float
    jetstream_interval_seconds: float
    concurrency: int


class _System:
    def __init__(self, name: str, watched: WatchedSystem) -> None:
        self.name = name
        self.ledger = watched.ledger
        self.reporter = Reporter(name)
        self.inventory: FollowedInventory | None = None
        # A URL given twice is one endpoint: its polls must not overlap.
        self.endpoints = [
            _Endpoint(self, url) for url in dict.fromkeys(watched.endpoints)
        ]

    def conclude(self, now: Instant, shift_seconds: float) -> SystemView:
        """End the cycle, with what the inventory told since the last one."""
        if self.inventory and (told := self.inventory.news()):
            self.ledger.list_accounts(told.listing)
            self.reporter.listed(told.unusable)
        return self.ledger.conclude(now, shift_seconds)


class _Endpoint:
    """One endpoint of one system, and what its last polls left behind."""

    def __init__(self, system: _System, url: str) -> None:
        self.system = system
        self.url = url
        self.shown = without_credentials(url)
        self.tally = Tally(system.name, self.shown)
        self.jetstream_at: float | None = None
        self.turn = 0

    @property
    def rank(self) -> tuple[bool, int]:
        # Those that hung before start last and delay nobody; among them, the
        # one that waited longest is first, so that each gets its turn.
        return self.tally.is_failing, self.turn


class Poller:
    """Poll every endpoint of every system, cycle after cycle.

    Args:
        systems: by name, the ``system`` label.
        reader: polls one endpoint.
        clock: the only source of time.
        publish: takes the snapshot at the end of each cycle.
        pace: how often and how hard.

    Attributes:
        keep: what is to be done with the snapshot before the next cycle begins.
    """

    def __init__(
        self,
        systems: Mapping[str, WatchedSystem],
        reader: ReadsEndpoint,
        clock: Clock,
        publish: Callable[[Snapshot], None],
        pace: Pace,
    ) -> None:
        self._systems = [_System(name, each) for name, each in systems.items()]
        self._endpoints = [e for system in self._systems for e in system.endpoints]
        self._inventories: list[FollowedInventory] = []
        self._reader = reader
        self._clock = clock
        self._publish = publish
        self._pace = pace
        self.keep: Callable[[Snapshot], Awaitable[None]] | None = None
        self._turns = 0

    def follow(self, name: str, keeper: KeepsInventory) -> None:
        """Let a system have an inventory, which ``run`` reads beside the cycles."""
        system = next(each for each in self._systems if each.name == name)
        system.inventory = FollowedInventory(name, keeper)
        self._inventories.append(system.inventory)
        # Until its first answer nobody is known to be missing in it.
        system.ledger.list_accounts(Listing())

    async def run(self) -> None:
        """Run cycles until cancelled; ticks that a long cycle missed are skipped.

        Raises:
            Exception: a flaw of this program; the loop is over.
        """
        async with asyncio.TaskGroup() as followers:
            for inventory in self._inventories:
                followers.create_task(inventory.run(self._clock))
            if not await first_answers(self._inventories):
                _log.warning("first cycle does not wait for a slow inventory")
            await self._run_cycles()

    async def _run_cycles(self) -> None:
        start = self._clock.monotonic()
        interval = self._pace.interval_seconds
        tick = 0
        while True:
            await self.cycle()
            passed = int((self._clock.monotonic() - start) // interval)
            tick = max(tick, passed) + 1
            await self._clock.sleep_until(start + tick * interval)

    async def cycle(self) -> None:
        """Poll every endpoint once, conclude every system, publish."""
        start = self._clock.monotonic()
        end = start + self._pace.interval_seconds * POLLS_SHARE
        slots = asyncio.Semaphore(self._pace.concurrency)
        async with asyncio.TaskGroup() as polls:
            for endpoint in sorted(self._endpoints, key=lambda each: each.rank):
                polls.create_task(self._poll(endpoint, slots, end))
        views = {each.name: await self._conclude(each) for each in self._systems}
        snapshot = Snapshot(
            systems=views,
            endpoints=tuple(each.tally.status() for each in self._endpoints),
            inventories=tuple(
                status for each in self._inventories for status in each.statuses
            ),
            cycle_duration_seconds=self._clock.monotonic() - start,
            completed_at=self._clock.wall(),
        )
        self._publish(snapshot)
        if self.keep is not None:
            await self.keep(snapshot)

    async def _conclude(self, system: _System) -> SystemView:
        # With many accounts this takes long: scrapes and probes must not wait.
        view = await asyncio.to_thread(
            system.conclude, self._clock.now(), self._clock.shift_seconds
        )
        system.reporter.concluded(view)
        return view

    async def _poll(
        self, endpoint: _Endpoint, slots: asyncio.Semaphore, end: float
    ) -> None:
        """Poll one endpoint, or give up at the cycle's end."""
        start = self._clock.monotonic()
        try:
            async with asyncio.timeout(end - start), slots:
                start = self._clock.monotonic()
                self._turns += 1
                endpoint.turn = self._turns
                reading = await self._reader.read(
                    endpoint.url,
                    with_jetstream=self._is_jetstream_due(endpoint),
                    consumers_of=endpoint.system.ledger.consumers_wanted(),
                )
        except EndpointError as error:
            self._failed(endpoint, error, start)
        except TimeoutError:
            unfinished = failure(TIMEOUT, "not done by the end of the cycle")
            self._failed(endpoint, unfinished, start)
        else:
            self._succeeded(endpoint, reading, start)

    def _is_jetstream_due(self, endpoint: _Endpoint) -> bool:
        if endpoint.jetstream_at is None:
            return True
        # To the nearest cycle: a tick comes a little early or late.
        slack = self._pace.interval_seconds / 2
        age = self._clock.monotonic() - endpoint.jetstream_at
        return age >= self._pace.jetstream_interval_seconds - slack

    def _succeeded(self, endpoint: _Endpoint, reading: Reading, start: float) -> None:
        if reading.jetstream is not None:
            endpoint.jetstream_at = start
        if endpoint.system.inventory:
            endpoint.system.inventory.see(endpoint.url, reading.server)
        endpoint.system.ledger.apply(reading)
        endpoint.tally.succeeded(
            self._clock.wall(), self._clock.monotonic() - start, reading.ring
        )
        endpoint.system.reporter.succeeded(endpoint.shown, reading.ring)

    def _failed(self, endpoint: _Endpoint, error: EndpointError, start: float) -> None:
        now = self._clock.monotonic()
        endpoint.tally.failed(error, now - start)
        endpoint.system.reporter.failed(endpoint.shown, error, now)
