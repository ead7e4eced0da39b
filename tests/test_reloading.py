"""The queue of reloads, and what each of them does and leaves alone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog.testing

from nats_idle_exporter import reloading
from nats_idle_exporter.config import Overrides
from nats_idle_exporter.configsource import ConfigSource
from nats_idle_exporter.reloading import FILE, REQUEST, SIGNAL, Reloader, ReloadQueue
from nats_idle_exporter.setup import Setup, prepare
from nats_idle_exporter.supervision import ServiceManager
from tests.support.clock import FakeClock

GOOD = "systems: [{endpoints: ['http://a']}]\n"
BOTH = frozenset({REQUEST, SIGNAL})


class Loads:
    """Loads that end when a test lets them, with what it wants them to say."""

    def __init__(self) -> None:
        self.asked_by: list[frozenset[str]] = []
        self.begun = asyncio.Semaphore(0)
        self.lets: asyncio.Queue[str] = asyncio.Queue()

    async def load(self, triggers: frozenset[str]) -> str:
        """Note who asked, and wait."""
        self.asked_by.append(triggers)
        self.begun.release()
        return await self.lets.get()


@asynccontextmanager
async def served(queue: ReloadQueue, loads: Loads) -> AsyncIterator[None]:
    """Serve a queue."""
    serving = asyncio.create_task(queue.run(loads.load))
    yield
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


class TestQueue:
    """One load at a time."""

    async def test_a_burst_is_one_load(self) -> None:
        """All who asked before it began share its answer."""
        queue, loads = ReloadQueue(), Loads()
        answers = [queue.ask(trigger) for trigger in (SIGNAL, REQUEST, SIGNAL)]
        async with served(queue, loads):
            loads.lets.put_nowait("no")

            assert await asyncio.gather(*answers) == ["no"] * 3
        assert loads.asked_by == [BOTH]

    async def test_who_asks_meanwhile_gets_another(self) -> None:
        """What a running load has read may be older than what they want loaded."""
        queue, loads = ReloadQueue(), Loads()
        async with served(queue, loads):
            first = queue.ask(SIGNAL)
            await loads.begun.acquire()
            others = [queue.ask(REQUEST), queue.ask(FILE)]
            loads.lets.put_nowait("first")
            await loads.begun.acquire()
            assert await first == "first"
            assert not any(other.done() for other in others)
            loads.lets.put_nowait("")

            assert await asyncio.gather(*others) == ["", ""]
        assert loads.asked_by == [{SIGNAL}, {REQUEST, FILE}]

    async def test_who_goes_away_disturbs_nobody(self) -> None:
        """A client that hangs up leaves the others their answer."""
        queue, loads = ReloadQueue(), Loads()
        async with served(queue, loads):
            gone, other = queue.ask(REQUEST), queue.ask(REQUEST)
            await loads.begun.acquire()
            gone.cancel()
            loads.lets.put_nowait("")

            assert await other == ""

    async def test_the_end_answers_everybody(self) -> None:
        """Whoever still waits when the exporter stops is told so."""
        queue, loads = ReloadQueue(), Loads()
        async with served(queue, loads):
            running = queue.ask(REQUEST)
            await loads.begun.acquire()
            waiting = queue.ask(REQUEST)

        assert await running == await waiting == "the exporter is stopping"

    async def test_after_the_end_everybody_is_answered_at_once(self) -> None:
        """A request that comes while the state is saved a last time does not hang."""
        queue = ReloadQueue()
        async with served(queue, Loads()):
            await asyncio.sleep(0)

        assert queue.ask(REQUEST).done()


class World:
    """A reloader of a file, with nothing that runs behind it."""

    def __init__(self, folder: Path, overrides: Overrides | None = None) -> None:
        self.file = folder / "config.yaml"
        self.file.write_text(GOOD)
        self.source = ConfigSource(
            path=self.file, overrides=overrides or Overrides(), look_seconds=30.0
        )
        self.applied: list[Setup] = []
        self.refusals = 0
        self.reloader = Reloader(
            self.source,
            prepare(self.source.load(), {}),
            self._apply,
            self._refuse,
            ServiceManager({}),
        )

    async def _apply(self, setup: Setup) -> None:
        self.applied.append(setup)

    def _refuse(self) -> None:
        self.refusals += 1

    async def load(self, text: str, *triggers: str) -> str:
        """Load a text."""
        self.file.write_text(text)
        return await self.reloader.load(frozenset(triggers or {SIGNAL}))


class TestReloader:
    """One load."""

    async def test_good_one_is_applied(self, tmp_path: Path) -> None:
        """The log says who asked and what changed."""
        world = World(tmp_path)
        text = GOOD.replace("'http://a'", "'http://b'") + "exclude: [X]\n"
        with structlog.testing.capture_logs() as logs:
            assert await world.load(text, SIGNAL, REQUEST) == ""

        (setup,) = world.applied
        assert setup.config.exclude == ("X",)
        endpoint = {"system": "default", "log_level": "info"}
        assert logs == [
            {
                "event": "configuration reloaded",
                "trigger": "/-/reload, SIGHUP",
                "changed": "$.systems[0].endpoints[0] $.exclude",
                "log_level": "info",
            },
            {"event": "endpoint removed", "endpoint": "http://a", **endpoint},
            {"event": "endpoint added", "endpoint": "http://b", **endpoint},
        ]

    async def test_systems_are_told(self, tmp_path: Path) -> None:
        """Those that came and those that went, each by a line."""
        world = World(tmp_path)
        with structlog.testing.capture_logs() as logs:
            await world.load("systems: [{name: other, endpoints: ['http://a']}]")

        assert [(log["event"], log["system"]) for log in logs[1:3]] == [
            ("system removed", "default"),
            ("system added", "other"),
        ]

    async def test_the_same_is_applied_too(self, tmp_path: Path) -> None:
        """Secrets in files may have changed; the log says that the rest did not."""
        world, text = World(tmp_path), GOOD + "exclude: [X]\n"
        await world.load(text)
        with structlog.testing.capture_logs() as logs:
            assert await world.load(text) == ""

        assert len(world.applied) == 2
        assert [log["event"] for log in logs] == [
            "configuration reloaded: it is the same"
        ]

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            (
                "systems: []\n",
                "$.systems: expected a list with at least 1 entry, found",
            ),
            (GOOD + "systems: 1\n", "$.systems: expected each key once"),
            (GOOD + "state: {path: s}\n", "$.state.path: expected no change without"),
            (
                (
                    "systems: [{endpoints: ['http://a'], http_client: {authorization:"
                    " {credentials_file: nowhere}}}]\n"
                ),
                (
                    "$.systems[0].http_client.authorization.credentials_file:"
                    " expected a readable file"
                ),
            ),
        ],
    )
    async def test_bad_one_changes_nothing(
        self, tmp_path: Path, text: str, why: str
    ) -> None:
        """It is told where, what was expected and what was found; then it can do."""
        world = World(tmp_path)
        with structlog.testing.capture_logs() as logs:
            error = await world.load(text)
        changed = ([*world.applied], world.refusals)
        repaired = await world.load(GOOD)

        assert error.startswith(f"{world.file}: {why}")
        assert changed == ([], 1)
        assert [(log["log_level"], log["error"]) for log in logs] == [("error", error)]
        assert (repaired, world.refusals) == ("", 1)

    async def test_missing_file(self, tmp_path: Path) -> None:
        """A file that is away for a moment ends nothing."""
        world = World(tmp_path)
        world.file.unlink()
        error = await world.reloader.load(frozenset({SIGNAL}))

        assert "expected a readable file" in error
        assert world.refusals == 1

    async def test_flags_outrank_the_file_again(self, tmp_path: Path) -> None:
        """What was given by a flag at start stays; a contradiction is refused."""
        world = World(tmp_path, Overrides(threshold="2h"))
        await world.load(GOOD + "inactivity: {threshold: 5h}\n")
        other = World(tmp_path)
        other.source.overrides = Overrides(endpoints=("http://b",))
        error = await other.load(GOOD)

        assert world.applied[0].config.inactivity.threshold_seconds == 7200
        assert "--nats.endpoint cannot be given with systems in a file" in error

    async def test_a_flaw_of_ours_does_not_end_the_watch(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is logged with where it happened, and the last good one stays."""

        def prepare(*_: object) -> Setup:
            raise ZeroDivisionError

        world = World(tmp_path)
        monkeypatch.setattr(reloading, "prepare", prepare)
        with structlog.testing.capture_logs() as logs:
            error = await world.load(GOOD)

        assert error == f"{world.file}: ZeroDivisionError"
        assert world.refusals == 1
        assert logs[0]["exc_info"]

    async def test_the_same_mistake_in_the_file_is_told_once(
        self, tmp_path: Path
    ) -> None:
        """Looks at the file try it again and again; who asks is always told."""
        world = World(tmp_path)
        with structlog.testing.capture_logs() as logs:
            for triggers in ([FILE], [FILE], [SIGNAL], [FILE, SIGNAL], [FILE]):
                await world.load("systems: []\n", *triggers)
            await world.load("systems: 1\n", FILE)

        triggers_told = [log["trigger"] for log in logs]
        assert triggers_told == [FILE, SIGNAL, f"{SIGNAL}, {FILE}", FILE]


class TestFollowing:
    """Looks at the file."""

    async def test_a_change_is_loaded(self, tmp_path: Path) -> None:
        """A file that stays as it is is looked at, and not loaded."""
        world, queue, clock = World(tmp_path), ReloadQueue(), FakeClock()
        start = clock.monotonic()
        following = asyncio.create_task(world.reloader.follow_file(queue, clock))
        serving = asyncio.create_task(queue.run(world.reloader.load))
        while len(clock.sleeps) < 3:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)
        before = len(world.applied)
        world.file.write_text(GOOD + "exclude: [X]\n")
        while not world.applied:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
        following.cancel()
        serving.cancel()
        await asyncio.gather(following, serving, return_exceptions=True)

        assert before == 0
        assert clock.sleeps[:3] == [start + 30, start + 60, start + 90]
        assert world.applied[0].config.exclude == ("X",)

    async def test_a_failed_load_is_tried_again(self, tmp_path: Path) -> None:
        """What was missing may be another file, which comes later."""
        world, queue, clock = World(tmp_path), ReloadQueue(), FakeClock()
        error = await world.load(
            "systems: [{endpoints: ['http://a'], http_client: {authorization:"
            " {credentials_file: token}}}]\n"
        )
        (tmp_path / "token").write_text("x")
        following = asyncio.create_task(world.reloader.follow_file(queue, clock))
        serving = asyncio.create_task(queue.run(world.reloader.load))
        while not world.applied:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)
        following.cancel()
        serving.cancel()
        await asyncio.gather(following, serving, return_exceptions=True)

        assert "token" not in error
        assert len(world.applied) == 1

    async def test_nobody_looks_without_the_flag(self, tmp_path: Path) -> None:
        """Then it ends at once."""
        world, clock = World(tmp_path), FakeClock()
        world.source.look_seconds = None
        await world.reloader.follow_file(ReloadQueue(), clock)

        assert clock.sleeps == []


def test_source_without_a_file() -> None:
    """Flags alone say the same each time, and never change."""
    source = ConfigSource(overrides=Overrides(endpoints=("http://a",)))

    assert source.load() == source.load()
    assert not source.has_changed()
    assert source.name == "command line"
