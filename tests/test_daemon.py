"""The daemon as a process: it starts whole, serves, and ends when told."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.daemon import Daemon

STOP_SIGNALS = [signal.SIGTERM, signal.SIGINT]


@pytest.fixture
def hanging() -> Iterator[str]:
    """Return the URL of an endpoint that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def refusing() -> Iterator[str]:
    """Return the URL of an endpoint where nobody listens."""
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{unheard.getsockname()[1]}"


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Return the socket at which a service manager listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", listening.getsockname())
        yield listening


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_signal_ends_it_in_the_middle_of_a_poll(
    hanging: str, number: signal.Signals
) -> None:
    """Whatever hangs, a signal ends the daemon in order and with exit code 0."""
    with Daemon(f"--nats.endpoint={hanging}") as daemon:
        assert daemon.fetch("/-/healthy") == (200, "healthy\n")
        assert daemon.fetch("/-/ready")[0] == 503

        assert daemon.end(number) == 0
        assert "msg=stopped" in daemon.lines[-1]


def test_ready_after_a_cycle_that_found_nothing(refusing: str) -> None:
    """The first cycle makes it ready, whatever it found; failures are counted."""
    with Daemon(f"--nats.endpoint={refusing}") as daemon:
        daemon.wait_for("poll failed")
        page = ""
        while "endpoint_up{" not in page:
            page = daemon.page()

        labels = f'{{system="default",endpoint="{refusing}"'
        assert f"nats_idle_exporter_endpoint_up{labels}}} 0\n" in page
        assert f'poll_errors_total{labels},reason="unreachable"}} 0\n' not in page
        assert daemon.fetch("/-/ready") == (200, "ready\n")
        assert daemon.end(signal.SIGTERM) == 0


def test_a_service_manager_is_told(refusing: str, manager: socket.socket) -> None:
    """Readiness, each cycle and the end reach the socket of the environment."""
    with Daemon(f"--nats.endpoint={refusing}", "--poll.interval=50ms") as daemon:
        told = {manager.recv(4096), manager.recv(4096)}
        assert daemon.end(signal.SIGTERM) == 0
    while (last := manager.recv(4096)) != b"STOPPING=1":
        told.add(last)

    assert told == {
        b"READY=1",
        b"WATCHDOG=1\nSTATUS=0 of 1 endpoints up, 0 accounts",
    }


def test_hangup_does_not_end_the_watch(refusing: str) -> None:
    """Without a file SIGHUP finds that nothing changed; what was seen is kept."""
    with Daemon(f"--nats.endpoint={refusing}") as daemon:
        daemon.hang_up()
        daemon.wait_for("configuration reloaded: it is the same.* trigger=SIGHUP")

        assert daemon.fetch("/-/healthy") == (200, "healthy\n")
        assert daemon.end(signal.SIGTERM) == 0


def test_a_service_manager_is_told_of_a_reload(
    refusing: str, manager: socket.socket
) -> None:
    """It begins with a moment of the manager's clock, and ends with READY."""
    with Daemon(f"--nats.endpoint={refusing}") as daemon:
        told = [manager.recv(4096), manager.recv(4096)]
        daemon.hang_up()
        told += [manager.recv(4096), manager.recv(4096)]
        assert daemon.end(signal.SIGTERM) == 0

    assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=\d+", told[2])
    assert told[3] == b"READY=1"


def test_nobody_reloads_by_http_without_the_flag(refusing: str) -> None:
    """The page is there, and forbidden."""
    with Daemon(f"--nats.endpoint={refusing}") as daemon:
        assert daemon.fetch("/-/reload", "POST")[0] == 403


def test_first_cycle_is_told_once(refusing: str) -> None:
    """The log says how complete the watch begins, and does not repeat it."""
    with Daemon(f"--nats.endpoint={refusing}", "--poll.interval=50ms") as daemon:
        daemon.wait_for("first cycle ended")
        page = ""
        while f'polls_total{{system="default",endpoint="{refusing}"}} 3' not in page:
            page = daemon.page()
        assert daemon.end(signal.SIGTERM) == 0

    (told,) = [line for line in daemon.lines if "first cycle ended" in line]
    assert "level=info" in told
    assert "endpoints=1 endpoints_answered=0 accounts=0 unwatched_servers=1" in told


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1:{port}", "Address already in use"),
        ("[::1]:{port}", "Address already in use"),
        ("no-such-host.invalid:{port}", r"\w[\w ]+"),
    ],
)
def test_address_that_cannot_be_served(address: str, why: str) -> None:
    """A start that cannot listen ends with exit code 1 and one line that says why."""
    with socket.create_server(
        ("::", 0), family=socket.AF_INET6, dualstack_ipv6=True
    ) as taken:
        port = taken.getsockname()[1]
        address = address.format(port=port)
        command = [sys.executable, "-m", "nats_idle_exporter", "--log.level=error"]
        ended = subprocess.run(
            [*command, f"--web.listen-address={address}"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert ended.returncode == 1
    line = f"nats-idle-exporter: cannot listen on {re.escape(address)}: {why}\n"
    assert re.fullmatch(line, ended.stderr)


def test_listens_on_every_address(refusing: str) -> None:
    """Each address of the command line is served."""
    flags = [f"--nats.endpoint={refusing}", "--web.listen-address=[::1]:0"]
    with Daemon(*flags) as daemon:
        found = daemon.wait_for(r"listening address=\[::1\]:(\d+)")

        with socket.create_connection(("::1", int(found[1])), timeout=10):
            pass


def test_an_inventory_is_read_beside_a_failing_endpoint(
    refusing: str, tmp_path: Path
) -> None:
    """Sources are followed and shown whatever the endpoints do, and end with it."""
    (tmp_path / "accounts.yaml").write_text("[A, B]")
    file = tmp_path / "config.yaml"
    file.write_text(
        f"systems: [{{endpoints: ['{refusing}'], inventory: "
        "[{accounts_file: accounts.yaml}, {resolver_dir: nowhere}]}]\n"
        "poll: {interval: 50ms}\n"
    )
    with Daemon(f"--config.file={file}") as daemon:
        daemon.wait_for("inventory source failed")
        page = ""
        while "inventory_up{" not in page:
            page = daemon.page()
        ended = daemon.end(signal.SIGTERM)

    name = "nats_idle_exporter_inventory"
    by_hand = f'{{system="default",source="accounts_file:{tmp_path}/accounts.yaml"}}'
    missing = f'{{system="default",source="resolver_dir:{tmp_path}/nowhere"}}'
    assert f"{name}_accounts{by_hand} 2\n{name}_accounts{missing} 0\n" in page
    assert f"{name}_up{by_hand} 1\n{name}_up{missing} 0\n" in page
    assert ended == 0
