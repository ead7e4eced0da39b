"""Loading the configuration anew: one queue, whoever asks.

Everything is made and checked first; what runs is touched only after that, in a step
that cannot fail, between two cycles. What cannot be used leaves all as it was.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

import structlog

from nats_idle_exporter.config.differences import Differences, differences
from nats_idle_exporter.configsource import ConfigSource
from nats_idle_exporter.errors import ExporterError
from nats_idle_exporter.monitoring.clock import Clock
from nats_idle_exporter.setup import Setup, prepare
from nats_idle_exporter.supervision import ServiceManager
from nats_idle_exporter.text import one_line

SIGNAL: Final = "SIGHUP"
REQUEST: Final = "/-/reload"
FILE: Final = "changed file"
"""Who may ask."""

_log = structlog.get_logger(__name__)


class _Asked(NamedTuple):
    trigger: str
    answer: asyncio.Future[str]


class ReloadQueue:
    """Those who want the configuration loaded anew; use it from one event loop.

    One load at a time. Whoever asks while one runs may have come too late for what it
    reads: all who do share the next one.
    """

    def __init__(self) -> None:
        self._asked: list[_Asked] = []
        self._is_asked = asyncio.Event()
        self._is_over = False

    def ask(self, trigger: str) -> asyncio.Future[str]:
        """Have it loaded; what comes is why it could not be, "" when it was."""
        answer = asyncio.get_running_loop().create_future()
        self._asked.append(_Asked(trigger, answer))
        self._is_asked.set()
        if self._is_over:
            # Requests are let in until the last save is over.
            self._answer_rest([])
        return answer

    async def run(self, load: Callable[[frozenset[str]], Awaitable[str]]) -> None:
        """Serve whoever asks until cancelled, by calling ``load`` with the triggers."""
        served: list[_Asked] = []
        try:
            while True:
                await self._is_asked.wait()
                self._is_asked.clear()
                served, self._asked = self._asked, []
                _answer(served, await load(frozenset(each.trigger for each in served)))
        finally:
            self._is_over = True
            self._answer_rest(served)

    def _answer_rest(self, served: list[_Asked]) -> None:
        _answer([*served, *self._asked], "the exporter is stopping")
        self._asked = []


def _answer(asked: list[_Asked], error: str) -> None:
    for each in asked:
        # Who went away meanwhile has cancelled it.
        if not each.answer.done():
            each.answer.set_result(error)


class Reloader:
    """Loads the configuration anew, and has it applied when it can be used.

    Args:
        source: of the configuration.
        setup: by which everything runs now.
        apply: makes everything run by another; it cannot fail.
        refuse: is called when the configuration cannot be used.
        manager: is told when it begins and ends.
    """

    def __init__(
        self,
        source: ConfigSource,
        setup: Setup,
        apply: Callable[[Setup], Awaitable[None]],
        refuse: Callable[[], None],
        manager: ServiceManager,
    ) -> None:
        self._source = source
        self._setup = setup
        self._apply = apply
        self._refuse = refuse
        self._manager = manager
        self._error = ""

    async def load(self, triggers: frozenset[str]) -> str:
        """Load it for those who asked; return why it could not be, "" when it was."""
        self._manager.reloading()
        last, self._error = self._error, await self._load(triggers)
        if self._error:
            self._refuse()
            # It is tried again at each look at the file, and told once.
            if self._error != last or triggers != {FILE}:
                _log.error(
                    "configuration not reloaded: the last good one stays in use",
                    trigger=_words(triggers),
                    error=self._error,
                )
        self._manager.ready(self._setup.pace.interval_seconds)
        return self._error

    async def _load(self, triggers: frozenset[str]) -> str:
        try:
            setup = await asyncio.to_thread(self._prepare)
        except ExporterError as error:
            return f"{self._source.name}: {one_line(str(error))}"
        except Exception as error:  # noqa: BLE001 - a flaw here must not end the watch
            _log.exception("configuration not reloaded: a flaw of this program")
            return f"{self._source.name}: {type(error).__name__}"
        changed = differences(self._setup.config, setup.config)
        await self._apply(setup)
        self._setup = setup
        _tell(changed, _words(triggers))
        return ""

    def _prepare(self) -> Setup:
        return prepare(self._source.load(), os.environ, self._setup)

    async def follow_file(self, queue: ReloadQueue, clock: Clock) -> None:
        """Look at the file again and again; have it loaded when it changed.

        After a load that failed it is tried at each look: what was wrong may have
        been another file.
        """
        while self._source.look_seconds is not None:
            await clock.sleep_until(clock.monotonic() + self._source.look_seconds)
            has_failed = self._error != ""
            if has_failed or await asyncio.to_thread(self._source.has_changed):
                await queue.ask(FILE)


def _words(triggers: frozenset[str]) -> str:
    return ", ".join(sorted(triggers))


def _tell(changed: Differences, trigger: str) -> None:
    if not changed.keys:
        _log.info("configuration reloaded: it is the same", trigger=trigger)
        return
    _log.info("configuration reloaded", trigger=trigger, changed=" ".join(changed.keys))
    for system in changed.systems_removed:
        _log.info("system removed", system=system)
    for system in changed.systems_added:
        _log.info("system added", system=system)
    for system, url in changed.endpoints_removed:
        _log.info("endpoint removed", system=system, endpoint=url)
    for system, url in changed.endpoints_added:
        _log.info("endpoint added", system=system, endpoint=url)
