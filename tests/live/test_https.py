"""Real servers that tell what they know by https only."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.daemon import Daemon
from tests.support.natsserver import Certificates, NatsServer
from tests.support.topology import accounts_config

pytestmark = pytest.mark.live


def config_file(folder: Path, server: NatsServer, authority: Authority) -> Path:
    """Write a configuration that trusts one authority."""
    client = {"tls_config": {"ca_file": authority.path.name}}
    system = {"endpoints": [server.monitoring_url], "http_client": client}
    path = folder / "config.yaml"
    path.write_text(json.dumps({"systems": [system], "poll": {"interval": "200ms"}}))
    return path


def told(file: Path, pattern: str) -> str:
    """Run the daemon until its log says something; return its metrics."""
    with Daemon(f"--config.file={file}") as daemon:
        daemon.wait_for(pattern)
        page = ""
        while "endpoint_up{" not in page:
            page = daemon.page()
        assert daemon.end(signal.SIGTERM) == 0
    return page


async def test_a_private_authority(nats_version: str, tmp_path: Path) -> None:
    """With its authority the daemon watches a server that speaks https only."""
    authority = Authority(tmp_path)
    certificates = Certificates(authority, authority.issue("server"))
    config = accounts_config("APP")
    server = NatsServer(config, version=nats_version, certificates=certificates)
    async with server:
        file = config_file(tmp_path, server, authority)
        page = await asyncio.to_thread(told, file, "first cycle ended.*answered=1")

    assert 'account_observed{system="default",account="APP"' in page


async def test_a_wrong_authority(nats_version: str, tmp_path: Path) -> None:
    """With another authority nothing is believed, and the log says why."""
    authority = Authority(tmp_path)
    certificates = Certificates(authority, authority.issue("server"))
    server = NatsServer(version=nats_version, certificates=certificates)
    async with server:
        file = config_file(tmp_path, server, Authority(tmp_path, "other"))
        page = await asyncio.to_thread(
            told, file, "poll failed.*certificate not accepted"
        )

    labels = f'{{system="default",endpoint="{server.monitoring_url}"'
    assert f"nats_idle_exporter_endpoint_up{labels}}} 0\n" in page
    assert f'poll_errors_total{labels},reason="unreachable"}} 0\n' not in page
