"""Run the demonstration: cluster, traffic, exporter, play, and an orderly end."""

from __future__ import annotations

import asyncio
import secrets
import signal
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import aiohttp

from nats_idle_exporter.demo import traffic
from nats_idle_exporter.demo.cast import FORGOTTEN
from nats_idle_exporter.demo.cluster import Cluster, running_cluster
from nats_idle_exporter.demo.exporter import Exporter, running_exporter
from nats_idle_exporter.demo.scenario import Act, Deed, Play
from nats_idle_exporter.errors import StartError

if TYPE_CHECKING:
    from nats_idle_exporter.demo.screen import Screen

_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOOK_SECONDS = 0.5
_ANSWER_SECONDS = 5
_HANGING_NODE = 1


class Settings(NamedTuple):
    """How to run; a `duration_seconds` of None means until a signal comes."""

    duration_seconds: float | None
    listen_address: str
    threshold_seconds: float


async def perform(settings: Settings, screen: Screen) -> None:
    """Run until the time is over or SIGINT, SIGTERM or SIGHUP comes.

    Whatever happens, no process and no file is left behind.

    Raises:
        StartError: something could not start, or ended before its time.
    """
    deadline = asyncio.timeout(settings.duration_seconds)
    try:
        async with deadline:
            _end_by_signals(deadline)
            async with AsyncExitStack() as stack:
                stack.enter_context(screen.opened())
                await _play(await _set_up(stack, settings, screen))
    except TimeoutError:
        if not deadline.expired():
            raise


class _Stage(NamedTuple):
    cluster: Cluster
    exporter: Exporter
    screen: Screen
    threshold_seconds: float
    started: float

    def say(self, words: str) -> None:
        text = words.format(
            account=FORGOTTEN, threshold=self.threshold_seconds, url=self.exporter.url
        )
        self.screen.say(time.monotonic() - self.started, text)

    async def do(self, act: Act) -> None:
        match act.deed:
            case Deed.HANG:
                self.cluster.children[_HANGING_NODE].pause()
            case Deed.RESUME:
                self.cluster.children[_HANGING_NODE].resume()
            case Deed.USE:
                await traffic.use_once(self.cluster, FORGOTTEN)
            case Deed.NOTHING:
                pass
        self.say(act.says)


def _end_by_signals(deadline: asyncio.Timeout) -> None:
    """Let a signal end the demonstration as the end of its time does."""
    loop = asyncio.get_running_loop()

    def end() -> None:
        if not deadline.expired():
            deadline.reschedule(loop.time())

    for number in _ENDING_SIGNALS:
        loop.add_signal_handler(number, end)


async def _set_up(stack: AsyncExitStack, settings: Settings, screen: Screen) -> _Stage:
    started = time.monotonic()
    screen.say(
        0,
        "nats-idle-exporter tells which NATS accounts nobody uses, and proves it. "
        "Three real nats-servers start on this machine, then the exporter. What "
        f"takes 24 h elsewhere takes {settings.threshold_seconds:.0f} s here.",
    )
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nats-idle-")))
    answer_time = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
    session = await stack.enter_async_context(
        aiohttp.ClientSession(timeout=answer_time)
    )
    cluster = await stack.enter_async_context(
        running_cluster(folder, secrets.token_hex(), session)
    )
    await traffic.fill_stream(cluster)
    exporter = await stack.enter_async_context(
        running_exporter(
            folder,
            cluster,
            session,
            listen_address=settings.listen_address,
            threshold_seconds=settings.threshold_seconds,
        )
    )
    return _Stage(cluster, exporter, screen, settings.threshold_seconds, started)


async def _play(stage: _Stage) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for part in (traffic.busy, traffic.fading, traffic.batch):
                group.create_task(part(stage.cluster))
            group.create_task(_watch(stage))
    except ExceptionGroup as errors:
        raise what_to_tell(errors) from errors


def what_to_tell(errors: ExceptionGroup[Exception]) -> Exception:
    """Return the first error when all of them were foreseen, else the whole group."""
    _, unforeseen = errors.split(StartError)
    return errors.exceptions[0] if unforeseen is None else errors


async def _watch(stage: _Stage) -> None:
    play = Play(stage.threshold_seconds)
    while True:
        stage.cluster.check()
        board = await stage.exporter.read()
        if board is not None:
            now = time.monotonic()
            stage.screen.show(now - stage.started, board)
            act = play.next_act(board, now)
            if act is not None:
                await stage.do(act)
        await asyncio.sleep(_LOOK_SECONDS)
