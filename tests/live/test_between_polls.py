"""Use that begins and ends between two polls, and what only the ring tells."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nats_idle_exporter.activity import EvidenceKind, Reason, Verdict
from tests.support.clients import (
    RING,
    connected,
    flood,
    publish_in_one_packet,
    until_closed,
)
from tests.support.natsserver import NatsServer
from tests.support.topology import (
    a_hub_and_leaf,
    a_single,
    accounts_config,
    ready,
)
from tests.support.watching import THRESHOLD_CYCLES, Watching, watching

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

QUIET_CYCLES = THRESHOLD_CYCLES + 2


async def counters(server: NatsServer, account: str) -> dict[str, Any]:
    """Return what accstatz counts of an account."""
    body = await server.read("/accstatz?unused=1")
    (row,) = (row for row in body["account_statz"] if row["acc"] == account)
    return {flow: row[flow]["msgs"] for flow in ("sent", "received")}


def assert_came_and_went(watch: Watching, account: str) -> None:
    """Hold that a closed connection is the account's newest evidence."""
    evidence = watch.account(account).last_evidence
    assert evidence is not None
    assert evidence.kind is EvidenceKind.CLOSED_CONNECTION
    assert watch.account(account).verdict is Verdict.ACTIVE


async def test_come_and_gone_without_a_message(nats_version: str) -> None:
    """Who logs in and leaves without a word clears an inactive account."""
    server = a_single("TEAM", "OTHER", version=nats_version)
    async with server, watching([server.monitoring_url]) as watch:
        await watch.cycles(QUIET_CYCLES)
        assert watch.account("TEAM").verdict is Verdict.INACTIVE

        async with connected(server, "TEAM"):
            pass
        await until_closed(server, 1)
        await watch.cycles()

        assert_came_and_went(watch, "TEAM")
        assert await counters(server, "TEAM") == {"sent": 0, "received": 0}
        assert watch.account("OTHER").verdict is Verdict.INACTIVE


async def test_leaf_link_that_came_and_went(nats_version: str) -> None:
    """A leaf link that was up between two polls clears its hub account."""
    hub, leaf = a_hub_and_leaf("BUS", "OTHER", version=nats_version)
    async with hub, watching([hub.monitoring_url]) as watch:
        await watch.cycles(QUIET_CYCLES)
        assert watch.account("BUS").verdict is Verdict.INACTIVE

        async with leaf:
            await ready(leaf)
        await until_closed(hub, 1)
        await watch.cycles()

        assert_came_and_went(watch, "BUS")
        assert watch.account("OTHER").verdict is Verdict.INACTIVE


async def test_message_in_the_packet_of_its_connect(nats_version: str) -> None:
    """A message that is booked to the global account clears its own account."""
    server = a_single("TEAM", "OTHER", version=nats_version)
    async with server, watching([server.monitoring_url]) as watch:
        await watch.cycles(QUIET_CYCLES)
        assert watch.account("TEAM").verdict is Verdict.INACTIVE

        await publish_in_one_packet(server, "TEAM", "s", b"x")
        await until_closed(server, 1)
        await watch.cycles()

        assert_came_and_went(watch, "TEAM")
        assert await counters(server, "TEAM") == {"sent": 0, "received": 0}
        assert watch.account("OTHER").verdict is Verdict.INACTIVE


async def test_crowd_hides_who_came_and_went(nats_version: str) -> None:
    """Failed logins push a silent use out of the ring: the proof starts anew."""
    server = a_single("HIDDEN", "OTHER", version=nats_version)
    urls = [server.monitoring_url]
    async with server, watching(urls, timeout_seconds=20) as watch:
        await watch.cycles(THRESHOLD_CYCLES - 1)
        assert watch.snapshot.endpoints[0].ring_overflows == 0

        async with connected(server, "HIDDEN"):
            pass
        await flood(server, "NOBODY", RING + 50)
        await until_closed(server, RING)
        await watch.cycles()
        assert watch.snapshot.endpoints[0].ring_overflows == 1
        assert watch.account("HIDDEN").last_evidence is None

        for _ in range(THRESHOLD_CYCLES - 1):
            assert set(watch.verdicts().values()) == {Verdict.UNKNOWN}
            assert watch.account("OTHER").reason is Reason.WATCHED_TOO_SHORT
            await watch.cycles()
        await watch.cycles_until("HIDDEN", Verdict.INACTIVE, most=2)
        assert watch.snapshot.endpoints[0].ring_overflows == 1


def a_stream_import(version: str) -> NatsServer:
    """Return a server on which ``READER`` imports what ``WRITER`` publishes."""
    config = accounts_config("WRITER", "READER")
    config["accounts"]["WRITER"]["exports"] = [{"stream": "news.>"}]
    config["accounts"]["READER"]["imports"] = [
        {"stream": {"account": "WRITER", "subject": "news.>"}}
    ]
    return NatsServer(config, version=version)


async def hear_news(server: NatsServer, watch: Watching | None = None) -> None:
    """Let a message of ``WRITER`` reach ``READER``; with a watch, poll meanwhile."""
    async with connected(server, "READER") as reader:
        heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def hear(_: object) -> None:
            heard.set_result(None)

        await reader.subscribe("news.>", cb=hear)
        await reader.flush()
        async with connected(server, "WRITER") as writer:
            await writer.publish("news.today", b"x")
            await writer.flush()
        await heard
        if watch:
            await watch.cycles()


async def test_reader_of_an_imported_stream(nats_version: str) -> None:
    """Who only reads through an import moves no counter, and is in use all the same."""
    server = a_stream_import(nats_version)
    async with server, watching([server.monitoring_url]) as watch:
        await watch.cycles(QUIET_CYCLES)
        assert set(watch.verdicts().values()) == {Verdict.INACTIVE}

        await hear_news(server, watch)

        reader = watch.account("READER")
        assert (reader.verdict, reader.connections) == (Verdict.ACTIVE, 1)
        assert watch.account("WRITER").verdict is Verdict.ACTIVE
        assert await counters(server, "READER") == {"sent": 0, "received": 0}


async def test_reader_that_came_and_went(nats_version: str) -> None:
    """Between two polls only the ring tells of it; its exporter counts."""
    server = a_stream_import(nats_version)
    async with server, watching([server.monitoring_url]) as watch:
        await watch.cycles(QUIET_CYCLES)
        assert set(watch.verdicts().values()) == {Verdict.INACTIVE}

        await hear_news(server)
        await until_closed(server, 2)
        await watch.cycles()

        assert_came_and_went(watch, "READER")
        assert await counters(server, "READER") == {"sent": 0, "received": 0}
        assert watch.account("WRITER").verdict is Verdict.ACTIVE
        assert await counters(server, "WRITER") == {"sent": 1, "received": 1}
