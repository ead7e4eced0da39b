"""The daemon: one loop that polls, one that renders, one server that serves.

It ends in two ways: by a signal, orderly and with exit code 0; or because a
part of it failed, with an error. A dead poll loop never leaves a server behind
that presents old verdicts as fresh.
"""

from __future__ import annotations

import asyncio
import os
import signal

import structlog

from nats_idle_exporter import __version__
from nats_idle_exporter.activity import Cadence
from nats_idle_exporter.config import Config, ConfiguredRules, WebOptions
from nats_idle_exporter.config.rendering import render_config
from nats_idle_exporter.metrics import Pages, Publication, ReloadStatus
from nats_idle_exporter.monitoring.access import make_accesses
from nats_idle_exporter.monitoring.client import MonitoringClient
from nats_idle_exporter.monitoring.clock import Clock, SystemClock
from nats_idle_exporter.monitoring.fetch import new_session
from nats_idle_exporter.monitoring.poller import Pace, Poller, WatchedSystem
from nats_idle_exporter.remembering import Remembering, Watch, opened, state_path
from nats_idle_exporter.snapshot import Snapshot
from nats_idle_exporter.state import Keeper
from nats_idle_exporter.supervision import ServiceManager
from nats_idle_exporter.web.app import ServingState
from nats_idle_exporter.web.listening import listening

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_log = structlog.get_logger(__name__)


def serve(config: Config, options: WebOptions) -> int:
    """Run the daemon until a signal ends it; return the exit code.

    Raises:
        StartError: an address cannot be listened on, or not as securely as asked, or
            the state cannot be used.
        ConfigError: a file that an endpoint needs cannot be used.
    """
    asyncio.run(run(config, options))
    return 0


async def run(config: Config, options: WebOptions) -> None:
    """Run the daemon in this loop until SIGTERM or SIGINT; SIGHUP changes nothing.

    Raises:
        StartError: an address cannot be listened on, or not as securely as asked, or
            the state cannot be used.
        ExceptionGroup: a part failed; everything was stopped.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    # Its default would end the process, and what it has watched would be lost.
    loop.add_signal_handler(signal.SIGHUP, _refuse_reload)
    _log.info("starting", version=__version__, systems=len(config.systems))
    accesses = make_accesses(config)
    state = ServingState(Pages(), config=render_config(config))
    manager = ServiceManager(os.environ, config.poll.interval_seconds)
    clock = SystemClock()
    path = state_path(config, os.environ)
    async with (
        listening(state, options),
        new_session() as session,
        opened(path, config, clock) as keeper,
    ):
        client = MonitoringClient(
            session,
            clock,
            timeout_seconds=config.poll.timeout_seconds,
            max_body_bytes=config.poll.max_body_bytes,
            accesses=accesses,
        )
        publisher = _Publisher(config, clock, state, manager, keeper)
        watch = _watch(config, publisher.rules)
        remembering = Remembering(watch, client, clock, keeper)
        await remembering.recall()
        poller = _make_poller(config, client, clock, publisher, remembering)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(poller.run(), name="poll loop"),
                group.create_task(state.pages.run(), name="page rendering"),
            ]
            if keeper is not None:
                group.create_task(keeper.run(), name="saving")
            manager.ready()
            await stop.wait()
            state.is_stopping = True
            manager.stopping()
            _log.info("stopping")
            for task in tasks:
                task.cancel()
            if keeper is not None:
                keeper.close()
    _log.info("stopped")


def _refuse_reload() -> None:
    _log.warning(
        "reload is not supported yet: restart to load a new configuration",
        signal="SIGHUP",
    )


class _Publisher:
    """Offers each snapshot for rendering, with all that belongs on the page."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        state: ServingState,
        manager: ServiceManager,
        keeper: Keeper | None,
    ) -> None:
        self.rules = ConfiguredRules(config)
        self._state = state
        self._manager = manager
        self._keeper = keeper
        self._reload = ReloadStatus(is_successful=True, last_success_at=clock.wall())
        self._is_first = True
        self._offer(None)

    def publish(self, snapshot: Snapshot) -> None:
        """Take the snapshot of a cycle."""
        if self._is_first:
            self._is_first = False
            _tell(snapshot)
        self._manager.concluded(snapshot)
        self._offer(snapshot)

    def _offer(self, snapshot: Snapshot | None) -> None:
        self._state.pages.offer(
            Publication(
                snapshot=snapshot,
                ownership=self.rules.registry.entry,
                reload=self._reload,
                refused=self._state.refusals.read(),
                state=None if self._keeper is None else self._keeper.status,
            )
        )


def _watch(config: Config, rules: ConfiguredRules) -> Watch:
    cadence = Cadence(
        config.poll.interval_seconds,
        config.poll.jetstream_interval_seconds,
        config.inactivity.forget_after_seconds,
        config.inactivity.brief_connections,
    )
    endpoints = {system.name: system.endpoints for system in config.systems}
    return Watch(endpoints, rules, cadence)


def _make_poller(
    config: Config,
    client: MonitoringClient,
    clock: Clock,
    publisher: _Publisher,
    remembering: Remembering,
) -> Poller:
    systems = {
        system.name: WatchedSystem(remembering.ledgers[system.name], system.endpoints)
        for system in config.systems
    }
    pace = Pace(
        config.poll.interval_seconds,
        config.poll.jetstream_interval_seconds,
        config.poll.concurrency,
    )
    poller = Poller(systems, client, clock, publisher.publish, pace)
    poller.keep = remembering.keep
    return poller


def _tell(snapshot: Snapshot) -> None:
    """Say how complete the watch is at its start."""
    systems = snapshot.systems.values()
    _log.info(
        "first cycle ended",
        endpoints=len(snapshot.endpoints),
        endpoints_answered=sum(each.is_up for each in snapshot.endpoints),
        accounts=sum(len(view.accounts) for view in systems),
        unwatched_servers=sum(len(view.unwatched) for view in systems),
    )
