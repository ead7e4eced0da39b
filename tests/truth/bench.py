"""The bench: play scenes, ask both judges, compare with the truth."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from nats_idle_exporter.monitoring.clock import Clock, SystemClock
from tests.support.clock import FakeClock
from tests.truth.exporter import Exporter, Heart, true_heart
from tests.truth.judging import Said, Verdict, judge
from tests.truth.life import Life
from tests.truth.plain import Prometheus, running_prometheus
from tests.truth.scene import REAL_INTERVAL, Moment, Scene, Setting, said_of

RAISED = Said("inactive", is_raised=True)
SILENT = Said("-", is_raised=False)


class Play(NamedTuple):
    """One script: it builds its servers and lets things happen to them.

    ``is_real`` says that it needs time that passes by itself, for its servers' own
    stamps and ours have to agree; all others let time pass between cycles only.
    """

    name: str
    act: Callable[[Bench, str], Awaitable[None]]
    versions: Sequence[str]
    is_real: bool = False


class Judged(NamedTuple):
    """One case with both answers, and what they are worth."""

    scene: Scene
    life: Life
    ours: Sequence[Said | None]
    plain: Sequence[Said | None]
    our_worth: Verdict
    plain_worth: Verdict


class Bench:
    """Keeps the scenes that were played.

    Args:
        folder: for state files, and what Prometheus reads.
        heart: wraps the exporters' ledgers.
    """

    def __init__(
        self,
        folder: Path,
        heart: Heart = true_heart,
    ) -> None:
        self.scenes: list[Scene] = []
        self._folder = folder
        self._heart = heart

    @asynccontextmanager
    async def scene(
        self, name: str, version: str, setting: Setting, *, is_real: bool = False
    ) -> AsyncIterator[Scene]:
        """Make a scene, and keep it once its block is over; no cycle has run yet."""
        clock: Clock = SystemClock() if is_real else FakeClock(wall=time.time() // 1)
        if is_real:
            setting = replace(setting, interval=REAL_INTERVAL)
        full_name = f"{name}-{version}"
        state = self._folder / f"{full_name}.sqlite"
        exporter = Exporter(setting.parsed(), state, clock, self._heart)
        scene = Scene(full_name, version, setting, exporter, clock)
        try:
            yield scene
        finally:
            await exporter.stop()
        self.scenes.append(scene)

    async def judged(self) -> list[Judged]:
        """Return all cases, with the plain query's answers from Prometheus."""
        samples = [(scene.name, scene.exporter.samples) for scene in self.scenes]
        found = list[Judged]()
        async with running_prometheus(self._folder, samples) as prometheus:
            for scene in self.scenes:
                found += [case async for case in self._cases(scene, prometheus)]
        return found

    async def _cases(
        self, scene: Scene, prometheus: Prometheus
    ) -> AsyncIterator[Judged]:
        told = await _plain_answers(scene, prometheus)
        at = [moment.at for moment in scene.moments]
        for account, life in scene.lives.items():
            ours = [said_of(account, moment) for moment in scene.moments]
            plain = [
                _plain_answer(scene, life, moment, told) for moment in scene.moments
            ]
            yield Judged(
                scene, life, ours, plain, judge(life, at, ours), judge(life, at, plain)
            )


Told = dict[tuple[float, float], frozenset[str]]
"""What the plain query told, by threshold and moment."""


async def _plain_answers(scene: Scene, prometheus: Prometheus) -> Told:
    thresholds = {life.threshold_seconds for life in scene.lives.values()}
    return {
        (threshold, moment.at): await prometheus.inactive(
            scene.name, threshold, moment.wall_at
        )
        for threshold in thresholds
        for moment in scene.moments
    }


def _plain_answer(scene: Scene, life: Life, moment: Moment, told: Told) -> Said | None:
    """Return what the plain query tells; None while nobody would believe it yet."""
    age = moment.at - scene.moments[0].at
    if age < life.threshold_seconds and not scene.setting.is_just_begun:
        return None
    is_told = life.account in told[life.threshold_seconds, moment.at]
    return RAISED if is_told else SILENT


async def play(
    bench: Bench, plays: Iterable[Play], progress: Callable[[str], Any]
) -> None:
    """Play scripts on every version each is for.

    Those in real time mostly wait: they are played beside all others, which are
    played one after another.
    """

    async def one(each: Play, version: str) -> None:
        start = time.monotonic()
        await each.act(bench, version)
        progress(f"{time.monotonic() - start:4.0f} s  {each.name} on {version}")

    async with asyncio.TaskGroup() as group:
        pairs = [(each, version) for each in plays for version in each.versions]
        for each, version in pairs:
            if each.is_real:
                group.create_task(one(each, version))
        for each, version in pairs:
            if not each.is_real:
                await one(each, version)
    order = [f"{each.name}-{version}" for each, version in pairs]
    bench.scenes.sort(key=lambda scene: order.index(scene.name))
