"""Scenes of streams that other accounts use, while their owner's counters stand."""

from __future__ import annotations

from typing import Any

from nats.js.api import ConsumerConfig, ExternalStream, StreamSource

from tests.support.clients import connected
from tests.support.natsserver import NatsServer
from tests.support.servers import VERSIONS
from tests.support.topology import a_single, running
from tests.truth.bench import Bench, Play
from tests.truth.scene import THRESHOLD_CYCLES, Scene, Setting

CAST = {
    "HOLDER": "owns a stream that nobody uses",
    "WRITTEN": "its stream is written by another account",
    "READ": "its stream is pulled and acknowledged by another account",
    "ORIGIN": "its stream is mirrored by another account, and idle",
    "COPY": "mirrors another account's stream, and idle",
}
OWNERS = ("HOLDER", "WRITTEN", "READ", "ORIGIN")
USER = "APPX"


def _offer(config: dict[str, Any], owner: str, user: str) -> None:
    """Let one account use the streams of another, below ``OWNER.``."""
    accounts = config["accounts"]
    services = ("$JS.API.>", f"{owner}.>", "$JS.ACK.>", "$JS.FC.>")
    accounts[owner].setdefault("exports", []).extend(
        [*({"service": each} for each in services), {"stream": "deliver.>"}]
    )
    accounts[user].setdefault("imports", []).extend(
        [
            {
                "service": {"account": owner, "subject": "$JS.API.>"},
                "to": f"JS.{owner}.API.>",
            },
            {"service": {"account": owner, "subject": f"{owner}.>"}},
            {"stream": {"account": owner, "subject": "deliver.>"}},
        ]
    )


def a_store(version: str) -> NatsServer:
    """Return a server on which accounts use each other's streams."""
    server = a_single(*CAST, USER, version=version, jetstream=[*OWNERS, "COPY"])
    for owner in ("WRITTEN", "READ"):
        _offer(server.config, owner, USER)
    _offer(server.config, "ORIGIN", "COPY")
    # Only one account's acknowledgements can be imported under one subject.
    ack = {"service": {"account": "READ", "subject": "$JS.ACK.>"}}
    server.config["accounts"][USER]["imports"].append(ack)
    return server


async def _fill(scene: Scene, server: NatsServer) -> None:
    for owner in OWNERS:
        with scene.using(owner):
            async with connected(server, owner) as client:
                jetstream = client.jetstream()
                await jetstream.add_stream(name="S", subjects=[f"{owner}.>"])
                pull = ConsumerConfig(durable_name="PULL")
                await jetstream.add_consumer("S", pull)
                await jetstream.publish(f"{owner}.new", b"x")


async def _mirror(scene: Scene, server: NatsServer) -> None:
    """Let COPY mirror ORIGIN, and return once it has the message."""
    external = ExternalStream(api="JS.ORIGIN.API", deliver="deliver.copy")
    source = StreamSource(name="S", external=external)
    with scene.using("COPY"):
        async with connected(server, "COPY") as client:
            await client.jetstream().add_stream(name="M", mirror=source)

    async def is_copied() -> bool:
        told = await server.read("/jsz?acc=COPY&streams=1")
        streams = told["account_details"][0]["stream_detail"]
        return bool(streams[0]["state"]["messages"] == 1)

    await server.until(is_copied, "copies a message")


async def streams(bench: Bench, version: str) -> None:
    """Let all owners be raised, then let another account use two of them."""
    server = a_store(version)
    setting = Setting(endpoints=[server.monitoring_url], cast=CAST)
    async with running(server), bench.scene("streams", version, setting) as scene:
        await _fill(scene, server)
        await _mirror(scene, server)
        await scene.begin()
        await scene.cycles(THRESHOLD_CYCLES + 3)
        async with connected(server, USER) as client:
            await client.jetstream(prefix="JS.WRITTEN.API").publish("WRITTEN.new", b"x")
            scene.used("WRITTEN")
            reader = client.jetstream(prefix="JS.READ.API")
            orders = await reader.pull_subscribe_bind("PULL", "S")
            (message,) = await orders.fetch(1, timeout=5)
            await message.ack_sync()
            scene.used("READ")
        await scene.cycles(THRESHOLD_CYCLES + 5)


PLAYS = (Play("streams", streams, VERSIONS),)
