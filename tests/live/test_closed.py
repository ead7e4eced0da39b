"""Who comes and goes between two polls, as real servers tell it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from nats_idle_exporter.activity import Reading
from nats_idle_exporter.monitoring.client import MonitoringClient
from nats_idle_exporter.monitoring.fetch import new_session
from tests.support.clients import (
    RING,
    connected,
    flood,
    log_in_and_leave,
    publish_in_one_packet,
    until_closed,
)
from tests.support.clock import FakeClock
from tests.support.natsserver import NatsServer
from tests.support.topology import a_hub_and_leaf, a_single, running

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

ReadsServer = Callable[[NatsServer], Awaitable[Reading]]


@pytest.fixture
async def read() -> AsyncIterator[ReadsServer]:
    """Poll a server with the product's client, which remembers."""
    async with new_session() as session:
        client = MonitoringClient(
            session, FakeClock(), timeout_seconds=20, max_body_bytes=100_000_000
        )

        async def read_one(server: NatsServer) -> Reading:
            return await client.read(server.monitoring_url, with_jetstream=False)

        yield read_one


def told(reading: Reading) -> list[str]:
    """Return the accounts of what is new."""
    return [closed.account for closed in reading.ring.new]


async def test_come_and_gone(nats_version: str, read: ReadsServer) -> None:
    """A client that never sent a message is told, once, and by its age."""
    async with a_single("APP", "B", version=nats_version) as server:
        first = await read(server)
        async with connected(server, "APP"):
            pass
        await until_closed(server, 1)
        second, third = await read(server), await read(server)
        async with connected(server, "B"):
            pass
        await until_closed(server, 2)
        fourth = await read(server)

    assert [told(each) for each in (first, second, third, fourth)] == [
        [],
        ["APP"],
        [],
        ["B"],
    ]
    assert 0 <= second.ring.new[0].age_seconds < 10
    for reading in (first, second, third, fourth):
        assert reading.ring.reaches_back
        assert reading.ring.is_complete


async def test_told_at_first_sight(nats_version: str, read: ReadsServer) -> None:
    """Who left before the first poll is told by it, and that is all there was."""
    async with a_single("APP", "B", version=nats_version) as server:
        async with connected(server, "APP"):
            pass
        await until_closed(server, 1)
        async with connected(server, "B"):
            reading = await read(server)

    assert told(reading) == ["APP"]
    assert reading.ring.is_complete


async def test_one_packet(nats_version: str, read: ReadsServer) -> None:
    """A message that is booked to the global account shows in the ring as its own."""
    async with a_single("APP", version=nats_version) as server:
        before = await read(server)
        await publish_in_one_packet(server, "APP", "s", b"x")
        await until_closed(server, 1)
        after = await read(server)

    counters = [
        next(row.total for row in reading.rows if row.account == "APP")
        for reading in (before, after)
    ]
    assert counters[0] == counters[1]
    assert told(after) == ["APP"]


async def test_the_global_account(nats_version: str, read: ReadsServer) -> None:
    """Servers do not name it in the ring; where all are in it, it is told."""
    async with a_single(version=nats_version) as server:
        await read(server)
        async with connected(server):
            pass
        await until_closed(server, 1)
        reading = await read(server)

    assert told(reading) == ["$G"]


async def test_failed_login(nats_version: str, read: ReadsServer) -> None:
    """Who is turned away takes a place in the ring, and is no use of anything."""
    async with a_single("APP", version=nats_version) as server:
        await read(server)
        answer = await log_in_and_leave(server, "NOBODY")
        await until_closed(server, 1)
        reading = await read(server)

    assert b"Authorization Violation" in answer
    assert told(reading) == []
    assert reading.ring.reaches_back
    assert reading.ring.is_complete


async def test_leaf_link(nats_version: str, read: ReadsServer) -> None:
    """A leaf link that goes is told, though the count of connections stands still."""
    hub, leaf = a_hub_and_leaf("BUS", version=nats_version)
    async with running(hub, leaf):
        before = await read(hub)
        accepted = [(await hub.read("/varz"))["total_connections"]]
        await leaf.stop()
        await until_closed(hub, 1)
        after = await read(hub)
        accepted.append((await hub.read("/varz"))["total_connections"])

    assert told(before) == []
    assert told(after) == ["BUS"]
    assert after.ring.is_complete
    assert accepted[0] == accepted[1]


async def test_restart(nats_version: str, read: ReadsServer) -> None:
    """A new process has a new ring, and begins its numbers anew."""
    async with a_single("APP", "B", version=nats_version) as server:
        async with connected(server, "APP"):
            pass
        await until_closed(server, 1)
        before = await read(server)
        await server.restart()
        async with connected(server, "B"):
            pass
        await until_closed(server, 1)
        after = await read(server)

    assert (told(before), told(after)) == (["APP"], ["B"])
    assert after.ring.is_complete
    assert after.jetstream is not None


async def test_flood(nats_version: str, read: ReadsServer) -> None:
    """More connections than the ring holds between two polls leave a gap."""
    async with a_single("APP", "B", version=nats_version) as server:
        async with connected(server, "B"):
            pass
        await until_closed(server, 1)
        before = await read(server)
        await flood(server, "APP", RING + 50)
        await until_closed(server, RING)
        flooded = await read(server)
        after = await read(server)

    assert before.ring.is_complete
    assert told(flooded) == ["APP"]
    assert not flooded.ring.reaches_back
    assert not flooded.ring.is_complete
    assert told(after) == []
    assert after.ring.reaches_back
    assert not after.ring.is_complete
