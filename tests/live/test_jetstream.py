"""JetStream as evidence on real servers: who uses streams across accounts."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from nats.js.api import ConsumerConfig, Placement, StreamSource

from nats_idle_exporter.activity import EvidenceKind, Verdict
from tests.support.clients import add_stream, connected
from tests.support.topology import a_cluster, a_single, ready, running
from tests.support.watching import THRESHOLD_CYCLES, Watching, watching

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nats.js import JetStreamContext

    from tests.support.natsserver import NatsServer

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

EXPORTS = [
    {"service": "$JS.API.>"},
    {"service": "orders.>"},
    {"service": "$JS.ACK.>"},
    {"stream": "deliver.>"},
]
IMPORTS = [
    {"service": {"account": "STORE", "subject": "$JS.API.>"}, "to": "STORE.API.>"},
    {"service": {"account": "STORE", "subject": "orders.>"}},
    {"service": {"account": "STORE", "subject": "$JS.ACK.>"}},
    {"stream": {"account": "STORE", "subject": "deliver.>"}},
]
MESSAGES = 3
MANY = 100
"""Streams, so that the server does not recover them in no time."""


def share(*servers: NatsServer) -> tuple[NatsServer, ...]:
    """Let STORE export its streams to APPX."""
    for server in servers:
        server.config["accounts"]["STORE"]["exports"] = EXPORTS
        server.config["accounts"]["APPX"]["imports"] = IMPORTS
    return servers


def a_store(version: str) -> NatsServer:
    """Return one server on which APPX may use the streams of STORE."""
    server = a_single("STORE", "APPX", version=version, jetstream=["STORE"])
    return share(server)[0]


async def fill(server: NatsServer) -> None:
    """Let STORE make a stream with messages and a consumer, and leave."""
    async with connected(server, "STORE") as client:
        jetstream = client.jetstream()
        await jetstream.add_stream(name="ORDERS", subjects=["orders.>"])
        await jetstream.add_consumer("ORDERS", ConsumerConfig(durable_name="PULL"))
        for _ in range(MESSAGES):
            await jetstream.publish("orders.new", b"x")


@asynccontextmanager
async def imported(server: NatsServer) -> AsyncIterator[JetStreamContext]:
    """Connect APPX to the streams of STORE."""
    async with connected(server, "APPX") as client:
        yield client.jetstream(prefix="STORE.API")


async def until_raised(watch: Watching, account: str = "STORE") -> None:
    """Watch an account fall silent."""
    await watch.cycles_until(account, Verdict.INACTIVE, most=2 * THRESHOLD_CYCLES)
    assert watch.account(account).is_observed


def use_of_store(watch: Watching) -> EvidenceKind:
    """Return what the owner was last used for."""
    account = watch.account("STORE")
    assert account.connections == 0
    assert account.last_evidence is not None
    return account.last_evidence.kind


async def test_owner_of_unused_streams_turns_inactive(nats_version: str) -> None:
    """A stream with messages and a consumer alone is no use."""
    async with running(server := a_store(nats_version)):
        await fill(server)
        async with watching([server.monitoring_url]) as watch:
            await watch.cycles(THRESHOLD_CYCLES - 1)
            assert watch.account("STORE").verdict is not Verdict.INACTIVE

            await until_raised(watch)
            await watch.cycles(5)
            assert watch.account("STORE").is_observed


async def test_publishing_through_an_import_is_use(nats_version: str) -> None:
    """Who writes into a stream of another account keeps its owner active."""
    async with running(server := a_store(nats_version)):
        await fill(server)
        async with watching([server.monitoring_url]) as watch:
            await until_raised(watch)
            async with imported(server) as jetstream:
                await jetstream.publish("orders.new", b"x")
            await watch.cycles()

            assert watch.account("STORE").verdict is Verdict.ACTIVE
            assert use_of_store(watch) is EvidenceKind.JETSTREAM


async def test_pulling_through_an_import_is_use(nats_version: str) -> None:
    """Who reads a stream of another account keeps its owner active."""
    async with running(server := a_store(nats_version)):
        await fill(server)
        async with watching([server.monitoring_url]) as watch:
            await until_raised(watch)
            async with imported(server) as jetstream:
                orders = await jetstream.pull_subscribe_bind("PULL", "ORDERS")
                (message,) = await orders.fetch(1, timeout=5)
                await message.ack_sync()
            await watch.cycles()

            assert watch.account("STORE").verdict is Verdict.ACTIVE
            assert use_of_store(watch) is EvidenceKind.JETSTREAM


async def test_constant_use_through_an_import_never_raises(nats_version: str) -> None:
    """An owner whose counters stand still is not raised while others read."""
    async with running(server := a_store(nats_version)):
        await fill(server)
        async with watching([server.monitoring_url]) as watch:
            async with imported(server) as jetstream:
                orders = await jetstream.pull_subscribe_bind("PULL", "ORDERS")
                for _ in range(MESSAGES):
                    await watch.cycles(THRESHOLD_CYCLES - 2)
                    (message,) = await orders.fetch(1, timeout=5)
                    await message.ack_sync()
                    assert watch.account("STORE").verdict is not Verdict.INACTIVE
            await watch.cycles(THRESHOLD_CYCLES - 2)
            assert watch.account("STORE").verdict is not Verdict.INACTIVE

            await until_raised(watch)


async def test_restart_is_no_use_and_holds_the_verdict(nats_version: str) -> None:
    """A server that forgets its consumers' stamps shows nothing new by it."""
    async with running(server := a_store(nats_version)):
        await fill(server)
        async with imported(server) as jetstream:
            orders = await jetstream.pull_subscribe_bind("PULL", "ORDERS")
            (message,) = await orders.fetch(1, timeout=5)
            await message.ack_sync()
        async with watching([server.monitoring_url]) as watch:
            await until_raised(watch)
            for end in (server.stop, server.kill):
                await end()
                await watch.cycles()
                await server.start()
                for _ in range(5):
                    await watch.cycles()
                    assert watch.account("STORE").verdict is Verdict.INACTIVE


async def test_cluster_is_judged_by_all_its_servers(nats_version: str) -> None:
    """A replicated stream is followed wherever its leader is."""
    servers = a_cluster("STORE", "APPX", version=nats_version, jetstream=["STORE"])
    urls = [server.monitoring_url for server in servers]
    async with running(*share(*servers)):
        async with connected(servers[0], "STORE") as client:
            jetstream = client.jetstream()
            await jetstream.add_stream(
                name="ORDERS", subjects=["orders.>"], num_replicas=3
            )
            await jetstream.add_consumer("ORDERS", ConsumerConfig(durable_name="PULL"))
            await jetstream.publish("orders.new", b"x")
        async with watching(urls) as watch:
            await until_raised(watch)
            async with imported(servers[1]) as jetstream:
                orders = await jetstream.pull_subscribe_bind("PULL", "ORDERS")
                (message,) = await orders.fetch(1, timeout=5)
                await message.ack_sync()
            await watch.cycles()

            assert watch.account("STORE").verdict is Verdict.ACTIVE


async def sent_by(server: NatsServer, account: str) -> int:
    """Return how many messages a server counts as sent for the account."""
    rows = (await server.read("/accstatz?unused=1"))["account_statz"]
    return int(next(row["sent"]["msgs"] for row in rows if row["acc"] == account))


async def beat(server: NatsServer, account: str) -> None:
    """Return once a copy on another server made the origin's server send again."""
    before = await sent_by(server, account)

    async def moved() -> bool:
        return await sent_by(server, account) > before

    await server.until(moved, "hears from a copy")


@pytest.mark.parametrize("kind", ["mirror", "sources"])
async def test_copy_on_another_server_is_no_use(nats_version: str, kind: str) -> None:
    """Copies tick for ever; older servers cannot tell that from clients' traffic."""
    servers = a_cluster("TEAM", version=nats_version, jetstream=["TEAM"])
    for server in servers:
        server.config["server_tags"] = [f"on:{server.name}"]
    async with running(*servers):
        async with connected(servers[0], "TEAM") as client:
            near, far = Placement(tags=["on:n1"]), Placement(tags=["on:n2"])
            await add_stream(client, "ORIGIN", ["origin"], placement=near)
            source = StreamSource(name="ORIGIN")
            copied: dict[str, Any] = {kind: source if kind == "mirror" else [source]}
            await add_stream(client, "COPY", [], placement=far, **copied)
            await client.jetstream().publish("origin", b"x")
        async with watching([server.monitoring_url for server in servers]) as watch:
            await watch.cycles(THRESHOLD_CYCLES + 2)
            await beat(servers[0], "TEAM")
            await watch.cycles()

            tells_routes = nats_version != "2.10.25"
            expected = Verdict.INACTIVE if tells_routes else Verdict.ACTIVE
            assert watch.account("TEAM").verdict is expected
            assert watch.account("TEAM").is_observed


async def test_recovering_server_changes_no_verdict(nats_version: str) -> None:
    """Monitoring answers before all streams are back: what is missing is waited for."""
    server = a_store(nats_version)
    async with running(server):
        async with connected(server, "STORE") as client:
            jetstream = client.jetstream()
            for number in range(MANY):
                name = f"S{number}"
                await jetstream.add_stream(name=name, subjects=[f"{name}.>"])
                await jetstream.add_consumer(name, ConsumerConfig(durable_name="PULL"))
                await jetstream.publish(f"{name}.x", b"x")
        async with watching([server.monitoring_url]) as watch:
            await until_raised(watch)
            await server.kill()
            await watch.cycles()
            await server.start()
            await watch.cycles()
            assert watch.account("STORE").verdict is Verdict.INACTIVE
            await ready(server)
            for _ in range(THRESHOLD_CYCLES + 5):
                await watch.cycles()
                assert watch.account("STORE").verdict is Verdict.INACTIVE
            assert watch.account("STORE").is_observed


async def test_watch_that_begins_in_a_recovery_raises_nothing_early(
    nats_version: str,
) -> None:
    """Streams that come late are dated by the server's start at the earliest."""
    async with running(server := a_store(nats_version)):
        await fill(server)
        await server.restart()
        async with watching([server.monitoring_url]) as watch:
            await watch.cycles()
            await ready(server)
            await watch.cycles(THRESHOLD_CYCLES - 2)
            assert watch.account("STORE").verdict is not Verdict.INACTIVE

            await until_raised(watch)
