"""Scenes of clusters and leaf servers: use that only some servers see."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from nats.aio.msg import Msg
from nats.js.api import Placement, StreamSource

from tests.support.clients import add_stream, connected, until_closed
from tests.support.natsserver import NatsServer
from tests.support.servers import NEWEST, VERSIONS
from tests.support.topology import (
    PASSWORD,
    a_cluster,
    a_hub_and_leaf,
    a_single,
    join,
    ready,
    running,
)
from tests.truth.acts import publish, visiting
from tests.truth.bench import Bench, Play
from tests.truth.scene import THRESHOLD_CYCLES, Scene, Setting


def _linked(hub: NatsServer, account: str) -> NatsServer:
    """Return another leaf server of a hub."""
    leaf = a_single("LOCAL", version=hub.version, name="leaf2")
    url = f"nats-leaf://{account}:{PASSWORD}@127.0.0.1:{hub.leaf.number}"
    leaf.config["leafnodes"] = {"remotes": [{"url": url, "account": "LOCAL"}]}
    return leaf


async def leafs(bench: Bench, version: str) -> None:
    """Let one leaf link be up for long, and another come and go between polls."""
    cast = {
        "LINKED": "a leaf link, and nothing else",
        "CALLED": "a leaf link between two polls",
    }
    hub, leaf = a_hub_and_leaf(*cast, version=version)
    setting = Setting(endpoints=[hub.monitoring_url], cast=cast)
    async with hub, bench.scene("leafs", version, setting) as scene:
        await scene.begin()
        async with leaf:
            with scene.using("LINKED"):
                await ready(leaf)
                await scene.cycles(2 * THRESHOLD_CYCLES)
        await until_closed(hub, 1)
        async with _linked(hub, "CALLED") as second:
            with scene.using("CALLED"):
                await ready(second)
        await until_closed(hub, 2)
        await scene.cycles(THRESHOLD_CYCLES + 3)


async def _talk(scene: Scene, servers: tuple[NatsServer, ...]) -> None:
    """Let TEAM publish on one server for a subscriber on another."""
    heard = asyncio.Event()

    async def hear(_: Msg) -> None:
        heard.set()

    async with (
        visiting(scene, servers[0], "TEAM") as publisher,
        connected(servers[1], "TEAM") as subscriber,
    ):
        await subscriber.subscribe("x", cb=hear)
        await subscriber.flush()
        while not heard.is_set():
            await publisher.publish("x", b"")
            await publisher.flush()


async def routed(bench: Bench, version: str) -> None:
    """Let an account be used across two servers, and be idle before and after."""
    cast = {"TEAM": "used across two servers", "IDLE": "idle on three servers"}
    servers = a_cluster(*cast, version=version)
    setting = Setting(endpoints=[each.monitoring_url for each in servers], cast=cast)
    async with running(*servers), bench.scene("routed", version, setting) as scene:
        await scene.begin()
        await scene.cycles(THRESHOLD_CYCLES + 2)
        await _talk(scene, servers)
        await until_closed(servers[1], 1)
        await scene.cycles(THRESHOLD_CYCLES + 3)


async def _beat(server: NatsServer, account: str) -> None:
    """Return once a copy on another server made the origin's server send again."""

    async def sent() -> int:
        rows = (await server.read("/accstatz?unused=1"))["account_statz"]
        return int(next(row["sent"]["msgs"] for row in rows if row["acc"] == account))

    before = await sent()

    async def moved() -> bool:
        return await sent() > before

    await server.until(moved, "hears from a copy")


async def mirrored(bench: Bench, version: str) -> None:
    """Let a stream have a mirror on another server, which ticks for ever."""
    cast = {"TEAM": "idle, with a mirror on another server"}
    servers = a_cluster(*cast, version=version, jetstream=cast)
    for server in servers:
        server.config["server_tags"] = [f"on:{server.name}"]
    setting = Setting(endpoints=[each.monitoring_url for each in servers], cast=cast)
    async with running(*servers), bench.scene("mirrored", version, setting) as scene:
        if version != NEWEST:
            scene.lives["TEAM"].limit = "routes are not told apart before 2.11.5"
        with scene.using("TEAM"):
            async with connected(servers[0], "TEAM") as client:
                near, far = Placement(tags=["on:n1"]), Placement(tags=["on:n2"])
                await add_stream(client, "ORIGIN", ["origin"], placement=near)
                source = StreamSource(name="ORIGIN")
                await add_stream(client, "COPY", [], placement=far, mirror=source)
                await client.jetstream().publish("origin", b"x")
        await scene.begin()
        for _ in range(6):
            await scene.cycles(THRESHOLD_CYCLES // 4)
            await _beat(servers[0], "TEAM")
        await scene.cycles(3)


async def unpolled(bench: Bench, version: str) -> None:
    """Let a client be on a server that nobody polls."""
    cast = {"TEAM": "in use on a server that nobody polls"}
    servers = a_cluster(*cast, version=version)
    urls = [each.monitoring_url for each in servers[:2]]
    setting = Setting(endpoints=urls, cast=cast)
    async with (
        running(*servers),
        bench.scene("unpolled", version, setting) as scene,
        visiting(scene, servers[2], "TEAM"),
    ):
        await scene.begin()
        await scene.cycles(2 * THRESHOLD_CYCLES)


async def late(bench: Bench, version: str) -> None:
    """Let a server join a cluster that is watched already."""
    cast = {
        "IDLE": "idle, as a server joins",
        "GUEST": "used on a server before its first poll",
    }
    old, young = (
        a_cluster(*cast, size=2, version=version),
        a_single(*cast, version=version, name="n3"),
    )
    urls = [each.monitoring_url for each in (*old, young)]
    setting = Setting(endpoints=urls[:2], cast=cast)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(*old))
        scene = await stack.enter_async_context(bench.scene("late", version, setting))
        await scene.begin()
        await scene.cycles(THRESHOLD_CYCLES // 2)
        peers = old[0].config["cluster"]["routes"]
        join(young)
        young.config["cluster"]["routes"] += peers
        await stack.enter_async_context(running(young))
        await publish(scene, young, "GUEST")
        scene.configure(endpoints=urls)
        await scene.restart()
        await scene.cycles(THRESHOLD_CYCLES + 3)


PLAYS = (
    Play("leafs", leafs, VERSIONS),
    Play("routed", routed, VERSIONS),
    Play("mirrored", mirrored, VERSIONS),
    Play("unpolled", unpolled, VERSIONS),
    Play("late", late, VERSIONS),
)
