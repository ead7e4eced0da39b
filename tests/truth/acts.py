"""What scripts do with accounts; each act is noted as use in its scene.

An act returns once its server tells of it: who left is in the ring by then.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nats.aio.client import Client

from tests.support.clients import connected, until_closed
from tests.support.jwts import Identity, credentials
from tests.support.natsserver import NatsServer
from tests.truth.scene import Scene

Who = str | Identity
"""A configured account, or one of operator mode."""


@asynccontextmanager
async def visiting(scene: Scene, server: NatsServer, who: Who) -> AsyncIterator[Client]:
    """Be connected to an account during the block."""
    before = await _closed(server)
    creds = None if isinstance(who, str) else credentials(who)
    name = who if isinstance(who, str) else None
    with scene.using(key(who)):
        async with connected(server, name, creds=creds) as client:
            yield client
        await until_closed(server, before + 1)


async def visit(scene: Scene, server: NatsServer, who: Who) -> None:
    """Connect, and leave without a word."""
    async with visiting(scene, server, who):
        pass


async def publish(
    scene: Scene, server: NatsServer, who: Who, payload: bytes = b"four"
) -> None:
    """Connect, publish one message, and leave."""
    async with visiting(scene, server, who) as client:
        await client.publish("x", payload)
        await client.flush()


def key(who: Who) -> str:
    """Return the id of an account."""
    return who if isinstance(who, str) else who.public_key


async def _closed(server: NatsServer) -> int:
    return int((await server.read("/connz?state=closed&limit=1"))["total"])
