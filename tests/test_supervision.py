"""What a service manager is told, over a real socket."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog.testing

from nats_idle_exporter.snapshot import Snapshot
from nats_idle_exporter.supervision import ServiceManager

NOTHING = Snapshot(
    systems={}, dossiers={}, endpoints=(), cycle_duration_seconds=0.1, completed_at=0.0
)
INTERVAL = 30.0


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """A service manager's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(0)
        yield listener


def environment(manager: socket.socket, **more: str) -> dict[str, str]:
    """Return what a service manager gives to those it starts."""
    return {"NOTIFY_SOCKET": manager.getsockname(), **more}


def test_tells_its_life(manager: socket.socket) -> None:
    """Ready, each cycle and the end are told, one message each."""
    told = ServiceManager(environment(manager))
    told.ready(INTERVAL)
    told.concluded(NOTHING)
    told.stopping()

    assert [manager.recv(4096) for _ in range(3)] == [
        b"READY=1",
        b"WATCHDOG=1\nSTATUS=0 of 0 endpoints up, 0 accounts",
        b"STOPPING=1",
    ]


def test_a_loop_that_hangs_is_told_and_logged_once() -> None:
    """Whoever asks is told each time, the log once, until a cycle ends."""
    moments = iter((0.0, 180.0, 181.0, 182.0, 182.0, 362.0, 363.0))
    told = ServiceManager({}, moments.__next__)
    told.ready(INTERVAL)
    with structlog.testing.capture_logs() as logs:
        answers = [told.trouble() for _ in range(3)]
        told.concluded(NOTHING)
        answers += [told.trouble() for _ in range(2)]

    silence = "no cycle of polls ended for {} s".format
    assert answers == ["", silence(181), silence(182), "", silence(181)]
    assert [log["event"] for log in logs] == [
        "poll loop hangs: a flaw of this program"
    ] * 2
    assert logs[0]["detail"] == silence(181)


def test_a_reload_is_told(manager: socket.socket) -> None:
    """It begins at a moment of the manager's clock, and ends with another READY."""
    told = ServiceManager(environment(manager))
    before = time.monotonic_ns() // 1000
    told.reloading()
    told.ready(INTERVAL)

    state, moment = manager.recv(4096).decode().splitlines()
    assert state == "RELOADING=1"
    assert before <= int(moment.removeprefix("MONOTONIC_USEC="))
    assert manager.recv(4096) == b"READY=1"


def test_a_reload_may_change_the_interval(manager: socket.socket) -> None:
    """The watchdog waits for four intervals, but never less than the unit says."""
    told = ServiceManager(environment(manager, WATCHDOG_USEC="180000000"))
    for interval in (30.0, 60.0, 60.0, 30.0):
        told.ready(interval)

    assert [manager.recv(4096) for _ in range(4)] == [
        b"READY=1",
        b"READY=1\nWATCHDOG_USEC=240000000",
        b"READY=1",
        b"READY=1\nWATCHDOG_USEC=180000000",
    ]


def test_an_abstract_address_is_reached() -> None:
    """A leading @ names a socket that is no file."""
    name = f"nats-idle-exporter-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        ServiceManager({"NOTIFY_SOCKET": f"@{name}"}).stopping()

        assert listener.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize(
    ("told", "pid", "asked"),
    [
        ("1000000", None, b"WATCHDOG_USEC=120000000"),
        pytest.param(
            "1000000", str(os.getpid()), b"WATCHDOG_USEC=120000000", id="ours"
        ),
        ("1000000", "1", b""),
        ("120000000", None, b""),
        ("0", None, b""),
        ("soon", None, b""),
    ],
)
def test_a_watchdog_waits_for_slow_cycles(
    manager: socket.socket, told: str, pid: str | None, asked: bytes
) -> None:
    """Whoever watches for less than four cycles is asked for more patience."""
    more = {"WATCHDOG_USEC": told} | ({"WATCHDOG_PID": pid} if pid else {})

    ServiceManager(environment(manager, **more)).ready(INTERVAL)

    assert manager.recv(4096).removeprefix(b"READY=1").strip() == asked


def test_nobody_is_told_without_a_socket(manager: socket.socket) -> None:
    """Without the variable nothing is sent."""
    ServiceManager({}).ready(INTERVAL)

    with pytest.raises(BlockingIOError):
        manager.recv(1)


def test_a_deaf_manager_ends_nothing(tmp_path: Path) -> None:
    """A socket that nobody reads is a warning."""
    gone = {"NOTIFY_SOCKET": str(tmp_path / "gone")}

    with structlog.testing.capture_logs() as logs:
        ServiceManager(gone).ready(INTERVAL)

    assert [log["event"] for log in logs] == ["service manager not told"]
