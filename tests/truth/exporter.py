"""The exporter of a scene: the daemon's own parts, without its web server.

Client, poll loop, heart, inventory and state file are the product's. Only the
clock may be another: then time passes between cycles only, and polls take none.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from nats_idle_exporter.activity import AccountView
from nats_idle_exporter.config import Config
from nats_idle_exporter.monitoring.client import MonitoringClient
from nats_idle_exporter.monitoring.clock import Clock
from nats_idle_exporter.monitoring.fetch import new_session
from nats_idle_exporter.monitoring.inventory import InventoryReader
from nats_idle_exporter.monitoring.polled import KeepsLedger
from nats_idle_exporter.monitoring.poller import Poller
from nats_idle_exporter.remembering import Remembering, opened
from nats_idle_exporter.setup import prepare
from nats_idle_exporter.snapshot import Snapshot
from nats_idle_exporter.state import Keeper
from tests.truth.readings import Recorder, Sample

SYSTEM: Final = "default"
Heart = Callable[[KeepsLedger], KeepsLedger]
"""Wraps the ledger; a wrong one shows that the bench finds errors."""


def true_heart(ledger: KeepsLedger) -> KeepsLedger:
    """Return the ledger as it is."""
    return ledger


class Exporter:
    """One process of the exporter; ``stop`` and ``start`` are its restart.

    Args:
        config: what it runs with; may be replaced while it is stopped.
        state: its state file.
        clock: its time.
        heart: wraps its ledger.

    Attributes:
        samples: what accstatz told, over all processes.
        cut: endpoints that it cannot reach now.
    """

    def __init__(
        self, config: Config, state: Path, clock: Clock, heart: Heart = true_heart
    ) -> None:
        self.config = config
        self.samples: list[Sample] = []
        self.cut: set[str] = set()
        self._state = state
        self._clock = clock
        self._heart = heart
        self._open = AsyncExitStack()
        self._snapshots: list[Snapshot] = []
        self._poller: Poller | None = None
        self._keeper: Keeper | None = None
        self._inventory: InventoryReader | None = None

    async def start(self) -> None:
        """Start a process, with what the last one saved."""
        enter = self._open.enter_async_context
        setup = replace(prepare(self.config, {}), state_path=self._state)
        session = await enter(new_session())
        self._keeper = await enter(opened(setup, self._clock))
        make_client = partial(
            MonitoringClient,
            session,
            self._clock,
            timeout_seconds=self.config.poll.timeout_seconds,
            max_body_bytes=self.config.poll.max_body_bytes,
        )
        remembering = Remembering(setup, make_client, self._clock, self._keeper)
        await remembering.recall()
        system = remembering.systems[SYSTEM]
        system = system._replace(
            ledger=self._heart(system.ledger),
            reader=Recorder(system.reader, self._clock.wall, self.samples, self.cut),
        )
        publish = self._snapshots.append
        self._poller = Poller({SYSTEM: system}, self._clock, publish, setup.pace)
        self._poller.keep = remembering.keep
        self._inventory = setup.inventories.get(SYSTEM)
        if self._inventory:
            self._open.push_async_callback(self._inventory.close)

    async def cycle(self) -> dict[str, AccountView]:
        """Run one cycle; return the views of all accounts by id."""
        assert self._poller is not None
        if self._inventory:
            await self._inventory.step(self._clock.monotonic())
        await self._poller.cycle()
        accounts = self._snapshots[-1].systems[SYSTEM].accounts
        return {view.account: view for view in accounts}

    async def stop(self) -> None:
        """End the process in order: what still waits is saved."""
        if self._keeper is not None:
            self._keeper.close()
            await self._keeper.run()
        self._poller = self._keeper = None
        await self._open.aclose()
