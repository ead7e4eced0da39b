"""Scenes on one server in configuration mode: what is use, and what is not."""

from __future__ import annotations

from contextlib import AsyncExitStack

from nats_idle_exporter.config.scalars import format_moment
from tests.support.clients import (
    connected,
    flood,
    log_in_and_leave,
    publish_in_one_packet,
    until_closed,
)
from tests.support.servers import VERSIONS
from tests.support.topology import a_single
from tests.truth.acts import publish, visit
from tests.truth.bench import Bench, Play
from tests.truth.scene import INTERVAL, THRESHOLD_CYCLES, Setting

USE = {
    "NEVER": "never used",
    "BUSY": "busy in every cycle",
    "ONCE": "used once, then idle",
    "SILENT": "connected without a word",
    "BRIEF": "connected and left between two polls",
    "PACKET": "CONNECT and PUB in one packet",
    "EMPTY": "one message without payload",
    "KNOCKED": "failed logins only",
    "$SYS": "the system account",
    "$G": "the global account beside others",
}
RULES = {
    "BATCH": "a batch job, with a rule for its threshold",
    "SEASON": "expected later, by a rule",
}
BATCH_CYCLES = 2 * THRESHOLD_CYCLES
EXPECTED_CYCLES = THRESHOLD_CYCLES + 10
CROWD = 10_050
"""More than a server's ring of closed connections holds."""


async def use(bench: Bench, version: str) -> None:
    """Use accounts in every way that one server offers."""
    names = [name for name in USE if not name.startswith("$")]
    server = a_single(*names, version=version)
    setting = Setting(endpoints=[server.monitoring_url], cast=USE)
    async with server, bench.scene("use", version, setting) as scene:
        scene.never_report("$SYS", "$G")
        await scene.begin()
        await scene.cycles(5)
        await publish(scene, server, "ONCE")
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(connected(server, "SILENT"))
            busy = await stack.enter_async_context(connected(server, "BUSY"))
            stack.enter_context(scene.using("SILENT", "BUSY"))

            async def work() -> None:
                await busy.publish("tick", b"x")
                await busy.flush()

            await scene.cycles(2 * THRESHOLD_CYCLES, work)
        await visit(scene, server, "BRIEF")
        await publish(scene, server, "EMPTY", b"")
        await log_in_and_leave(server, "KNOCKED", "wrong")
        await publish_in_one_packet(server, "PACKET", "x", b"x")
        scene.used("PACKET")
        await until_closed(server, 7)
        await scene.cycles(THRESHOLD_CYCLES + 3)


async def rules(bench: Bench, version: str) -> None:
    """Let accounts have rules of their own."""
    server = a_single(*RULES, version=version)
    setting = Setting(endpoints=[server.monitoring_url], cast=RULES)
    async with server, bench.scene("rules", version, setting) as scene:
        expected_at = scene.clock.wall() + EXPECTED_CYCLES * INTERVAL
        batch = {"match": "BATCH", "threshold": f"{round(BATCH_CYCLES * INTERVAL)}s"}
        season = {"match": "SEASON", "expected_start": format_moment(expected_at)}
        scene.configure(accounts=[batch, season])
        scene.lives["BATCH"].threshold_seconds = BATCH_CYCLES * INTERVAL
        scene.lives["SEASON"].reported_from = EXPECTED_CYCLES * INTERVAL
        await scene.begin()
        for _ in range(2):
            await publish(scene, server, "BATCH")
            await scene.cycles(THRESHOLD_CYCLES + 10)
        await publish(scene, server, "BATCH")
        await scene.cycles(BATCH_CYCLES + 3)


async def young(bench: Bench, version: str) -> None:
    """Begin to watch a moment after the servers began to run."""
    cast = {"NEW": "made a moment ago", "USED": "used just before the first poll"}
    server = a_single(*cast, version=version)
    setting = Setting(endpoints=[server.monitoring_url], cast=cast, is_just_begun=True)
    async with server, bench.scene("young", version, setting) as scene:
        await publish(scene, server, "USED")
        await scene.begin()
        await scene.cycles(THRESHOLD_CYCLES + 3)


async def crowd(bench: Bench, version: str) -> None:
    """Let a crowd of failed logins push a visit out of the ring."""
    cast = {"HIDDEN": "a visit that a crowd of failed logins hides"}
    server = a_single(*cast, version=version)
    setting = Setting(endpoints=[server.monitoring_url], cast=cast)
    async with server, bench.scene("crowd", version, setting) as scene:
        await scene.begin()
        await scene.cycles(THRESHOLD_CYCLES - 1)
        await visit(scene, server, "HIDDEN")
        await flood(server, "NOBODY", CROWD)
        await scene.cycles(THRESHOLD_CYCLES + 3)


PLAYS = (
    Play("use", use, VERSIONS),
    Play("rules", rules, VERSIONS),
    Play("young", young, VERSIONS),
    Play("crowd", crowd, VERSIONS),
)
