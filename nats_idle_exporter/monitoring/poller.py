"""The poll loop: every endpoint once per cycle, on our own clock.

Proving that something is absent needs watching that never pauses, whoever
scrapes. One owner, this loop, writes the ledgers; readers get what it
publishes at the end of a cycle. A failed poll changes no ledger. Inventories are
read beside the cycles: a slow source delays none, its last list holds until then.
What is watched changes between two cycles only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog

from nats_idle_exporter.activity import SystemView
from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.monitoring.clock import Clock
from nats_idle_exporter.monitoring.failures import TIMEOUT, failure
from nats_idle_exporter.monitoring.followed import Followed, first_answers
from nats_idle_exporter.monitoring.polled import (
    Pace,
    PolledEndpoint,
    PolledSystem,
    WatchedSystem,
)
from nats_idle_exporter.monitoring.ticks import Ticks
from nats_idle_exporter.snapshot import Snapshot

_log = structlog.get_logger(__name__)

POLLS_SHARE: Final = 0.9
"""Part of the interval that polls may take; the rest is for concluding, so that
a cycle with a hanging endpoint does not miss the next tick."""


class Poller:
    """Poll every endpoint of every system, cycle after cycle.

    Args:
        systems: by name, the ``system`` label.
        clock: the only source of time.
        publish: takes the snapshot at the end of each cycle.
        pace: how often and how hard.

    Attributes:
        between_cycles: held by each cycle; who holds it may change what is watched.
        keep: what is to be done with the snapshot before the next cycle begins.
    """

    def __init__(
        self,
        systems: Mapping[str, WatchedSystem],
        clock: Clock,
        publish: Callable[[Snapshot], None],
        pace: Pace,
    ) -> None:
        self._clock = clock
        self._systems = {n: PolledSystem(n, s, clock) for n, s in systems.items()}
        self._publish = publish
        self._pace = pace
        self._ticks = Ticks(clock, pace.interval_seconds)
        self.between_cycles = asyncio.Lock()
        self.keep: Callable[[Snapshot], Awaitable[None]] | None = None
        self._turns = 0
        self._followers: asyncio.TaskGroup | None = None

    async def arrange(self, systems: Mapping[str, WatchedSystem], pace: Pace) -> None:
        """Watch these systems from the next cycle on, instead of those before.

        Hold ``between_cycles`` meanwhile. Of systems and endpoints that stay nothing is
        forgotten; an inventory or a discovery that goes is closed.

        Args:
            systems: by name; of one that stays, the ledger, the inventory and the
                discovery may be the same objects as before, and are then left alone.
            pace: how often and how hard. Another interval counts from the last tick.
        """
        followed, before = self._followed, self._systems
        for name in before.keys() - systems.keys():
            before[name].leave()
        self._systems = {}
        for name, watched in systems.items():
            system = before.get(name)
            if system is None:
                system = PolledSystem(name, watched, self._clock)
            else:
                system.arrange(watched)
            self._systems[name] = system
        self._pace = pace
        self._ticks.change(pace.interval_seconds)
        for each in self._followed:
            if each not in followed:
                self._follow(each)
        for each in followed:
            if each not in self._followed:
                await each.stop()

    async def run(self) -> None:
        """Run cycles until cancelled; ticks that a long cycle missed are skipped.

        Raises:
            Exception: a flaw of this program; the loop is over.
        """
        try:
            async with asyncio.TaskGroup() as self._followers:
                for each in self._followed:
                    self._follow(each)
                if not await first_answers(self._followed):
                    _log.warning("first cycle does not wait for a slow source")
                await self._run_cycles()
        finally:
            for each in self._followed:
                await each.stop()

    def _follow(self, followed: Followed) -> None:
        if self._followers is not None:
            followed.start(self._followers, self._clock)

    async def _run_cycles(self) -> None:
        self._ticks.begin()
        while True:
            await self.cycle()
            await self._ticks.next()

    async def cycle(self) -> None:
        """Poll every endpoint once, conclude every system, publish."""
        async with self.between_cycles:
            start = self._clock.monotonic()
            for system in self._systems.values():
                system.discover()
            await self._poll_all(start + self._pace.interval_seconds * POLLS_SHARE)
            views = {n: await self._conclude(s) for n, s in self._systems.items()}
            snapshot = self._snapshot(views, start)
            self._publish(snapshot)
            if self.keep is not None:
                await self.keep(snapshot)

    async def _poll_all(self, end: float) -> None:
        slots = asyncio.Semaphore(self._pace.concurrency)
        async with asyncio.TaskGroup() as polls:
            for endpoint in sorted(self._endpoints, key=lambda each: each.rank):
                polls.create_task(self._poll(endpoint, slots, end))

    async def _poll(
        self, endpoint: PolledEndpoint, slots: asyncio.Semaphore, end: float
    ) -> None:
        """Poll one endpoint, or give up at the cycle's end."""
        start = self._clock.monotonic()
        try:
            async with asyncio.timeout(end - start), slots:
                start = self._clock.monotonic()
                self._turns += 1
                endpoint.turn = self._turns
                reading = await endpoint.read(self._pace)
        except EndpointError as error:
            endpoint.failed(error, start)
        except TimeoutError:
            unfinished = failure(TIMEOUT, "not done by the end of the cycle")
            endpoint.failed(unfinished, start)
        else:
            endpoint.succeeded(reading, start)

    async def _conclude(self, system: PolledSystem) -> SystemView:
        # With many accounts this takes long: scrapes and probes must not wait.
        view = await asyncio.to_thread(
            system.conclude, self._clock.now(), self._clock.shift_seconds
        )
        system.reporter.concluded(view)
        return view

    def _snapshot(self, views: Mapping[str, SystemView], start: float) -> Snapshot:
        return Snapshot(
            systems=views,
            endpoints=tuple(each.tally.status() for each in self._endpoints),
            inventories=tuple(
                status
                for each in self._systems.values()
                if each.inventory
                for status in each.inventory.statuses
            ),
            discoveries=tuple(
                status
                for each in self._systems.values()
                if each.discovery
                for status in each.discovery.statuses
            ),
            cycle_duration_seconds=self._clock.monotonic() - start,
            completed_at=self._clock.wall(),
        )

    @property
    def _endpoints(self) -> list[PolledEndpoint]:
        return [e for system in self._systems.values() for e in system.endpoints]

    @property
    def _followed(self) -> list[Followed]:
        return [each for system in self._systems.values() for each in system.followed]
