"""The keeper: nothing about the file stops the watching, but for two refusals."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from nats_idle_exporter.activity import Changes
from nats_idle_exporter.errors import StartError
from nats_idle_exporter.snapshot import StateStatus
from nats_idle_exporter.state import Batch, Keeper, Store
from nats_idle_exporter.state.files import set_aside
from tests.state.damage import DAMAGES, fill, foreign, garbage, run

NOW = 1_800_000_000.0
ASIDE = "state.sqlite.broken-20270115T080000Z"


def a_keeper(path: Path) -> Keeper:
    """Return a keeper of one system whose clock stands."""
    return Keeper(path, ["default"], 100.0, lambda: NOW)


def a_batch(key: str) -> Batch:
    """Return a batch of one row."""
    batch = Batch()
    batch.add("default", Changes([("account", key, b"value")], []))
    return batch


@asynccontextmanager
async def saving(keeper: Keeper) -> AsyncIterator[None]:
    """Run a keeper, and close it in the end as the daemon does."""
    async with asyncio.TaskGroup() as group:
        group.create_task(keeper.run())
        yield
        keeper.close()
    await keeper.let_go()


async def until(holds: Callable[[], bool]) -> None:
    """Wait until a keeper has done what a test waits for."""
    async with asyncio.timeout(10):
        # The keeper tells nobody when a save is over: only tests would listen.
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0)


def size_of(path: Path) -> int:
    """Return the size of a file that must exist."""
    return path.stat().st_size


def content(path: Path) -> bytes:
    """Return all that a file holds."""
    return path.read_bytes()


def write(path: Path, body: bytes) -> None:
    """Make a file."""
    path.write_bytes(body)


def make_directory(path: Path) -> None:
    """Make the directory that a file belongs in."""
    path.parent.mkdir()


def refuse(path: Path, target: Path) -> None:
    """Rename nothing, as a read-only directory does."""
    raise PermissionError(13, "Permission denied", str(path), None, str(target))


def has_more_errors(keeper: Keeper, errors: int) -> bool:
    """Say whether a save failed since there were so many errors."""
    return keeper.status.errors > errors


def keys(path: Path) -> list[str]:
    """Return the keys of the rows in a file."""
    with closing(Store(path)) as store:
        return [key for _, key, _ in store.rows().get("default", [])]


async def test_saves_what_is_offered(path: Path) -> None:
    """Each batch is saved, and the next process finds it."""
    keeper = a_keeper(path)
    before = keeper.status
    loaded = await keeper.load()
    async with saving(keeper):
        keeper.offer(a_batch("A"))
        await until(lambda: keeper.status.last_save_at > 0)

    assert loaded.rows == {}
    assert before == StateStatus(0.0, 0)
    assert keeper.status == StateStatus(NOW, 0)
    assert keys(path) == ["A"]


async def test_saves_a_last_time_when_it_ends(path: Path) -> None:
    """What was offered in the last moment is not lost."""
    keeper = a_keeper(path)
    await keeper.load()
    async with saving(keeper):
        keeper.offer(a_batch("A"))

    assert keys(path) == ["A"]


async def test_keeps_what_cannot_be_written(path: Path) -> None:
    """A save that fails is counted and told once; the next good one has all of it."""
    keeper = a_keeper(path)
    await keeper.load()
    assert keeper._store is not None
    connection = keeper._store._connection
    with capture_logs() as logs:
        async with saving(keeper):
            connection.execute("PRAGMA query_only=1")
            for key in "ABC":
                errors = keeper.status.errors
                keeper.offer(a_batch(key))
                await until(partial(has_more_errors, keeper, errors))
            connection.execute("PRAGMA query_only=0")
            keeper.offer(a_batch("D"))
            await until(lambda: keeper.status.last_save_at > 0)

    assert keeper.status == StateStatus(NOW, 3)
    assert keys(path) == ["A", "B", "C", "D"]
    events = [(entry["event"], entry["log_level"]) for entry in logs]
    assert events == [("state not saved", "error"), ("state saved again", "info")]


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_broken_file_is_set_aside(
    path: Path, damage: Callable[[Path], None]
) -> None:
    """A broken file gets another name and stays whole; a new one is begun."""
    damage(path)
    size = size_of(path)
    keeper = a_keeper(path)
    with capture_logs() as logs:
        loaded = await keeper.load()
    async with saving(keeper):
        keeper.offer(a_batch("A"))

    assert loaded.rows == {}
    assert keys(path) == ["A"]
    assert size_of(path.with_name(ASIDE)) == size
    (entry,) = logs
    assert entry["event"] == "state is broken: set aside, and begun anew"
    assert entry["log_level"] == "error"
    assert entry["aside"] == str(path.with_name(ASIDE))


def test_companions_go_with_a_file(path: Path) -> None:
    """What SQLite keeps beside a file is set aside with it, by the same name."""
    garbage(path)
    path.with_name("state.sqlite-wal").write_bytes(b"log")
    aside = set_aside(path, NOW)

    assert aside == path.with_name(ASIDE)
    assert path.with_name(f"{ASIDE}-wal").read_bytes() == b"log"
    assert list(path.parent.glob("state.sqlite")) == []


async def test_no_broken_file_is_overwritten(path: Path) -> None:
    """A second broken file within a second gets yet another name."""
    for body in (b"one" * 500, b"two" * 500):
        write(path, body)
        keeper = a_keeper(path)
        await keeper.load()
        await keeper.let_go()

    assert content(path.with_name(ASIDE)) == b"one" * 500
    assert content(path.with_name(f"{ASIDE}-1")) == b"two" * 500


async def test_rejected_file_is_set_aside(path: Path) -> None:
    """Rows that make no sense to those who wrote them are a broken file too."""
    fill(path, count=1)
    keeper = a_keeper(path)
    loaded = await keeper.load()
    await keeper.reject("a row makes no sense")
    async with saving(keeper):
        keeper.offer(a_batch("A"))

    assert [key for _, key, _ in loaded.rows["default"]] == ["A0"]
    assert keys(path) == ["A"]
    assert keys(path.with_name(ASIDE)) == ["A0"]


async def test_rejected_file_that_cannot_be_renamed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it is not added to either: nothing is saved, which is counted."""
    fill(path, count=1)
    keeper = a_keeper(path)
    await keeper.load()
    monkeypatch.setattr(Path, "rename", refuse)
    await keeper.reject("a row makes no sense")
    async with saving(keeper):
        keeper.offer(a_batch("A"))

    assert keeper.status.errors > 1
    assert keys(path) == ["A0"]


async def test_newer_file_ends_the_start(path: Path) -> None:
    """A file of a later version is not touched; the start says both versions."""
    fill(path)
    run(path, "PRAGMA user_version=7")
    keeper = a_keeper(path)

    with pytest.raises(
        StartError, match=r"state\.sqlite: its version is 7, .* up to 1"
    ):
        await keeper.load()
    await keeper.let_go()


async def test_starts_where_nothing_can_be_written(tmp_path: Path) -> None:
    """A missing directory is counted and told; once it is there all is saved."""
    path = tmp_path / "missing" / "state.sqlite"
    keeper = a_keeper(path)
    with capture_logs() as logs:
        loaded = await keeper.load()
        async with saving(keeper):
            keeper.offer(a_batch("A"))
            await until(lambda: keeper.status.errors == 2)
            make_directory(path)
            keeper.offer(a_batch("B"))

    assert loaded.rows == {}
    assert keeper.status == StateStatus(NOW, 2)
    assert keys(path) == ["A", "B"]
    assert [entry["event"] for entry in logs] == [
        "state not saved",
        "state saved again",
    ]
    assert logs[0]["reason"] == "No such file or directory"


@pytest.mark.parametrize("found", [fill, foreign])
async def test_late_file_is_not_mixed_in(
    tmp_path: Path, found: Callable[[Path], None]
) -> None:
    """A file that turns up later was not loaded: it is set aside, not added to."""
    path = tmp_path / "missing" / "state.sqlite"
    keeper = a_keeper(path)
    await keeper.load()
    make_directory(path)
    found(path)
    async with saving(keeper):
        keeper.offer(a_batch("A"))

    assert keys(path) == ["A"]
    assert size_of(path.with_name(ASIDE)) > 0


async def test_broken_file_that_cannot_be_renamed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nothing is saved, which is counted, and the file stays as it is."""
    garbage(path)
    before = content(path)
    monkeypatch.setattr(Path, "rename", refuse)
    keeper = a_keeper(path)
    await keeper.load()
    await keeper.let_go()

    assert keeper.status.errors == 1
    assert content(path) == before


async def test_old_systems_are_dropped_while_saving(path: Path) -> None:
    """What is kept of a system that was long not configured goes with a save."""
    fill(path, count=1)
    run(path, "UPDATE systems SET name = 'old'", "UPDATE rows SET system = 'old'")
    keeper = a_keeper(path)
    await keeper.load()
    async with saving(keeper):
        keeper.offer(a_batch("A"))

    with closing(sqlite3.connect(path)) as connection:
        systems = connection.execute("SELECT DISTINCT system FROM rows").fetchall()
    assert systems == [("default",)]
