"""Scenes on one server: what is use, and what is not."""

from __future__ import annotations

from tests.support.clients import (
    connected,
)
from tests.support.servers import VERSIONS
from tests.support.topology import a_single
from tests.truth.bench import Bench, Play
from tests.truth.scene import THRESHOLD_CYCLES, Setting

SIMPLE = {
    "NEVER": "never used",
    "BUSY": "busy in every cycle",
    "ONCE": "used once, then idle",
}


async def simple(bench: Bench, version: str) -> None:
    """Play the plain cases: unused, busy, used once."""
    server = a_single(*SIMPLE, version=version)
    setting = Setting(endpoints=[server.monitoring_url], cast=SIMPLE)
    async with server, bench.scene("simple", version, setting) as scene:
        await scene.begin()
        await scene.cycles(5)
        async with connected(server, "ONCE") as client:
            await client.publish("x", b"x")
            await client.flush()
            scene.used("ONCE")
        async with connected(server, "BUSY") as busy:

            async def work() -> None:
                await busy.publish("tick", b"x")
                await busy.flush()

            with scene.using("BUSY"):
                await scene.cycles(2 * THRESHOLD_CYCLES, work)
        await scene.cycles(THRESHOLD_CYCLES + 3)


PLAYS = (Play("simple", simple, VERSIONS),)
