"""Watch real servers cycle by cycle, with time that passes only between cycles.

Everything but time is real: the client, the poll loop, the ledger, the servers.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from dns.asyncresolver import Resolver

from nats_idle_exporter.activity import (
    AccountView,
    Cadence,
    Ledger,
    SystemView,
    Verdict,
)
from nats_idle_exporter.config import Config, parse_config
from nats_idle_exporter.liverules import LiveRules
from nats_idle_exporter.monitoring.client import MonitoringClient, ReadsEndpoint
from nats_idle_exporter.monitoring.discovery import DiscoveryReader
from nats_idle_exporter.monitoring.fetch import new_session
from nats_idle_exporter.monitoring.inventory import InventoryReader
from nats_idle_exporter.monitoring.polled import Pace, WatchedSystem
from nats_idle_exporter.monitoring.poller import Poller
from nats_idle_exporter.remembering import Memory
from nats_idle_exporter.removal.dossier import Dossier
from nats_idle_exporter.removal.facts import AccountFacts
from nats_idle_exporter.removal.lifecycle import Lifecycle
from nats_idle_exporter.setup import prepare
from nats_idle_exporter.snapshot import Snapshot
from tests.support.clock import FakeClock

INTERVAL = 30.0
THRESHOLD_CYCLES = 20
CONFIG = """
systems:
  - endpoints: {endpoints}
    inventory: {inventory}
    refresh_interval: {refresh}s
poll: {{interval: 30s, jetstream_interval: 30s}}
inactivity: {{threshold: {threshold}s}}
"""
PATIENCE_SECONDS = 20.0
"""Real time after which a server is given up in a cycle; a busy machine needs some."""


class Watching:
    """One system under watch, on a clock of its own; ``snapshot`` is the last one.

    ``rules`` read their registry file anew when a test calls ``refresh``.
    """

    def __init__(
        self,
        poller: Poller,
        clock: FakeClock,
        snapshots: Sequence[Snapshot],
        memory: Memory,
        rules: LiveRules,
        *readers: InventoryReader | DiscoveryReader,
    ) -> None:
        self._readers = readers
        self._poller = poller
        self.clock = clock
        self.memory = memory
        self.rules = rules
        self._snapshots = snapshots

    async def cycles(self, count: int = 1) -> SystemView:
        """Let so many intervals pass, each with a cycle at its end."""
        for _ in range(count):
            self.clock.advance(INTERVAL)
            for reader in self._readers:
                await reader.step(self.clock.monotonic())
            await self._poller.cycle()
        return self.view

    async def cycles_until(self, account: str, verdict: Verdict, most: int) -> int:
        """Run cycles until the account has the verdict; return how many it took."""
        for count in range(1, most + 1):
            await self.cycles()
            if self.account(account).verdict is verdict:
                return count
        raise AssertionError(f"{account} is not {verdict} after {most} cycles")

    @property
    def snapshot(self) -> Snapshot:
        """The last cycle's snapshot."""
        return self._snapshots[-1]

    @property
    def view(self) -> SystemView:
        """The last cycle's view of the system."""
        return self.snapshot.systems["default"]

    def account(self, account: str) -> AccountView:
        """Return the last view of an account, by id."""
        return next(view for view in self.view.accounts if view.account == account)

    def dossier(self, account: str) -> Dossier:
        """Return what the last cycle said of whether an account may go, by id."""
        return self.snapshot.dossiers["default"][account]

    def facts(self, account: str) -> AccountFacts:
        """Return what the last cycle knew of an account beside its use, by id."""
        return self.snapshot.dossiers["default"].facts(account)

    def verdicts(self) -> dict[str, Verdict]:
        """Return the last verdicts by account id."""
        return {view.account: view.verdict for view in self.view.accounts}

    def up(self) -> list[bool]:
        """Return which endpoints answered in the last cycle, in their order."""
        return [status.is_up for status in self.snapshot.endpoints]


@asynccontextmanager
async def watching(  # noqa: PLR0913 - what a test may choose
    endpoints: Iterable[str],
    threshold_cycles: float = THRESHOLD_CYCLES,
    *,
    timeout_seconds: float = PATIENCE_SECONDS,
    inventory: Iterable[Mapping[str, Any]] = (),
    refresh_cycles: int = 1,
    questions: int = 0,
) -> AsyncIterator[Watching]:
    """Watch endpoints with the daemon's own parts; no cycle has run yet.

    The threshold is given in intervals; below 40 no restart is forgiven, since
    a hole of one interval is a twentieth of it. The timeout of a poll is real time.
    The sources of an inventory are written as in the configuration; they are read
    before each cycle, or each n-th. Asking servers takes them a second of real time.
    Each server is asked as many questions about single accounts in each cycle.
    """
    config = parse_config(
        CONFIG.format(
            endpoints=list(endpoints),
            inventory=list(inventory),
            refresh=round(refresh_cycles * INTERVAL),
            threshold=round(threshold_cycles * INTERVAL),
        )
    )
    async with watching_as(
        config, timeout_seconds=timeout_seconds, questions=questions
    ) as watch:
        yield watch


@asynccontextmanager
async def watching_as(
    config: Config,
    *,
    timeout_seconds: float = PATIENCE_SECONDS,
    around: Callable[[ReadsEndpoint], ReadsEndpoint] = lambda reader: reader,
    questions: int = 0,
    resolver: Callable[[], Resolver] = Resolver,
) -> AsyncIterator[Watching]:
    """Watch the only system of a configuration; its interval is ours.

    A test may stand between loop and client, and say who is asked for names. The
    timeout of a poll is real time.
    """
    clock, setup = FakeClock(), prepare(config, os.environ, make_resolver=resolver)
    urls = setup.systems["default"]
    discovery = setup.discoveries.get("default")
    cadence = Cadence(INTERVAL, INTERVAL, config.inactivity.forget_after_seconds)
    ledger = Ledger(urls, setup.rules, cadence)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(new_session())
        client = MonitoringClient(
            session,
            clock,
            timeout_seconds=timeout_seconds,
            max_body_bytes=config.poll.max_body_bytes,
            accesses=setup.accesses["default"],
        )
        snapshots: deque[Snapshot] = deque(maxlen=1)
        inventory = setup.inventories.get("default")
        if inventory:
            stack.push_async_callback(inventory.close)
        poller = Poller(
            {
                "default": WatchedSystem(
                    ledger, around(client), urls, inventory, discovery
                )
            },
            clock,
            snapshots.append,
            Pace(INTERVAL, INTERVAL, config.poll.concurrency, questions),
        )
        poller.rules = setup.rules
        memory = Memory(ledger, client, Lifecycle())
        readers = [each for each in (inventory, discovery) if each]
        yield Watching(poller, clock, snapshots, memory, setup.rules, *readers)
