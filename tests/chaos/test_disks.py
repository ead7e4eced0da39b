"""The daemon as a process, while what it knows cannot be written."""

from __future__ import annotations

import asyncio
import json
import re
import resource
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.chaos.disks import PROGRAMS, Disk, a_disk
from tests.chaos.pages import BACKED, FLAGS, RAISED, until
from tests.support.daemon import Daemon
from tests.support.programs import require_program
from tests.support.topology import a_single, running

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

FAILED = r"^nats_idle_exporter_state_save_errors_total [1-9]"
NOT_FAILED = r"^nats_idle_exporter_state_save_errors_total 0"
SAVED = r"^nats_idle_exporter_state_last_save_timestamp_seconds [1-9]"
TOLD, TOLD_AGAIN = 'msg="state not saved"', 'msg="state saved again"'


@pytest.fixture
async def endpoint() -> AsyncIterator[str]:
    """The URL of a server with one account, which is never used."""
    server = a_single("TEAM")
    async with running(server):
        yield server.monitoring_url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for a disk."""
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


@pytest.fixture
def mounted(folder: Path) -> Iterator[Callable[[str], Disk]]:
    """How to mount a disk there."""
    for program in PROGRAMS:
        require_program(program)
    with ExitStack() as stack:

        def mount(options: str) -> Disk:
            try:
                return stack.enter_context(a_disk(folder, options))
            except PermissionError as error:
                pytest.skip(f"no disk can be mounted: {error}")

        yield mount


def flags(endpoint: str, folder: Path) -> list[str]:
    """Return flags with a state file in the folder."""
    config = folder.parent / "config.yaml"
    state = {"path": str(folder / "state.sqlite")}
    told = {"systems": [{"endpoints": [endpoint]}], "state": state}
    config.write_text(json.dumps(told))
    return [*FLAGS, f"--config.file={config}"]


def log_of(daemon: Daemon) -> str:
    """End a daemon in order, and return its log."""
    assert daemon.end(signal.SIGTERM) == 0
    return "".join(daemon.lines)


async def test_a_full_disk(
    endpoint: str, folder: Path, mounted: Callable[[str], Disk]
) -> None:
    """Verdicts stand while the disk is full, and what waited is saved in the end.

    A kill while it is full loses only what came since.
    """
    disk = mounted("size=16m")
    given = flags(endpoint, folder)
    with Daemon(*given, within=disk.within) as daemon:
        await until(BACKED, daemon.page)
        await until(SAVED, daemon.page)
        disk.fill()
        full = await until(FAILED, daemon.page)
        health, _ = daemon.fetch("/-/healthy")
        disk.free()
        await until(RAISED, daemon.page)
        daemon.wait_for(TOLD_AGAIN)
        log = "".join(daemon.lines)
        disk.fill()
        daemon.wait_for(TOLD)
        daemon.end(signal.SIGKILL)
    disk.free()
    with Daemon(*given, within=disk.within) as second:
        back = await until(RAISED, second.page)
        log_after = log_of(second)

    assert re.search(BACKED, full, re.MULTILINE)
    assert health == 200
    # Told once, however many saves failed.
    assert log.count(TOLD) == 1
    assert 'msg="state loaded"' in log_after
    assert re.search(NOT_FAILED, back, re.MULTILINE)


async def test_a_disk_that_cannot_be_written(
    endpoint: str, folder: Path, mounted: Callable[[str], Disk]
) -> None:
    """A daemon starts without its state, and saves once that can be done."""
    disk = mounted("size=16m,ro")
    with Daemon(*flags(endpoint, folder), within=disk.within) as daemon:
        stuck = await until(FAILED, daemon.page)
        await until(BACKED, daemon.page)
        disk.remount("rw")
        await until(SAVED, daemon.page)
        log = log_of(daemon)

    assert not re.search(SAVED, stuck, re.MULTILINE)
    assert "Read-only file system" in log
    assert TOLD_AGAIN in log


async def test_files_that_may_not_grow(endpoint: str, folder: Path) -> None:
    """A limit on the size of files is a full disk to the state, and kills nothing."""
    with Daemon(*flags(endpoint, folder)) as daemon:
        await until(SAVED, daemon.page)
        _, hard = resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (0, hard))
        await until(FAILED, daemon.page)
        await until(BACKED, daemon.page)
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (hard, hard))
        await asyncio.to_thread(daemon.wait_for, TOLD_AGAIN)
        log = log_of(daemon)

    assert log.count(TOLD) == 1
