"""Scenes in real time: first sights, and our own restarts.

There the servers' own stamps and ours have to agree, so time passes by itself.
"""

from __future__ import annotations

from tests.support.servers import VERSIONS
from tests.support.topology import a_single
from tests.truth.acts import publish, visit
from tests.truth.bench import Bench, Play
from tests.truth.scene import Setting

CYCLES = 10
"""The threshold, in real intervals."""
DOWN_CYCLES = 4


async def first(bench: Bench, version: str) -> None:
    """Look for the first time at a server that is older than the threshold."""
    cast = {
        "NEVER": "first sight: never used since the server's start",
        "LONG": "first sight: used more than a threshold ago",
        "BRIEF": "first sight: connected without a word, longer ago",
        "FRESH": "first sight: used a moment ago",
    }
    server = a_single(*cast, version=version)
    setting = Setting(
        endpoints=[server.monitoring_url],
        cast=cast,
        threshold_cycles=CYCLES,
        is_just_begun=True,
    )
    async with bench.scene("first", version, setting, is_real=True) as scene, server:
        await publish(scene, server, "LONG")
        await visit(scene, server, "BRIEF")
        await scene.skip(CYCLES + 1)
        await publish(scene, server, "FRESH")
        await scene.begin()
        # Counters do not say when: the clock of those starts at the first poll.
        scene.blind_until_now("LONG", "BRIEF", "FRESH")
        await scene.cycles(CYCLES + 3)


async def ours(bench: Bench, version: str) -> None:
    """Restart the exporter, and use accounts meanwhile."""
    cast = {
        "RAISED": "raised, then our own restart",
        "PASSING": "its threshold passes while we are down",
        "MESSAGE": "raised, then used while we are down",
        "WORDLESS": "raised, then connected only, while we are down",
    }
    server = a_single(*cast, version=version)
    setting = Setting(
        endpoints=[server.monitoring_url], cast=cast, threshold_cycles=CYCLES
    )
    async with server, bench.scene("ours", version, setting, is_real=True) as scene:
        await scene.begin()
        await scene.cycles(CYCLES // 2)
        await publish(scene, server, "PASSING")
        await scene.cycles(CYCLES // 2 + 2)
        with scene.veiled():
            await scene.exporter.stop()
            await publish(scene, server, "MESSAGE")
            await visit(scene, server, "WORDLESS")
            await scene.skip(DOWN_CYCLES)
            await scene.exporter.start()
            await scene.cycles()
        await scene.cycles(CYCLES + 3)


PLAYS = (
    Play("first", first, VERSIONS, is_real=True),
    Play("ours", ours, VERSIONS, is_real=True),
)
