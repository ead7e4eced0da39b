"""A server that nobody polls is named wherever an operator looks, for real."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.support.daemon import Daemon
from tests.support.topology import a_cluster, running

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.live


def report(daemon: Daemon) -> str:
    """Return what the report prints of a running daemon."""
    command = [sys.executable, "-m", "nats_idle_exporter", "report"]
    return subprocess.run(
        [*command, f"--from={daemon.url}"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout


async def test_an_unpolled_node_is_named(nats_version: str, tmp_path: Path) -> None:
    """Log, metric, page, API and report tell the name of the third of three nodes."""
    servers = a_cluster("TEAM", version=nats_version)
    config = tmp_path / "config.yaml"
    system = {"endpoints": [server.monitoring_url for server in servers[:2]]}
    config.write_text(yaml.safe_dump({"systems": [system]}))
    async with running(*servers):
        unread = (await servers[2].read("/varz"))["server_id"]
        with Daemon(f"--config.file={config}") as daemon:
            daemon.wait_for("server is not watched")
            while "unwatched_server_info{" not in (metrics := daemon.page()):
                pass
            page = daemon.fetch("/")[1]
            told = json.loads(daemon.fetch("/api/v1/endpoints")[1])
            printed = report(daemon)

    names = f'server_id="{unread}",server_name="n3"'
    assert (
        f'unwatched_server_info{{system="default",kind="route",{names}}} 1' in metrics
    )
    words = f"server_id={unread} server_name=n3 nats_cluster=C1 ip=127.0.0.1"
    assert f"kind=route {words}" in "".join(daemon.lines)
    assert told["systems"][0]["unwatched"] == [
        {
            "kind": "route",
            "who": unread,
            "server_name": "n3",
            "nats_cluster": "C1",
            "ip": "127.0.0.1",
        }
    ]
    how = f"not polled; id {unread}, seen at 127.0.0.1, cluster C1"
    assert "<bdi>n3</bdi>" in page
    assert how in page
    assert f"n3 holds verdicts back (server known by route, {how})." in printed
