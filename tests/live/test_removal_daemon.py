"""The daemon and a real server: an account's whole way out, over our own restarts."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support.clients import connected
from tests.support.daemon import Daemon
from tests.support.topology import a_single, running

if TYPE_CHECKING:
    from tests.support.natsserver import NatsServer

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

ENDS = [signal.SIGTERM, signal.SIGKILL]
SHUT = {"max_connections": 0, "max_leafnodes": 0}


@contextmanager
def exporting(folder: Path, server: NatsServer) -> Iterator[Daemon]:
    """Run a daemon that keeps its state in the folder, and knows the server's file."""
    inventory = [{"nats_config": str(server.folder / "nats.conf")}]
    system = {
        "endpoints": [server.monitoring_url],
        "inventory": inventory,
        "refresh_interval": "200ms",
    }
    rule = {
        "match": "OLD",
        "owner": "ann",
        "decommission": {"approved_by": "ann", "grace": "1s"},
    }
    config = folder / "config.yaml"
    config.write_text(
        yaml.safe_dump(
            {
                "systems": [system],
                "poll": {"interval": "200ms", "jetstream_interval": "200ms"},
                "inactivity": {"threshold": "2s"},
                "accounts": [rule],
                "state": {"path": "state.sqlite"},
            }
        )
    )
    with Daemon(f"--config.file={config}") as daemon:
        yield daemon


def values(daemon: Daemon, account: str) -> dict[str, float]:
    """Return the values of an account's families on the page."""
    lines = re.findall(
        rf'^(account_\w+){{[^}}]*account="{account}"[^}}]*}} (\S+)$',
        daemon.page(),
        re.MULTILINE,
    )
    return {name: float(value) for name, value in lines}


def until(
    daemon: Daemon, account: str, holds: Callable[[dict[str, float]], bool]
) -> dict[str, float]:
    """Return an account's values once they are so."""
    while not holds(found := values(daemon, account)):
        pass
    return found


def saved(daemon: Daemon) -> None:
    """Return once two more cycles ended: then the one before was saved."""
    name = "nats_idle_exporter_state_last_save_timestamp_seconds"
    seen = set[str]()
    while len(seen) < 3:
        seen |= set(re.findall(rf"^{name} (\S+)$", daemon.page(), re.MULTILINE))


def dossier(daemon: Daemon, account: str) -> dict[str, Any]:
    """Return what the API tells of an account."""
    status, body = daemon.fetch(f"/api/v1/accounts/default/{account}")
    assert status == 200
    found: dict[str, Any] = json.loads(body)
    return found


@pytest.mark.parametrize("number", ENDS)
async def test_the_way_out_and_back(
    tmp_path: Path, nats_version: str, number: signal.Signals
) -> None:
    """Disabled, over its grace, safe; then used again: told, counted, and kept."""
    server = a_single("APP", "OLD", version=nats_version)
    server.config["accounts"]["OLD"]["limits"] = SHUT
    async with running(server):
        with exporting(tmp_path, server) as daemon:
            daemon.wait_for("account is disabled")
            safe = until(daemon, "OLD", lambda v: v.get("account_removable") == 1)
            daemon.wait_for("its time of grace is over")
            told = dossier(daemon, "OLD")
            busy = values(daemon, "APP")
            saved(daemon)
            daemon.end(number)

        with exporting(tmp_path, server) as daemon:
            again = until(daemon, "OLD", lambda v: v.get("account_removable") == 1)
            del server.config["accounts"]["OLD"]["limits"]
            await server.reload()
            async with connected(server, "OLD"):
                used = until(
                    daemon, "OLD", lambda v: v.get("account_reactivations_total") == 1
                )
            daemon.wait_for("account was used after it was inactive")
            saved(daemon)
            daemon.end(number)
            lines = "".join(daemon.lines)

        with exporting(tmp_path, server) as daemon:
            kept = until(daemon, "OLD", lambda v: "account_inactive" in v)

    assert {item["outcome"] for item in told["checklist"]} == {"pass"}
    assert told["account"]["removability"] == "safe"
    assert safe["account_reactivations_total"] == 0
    assert busy["account_removable"] == 0
    since = "account_disabled_timestamp_seconds"
    assert again[since] == safe[since]
    assert "account is disabled" not in lines
    assert used["account_removable"] == 0
    assert kept["account_reactivations_total"] == 1
