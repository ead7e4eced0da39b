"""What outlives the process: from the state file to ledgers, and back each cycle.

It outlives a reload, too: a system that is taken out of the configuration is kept as
it was, and goes on from there if it comes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import NamedTuple

import structlog

from nats_idle_exporter.activity import Changes, Clocks, DamagedRows, Ledger, SavedRow
from nats_idle_exporter.garbage import uncollected
from nats_idle_exporter.monitoring.client import MonitoringClient
from nats_idle_exporter.monitoring.clock import Clock
from nats_idle_exporter.monitoring.memories import KINDS
from nats_idle_exporter.monitoring.polled import WatchedSystem
from nats_idle_exporter.removal.lifecycle import Lifecycle
from nats_idle_exporter.removal.lives import DamagedLives
from nats_idle_exporter.removal.lives import Kind as LifeKind
from nats_idle_exporter.setup import Setup
from nats_idle_exporter.snapshot import Snapshot
from nats_idle_exporter.state import Batch, Historian, Keeper, Loaded
from nats_idle_exporter.state.keeper import NOTHING

_log = structlog.get_logger(__name__)


class Memory(NamedTuple):
    """Those who remember one system from cycle to cycle."""

    ledger: Ledger
    client: MonitoringClient
    lifecycle: Lifecycle


@asynccontextmanager
async def opened(setup: Setup, clock: Clock) -> AsyncIterator[Keeper | None]:
    """Yield who keeps the state, and let go of its file in the end."""
    if setup.state_path is None:
        _log.warning("state is kept in memory only: a restart forgets what was seen")
        yield None
        return
    keeper = Keeper(
        setup.state_path,
        list(setup.systems),
        setup.config.inactivity.forget_after_seconds,
        clock.wall,
    )
    try:
        yield keeper
    finally:
        await keeper.let_go()


class Remembering:
    """Memories that know what earlier processes learned, and tell it on.

    Args:
        setup: what is watched at first.
        make_client: makes the client of a system, which remembers nothing yet.
        clock: the only source of time.
        keeper: of the state file; None when there is none.

    Attributes:
        known: every memory, by system; also of those that are not configured now.
    """

    def __init__(
        self,
        setup: Setup,
        make_client: Callable[[], MonitoringClient],
        clock: Clock,
        keeper: Keeper | None,
    ) -> None:
        self._make_client = make_client
        self._clock = clock
        self._keeper = keeper
        self._historian = Historian(NOTHING.history)
        self.known: dict[str, Memory] = {}
        self._setup = setup

    @property
    def systems(self) -> dict[str, WatchedSystem]:
        """What is to be watched, by system; call ``recall`` before."""
        return {
            name: self._watched(self.known[name], name, endpoints)
            for name, endpoints in self._setup.systems.items()
        }

    def _watched(
        self, memory: Memory, system: str, endpoints: tuple[str, ...]
    ) -> WatchedSystem:
        return WatchedSystem(
            ledger=memory.ledger,
            reader=memory.client,
            endpoints=endpoints,
            inventory=self._setup.inventories.get(system),
            discovery=self._setup.discoveries.get(system),
            lifecycle=memory.lifecycle,
        )

    async def recall(self) -> None:
        """Begin to watch, with what the state file tells.

        Systems that are not configured are recalled, too: a reload may bring them back.

        Raises:
            StartError: the file must not be used.
        """
        loaded = NOTHING if self._keeper is None else await self._keeper.load()
        clocks = self._clock.clocks()
        try:
            known = await asyncio.to_thread(self._restore, loaded, clocks)
        except DamagedRows as error:
            if self._keeper is not None:
                await self._keeper.reject(str(error))
            known = {}
        else:
            self._historian = Historian(loaded.history)
            if loaded.rows:
                rows = sum(map(len, loaded.rows.values()))
                _log.info("state loaded", rows=rows)
        self.known = known
        self._take(self._setup)

    def _restore(self, loaded: Loaded, clocks: Clocks) -> dict[str, Memory]:
        with uncollected():
            return {
                system: self._restored(system, rows, clocks)
                for system, rows in loaded.rows.items()
            }

    def _restored(
        self, system: str, rows: Iterable[SavedRow], clocks: Clocks
    ) -> Memory:
        of_ledger, of_client, of_lifecycle = _by_owner(rows)
        setup = self._setup
        ledger = Ledger.resume(
            setup.systems.get(system), setup.rules, setup.cadence, of_ledger, clocks
        )
        client = self._make_client()
        client.recall(of_client, ledger.servers())
        try:
            lifecycle = Lifecycle.resume(of_lifecycle)
        except DamagedLives as error:
            raise DamagedRows(str(error)) from error
        return Memory(ledger, client, lifecycle)

    def arrange(self, setup: Setup) -> None:
        """Watch by another configuration; call it between cycles.

        What is configured no more is kept as it is. What comes back is told to the
        store as a whole: it may have been dropped there.
        """
        here = setup.systems.keys() & self.known.keys()
        for system in here - self._setup.systems.keys():
            self.known[system].ledger.retell()
            self.known[system].client.retell()
            self.known[system].lifecycle.retell()
        self._take(setup)
        if self._keeper is not None:
            forget_after = setup.config.inactivity.forget_after_seconds
            self._keeper.adopt(list(setup.systems), forget_after)

    def _take(self, setup: Setup) -> None:
        self._setup = setup
        poll = setup.config.poll
        for system, endpoints in setup.systems.items():
            if system not in self.known:
                ledger = Ledger(endpoints, setup.rules, setup.cadence)
                self.known[system] = Memory(ledger, self._make_client(), Lifecycle())
            ledger, client, _ = self.known[system]
            ledger.adopt(setup.rules, setup.cadence)
            client.adopt(
                timeout_seconds=poll.timeout_seconds,
                max_body_bytes=poll.max_body_bytes,
                accesses=setup.accesses[system],
            )

    async def keep(self, snapshot: Snapshot) -> None:
        """Have saved what one cycle changed; call it before the next begins."""
        if self._keeper is not None:
            clocks = self._clock.clocks()
            batch = await asyncio.to_thread(self._collect, snapshot, clocks)
            self._keeper.offer(batch)

    def _collect(self, snapshot: Snapshot, clocks: Clocks) -> Batch:
        batch = Batch()
        for system in self._setup.systems:
            ledger, client, lifecycle = self.known[system]
            batch.add(system, client.changes())
            batch.add(system, ledger.changes(clocks))
            batch.add(system, Changes(*lifecycle.changes()))
        self._historian.note(snapshot.systems, snapshot.completed_at, batch)
        return batch


def _by_owner(
    rows: Iterable[SavedRow],
) -> tuple[list[SavedRow], list[SavedRow], list[SavedRow]]:
    """Return the rows of the ledger, of the client and of the lifecycle."""
    ledger: list[SavedRow] = []
    client: list[SavedRow] = []
    lifecycle: list[SavedRow] = []
    kinds = dict.fromkeys(KINDS, client) | dict.fromkeys(map(str, LifeKind), lifecycle)
    for row in rows:
        kinds.get(row[0], ledger).append(row)
    return ledger, client, lifecycle
