"""From a configuration to all that it takes to watch by it.

Whatever can be wrong is found here, before anything that runs is touched: at start
it ends the program, at a reload it leaves all as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nats_idle_exporter.activity import Cadence
from nats_idle_exporter.config import Config
from nats_idle_exporter.config.rendering import render_config
from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.liverules import LiveRules
from nats_idle_exporter.monitoring.access import Accesses, make_accesses
from nats_idle_exporter.monitoring.inventory import InventoryReader
from nats_idle_exporter.monitoring.polled import Pace
from nats_idle_exporter.sources import make_inventory_reader

DIRECTORY: Final = "STATE_DIRECTORY"
"""Set by systemd: one or more directories, parted by colons."""
FILE: Final = "state.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What follows from one configuration.

    ``accesses`` and ``inventories`` are by system; only systems that have an
    inventory are in the latter. ``state_path`` is None when nothing outlives the
    process. ``shown`` is the configuration in YAML, without secrets.
    """

    config: Config
    rules: LiveRules
    accesses: Mapping[str, Accesses]
    inventories: Mapping[str, InventoryReader]
    state_path: Path | None
    shown: str

    @property
    def systems(self) -> dict[str, tuple[str, ...]]:
        """The endpoints of each system, by its name: plain text, as it is saved."""
        return {s.name: tuple(map(str, s.endpoints)) for s in self.config.systems}

    @property
    def cadence(self) -> Cadence:
        """How often the proof may expect readings."""
        poll, inactivity = self.config.poll, self.config.inactivity
        return Cadence(
            poll.interval_seconds,
            poll.jetstream_interval_seconds,
            inactivity.forget_after_seconds,
            inactivity.brief_connections,
        )

    @property
    def pace(self) -> Pace:
        """How often and how hard endpoints are polled."""
        poll = self.config.poll
        return Pace(
            poll.interval_seconds,
            poll.jetstream_interval_seconds,
            poll.concurrency,
            poll.facts_per_cycle,
        )


def prepare(
    config: Config, environment: Mapping[str, str], running: Setup | None = None
) -> Setup:
    """Return all that it takes to watch by a configuration; reads files, blocking.

    Args:
        config: a loaded configuration.
        environment: of this process.
        running: what the process watches by now; None at its start. An inventory
            that stays as it is keeps its reader, and with it its last lists.

    Raises:
        ConfigError: a file that an endpoint needs, or the registry file, cannot be
            used, or the state would have to move.
        StartError: a source needs a package that is not installed.
    """
    path = state_path(config, environment)
    if running is not None and path != running.state_path:
        raise ConfigError(
            "$.state.path",
            expected=f"no change without a restart: {running.state_path or 'null'}",
            found=str(path or "null"),
        )
    return Setup(
        config=config,
        rules=LiveRules(config),
        accesses=make_accesses(config),
        inventories=_inventories(config, environment, running),
        state_path=path,
        shown=render_config(config),
    )


def state_path(config: Config, environment: Mapping[str, str]) -> Path | None:
    """Return where the state file is; None when it is kept in memory only."""
    if config.state.path is not None:
        return Path(config.state.path)
    directory = environment.get(DIRECTORY, "").partition(":")[0]
    return Path(directory, FILE) if directory else None


def _inventories(
    config: Config, environment: Mapping[str, str], running: Setup | None
) -> dict[str, InventoryReader]:
    before = {} if running is None else dict(running.inventories)
    known = {} if running is None else {s.name: s for s in running.config.systems}
    readers = {}
    for system in config.systems:
        last = known.get(system.name)
        if not system.inventory:
            continue
        is_same = last is not None and (
            (last.inventory, last.refresh_interval_seconds)
            == (system.inventory, system.refresh_interval_seconds)
        )
        readers[system.name] = (
            before[system.name]
            if is_same
            else make_inventory_reader(system, environment)
        )
    return readers
