"""Real servers with many accounts, as the benchmarks of the whole daemon need them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

from nats.aio.client import Client

from tests.support.clients import connected
from tests.support.natsserver import NatsServer
from tests.support.topology import a_cluster, running

BUSY = 20
"""Accounts with a client; all others are never used."""


class System(NamedTuple):
    """A cluster that runs, and the clients of its busy accounts."""

    servers: Sequence[NatsServer]
    clients: Sequence[Client]

    @property
    def urls(self) -> list[str]:
        """The endpoints."""
        return [server.monitoring_url for server in self.servers]

    async def use(self) -> None:
        """Let each busy account send a message."""
        for client in self.clients:
            await client.publish("x", b"")
            await client.flush()


@asynccontextmanager
async def a_system(accounts: int, busy: int = BUSY) -> AsyncIterator[System]:
    """Start three servers with so many accounts each."""
    names = [f"TEAM-{number:05}" for number in range(accounts)]
    servers = a_cluster(*names)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(*servers))
        clients = [
            await stack.enter_async_context(connected(servers[0], name))
            for name in names[:busy]
        ]
        yield System(servers, clients)
