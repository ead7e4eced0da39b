"""Sockets that systemd passes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from nats_idle_exporter.errors import StartError
from nats_idle_exporter.web import listening
from nats_idle_exporter.web.listening import passed_sockets
from tests.support.programs import require_program


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A listening socket, passed as the first one."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(listening, "FIRST_PASSED", server.fileno())
        yield server


def environment(count: str = "1", process: int | None = None) -> dict[str, str]:
    """Return what systemd sets for a process, by default for this one."""
    return {
        "LISTEN_FDS": count,
        "LISTEN_PID": str(os.getpid() if process is None else process),
        "LISTEN_FDNAMES": "web",
    }


def test_a_passed_socket_is_taken_over(listener: socket.socket) -> None:
    """The socket is served as it is, and no child is told of it."""
    passed = environment()

    (taken,) = passed_sockets(passed)

    assert taken.getsockname() == listener.getsockname()
    assert not taken.get_inheritable()
    assert passed == {}
    taken.detach()


@pytest.mark.parametrize(
    "passed",
    [
        {},
        {"LISTEN_FDS": "1"},
        environment(process=1),
        environment("0"),
        environment("x"),
        environment("-1"),
    ],
)
def test_without_sockets_there_is_no_start(passed: dict[str, str]) -> None:
    """Nothing passed, or passed to another process, is told."""
    with pytest.raises(StartError, match="systemd passed no socket to this process"):
        list(passed_sockets(passed))


def test_a_socket_that_does_not_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket of another kind is refused by its number."""
    one, other = socket.socketpair()
    monkeypatch.setattr(listening, "FIRST_PASSED", one.fileno())

    with other, pytest.raises(StartError, match=f"socket {one.fileno()} does not"):
        list(passed_sockets(environment()))

    one.detach()


def test_no_socket_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A number that is no socket is refused with the system's words."""
    with (tmp_path / "file").open("w") as file:
        monkeypatch.setattr(listening, "FIRST_PASSED", file.fileno())

        with pytest.raises(StartError, match="Socket operation on non-socket"):
            list(passed_sockets(environment()))


def test_activated_for_real() -> None:
    """Started by the first connection, the daemon answers that connection."""
    activate = require_program("systemd-socket-activate")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [activate, f"--listen=127.0.0.1:{port}", sys.executable, "-m"]
    command += ["nats_idle_exporter", "--web.systemd-socket"]
    with subprocess.Popen(
        [*command, "--nats.endpoint=http://127.0.0.1:1"],
        stderr=subprocess.PIPE,
        text=True,
    ) as daemon:
        assert daemon.stderr is not None
        try:
            assert "Listening on" in daemon.stderr.readline()
            url = f"http://127.0.0.1:{port}/-/healthy"
            with urllib.request.urlopen(url, timeout=30) as answer:
                text = answer.read()
            daemon.terminate()
            log = daemon.stderr.read()
            daemon.wait(30)
        finally:
            daemon.kill()

    assert text == b"healthy\n"
    assert f"msg=listening address=127.0.0.1:{port} tls=false" in log
    assert daemon.returncode == 0


def test_a_unix_socket_is_shown_by_its_path(tmp_path: Path) -> None:
    """An address without host and port is told as it is."""
    path = str(tmp_path / "s")

    assert listening._shown(path) == path
    assert listening._shown(("::1", 1, 0, 0)) == "[::1]:1"
