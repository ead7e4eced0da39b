"""What outlives the process: from the state file to ledgers, and back each cycle."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from nats_idle_exporter.activity import Cadence, Clocks, DamagedRows, Ledger, Rules
from nats_idle_exporter.config import Config
from nats_idle_exporter.monitoring.client import MonitoringClient
from nats_idle_exporter.monitoring.clock import Clock
from nats_idle_exporter.snapshot import Snapshot
from nats_idle_exporter.state import Batch, Historian, Keeper, Loaded
from nats_idle_exporter.state.keeper import NOTHING

DIRECTORY: Final = "STATE_DIRECTORY"
"""Set by systemd: one or more directories, parted by colons."""
FILE: Final = "state.sqlite"
OF_CLIENT: Final = ""
"""The client's rows belong to all systems; no system has this name."""

_log = structlog.get_logger(__name__)


class Watch(NamedTuple):
    """What the operator wants watched, and how."""

    endpoints: Mapping[str, tuple[str, ...]]
    """By system."""
    rules: Rules
    cadence: Cadence


def state_path(config: Config, environment: Mapping[str, str]) -> Path | None:
    """Return where the state file is; None when it is kept in memory only."""
    if config.state.path is not None:
        return Path(config.state.path)
    directory = environment.get(DIRECTORY, "").partition(":")[0]
    return Path(directory, FILE) if directory else None


@asynccontextmanager
async def opened(
    path: Path | None, config: Config, clock: Clock
) -> AsyncIterator[Keeper | None]:
    """Yield who keeps the state, and let go of its file in the end."""
    if path is None:
        _log.warning("state is kept in memory only: a restart forgets what was seen")
        yield None
        return
    systems = [system.name for system in config.systems]
    keeper = Keeper(
        path,
        [OF_CLIENT, *systems],
        config.inactivity.forget_after_seconds,
        clock.wall,
    )
    try:
        yield keeper
    finally:
        await keeper.let_go()


@contextmanager
def uncollected() -> Iterator[None]:
    """Let no garbage be looked for: what is restored is none, and it is very much."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class Remembering:
    """Ledgers that know what earlier processes learned, and tell it on.

    Args:
        watch: what is watched.
        client: reads the endpoints; it remembers too.
        clock: the only source of time.
        keeper: of the state file; None when there is none.
    """

    def __init__(
        self,
        watch: Watch,
        client: MonitoringClient,
        clock: Clock,
        keeper: Keeper | None,
    ) -> None:
        self._watch = watch
        self._client = client
        self._clock = clock
        self._keeper = keeper
        self._historian = Historian(NOTHING.history)
        self.ledgers: dict[str, Ledger] = {}
        """By system; empty until ``recall``."""

    async def recall(self) -> None:
        """Make the ledgers, with what the state file tells.

        Raises:
            StartError: the file must not be used.
        """
        loaded = NOTHING if self._keeper is None else await self._keeper.load()
        try:
            await asyncio.to_thread(self._resume, loaded, self._clock.clocks())
        except DamagedRows as error:
            if self._keeper is not None:
                await self._keeper.reject(str(error))
            self._resume(NOTHING, self._clock.clocks())
        else:
            self._historian = Historian(loaded.history)
            if loaded.rows:
                rows = sum(map(len, loaded.rows.values()))
                _log.info("state loaded", rows=rows)

    def _resume(self, loaded: Loaded, clocks: Clocks) -> None:
        with uncollected():
            self._make_ledgers(loaded, clocks)

    def _make_ledgers(self, loaded: Loaded, clocks: Clocks) -> None:
        ledgers = {
            system: Ledger.resume(
                endpoints,
                self._watch.rules,
                self._watch.cadence,
                loaded.rows.get(system, ()),
                clocks,
            )
            for system, endpoints in self._watch.endpoints.items()
        }
        known = {
            url: ledgers[system].servers()
            for system, endpoints in self._watch.endpoints.items()
            for url in endpoints
        }
        self._client.recall(loaded.rows.get(OF_CLIENT, ()), known)
        self.ledgers = ledgers

    async def keep(self, snapshot: Snapshot) -> None:
        """Have saved what one cycle changed; call it before the next begins."""
        if self._keeper is not None:
            clocks = self._clock.clocks()
            batch = await asyncio.to_thread(self._collect, snapshot, clocks)
            self._keeper.offer(batch)

    def _collect(self, snapshot: Snapshot, clocks: Clocks) -> Batch:
        batch = Batch()
        batch.add(OF_CLIENT, self._client.changes())
        for system, ledger in self.ledgers.items():
            batch.add(system, ledger.changes(clocks))
        self._historian.note(snapshot.systems, snapshot.completed_at, batch)
        return batch
