"""Scenes in which polls fail, while servers are dead, hang, or serve on."""

from __future__ import annotations

from tests.support.clients import publish_in_one_packet
from tests.support.servers import VERSIONS
from tests.support.topology import a_cluster, a_single, ready, running
from tests.truth.acts import publish, visit
from tests.truth.bench import Bench, Play
from tests.truth.scene import INTERVAL, THRESHOLD_CYCLES, Scene, Setting

LEAD_CYCLES = THRESHOLD_CYCLES // 2
DAYS = 40
"""A wall clock is set ahead by so many thresholds."""


async def _until_raised(scene: Scene) -> None:
    await scene.cycles(THRESHOLD_CYCLES - LEAD_CYCLES + 2)


async def dead(bench: Bench, version: str) -> None:
    """Kill a server for longer than the threshold, and start it again."""
    cast = {
        "RAISED": "raised, then a server is dead for two thresholds",
        "PASSING": "its threshold passes while a server is dead",
    }
    servers = a_cluster(*cast, version=version)
    setting = Setting(endpoints=[each.monitoring_url for each in servers], cast=cast)
    async with running(*servers), bench.scene("dead", version, setting) as scene:
        await scene.begin()
        await scene.cycles(LEAD_CYCLES)
        await publish(scene, servers[2], "PASSING")
        await _until_raised(scene)
        # What happened on it since its last reading died with it.
        with scene.blind():
            await servers[2].kill()
            await scene.cycles(2 * THRESHOLD_CYCLES)
            await servers[2].start()
        await ready(servers[2])
        await scene.cycles(THRESHOLD_CYCLES + 3)


async def hung(bench: Bench, version: str) -> None:
    """Freeze a server while a threshold passes, and let it go on."""
    cast = {"PASSING": "its threshold passes while a server hangs"}
    servers = a_cluster(*cast, size=2, version=version)
    urls = [each.monitoring_url for each in servers]
    setting = Setting(endpoints=urls, cast=cast, timeout="250ms")
    async with running(*servers), bench.scene("hung", version, setting) as scene:
        await scene.begin()
        await scene.cycles(LEAD_CYCLES)
        await publish(scene, servers[1], "PASSING")
        await _until_raised(scene)
        with scene.veiled():
            servers[1].pause()
            await scene.cycles(THRESHOLD_CYCLES)
            servers[1].resume()
            await ready(servers[1])
        await scene.cycles(5)


async def cut(bench: Bench, version: str) -> None:
    """Use accounts on a server that serves clients, but cannot be polled."""
    cast = {
        "IDLE": "idle, while a server cannot be polled",
        "RAISED": "raised, then used where nobody can poll",
        "PASSING": "used where nobody can poll, as its threshold passes",
        "WORDLESS": "raised, then connected only, where nobody can poll",
    }
    servers = a_cluster(*cast, version=version)
    setting = Setting(endpoints=[each.monitoring_url for each in servers], cast=cast)
    async with running(*servers), bench.scene("cut", version, setting) as scene:
        await scene.begin()
        await scene.cycles(LEAD_CYCLES)
        await publish(scene, servers[2], "PASSING")
        await _until_raised(scene)
        with scene.veiled():
            scene.exporter.cut.add(servers[2].monitoring_url)
            await scene.cycles(3)
            await publish(scene, servers[2], "RAISED")
            await publish(scene, servers[2], "PASSING")
            await visit(scene, servers[2], "WORDLESS")
            await scene.cycles(THRESHOLD_CYCLES - 5)
            scene.exporter.cut.clear()
        await scene.cycles(THRESHOLD_CYCLES + 3)


async def gap(bench: Bench, version: str) -> None:
    """Poll nothing for longer than the threshold."""
    cast = {
        "IDLE": "idle, while nobody polls for a threshold",
        "USED": "used, while nobody polls for a threshold",
        "PACKED": "CONNECT and PUB in one packet, while nobody polls",
    }
    server = a_single(*cast, version=version)
    setting = Setting(endpoints=[server.monitoring_url], cast=cast)
    async with server, bench.scene("gap", version, setting) as scene:
        await scene.begin()
        await scene.cycles(LEAD_CYCLES)
        with scene.veiled():
            await scene.skip(THRESHOLD_CYCLES)
            await publish(scene, server, "USED")
            await publish_in_one_packet(server, "PACKED", "x", b"x")
            scene.used("PACKED")
            await scene.skip(5)
        await scene.cycles(THRESHOLD_CYCLES + 3)


async def stepped(bench: Bench, version: str) -> None:
    """Set the exporter's wall clock ahead."""
    cast = {
        "IDLE": "idle, and our wall clock is set ahead",
        "ONCE": "used, then our wall clock is set ahead",
    }
    server = a_single(*cast, version=version)
    setting = Setting(endpoints=[server.monitoring_url], cast=cast)
    async with server, bench.scene("stepped", version, setting) as scene:
        await scene.begin()
        await scene.cycles(THRESHOLD_CYCLES + 2)
        await publish(scene, server, "ONCE")
        await scene.cycles(3)
        scene.set_clock_ahead(DAYS * THRESHOLD_CYCLES * INTERVAL)
        await scene.cycles(THRESHOLD_CYCLES + 3)


PLAYS = (
    Play("dead", dead, VERSIONS),
    Play("hung", hung, VERSIONS),
    Play("cut", cut, VERSIONS),
    Play("gap", gap, VERSIONS),
    Play("stepped", stepped, VERSIONS),
)
