"""From the state file to ledgers and back, with everything but the servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from nats_idle_exporter.activity import SystemView, Verdict
from nats_idle_exporter.config import Config, parse_config
from nats_idle_exporter.monitoring.client import MonitoringClient
from nats_idle_exporter.monitoring.fetch import new_session
from nats_idle_exporter.remembering import Remembering, opened
from nats_idle_exporter.removal.registry import Registry
from nats_idle_exporter.removal.sights import Doors
from nats_idle_exporter.setup import Setup, prepare, state_path
from nats_idle_exporter.snapshot import Snapshot
from nats_idle_exporter.state import Store
from tests.activity.builders import HOUR, A, B, Process
from tests.state.damage import run
from tests.support.clock import FakeClock

ENDPOINT = f"systems: [{{endpoints: ['{A}']}}]\n"
NORTH = f"{{name: north, endpoints: ['{A}']}}"
SOUTH = f"{{name: south, endpoints: ['{B}']}}"


def a_setup(
    path: Path | None, systems: str = ENDPOINT, forget_after: str = "30d"
) -> Setup:
    """Return what follows from a configuration whose state is at a path."""
    rules = f"inactivity: {{threshold: 1h, forget_after: {forget_after}}}\n"
    setup = prepare(parse_config(systems + rules), {})
    return replace(setup, state_path=path)


@asynccontextmanager
async def remembering(
    path: Path | None, clock: FakeClock, systems: str = ENDPOINT
) -> AsyncIterator[Remembering]:
    """Open a state file as the daemon does; it is saved and closed in the end."""
    setup = a_setup(path, systems)
    async with new_session() as session, opened(setup, clock) as keeper:
        make_client = partial(
            MonitoringClient, session, clock, timeout_seconds=1.0, max_body_bytes=1000
        )
        made = Remembering(setup, make_client, clock, keeper)
        await made.recall()
        async with asyncio.TaskGroup() as group:
            if keeper is not None:
                group.create_task(keeper.run())
            yield made
            if keeper is not None:
                keeper.close()


async def rows_now(made: Remembering) -> dict[str, int]:
    """Return how many rows of each system are saved, once nothing waits."""
    keeper = made._keeper
    assert keeper is not None
    while keeper._waiting:  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(0)
    store = keeper._store
    assert store is not None
    rows = await keeper._in_thread(store.rows)
    return {system: len(found) for system, found in rows.items()}


async def concluded(remembering: Remembering, clock: FakeClock) -> SystemView:
    """End a cycle without readings; return what is known of the only system."""
    [system] = remembering.systems.values()
    return system.ledger.conclude(clock.now(), clock.shift_seconds)


async def keep(remembering: Remembering, clock: FakeClock) -> None:
    """Have saved what changed."""
    await remembering.keep(
        Snapshot(
            systems={},
            dossiers={},
            endpoints=(),
            cycle_duration_seconds=0.0,
            completed_at=clock.wall(),
        )
    )


async def cycle(
    remembering: Remembering, clock: FakeClock, server: Process | None = None
) -> Verdict:
    """Run a cycle of all systems and keep it; return the verdict on TEAM in one."""
    views, now = {}, clock.now()
    for name, system in remembering.systems.items():
        if server is not None and server.endpoint in system.endpoints:
            system.ledger.apply(server.reading(clock.wall()))
        views[name] = system.ledger.conclude(now, clock.shift_seconds)
    await remembering.keep(
        Snapshot(
            systems=views,
            dossiers={},
            endpoints=(),
            cycle_duration_seconds=0.0,
            completed_at=clock.wall(),
        )
    )
    accounts = (each for view in views.values() for each in view.accounts)
    return next(each.verdict for each in accounts)


def files(folder: Path) -> list[Path]:
    """Return what is in a folder."""
    return list(folder.iterdir())


async def raise_an_account(path: Path, clock: FakeClock) -> Process:
    """Leave the state of a watch that raised TEAM behind."""
    server = Process("SA", A, start=clock.wall() - 100)
    async with remembering(path, clock) as first:
        await cycle(first, clock, server)
        clock.advance(HOUR)
        assert await cycle(first, clock, server) is Verdict.INACTIVE
    return server


async def test_verdict_survives(tmp_path: Path) -> None:
    """What was raised before is raised after, and the log says what was loaded."""
    path, clock = tmp_path / "state.sqlite", FakeClock()
    await raise_an_account(path, clock)
    clock.advance(60)
    with capture_logs() as logs:
        async with remembering(path, FakeClock(clock.wall())) as second:
            verdict = await cycle(second, clock)

    assert verdict is Verdict.INACTIVE
    assert [entry["event"] for entry in logs] == ["state loaded"]
    with closing(Store(path)) as store:
        changes = store.verdict_changes("default", "TEAM")
    assert [change.after for change in changes] == ["unknown", "inactive"]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO rows VALUES ('default', 'account', 'X', x'c1')",
        "INSERT INTO rows VALUES ('', 'ring', 'X', x'c1')",
        "INSERT INTO rows VALUES ('default', 'life', 'X', x'c1')",
    ],
)
async def test_row_that_cannot_be_decoded(tmp_path: Path, statement: str) -> None:
    """One such row is a broken file: nothing of it is believed, and it is set aside."""
    path, clock = tmp_path / "state.sqlite", FakeClock()
    await raise_an_account(path, clock)
    run(path, statement)
    with capture_logs() as logs:
        async with remembering(path, clock) as second:
            known = second.known["default"].ledger.servers()

    assert known == set()
    assert [entry["event"] for entry in logs] == [
        "state is broken: set aside, and begun anew"
    ]
    assert len(files(tmp_path)) == 2


async def test_the_way_out_survives(tmp_path: Path) -> None:
    """Who was disabled is so since then, after a restart and after coming back."""
    path, clock = tmp_path / "state.sqlite", FakeClock()
    await raise_an_account(path, clock)
    doors, registry = Doors(frozenset({"TEAM"}), {"TEAM"}), Registry()
    async with remembering(path, clock) as first:
        lifecycle = first.known["default"].lifecycle
        accounts = (await concluded(first, clock)).accounts
        lifecycle.step(clock.wall(), accounts, doors, registry)
        before = dict(lifecycle.stages)
        await keep(first, clock)

    async with remembering(path, clock) as second:
        lifecycle = second.known["default"].lifecycle
        accounts = (await concluded(second, clock)).accounts
        events = lifecycle.step(clock.wall() + 60, accounts, doors, registry)

    assert before.keys() == {"TEAM"}
    assert lifecycle.stages == before
    assert events == []


async def test_memory_only(tmp_path: Path) -> None:
    """Without a file there is a warning, and no file."""
    clock = FakeClock()
    with capture_logs() as logs:
        async with remembering(None, clock) as made:
            await cycle(made, clock, Process("SA", A, start=clock.wall() - 100))

    assert [entry["log_level"] for entry in logs] == ["warning"]
    assert files(tmp_path) == []


def both(*systems: str) -> str:
    """Return a configuration of systems."""
    return f"systems: [{', '.join(systems)}]\n"


def saved_accounts(path: Path) -> dict[str, set[str]]:
    """Return the accounts that a closed state file knows, by system."""
    with closing(Store(path)) as store:
        return {
            system: {key for kind, key, _ in rows if kind == "account"}
            for system, rows in store.rows().items()
        }


class TestReload:
    """Systems that come and go while we run."""

    async def test_system_that_comes_back(self, tmp_path: Path) -> None:
        """It goes on where it was, and no use of the time between is missed."""
        path, clock = tmp_path / "state.sqlite", FakeClock()
        server = Process("SA", A, start=clock.wall() - 100)
        async with remembering(path, clock, both(NORTH)) as made:
            await cycle(made, clock, server)
            clock.advance(HOUR)
            raised = await cycle(made, clock, server)
            made.arrange(a_setup(path, both(SOUTH)))
            clock.advance(HOUR)
            gone = [*made.systems]
            made.arrange(a_setup(path, both(NORTH)))
            back = await cycle(made, clock)

        assert (raised, back) == (Verdict.INACTIVE, Verdict.INACTIVE)
        assert gone == ["south"]

    async def test_system_whose_rows_were_dropped_meanwhile(
        self, tmp_path: Path
    ) -> None:
        """The store is told all of it anew, so that a restart knows it whole."""
        path, clock = tmp_path / "state.sqlite", FakeClock()
        server = Process("SA", A, start=clock.wall() - 100)
        async with remembering(path, clock, both(NORTH)) as made:
            # As a poll would leave it behind.
            made.known["north"].client._met[A] = server.server_id
            await cycle(made, clock, server)
            clock.advance(HOUR)
            await cycle(made, clock, server)
            before = await rows_now(made)
            made.arrange(a_setup(path, both(SOUTH), forget_after="1h"))
            clock.advance(48 * HOUR)
            await cycle(made, clock, Process("SB", B, start=clock.wall() - 100))
            dropped = await rows_now(made)
            made.arrange(a_setup(path, both(NORTH)))
            await cycle(made, clock, server)
            after = await rows_now(made)
        async with remembering(path, clock, both(NORTH)) as made:
            verdict = await cycle(made, clock)

        assert "north" not in dropped
        assert before["north"] == after["north"]
        assert verdict is Verdict.INACTIVE

    async def test_system_of_an_earlier_process(self, tmp_path: Path) -> None:
        """One that was not configured at the start is known, if a reload brings it."""
        path, clock = tmp_path / "state.sqlite", FakeClock()
        server = Process("SA", A, start=clock.wall() - 100)
        async with remembering(path, clock, both(NORTH)) as made:
            await cycle(made, clock, server)
            clock.advance(HOUR)
            await cycle(made, clock, server)
        clock.advance(60)
        async with remembering(path, clock, both(SOUTH)) as made:
            clock.advance(60)
            made.arrange(a_setup(path, both(SOUTH, NORTH)))
            back = await cycle(made, clock, server)

        assert back is Verdict.INACTIVE
        assert saved_accounts(path)["north"] == {"TEAM"}

    async def test_system_that_goes_keeps_its_rows(self, tmp_path: Path) -> None:
        """They are dropped later, as those of one that was gone at a start."""
        path, clock = tmp_path / "state.sqlite", FakeClock()
        server = Process("SA", A, start=clock.wall() - 100)
        async with remembering(path, clock, both(NORTH)) as made:
            await cycle(made, clock, server)
            made.arrange(a_setup(path, both(SOUTH)))
            clock.advance(60)
            other = Process("SB", B, start=clock.wall() - 100)
            await cycle(made, clock, other)

        assert saved_accounts(path) == {"north": {"TEAM"}, "south": {"TEAM"}}

    async def test_two_systems_on_one_server(self, tmp_path: Path) -> None:
        """Each has a client of its own: what a ring told one is news to the other."""
        async with remembering(
            tmp_path / "state.sqlite", FakeClock(), both(NORTH, SOUTH)
        ) as made:
            north, south = made.systems.values()

        assert north.reader is not south.reader

    async def test_memory_only(self) -> None:
        """Without a file it is remembered, too."""
        clock = FakeClock()
        server = Process("SA", A, start=clock.wall() - 100)
        async with remembering(None, clock, both(NORTH)) as made:
            await cycle(made, clock, server)
            clock.advance(HOUR)
            await cycle(made, clock, server)
            made.arrange(a_setup(None, both(SOUTH)))
            made.arrange(a_setup(None, both(NORTH)))
            back = await cycle(made, clock)

        assert back is Verdict.INACTIVE


@pytest.mark.parametrize(
    ("text", "environment", "path"),
    [
        ("", {}, None),
        ("", {"STATE_DIRECTORY": ""}, None),
        ("", {"STATE_DIRECTORY": "/var/lib/a"}, Path("/var/lib/a/state.sqlite")),
        ("", {"STATE_DIRECTORY": "/a:/b"}, Path("/a/state.sqlite")),
        ("state: {path: /x/y}", {"STATE_DIRECTORY": "/a"}, Path("/x/y")),
    ],
)
def test_where_the_state_is(
    text: str, environment: dict[str, str], path: Path | None
) -> None:
    """The configuration outranks what systemd says; without both there is no file."""
    config: Config = parse_config(ENDPOINT + text)

    assert state_path(config, environment) == path
