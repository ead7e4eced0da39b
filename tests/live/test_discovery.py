"""Real servers behind a name whose addresses change, told by a real name server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from nats_idle_exporter.activity import UnwatchedKind, Verdict
from nats_idle_exporter.config import parse_config
from nats_idle_exporter.demo.ports import ReservedPort
from nats_idle_exporter.monitoring.discovery import names
from tests.support.clients import connected
from tests.support.nameserver import NameServer, naming
from tests.support.natsserver import NatsServer
from tests.support.servers import NEWEST
from tests.support.topology import a_cluster, ready, running
from tests.support.watching import Watching, watching_as

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

NAME = "nats.test"
THRESHOLD_CYCLES = 100
"""Five intervals of holes are forgiven, less a little."""
CONFIG = """
systems:
  - {where}
poll: {{interval: 30s, jetstream_interval: 30s}}
inactivity: {{threshold: 3000s}}
"""


class Stage(NamedTuple):
    """A cluster, the name that leads to it, and who watches it."""

    servers: Sequence[NatsServer]
    names: NameServer
    watch: Watching

    async def move(self, server: NatsServer, host: str) -> None:
        """Restart a server at another address, to which the name leads then."""
        await server.stop()
        server.host = host
        await server.start()
        for each in self.servers:
            await ready(each)
        await self.lead_to(*self.servers)

    async def lead_to(self, *servers: NatsServer) -> None:
        """Let the name lead to these servers."""
        await self.names.tell(NAME, *(server.host for server in servers))

    def addresses(self) -> list[str]:
        """Return the endpoints of the last cycle."""
        return [status.endpoint for status in self.watch.snapshot.endpoints]


@asynccontextmanager
async def staged(folder: Path, version: str = NEWEST) -> AsyncIterator[Stage]:
    """Watch a cluster of three by a name; each server has an address of its own."""
    async with a_found_cluster(version) as (servers, port):
        where = f"endpoints: ['dns+http://{NAME}:{port}']"
        config = parse_config(CONFIG.format(where=where))
        hosts = [server.host for server in servers]
        async with (
            naming(folder, NAME, *hosts) as names,
            watching_as(config, resolver=names.resolver) as watch,
        ):
            yield Stage(servers, names, watch)


@asynccontextmanager
async def a_found_cluster(
    version: str = NEWEST,
) -> AsyncIterator[tuple[Sequence[NatsServer], int]]:
    """Run three servers that are polled at one port of three addresses."""
    servers = a_cluster("IDLE", "USED", version=version)
    port = ReservedPort()
    for number, server in enumerate(servers):
        server.monitoring, server.host = port, f"127.0.0.{10 + number}"
    try:
        async with running(*servers):
            yield servers, port.number
    finally:
        port.close()


async def use(server: NatsServer) -> None:
    """Let the account USED be used on a server."""
    async with connected(server, "USED") as client:
        await client.publish("subject", b"")
        await client.flush()


async def test_rolling_restart_at_other_addresses(
    tmp_path: Path, nats_version: str
) -> None:
    """What was raised stays, what falls due is raised in time, use is still seen."""
    async with staged(tmp_path, nats_version) as stage:
        watch = stage.watch
        await watch.cycles(2)
        await use(stage.servers[1])
        await watch.cycles(THRESHOLD_CYCLES - 1)

        assert watch.verdicts() == {"IDLE": Verdict.INACTIVE, "USED": Verdict.ACTIVE}

        raised_after = 0
        for number, server in enumerate(stage.servers):
            await stage.move(server, f"127.0.0.{20 + number}")
            for _ in range(2):
                await watch.cycles()
                raised_after += watch.account("USED").verdict is not Verdict.INACTIVE

                assert not watch.view.unwatched
                assert watch.account("IDLE").verdict is Verdict.INACTIVE
                assert watch.account("IDLE").is_observed

        # Due at the second cycle of these.
        assert raised_after in {1, 2, 3}
        assert watch.account("USED").is_observed
        assert {f"http://127.0.0.{n}" for n in (20, 21, 22)} == {
            url.rpartition(":")[0] for url in stage.addresses()
        }

        await use(stage.servers[2])
        await watch.cycles()

        assert watch.account("USED").verdict is Verdict.ACTIVE
        assert watch.account("IDLE").verdict is Verdict.INACTIVE


async def test_scale_down(tmp_path: Path) -> None:
    """A server that is drained is watched until it is gone, and nobody is raised."""
    async with staged(tmp_path) as stage:
        watch, last = stage.watch, stage.servers[-1]
        await watch.cycles(2)
        await use(stage.servers[0])
        await watch.cycles(THRESHOLD_CYCLES - 1)
        await stage.lead_to(*stage.servers[:-1])
        await use(last)
        await watch.cycles(4)

        assert [each.kind for each in watch.view.unwatched] == [UnwatchedKind.DISPLACED]
        assert watch.verdicts() == {"IDLE": Verdict.INACTIVE, "USED": Verdict.ACTIVE}

        await last.stop()
        await watch.cycles()

        assert not watch.view.unwatched
        assert len(watch.up()) == 2
        # Five intervals are as long as all holes together may not be.
        assert watch.account("IDLE").verdict is Verdict.INACTIVE
        assert not watch.account("IDLE").is_observed
        assert watch.account("USED").verdict is not Verdict.INACTIVE


async def test_name_server_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found last is polled on; the failure is told and raises nobody."""
    async with staged(tmp_path) as stage:
        watch = stage.watch
        await watch.cycles()
        stage.names.pause()
        with monkeypatch.context() as patch:
            patch.setattr(names, "LOOKUP_SECONDS", 0.01)
            await watch.cycles(THRESHOLD_CYCLES)

        (status,) = watch.snapshot.discoveries
        assert (status.is_up, status.endpoints) == (False, 3)
        assert watch.up() == [True, True, True]
        assert watch.account("IDLE").verdict is Verdict.INACTIVE

        stage.names.resume()
        await watch.cycles()

        assert watch.snapshot.discoveries[0].is_up


async def test_file_that_is_written_anew(tmp_path: Path) -> None:
    """Servers come and go with the file; one that lives on is not forgotten."""
    path = tmp_path / "targets.json"

    def write(*servers: NatsServer) -> None:
        targets = [each.monitoring_url.removeprefix("http://") for each in servers]
        path.write_text(json.dumps([{"targets": targets}]))

    config = parse_config(CONFIG.format(where=f"file_sd_files: [{path}]"))
    async with a_found_cluster() as (servers, _), watching_as(config) as watch:
        await watch.cycles()

        assert watch.view.unwatched == ((UnwatchedKind.ENDPOINT, f"file_sd:{path}"),)

        write(servers[0])
        await watch.cycles()

        assert len(watch.view.unwatched) == 2

        write(*servers)
        await watch.cycles(THRESHOLD_CYCLES + 1)

        assert not watch.view.unwatched
        assert watch.account("IDLE").verdict is Verdict.INACTIVE

        write(*servers[1:])
        await watch.cycles()

        assert [each.kind for each in watch.view.unwatched] == [UnwatchedKind.DISPLACED]

        path.write_text("[")
        await watch.cycles()

        assert len(watch.up()) == 2
        assert not watch.snapshot.discoveries[0].is_up
