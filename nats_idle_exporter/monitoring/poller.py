"""The poll loop: every endpoint once per cycle, on our own clock.

Proving that something is absent needs watching that never pauses, whoever
scrapes. One owner, this loop, writes the ledgers; readers get what it
publishes at the end of a cycle. A failed poll changes no ledger. Inventories are
read beside the cycles: a slow source delays none, its last list holds until then.
What is watched changes between two cycles only.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import structlog

from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.monitoring.casework import HasRegistry, NoRules
from nats_idle_exporter.monitoring.clock import Clock
from nats_idle_exporter.monitoring.failures import TIMEOUT, failure
from nats_idle_exporter.monitoring.followed import Followed, first_answers
from nats_idle_exporter.monitoring.inquiry import Moment
from nats_idle_exporter.monitoring.polled import (
    Concluded,
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
QUESTIONS_SHARE: Final = 0.95
"""Part of the interval after which nobody is asked about single accounts any more."""


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
        rules: what the operator says of accounts; set it between cycles.
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
        self.rules: HasRegistry = NoRules()
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
        async with self.following():
            await self._run_cycles()

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Have sources read meanwhile; the first cycle need not wait for them."""
        async with asyncio.TaskGroup() as self._followers:
            try:
                for each in self._followed:
                    self._follow(each)
                if not await first_answers(self._followed):
                    _log.warning("first cycle does not wait for a slow source")
                yield
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
        """Poll every endpoint once, conclude every system, publish.

        In the time that is left servers are asked about single accounts.
        """
        async with self.between_cycles:
            start = self._clock.monotonic()
            for system in self._systems.values():
                system.discover()
            await self._poll_all(self._pace.interval_seconds * POLLS_SHARE)
            ends = {n: await self._conclude(s) for n, s in self._systems.items()}
            snapshot = self._snapshot(ends, start)
            self._publish(snapshot)
            if self.keep is not None:
                await self.keep(snapshot)
            await self._ask_all(start + self._pace.interval_seconds * QUESTIONS_SHARE)

    async def _poll_all(self, seconds: float) -> None:
        # The same moment for all: a slot that is free then is nobody's any more.
        deadline = asyncio.get_running_loop().time() + seconds
        slots = asyncio.Semaphore(self._pace.concurrency)
        async with asyncio.TaskGroup() as polls:
            for endpoint in sorted(self._endpoints, key=lambda each: each.rank):
                polls.create_task(self._poll(endpoint, slots, deadline))

    async def _poll(
        self, endpoint: PolledEndpoint, slots: asyncio.Semaphore, deadline: float
    ) -> None:
        """Poll one endpoint, or give up at the deadline, by the loop's own clock."""
        start = self._clock.monotonic()
        try:
            async with asyncio.timeout_at(deadline), slots:
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

    async def _conclude(self, system: PolledSystem) -> Concluded:
        # With many accounts this takes long: scrapes and probes must not wait.
        moment = Moment(self._clock.now(), self._clock.wall())
        shift_seconds, registry = self._clock.shift_seconds, self.rules.registry
        concluded = await asyncio.to_thread(
            system.conclude, moment, shift_seconds, self._pace, registry
        )
        system.reporter.concluded(concluded.view, concluded.peers)
        system.reporter.happened(concluded.events)
        return concluded

    async def _ask_all(self, end: float) -> None:
        """Ask about single accounts until then: monotonic seconds."""
        if not self._pace.facts_per_cycle:
            return
        slots = asyncio.Semaphore(self._pace.concurrency)
        async with asyncio.TaskGroup() as questions:
            for system in self._systems.values():
                plan = await asyncio.to_thread(
                    system.collector.plan, self._pace.facts_per_cycle
                )
                for url, (server_id, accounts) in plan.items():
                    ask = partial(system.ask, url, server_id, accounts)
                    questions.create_task(self._ask(ask, slots, end))

    async def _ask(
        self,
        ask: Callable[[float], Awaitable[None]],
        slots: asyncio.Semaphore,
        end: float,
    ) -> None:
        async with slots:
            left = end - self._clock.monotonic()
            if left > 0:
                await ask(left)

    def _snapshot(self, ends: Mapping[str, Concluded], start: float) -> Snapshot:
        now = self._clock.wall()
        return Snapshot(
            systems={name: each.view for name, each in ends.items()},
            dossiers={name: each.dossiers for name, each in ends.items()},
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
            completed_at=now,
            peers={name: each.peers for name, each in ends.items()},
        )

    @property
    def _endpoints(self) -> list[PolledEndpoint]:
        return [e for system in self._systems.values() for e in system.endpoints]

    @property
    def _followed(self) -> list[Followed]:
        return [each for system in self._systems.values() for each in system.followed]
