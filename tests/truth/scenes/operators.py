"""Scenes of operator mode: accounts that no server has loaded, and lives of JWTs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from tests.support.clients import until_cut
from tests.support.jwts import Identity, Operator
from tests.support.natsserver import NatsServer
from tests.support.resolver import delete, push
from tests.support.servers import VERSIONS
from tests.support.topology import an_operator_server
from tests.truth.acts import publish, visit, visiting
from tests.truth.bench import Bench, Play
from tests.truth.scene import FORGIVING_CYCLES, THRESHOLD_CYCLES, Setting

OLD_SECONDS = 2 * 86_400
LOOKED_UP_AFTER_SECONDS = 1.5
GHOST_VISITS = 8
"""So many entries of a deleted JWT, and a page with accounts takes 15 seconds."""
LIVES = {
    "NEVER": "never loaded by any server",
    "WAKES": "never loaded, then connected without a word",
    "RENAMED": "its JWT gets another name",
    "EXPIRED": "in use until its JWT expires",
    "DELETED": "in use until its JWT is deleted",
}
FORGOTTEN = {
    "UNLOADED": "used once, then unloaded by a restart",
    "NEVER": "never loaded, over a restart",
}


def _people(operator: Operator, names: Mapping[str, str]) -> dict[str, Identity]:
    issued_at = int(time.time()) - OLD_SECONDS
    return {name: operator.add_account(name, iat=issued_at) for name in names}


def _setting(
    server: NatsServer,
    people: Mapping[str, Identity],
    cases: Mapping[str, str],
    **more: Any,
) -> Setting:
    return Setting(
        endpoints=[server.monitoring_url],
        cast={people[name].public_key: case for name, case in cases.items()},
        inventory=[{"resolver_dir": str(server.folder / "jwt")}],
        **more,
    )


async def lives(bench: Bench, version: str) -> None:
    """Let JWTs be renamed, expire and be deleted."""
    operator = Operator()
    people = _people(operator, LIVES)
    server = an_operator_server(operator, version=version, full_resolver=True)
    setting = _setting(server, people, LIVES)
    async with server, bench.scene("lives", version, setting) as scene:
        await scene.begin()
        await scene.cycles(3)
        await publish(scene, server, people["RENAMED"])
        expired, deleted = people["EXPIRED"], people["DELETED"]
        async with visiting(scene, server, expired):
            await scene.cycles(5)
            operator.sign_account(expired, exp=int(time.time()) + 2)
            await push(server, operator, expired)
            await until_cut(server, expired)
            # Within a minute the server does the same, which is long for a bench.
            (server.folder / "jwt" / f"{expired.public_key}.jwt").unlink(
                missing_ok=True
            )
        async with visiting(scene, server, deleted):
            await scene.cycles(5)
            await delete(server, operator, deleted)
            await until_cut(server, deleted)
        await scene.cycles(THRESHOLD_CYCLES)
        people["RENAMED"].name = "CREW"
        operator.sign_account(people["RENAMED"], iat=int(time.time()) - OLD_SECONDS)
        await push(server, operator, people["RENAMED"])
        await visit(scene, server, people["WAKES"])
        await scene.cycles(THRESHOLD_CYCLES + 3)


async def forgotten(bench: Bench, version: str) -> None:
    """Restart the only server: it loads idle accounts no more."""
    operator = Operator()
    people = _people(operator, FORGOTTEN)
    server = an_operator_server(operator, version=version, full_resolver=True)
    setting = _setting(server, people, FORGOTTEN, threshold_cycles=FORGIVING_CYCLES)
    async with server, bench.scene("forgotten", version, setting) as scene:
        await scene.begin()
        await scene.cycles(3)
        await publish(scene, server, people["UNLOADED"])
        await scene.cycles(FORGIVING_CYCLES - 10)
        await server.restart()
        await scene.cycles(FORGIVING_CYCLES + 20)


async def haunted(bench: Bench, version: str) -> None:
    """Delete a JWT of which the server remembers many closed connections."""
    cast = {
        "IDLE": "idle, beside a deleted JWT with many old connections",
        "USED": "used, beside a deleted JWT with many old connections",
        "GHOST": "its JWT is deleted after many connections",
    }
    operator = Operator()
    people = _people(operator, cast)
    server = an_operator_server(operator, version=version, full_resolver=True)
    setting = _setting(server, people, cast)
    async with server, bench.scene("haunted", version, setting) as scene:
        await scene.begin()
        await scene.cycles(3)
        await publish(scene, server, people["IDLE"])
        for _ in range(GHOST_VISITS):
            await visit(scene, server, people["GHOST"])
        await scene.cycles(2)
        await delete(server, operator, people["GHOST"])
        # For a second after a change servers do not look for an account again.
        await asyncio.sleep(LOOKED_UP_AFTER_SECONDS)
        await scene.cycles(THRESHOLD_CYCLES + 2)
        await visit(scene, server, people["USED"])
        await scene.cycles(THRESHOLD_CYCLES + 3)


PLAYS = (
    Play("lives", lives, VERSIONS),
    Play("forgotten", forgotten, VERSIONS),
    Play("haunted", haunted, VERSIONS),
)
