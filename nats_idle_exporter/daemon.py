"""The daemon: one loop that polls, one that renders, one server that serves.

It ends in two ways: by a signal, orderly and with exit code 0; or because a part of it
failed, with exit code 1 and the error in the log. A dead poll loop never leaves a
server behind that presents old verdicts as fresh.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import structlog
from aiohttp import ClientSession

from nats_idle_exporter import __version__
from nats_idle_exporter.config import Config, WebOptions
from nats_idle_exporter.configsource import ConfigSource
from nats_idle_exporter.errors import ExporterError
from nats_idle_exporter.garbage import collected_later
from nats_idle_exporter.liverules import RulesFollower
from nats_idle_exporter.metrics import Pages
from nats_idle_exporter.monitoring.client import MonitoringClient
from nats_idle_exporter.monitoring.clock import Clock, SystemClock
from nats_idle_exporter.monitoring.fetch import new_session
from nats_idle_exporter.monitoring.poller import Poller
from nats_idle_exporter.publishing import Publisher
from nats_idle_exporter.reloading import REQUEST, SIGNAL, Reloader, ReloadQueue
from nats_idle_exporter.remembering import Remembering, opened
from nats_idle_exporter.setup import Setup, prepare
from nats_idle_exporter.state import Keeper
from nats_idle_exporter.supervision import ServiceManager
from nats_idle_exporter.web.app import ServingState
from nats_idle_exporter.web.listening import listening

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_FLAWED = 1

_log = structlog.get_logger(__name__)


def serve(config: Config, source: ConfigSource, options: WebOptions) -> int:
    """Run the daemon until a signal ends it, or a flaw; return the exit code.

    Raises:
        StartError: an address cannot be listened on, or not as securely as asked, or
            the state cannot be used.
        ConfigError: a file that an endpoint needs cannot be used.
    """
    try:
        asyncio.run(run(config, source, options))
    except ExporterError:
        raise
    except Exception as error:  # noqa: BLE001 - it ends all, and is told
        # By the log, as everything else: whoever reads it may take JSON only.
        causes = "; ".join(f"{type(each).__name__}: {each}" for each in _causes(error))
        _log.exception("ended by a flaw of this program", error=causes)
        return _FLAWED
    return 0


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield what failed; a group only says where."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _causes(each)
    else:
        yield error


async def run(config: Config, source: ConfigSource, options: WebOptions) -> None:
    """Run the daemon in this loop until SIGTERM or SIGINT.

    Args:
        config: what the source said at first.
        source: where it is loaded from anew, by SIGHUP and on request.
        options: of the web server.

    Raises:
        StartError: an address cannot be listened on, or not as securely as asked, or
            the state cannot be used.
        ConfigError: a file that an endpoint needs cannot be used.
        ExceptionGroup: a part failed; everything was stopped.
    """
    stop, queue = asyncio.Event(), ReloadQueue()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, queue.ask, SIGNAL)
    _log.info("starting", version=__version__, systems=len(config.systems))
    setup = prepare(config, os.environ)
    state = ServingState(Pages(), config=setup.shown)
    if options.enables_lifecycle:
        state.reload = partial(queue.ask, REQUEST)
    clock = SystemClock()
    async with (
        listening(state, options),
        opened(setup, clock) as keeper,
        new_session() as session,
        collected_later() as begin_collecting,
    ):
        parts = await _assemble(setup, session, clock, state, keeper)
        parts.publisher.when_first = begin_collecting
        reloader = Reloader(
            source, setup, parts.apply, parts.publisher.refuse, parts.manager
        )
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(parts.poller.run(), name="poll loop"),
                group.create_task(state.pages.run(), name="page rendering"),
                group.create_task(queue.run(reloader.load), name="reloading"),
                group.create_task(reloader.follow_file(queue, clock), name="looking"),
                group.create_task(parts.rules.run(clock), name="registry file"),
            ]
            if keeper is not None:
                group.create_task(keeper.run(), name="saving")
            parts.manager.ready(setup.pace.interval_seconds)
            await stop.wait()
            state.is_stopping = True
            parts.manager.stopping()
            _log.info("stopping")
            for task in tasks:
                task.cancel()
            if keeper is not None:
                keeper.close()
    _log.info("stopped")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What runs, and what a reload changes."""

    state: ServingState
    clock: Clock
    manager: ServiceManager
    publisher: Publisher
    remembering: Remembering
    poller: Poller
    rules: RulesFollower

    async def apply(self, setup: Setup) -> None:
        """Run by another configuration, from the next cycle on."""
        async with self.poller.between_cycles:
            self.remembering.arrange(setup)
            await self.poller.arrange(self.remembering.systems, setup.pace)
            self.poller.rules = setup.rules
            self.publisher.adopt(setup.rules, self.clock.wall())
            self.rules.follow(setup.rules)
            self.state.config = setup.shown


async def _assemble(
    setup: Setup,
    session: ClientSession,
    clock: Clock,
    state: ServingState,
    keeper: Keeper | None,
) -> _Parts:
    make_client = partial(
        MonitoringClient,
        session,
        clock,
        timeout_seconds=setup.config.poll.timeout_seconds,
        max_body_bytes=setup.config.poll.max_body_bytes,
    )
    remembering = Remembering(setup, make_client, clock, keeper)
    await remembering.recall()
    manager = ServiceManager(os.environ)
    state.trouble = manager.trouble
    publisher = Publisher(state, manager, keeper, setup.rules, clock.wall())
    poller = Poller(remembering.systems, clock, publisher.publish, setup.pace)
    poller.keep = remembering.keep
    poller.rules = setup.rules
    return _Parts(
        state=state,
        clock=clock,
        manager=manager,
        publisher=publisher,
        remembering=remembering,
        poller=poller,
        rules=RulesFollower(setup.rules, poller.between_cycles, publisher.tell_rules),
    )
