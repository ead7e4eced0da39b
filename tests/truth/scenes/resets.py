"""Scenes in which counters begin anew: restarts, reloads, accounts that come again."""

from __future__ import annotations

from tests.support.natsserver import NatsServer
from tests.support.servers import VERSIONS
from tests.support.topology import (
    a_cluster,
    a_single,
    accounts_config,
    ready,
    running,
)
from tests.truth.acts import publish
from tests.truth.bench import Bench, Play
from tests.truth.scene import FORGIVING_CYCLES, THRESHOLD_CYCLES, Scene, Setting

GONE_CYCLES = 5
ROLLING_CYCLES = 100
"""A threshold that forgives the restart of each of three servers."""


async def equal(bench: Bench, version: str) -> None:
    """Restart a server, and let the same traffic come again."""
    cast = {
        "JOB": "the same traffic after a server's restart as before",
        "IDLE": "idle over a server's restart",
    }
    server = a_single(*cast, version=version)
    setting = Setting(endpoints=[server.monitoring_url], cast=cast)
    async with server, bench.scene("equal", version, setting) as scene:
        await scene.begin()
        await publish(scene, server, "JOB")
        await scene.cycles(THRESHOLD_CYCLES + 2)
        # This threshold is too short to forgive the hole that a restart leaves.
        scene.blind_until_now(since=scene.now)
        await server.restart()
        await publish(scene, server, "JOB")
        await scene.cycles(THRESHOLD_CYCLES + 3)


async def rolling(bench: Bench, version: str) -> None:
    """Restart every server of a cluster in turn."""
    cast = {
        "RAISED": "raised, then every server restarts in turn",
        "PASSING": "idle, and every server restarts in turn",
    }
    servers = a_cluster(*cast, version=version)
    urls = [each.monitoring_url for each in servers]
    setting = Setting(endpoints=urls, cast=cast, threshold_cycles=ROLLING_CYCLES)
    async with running(*servers), bench.scene("rolling", version, setting) as scene:
        await scene.begin()
        await scene.cycles(ROLLING_CYCLES - 10)
        await publish(scene, servers[0], "PASSING")
        await scene.cycles(20)
        for server in servers:
            await server.restart()
            await ready(server)
            await scene.cycles(2)
        await scene.cycles(ROLLING_CYCLES - 10)


async def reload(bench: Bench, version: str) -> None:
    """Reload a server's configuration, unchanged and changed."""
    cast = {
        "IDLE": "never used, over reloads",
        "ONCE": "used once, then reloads",
    }
    server = a_single(*cast, version=version)
    urls = [server.monitoring_url]
    setting = Setting(endpoints=urls, cast=cast, threshold_cycles=FORGIVING_CYCLES)
    async with server, bench.scene("reload", version, setting) as scene:
        await scene.begin()
        await publish(scene, server, "ONCE")
        await scene.cycles(FORGIVING_CYCLES // 2)
        await server.reload()
        await scene.cycles(FORGIVING_CYCLES // 2 + 5)
        server.config["accounts"]["ANOTHER"] = {}
        await server.reload()
        await scene.cycles(5)


async def again(bench: Bench, version: str) -> None:
    """Remove accounts and add them again, from zero."""
    cast = {
        "JOB": "removed, added again and used alike",
        "NEW": "removed, and added again unused",
        "STAYS": "idle, beside accounts that come and go",
    }
    server = a_single(*cast, version=version)
    setting = Setting(endpoints=[server.monitoring_url], cast=cast)
    async with server, bench.scene("again", version, setting) as scene:
        await scene.begin()
        await publish(scene, server, "JOB")
        await scene.cycles(THRESHOLD_CYCLES + 2)
        await _remove(scene, server, "JOB", "NEW")
        await scene.cycles(GONE_CYCLES)
        await _add(scene, server, "JOB", "NEW")
        await publish(scene, server, "JOB")
        await scene.cycles(THRESHOLD_CYCLES + 3)


async def quickly(bench: Bench, version: str) -> None:
    """Remove an account, add and use it again, all between two polls."""
    cast = {"JOB": "removed, added and used alike between two polls"}
    server = a_single(*cast, "OTHER", version=version)
    setting = Setting(endpoints=[server.monitoring_url], cast=cast)
    async with server, bench.scene("quickly", version, setting) as scene:
        await scene.begin()
        await publish(scene, server, "JOB")
        await scene.cycles(THRESHOLD_CYCLES + 2)
        await _remove(scene, server, "JOB")
        await _add(scene, server, "JOB")
        await publish(scene, server, "JOB")
        await scene.cycles(THRESHOLD_CYCLES + 3)


async def _remove(scene: Scene, server: NatsServer, *accounts: str) -> None:
    for account in accounts:
        del server.config["accounts"][account]
        scene.gone(account)
    await server.reload()


async def _add(scene: Scene, server: NatsServer, *accounts: str) -> None:
    server.config["accounts"] |= accounts_config(*accounts)["accounts"]
    await server.reload()
    for account in accounts:
        scene.made(account)


PLAYS = (
    Play("equal", equal, VERSIONS),
    Play("rolling", rolling, VERSIONS),
    Play("reload", reload, VERSIONS),
    Play("again", again, VERSIONS),
    Play("quickly", quickly, VERSIONS),
)
