"""What is polled: systems and their endpoints, and what polls leave behind.

All of it is owned by the poll loop and changes between two cycles only, but for what
the polls of a cycle add.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial
from typing import NamedTuple, Protocol

from nats_idle_exporter.activity import Instant, Listing, Peer, Reading, SystemView
from nats_idle_exporter.dossiers import Dossiers
from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.monitoring.casework import CycleEnd, work
from nats_idle_exporter.monitoring.client import ReadsEndpoint
from nats_idle_exporter.monitoring.clock import Clock
from nats_idle_exporter.monitoring.discovery import FollowedDiscovery, KeepsDiscovery
from nats_idle_exporter.monitoring.followed import Followed
from nats_idle_exporter.monitoring.inquiry import (
    Collector,
    Moment,
    Rhythm,
    ask_accounts,
)
from nats_idle_exporter.monitoring.inquiry.answers import Answer
from nats_idle_exporter.monitoring.inventory.following import (
    FollowedInventory,
    KeepsInventory,
)
from nats_idle_exporter.monitoring.peers import Peers
from nats_idle_exporter.monitoring.reporting import Reporter
from nats_idle_exporter.monitoring.tally import Tally
from nats_idle_exporter.removal.happenings import Event
from nats_idle_exporter.removal.lifecycle import Lifecycle
from nats_idle_exporter.removal.registry import Registry
from nats_idle_exporter.urls import without_credentials


class Pace(NamedTuple):
    """How often and how hard endpoints are polled."""

    interval_seconds: float
    jetstream_interval_seconds: float
    concurrency: int
    facts_per_cycle: int = 0
    """Accounts that each server is asked about in each cycle."""


class KeepsLedger(Protocol):
    """What the loop needs of a ledger."""

    def watch(self, endpoints: Iterable[str], now: Instant) -> None:
        """Replace the operator's list; the same list changes nothing."""

    def discover(self, source: str, endpoints: Iterable[str], now: Instant) -> None:
        """Replace what a source finds."""

    def endpoints_wanted(self) -> tuple[str, ...]:
        """Return the endpoints to read, each once."""

    def endpoints_found(self) -> Mapping[str, tuple[str, ...]]:
        """Return what was found last, by source."""

    def apply(self, reading: Reading) -> None:
        """Take one good reading in."""

    def consumers_wanted(self) -> frozenset[str]:
        """Return the accounts whose consumers the next rounds of jsz must tell."""

    def list_accounts(self, listing: Listing | None) -> None:
        """Take an answer of the inventory in."""

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """End the cycle and return what is now known."""


class WatchedSystem(NamedTuple):
    """One system: its ledger, who reads it, and what the operator lists.

    ``lifecycle`` None is one that knows of nothing yet.
    """

    ledger: KeepsLedger
    reader: ReadsEndpoint
    endpoints: Iterable[str]
    inventory: KeepsInventory | None = None
    discovery: KeepsDiscovery | None = None
    lifecycle: Lifecycle | None = None


class Concluded(NamedTuple):
    """One system at the end of a cycle: the proof, and what it means for accounts.

    ``peers`` is what is known of servers that nobody reads, by ``server_id``.
    """

    view: SystemView
    peers: Mapping[str, Peer]
    dossiers: Dossiers
    events: list[Event]


class PolledSystem:
    """One system under watch.

    Args:
        name: the ``system`` label.
        watched: what is watched at first.
        clock: the only source of time.
    """

    def __init__(self, name: str, watched: WatchedSystem, clock: Clock) -> None:
        self.name = name
        self.reporter = Reporter(name)
        self.inventory: FollowedInventory | None = None
        self.discovery: FollowedDiscovery | None = None
        self.endpoints: list[PolledEndpoint] = []
        self.collector = Collector()
        self.peers = Peers()
        self.lifecycle = Lifecycle()
        self._clock = clock
        self.arrange(watched)

    def arrange(self, watched: WatchedSystem) -> None:
        """Watch this from now on; endpoints that stay keep what they counted."""
        self.ledger, self.reader = watched.ledger, watched.reader
        self.lifecycle = watched.lifecycle or self.lifecycle
        self.ledger.watch(watched.endpoints, self._clock.now())
        self._follow(watched.inventory)
        self._follow_discovery(watched.discovery)
        self._take_endpoints()

    def discover(self) -> None:
        """Watch what was found since the last cycle."""
        news = self.discovery.news() if self.discovery else {}
        for source, endpoints in news.items():
            self.ledger.discover(source, endpoints, self._clock.now())
        if news:
            self._take_endpoints()

    def _take_endpoints(self) -> None:
        wanted = self.ledger.endpoints_wanted()
        known = {each.url: each for each in self.endpoints}
        self.endpoints = [
            known.get(url) or PolledEndpoint(self, url, self._clock) for url in wanted
        ]
        self.reader.watch(wanted)
        self.collector.watch(wanted)
        if self.inventory:
            self.inventory.watch(wanted)

    def _follow_discovery(self, keeper: KeepsDiscovery | None) -> None:
        if keeper is (self.discovery and self.discovery.keeper):
            return
        self.discovery = None
        if keeper:
            found = self.ledger.endpoints_found()
            self.discovery = FollowedDiscovery(keeper, found)

    def _follow(self, keeper: KeepsInventory | None) -> None:
        if keeper is (self.inventory and self.inventory.keeper):
            return
        self.inventory = FollowedInventory(self.name, keeper) if keeper else None
        # Until its first answer nobody is known to be missing in it.
        self.ledger.list_accounts(Listing() if keeper else None)
        self.collector.list_accounts(None)

    def leave(self) -> None:
        """Watch no more; the ledger may be watched again later."""
        self._follow(None)
        self._follow_discovery(None)

    @property
    def followed(self) -> list[Followed]:
        """What is read beside the cycles."""
        return [each for each in (self.inventory, self.discovery) if each]

    def conclude(
        self, moment: Moment, shift_seconds: float, pace: Pace, registry: Registry
    ) -> Concluded:
        """End the cycle, with what the inventory told since the last one."""
        if self.inventory and (told := self.inventory.news()):
            self.ledger.list_accounts(told.listing)
            self.collector.list_accounts(told)
            self.reporter.listed(told.unusable)
        view = self.ledger.conclude(moment.now, shift_seconds)
        rhythm = Rhythm(
            pace.interval_seconds, pace.jetstream_interval_seconds, pace.facts_per_cycle
        )
        facts = self.collector.conclude(view, moment, rhythm)
        end = CycleEnd(self.name, view, facts, moment.wall_at)
        casework = work(end, self.lifecycle, registry)
        return Concluded(view, self.peers.conclude(view), *casework)

    async def ask(
        self, url: str, server_id: str, accounts: Iterable[str], seconds: float
    ) -> None:
        """Ask a server about accounts; what is not told in time may be next time."""
        trouble = ""
        try:
            async with asyncio.timeout(seconds):
                asked = await ask_accounts(
                    self.reader,
                    url,
                    server_id,
                    accounts,
                    partial(self._hear, server_id),
                )
                trouble = asked.trouble
        except TimeoutError:
            trouble = "not all answered by the end of the cycle"
        now = self._clock.monotonic()
        self.reporter.asked(without_credentials(url), trouble, now)

    def _hear(self, server_id: str, answer: Answer) -> None:
        self.collector.hear(answer, self._clock.now(), server_id)


class PolledEndpoint:
    """One endpoint of one system, and what its last polls left behind."""

    def __init__(self, system: PolledSystem, url: str, clock: Clock) -> None:
        self._system = system
        self._clock = clock
        self.url = url
        self._shown = without_credentials(url)
        self.tally = Tally(system.name, self._shown)
        self._jetstream_at: float | None = None
        self.turn = 0

    @property
    def rank(self) -> tuple[bool, int]:
        """Return by what endpoints are polled, the smallest first.

        Those that hung before start last and delay nobody; among them, the one that
        waited longest is first, so that each gets its turn.
        """
        return self.tally.is_failing, self.turn

    async def read(self, pace: Pace) -> Reading:
        """Poll it.

        Raises:
            EndpointError: nothing of it may be used.
        """
        return await self._system.reader.read(
            self.url,
            with_jetstream=self._is_jetstream_due(pace),
            consumers_of=self._system.ledger.consumers_wanted(),
        )

    def _is_jetstream_due(self, pace: Pace) -> bool:
        if self._jetstream_at is None:
            return True
        # To the nearest cycle: a tick comes a little early or late.
        slack = pace.interval_seconds / 2
        age = self._clock.monotonic() - self._jetstream_at
        return age >= pace.jetstream_interval_seconds - slack

    def succeeded(self, reading: Reading, start: float) -> None:
        """Bring a good reading in; its poll began at ``start``, monotonic seconds."""
        if reading.jetstream is not None:
            self._jetstream_at = start
        if self._system.inventory:
            self._system.inventory.see(self.url, reading.server)
        self._system.ledger.apply(reading)
        self._system.collector.take(reading)
        self._system.peers.take(reading)
        self.tally.succeeded(
            self._clock.wall(), self._clock.monotonic() - start, reading.ring
        )
        self._system.reporter.succeeded(self._shown, reading.ring)

    def failed(self, error: EndpointError, start: float) -> None:
        """Count a failed poll that began at ``start``, monotonic seconds."""
        now = self._clock.monotonic()
        self.tally.failed(error, now - start)
        self._system.reporter.failed(self._shown, error, now)
