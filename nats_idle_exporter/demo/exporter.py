"""The ordinary exporter, started as anybody would start it."""

from __future__ import annotations

import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import aiohttp
import yaml

from nats_idle_exporter.demo import cast
from nats_idle_exporter.demo.board import Board, read_board
from nats_idle_exporter.demo.child import Child, running
from nats_idle_exporter.demo.ports import is_free
from nats_idle_exporter.errors import StartError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from nats_idle_exporter.demo.cluster import Cluster

_HOLE_SHARE = 1 / 20
_BATCH_THRESHOLDS = 2
_HTTP_OK = 200


class Exporter(NamedTuple):
    """The running exporter and its address."""

    child: Child
    url: str
    session: aiohttp.ClientSession

    async def read(self) -> Board | None:
        """Return what its metrics page says now, None when it does not answer.

        Raises:
            StartError: its process has ended.
        """
        try:
            async with self.session.get(f"{self.url}metrics") as answer:
                return read_board(await answer.text(), time.time())
        except (aiohttp.ClientError, TimeoutError):
            self.child.check()
            return None

    async def is_ready(self) -> bool:
        """Tell whether its first cycle has ended."""
        try:
            async with self.session.get(f"{self.url}-/ready") as answer:
                return answer.status == _HTTP_OK
        except (aiohttp.ClientError, TimeoutError):
            return False


@asynccontextmanager
async def running_exporter(
    folder: Path,
    cluster: Cluster,
    session: aiohttp.ClientSession,
    *,
    listen_address: str,
    threshold_seconds: float,
) -> AsyncIterator[Exporter]:
    """Start the exporter for a cluster, and end it when the block is left.

    Raises:
        StartError: its port is taken, or it did not start.
    """
    if not is_free(listen_address):
        raise StartError(
            f"{listen_address} is in use: end what listens there, then try again"
        )
    config = folder / "config.yaml"
    config.write_text(config_text(cluster, threshold_seconds))
    command = [sys.executable, "-m", "nats_idle_exporter", f"--config.file={config}"]
    command += [f"--web.listen-address={listen_address}"]
    async with running("nats-idle-exporter", command, folder / "exporter.log") as child:
        exporter = Exporter(child, f"http://{listen_address}/", session)
        await child.until(exporter.is_ready, "finished its first cycle")
        yield exporter


def config_text(cluster: Cluster, threshold_seconds: float) -> str:
    """Return the configuration file: an ordinary one, with short times."""
    config = {
        "systems": [
            {"name": "demo", "endpoints": [n.monitoring_url for n in cluster.nodes]}
        ],
        "poll": {"interval": "1s", "timeout": "1s", "jetstream_interval": "1s"},
        "inactivity": {
            "threshold": _duration(threshold_seconds),
            "gap_tolerance": _duration(threshold_seconds * _HOLE_SHARE),
        },
        "accounts": [
            {
                "match": "BATCH-*",
                "threshold": _duration(threshold_seconds * _BATCH_THRESHOLDS),
                "owner": "data-platform",
            },
            {"match": cast.BUSY, "owner": "shop"},
        ],
    }
    return yaml.safe_dump(config, sort_keys=False)


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f}ms"
