"""Connect to a test's servers as ordinary clients do, and as odd ones do."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import nats
import nats.errors
import nkeys  # type: ignore[import-untyped]  # it ships no types
from nats.aio.client import Client, RawCredentials

from tests.support.natsserver import ServerTroubleError
from tests.support.topology import PASSWORD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.support.jwts import Identity
    from tests.support.natsserver import NatsServer

RING = 10_000
"""Closed connections that a server keeps unless it is told otherwise."""
_AT_ONCE = 100
_ATTEMPTS = 200
_STEP_SECONDS = 0.2


@asynccontextmanager
async def connected(
    server: NatsServer, account: str | None = None, *, creds: str | None = None
) -> AsyncIterator[Client]:
    """Connect to one server, never to another, and close in the end.

    Args:
        server: the server to connect to.
        account: a configured account; none for a server without accounts.
        creds: the text of a credentials file, in operator mode.
    """
    client = await nats.connect(
        server.url,
        user=account,
        password=PASSWORD if account else None,
        user_credentials=RawCredentials(creds) if creds else None,
        allow_reconnect=False,
        max_reconnect_attempts=1,
        reconnect_time_wait=0,
        error_cb=_ignore,
    )
    try:
        yield client
    finally:
        await client.close()


async def add_stream(
    client: Client, name: str, subjects: list[str], replicas: int = 1, **config: Any
) -> None:
    """Add a stream, once the young cluster has heard from enough of its servers."""
    trouble = ""
    for _ in range(_ATTEMPTS):
        try:
            await client.jetstream(timeout=1).add_stream(
                name=name, subjects=subjects, num_replicas=replicas, **config
            )
        except nats.errors.Error as error:
            trouble = str(error)
        else:
            return
        await asyncio.sleep(_STEP_SECONDS)
    raise ServerTroubleError(f"no stream {name} with {replicas} replicas: {trouble}")


async def publish_in_one_packet(
    server: NatsServer, account: str, subject: str, payload: bytes = b""
) -> None:
    """Send CONNECT and PUB in one packet, as hand-made clients do, and leave.

    The server books such a message to its global account.
    """
    options = {"user": account, "pass": PASSWORD, "verbose": False}
    packet = b"CONNECT %s\r\nPUB %s %d\r\n%s\r\nPING\r\n" % (
        json.dumps(options).encode(),
        subject.encode(),
        len(payload),
        payload,
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", server.client.number)
    try:
        await reader.readline()
        writer.write(packet)
        # The server's own PING may come before the PONG.
        while not (await reader.readline()).startswith(b"PONG"):
            pass
    finally:
        writer.close()
        await writer.wait_closed()


async def until_closed(server: NatsServer, count: int) -> None:
    """Return once so many entries are in the ring; servers add them a little late."""

    async def holds() -> bool:
        ring = await server.read("/connz?state=closed&limit=1")
        return bool(ring["total"] >= count)

    await server.until(holds, f"has {count} closed connections")


async def until_cut(server: NatsServer, account: Identity) -> None:
    """Return once nobody is connected to an account of operator mode."""

    async def is_cut() -> bool:
        body = await server.read("/connz?auth=1")
        users = {each.get("account") for each in body["connections"]}
        return account.public_key not in users

    await server.until(is_cut, f"cuts the clients of {account.name}")


async def flood(server: NatsServer, account: str, count: int) -> None:
    """Let so many clients log in and leave, a bounded number at a time."""
    left = iter(range(count))

    async def come_and_go() -> None:
        for _ in left:
            await log_in_and_leave(server, account)

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(come_and_go())


async def log_in_and_leave(
    server: NatsServer, user: str, password: str = PASSWORD
) -> bytes:
    """Say CONNECT and nothing more; return the server's answer."""
    return await _say_connect(server, lambda _: {"user": user, "pass": password})


async def log_in_by_jwt(server: NatsServer, creds: str) -> bytes:
    """Log in with the text of a credentials file, and leave; return the answer.

    A client that is refused leaves its sockets open; this does not.
    """
    token, seed = (part.split("\n")[1] for part in creds.split("-----BEGIN")[1:])

    def options(info: dict[str, Any]) -> dict[str, str]:
        signature = nkeys.from_seed(seed.encode()).sign(info["nonce"].encode())
        return {"jwt": token, "sig": base64.b64encode(signature).decode()}

    return await _say_connect(server, options)


async def _say_connect(
    server: NatsServer, options: Callable[[dict[str, Any]], dict[str, str]]
) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.client.number)
    try:
        info = json.loads((await reader.readline()).removeprefix(b"INFO "))
        said = json.dumps({**options(info), "verbose": False}).encode()
        writer.write(b"CONNECT %s\r\nPING\r\n" % said)
        # The server's own PING may come before its PONG, or its complaint.
        while answer := await reader.readline():
            if answer.startswith((b"PONG", b"-ERR")):
                break
    finally:
        writer.close()
        await writer.wait_closed()
    return answer


async def _ignore(_error: Exception) -> None:
    """Leave it to the test: a server that a test kills is no news to it."""
