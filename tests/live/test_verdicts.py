"""Verdicts on real servers of both versions: what is use and what is not."""

from __future__ import annotations

import asyncio

import pytest

from nats_idle_exporter.activity import EvidenceKind, Verdict
from tests.support.clients import connected
from tests.support.topology import (
    a_cluster,
    a_hub_and_leaf,
    a_single,
    running,
)
from tests.support.watching import THRESHOLD_CYCLES, watching

pytestmark = [pytest.mark.live, pytest.mark.no_cover]


async def test_busy_unused_and_woken(nats_version: str) -> None:
    """A busy account stays 0, an unused one turns 1 in time, one message clears."""
    server = a_single("BUSY", "UNUSED", version=nats_version)
    async with (
        server,
        connected(server, "BUSY") as busy,
        watching([server.monitoring_url]) as watch,
    ):
        await watch.cycles()
        assert watch.account("UNUSED").verdict is Verdict.UNKNOWN
        for _ in range(THRESHOLD_CYCLES - 1):
            await busy.publish("tick", b"x")
            await busy.flush()
            await watch.cycles()
            assert watch.account("UNUSED").verdict is Verdict.UNKNOWN

        assert await watch.cycles_until("UNUSED", Verdict.INACTIVE, most=2) <= 2
        assert watch.account("UNUSED").is_observed
        assert watch.account("BUSY").verdict is Verdict.ACTIVE

        async with connected(server, "UNUSED") as client:
            await client.publish("wake", b"")
            await client.flush()
        await watch.cycles_until("UNUSED", Verdict.ACTIVE, most=2)
        evidence = watch.account("UNUSED").last_evidence
        assert evidence is not None
        assert evidence.kind is EvidenceKind.RECEIVED


async def test_quiet_again_after_use(nats_version: str) -> None:
    """An account that was used falls silent and is raised a threshold later."""
    server = a_single("TEAM", version=nats_version)
    async with server, watching([server.monitoring_url]) as watch:
        async with connected(server, "TEAM") as client:
            await watch.cycles()
            await client.publish("x", b"")
            await client.flush()
        await watch.cycles_until("TEAM", Verdict.ACTIVE, most=2)

        await watch.cycles(THRESHOLD_CYCLES - 2)
        assert watch.account("TEAM").verdict is Verdict.ACTIVE
        await watch.cycles_until("TEAM", Verdict.INACTIVE, most=4)


async def test_silent_connection_is_use(nats_version: str) -> None:
    """Who is connected and says nothing uses the account."""
    server = a_single("SILENT", version=nats_version)
    async with (
        server,
        connected(server, "SILENT"),
        watching([server.monitoring_url]) as watch,
    ):
        await watch.cycles(2 * THRESHOLD_CYCLES)

        account = watch.account("SILENT")
        assert account.verdict is Verdict.ACTIVE
        assert account.connections == 1


async def test_leafnode_alone_is_use(nats_version: str) -> None:
    """A hub account with nothing but a leafnode link is in use."""
    hub, leaf = a_hub_and_leaf("BUS", "OTHER", version=nats_version)
    async with running(hub, leaf), watching([hub.monitoring_url]) as watch:
        await watch.cycles(2 * THRESHOLD_CYCLES)

        account = watch.account("BUS")
        assert account.verdict is Verdict.ACTIVE
        assert account.leafnodes == 1
        assert account.connections == 0
        assert watch.account("OTHER").verdict is Verdict.INACTIVE


@pytest.mark.parametrize("system_account", [None, "OPS"])
async def test_no_series_of_system_accounts(
    nats_version: str, system_account: str | None
) -> None:
    """The system account has no view under any name, and neither has $G."""
    server = a_single("TEAM", version=nats_version, system_account=system_account)
    async with server, watching([server.monitoring_url]) as watch:
        view = await watch.cycles()

        assert [account.account for account in view.accounts] == ["TEAM"]
        assert view.counts[Verdict.EXCLUDED] == 2


async def test_global_account_alone_is_the_tenant(nats_version: str) -> None:
    """Without an accounts block everybody is in $G, so it is watched."""
    server = a_single(version=nats_version)
    async with server, watching([server.monitoring_url]) as watch:
        await watch.cycles(THRESHOLD_CYCLES + 2)

        assert watch.verdicts() == {"$G": Verdict.INACTIVE}


async def test_stream_holder_is_judged(nats_version: str) -> None:
    """An account with an unused stream turns inactive as one without does."""
    server = a_single(
        "HOLDER", "EMPTY", version=nats_version, jetstream=["HOLDER", "EMPTY"]
    )
    async with running(server):
        async with connected(server, "HOLDER") as client:
            await client.jetstream().add_stream(name="S", subjects=["s"])
        async with watching([server.monitoring_url]) as watch:
            await watch.cycles(THRESHOLD_CYCLES + 2)

            assert watch.account("HOLDER").verdict is Verdict.INACTIVE
            assert watch.account("EMPTY").verdict is Verdict.INACTIVE


async def test_traffic_across_a_cluster_is_seen_anywhere(nats_version: str) -> None:
    """Whoever publishes on one server for a subscriber on another is in use."""
    servers = a_cluster("TEAM", "IDLE", version=nats_version)
    urls = [server.monitoring_url for server in servers]
    async with running(*servers), watching(urls) as watch:
        await watch.cycles(THRESHOLD_CYCLES + 2)
        assert watch.account("TEAM").verdict is Verdict.INACTIVE

        async with (
            connected(servers[0], "TEAM") as publisher,
            connected(servers[1], "TEAM") as subscriber,
        ):
            heard = asyncio.Event()

            async def hear(_: object) -> None:
                heard.set()

            await subscriber.subscribe("x", cb=hear)
            await subscriber.flush()
            while not heard.is_set():
                await publisher.publish("x", b"")
                await publisher.flush()
        await watch.cycles_until("TEAM", Verdict.ACTIVE, most=2)
        assert watch.account("IDLE").verdict is Verdict.INACTIVE
