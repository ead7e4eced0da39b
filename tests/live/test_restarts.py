"""The daemon and a real server: what was learned survives our own restart."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.support.clients import connected
from tests.support.daemon import Daemon
from tests.support.topology import a_single

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

THRESHOLD_SECONDS = 3
ENDS = [signal.SIGTERM, signal.SIGKILL]


@contextmanager
def exporting(folder: Path, url: str) -> Iterator[Daemon]:
    """Run a daemon that keeps its state in the folder."""
    config = folder / "config.yaml"
    config.write_text(
        yaml.safe_dump(
            {
                "systems": [{"endpoints": [url]}],
                "poll": {"interval": "200ms", "jetstream_interval": "200ms"},
                # No server restarts so fast that this hole would be forgiven.
                "inactivity": {
                    "threshold": f"{THRESHOLD_SECONDS}s",
                    "gap_tolerance": "1ms",
                },
                # Beside the configuration.
                "state": {"path": "state.sqlite"},
            }
        )
    )
    with Daemon(f"--config.file={config}") as daemon:
        yield daemon


def families(daemon: Daemon, account: str) -> dict[str, float]:
    """Return the values of an account's families on the page, once there are any."""
    found: dict[str, float] = {}
    while not found:
        lines = re.findall(
            rf'^(account_\w+){{[^}}]*account="{account}"[^}}]*}} (\S+)$',
            daemon.page(),
            re.MULTILINE,
        )
        found = {name: float(value) for name, value in lines}
    return found


def wait_until(daemon: Daemon, account: str, **wanted: float) -> dict[str, float]:
    """Return the account's values once some of them are as wanted."""
    while True:
        found = families(daemon, account)
        if (
            wanted.items()
            <= {
                name.removeprefix("account_"): value for name, value in found.items()
            }.items()
        ):
            return found


def wait_for_a_save(daemon: Daemon) -> None:
    """Return once two more cycles ended: then the one before was saved."""
    name = "nats_idle_exporter_state_last_save_timestamp_seconds"
    seen = set[str]()
    while len(seen) < 3:
        seen |= set(re.findall(rf"^{name} (\S+)$", daemon.page(), re.MULTILINE))


def end(daemon: Daemon, number: signal.Signals) -> None:
    """End a daemon, orderly or not."""
    code = daemon.end(number)
    assert code == (0 if number is signal.SIGTERM else -number)


@pytest.mark.parametrize("number", ENDS)
async def test_raised_stays_raised(
    tmp_path: Path, nats_version: str, number: signal.Signals
) -> None:
    """A raised account is raised and observed from the first cycle after a restart."""
    async with (
        a_single("QUIET", "BUSY", version=nats_version) as server,
        connected(server, "BUSY"),
    ):
        with exporting(tmp_path, server.monitoring_url) as daemon:
            before = wait_until(daemon, "QUIET", inactive=1, observed=1)
            wait_for_a_save(daemon)
            end(daemon, number)
        with exporting(tmp_path, server.monitoring_url) as daemon:
            daemon.wait_for("state loaded")
            after = families(daemon, "QUIET")
            busy = families(daemon, "BUSY")
            end(daemon, signal.SIGTERM)

    assert after["account_inactive"] == after["account_observed"] == 1
    assert after["account_idle_seconds"] >= before["account_idle_seconds"]
    since = "account_quiet_since_timestamp_seconds"
    assert after[since] == pytest.approx(before[since], abs=0.01)
    assert busy["account_inactive"] == 0


@pytest.mark.parametrize("number", ENDS)
async def test_use_while_we_were_down(
    tmp_path: Path, nats_version: str, number: signal.Signals
) -> None:
    """What was used while nobody watched is seen at the first poll after it."""
    async with a_single("MESSAGE", "SILENT", version=nats_version) as server:
        with exporting(tmp_path, server.monitoring_url) as daemon:
            wait_until(daemon, "MESSAGE", inactive=1)
            wait_until(daemon, "SILENT", inactive=1)
            wait_for_a_save(daemon)
            end(daemon, number)
        async with connected(server, "MESSAGE") as client:
            await client.publish("x", b"")
            await client.flush()
        async with connected(server, "SILENT"):
            pass
        with exporting(tmp_path, server.monitoring_url) as daemon:
            found = [families(daemon, account) for account in ("MESSAGE", "SILENT")]
            end(daemon, signal.SIGTERM)

    for account in found:
        assert account["account_inactive"] == 0
        assert account["account_observed"] == 1


async def test_server_restarted_while_we_were_down(
    tmp_path: Path, nats_version: str
) -> None:
    """The verdict is kept, but the proof does not run on as if nothing had been."""
    async with a_single("QUIET", version=nats_version) as server:
        with exporting(tmp_path, server.monitoring_url) as daemon:
            before = wait_until(daemon, "QUIET", inactive=1, observed=1)
            wait_for_a_save(daemon)
            end(daemon, signal.SIGKILL)
        ended_at = time.time()
        await server.restart()
        with exporting(tmp_path, server.monitoring_url) as daemon:
            after, seen_at = families(daemon, "QUIET"), time.time()
            again = wait_until(daemon, "QUIET", observed=1)
            end(daemon, signal.SIGTERM)

    since = "account_quiet_since_timestamp_seconds"
    assert after["account_inactive"] == 1
    assert after[since] > before[since]
    idle_seconds = after["account_idle_seconds"]
    assert idle_seconds < seen_at - ended_at
    # On a slow machine the threshold may have passed anew by then.
    assert after["account_observed"] == (idle_seconds >= THRESHOLD_SECONDS)
    assert again["account_inactive"] == 1


def test_file_of_a_running_exporter(tmp_path: Path) -> None:
    """A second exporter with the same file ends at once, and says why."""
    with exporting(tmp_path, "http://127.0.0.1:1"):
        second = subprocess.run(
            [
                *(sys.executable, "-m", "nats_idle_exporter"),
                f"--config.file={tmp_path / 'config.yaml'}",
                "--web.listen-address=127.0.0.1:0",
                "--log.level=error",
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert second.returncode == 1
    assert second.stderr == (
        f"nats-idle-exporter: cannot use the state {tmp_path}/state.sqlite:"
        " another running exporter may hold it\n"
    )
