"""Scenes of accounts that use one another, through exports and imports."""

from __future__ import annotations

import asyncio

from nats.aio.msg import Msg

from tests.support.natsserver import NatsServer
from tests.support.servers import VERSIONS
from tests.support.topology import a_single
from tests.truth.acts import visiting
from tests.truth.bench import Bench, Play
from tests.truth.scene import THRESHOLD_CYCLES, Scene, Setting

CAST = {
    "CALLER": "asks through a service import",
    "PROVIDER": "answers through a service export",
    "READER": "reads through a stream import, between two polls",
    "WRITER": "is read through a stream export",
    "EXPORTER": "exports what nobody imports",
}


def a_market(version: str) -> NatsServer:
    """Return a server whose accounts offer each other things."""
    server = a_single(*CAST, version=version)
    accounts = server.config["accounts"]
    accounts["PROVIDER"]["exports"] = [{"service": "help"}]
    accounts["CALLER"]["imports"] = [
        {"service": {"account": "PROVIDER", "subject": "help"}}
    ]
    accounts["WRITER"]["exports"] = [{"stream": "news.>"}]
    accounts["EXPORTER"]["exports"] = [{"stream": "old.>"}, {"service": "older"}]
    accounts["READER"]["imports"] = [
        {"stream": {"account": "WRITER", "subject": "news.>"}}
    ]
    return server


async def ask(scene: Scene, server: NatsServer) -> None:
    """Let CALLER ask PROVIDER something."""

    async def answer(message: Msg) -> None:
        await message.respond(b"yes")

    async with visiting(scene, server, "PROVIDER") as provider:
        await provider.subscribe("help", cb=answer)
        await provider.flush()
        async with visiting(scene, server, "CALLER") as caller:
            await caller.request("help", b"?", timeout=5)


async def tell(scene: Scene, server: NatsServer) -> None:
    """Let WRITER tell READER something."""
    heard = asyncio.Event()

    async def hear(_: Msg) -> None:
        heard.set()

    async with visiting(scene, server, "READER") as reader:
        await reader.subscribe("news.>", cb=hear)
        await reader.flush()
        async with visiting(scene, server, "WRITER") as writer:
            await writer.publish("news.today", b"x")
            await writer.flush()
        await heard.wait()


async def imports(bench: Bench, version: str) -> None:
    """Let all be raised, then be used through each other, then be idle again."""
    server = a_market(version)
    setting = Setting(endpoints=[server.monitoring_url], cast=CAST)
    async with server, bench.scene("imports", version, setting) as scene:
        await scene.begin()
        await scene.cycles(THRESHOLD_CYCLES + 2)
        await ask(scene, server)
        await tell(scene, server)
        await scene.cycles(THRESHOLD_CYCLES + 3)


PLAYS = (Play("imports", imports, VERSIONS),)
