"""A monitoring server that does what no real one can be made to do.

It speaks raw HTTP over asyncio streams: each path has a script, which writes
what it likes, as slowly as it likes, and may break off.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import cycle
from typing import Any

from tests.monitoring import builders

_NOW = re.compile(rb'("now": "[0-9T:-]{19})(?:\.([0-9]{1,6})[0-9]*)?')
_NANOSECONDS = cycle(range(400))
Script = Callable[[asyncio.StreamWriter], Awaitable[None]]


def head(status: int = 200, **headers: object) -> bytes:
    """Return the head of an answer; ``_`` in a header's name stands for ``-``."""
    lines = [f"HTTP/1.1 {status} Whatever"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def answer(
    body: bytes | dict[str, Any], status: int = 200, **headers: object
) -> Script:
    """Answer with a whole body, each time at another nanosecond, as servers do."""
    content = body if isinstance(body, bytes) else builders.dump(body)

    async def play(writer: asyncio.StreamWriter) -> None:
        told = _NOW.sub(_at_another_nanosecond, content, count=1)
        writer.write(head(status, Content_Length=len(told), **headers) + told)
        await writer.drain()

    return play


def _at_another_nanosecond(now: re.Match[bytes]) -> bytes:
    # Below what a decoder keeps, so that it changes nothing but the text.
    return b"%s.%s%03d" % (now[1], (now[2] or b"").ljust(6, b"0"), next(_NANOSECONDS))


def raw(content: bytes) -> Script:
    """Write bytes as they are, and close."""

    async def play(writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()

    return play


def endless(start: bytes, rest: bytes) -> Script:
    """Write a start, then the rest again and again."""

    async def play(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while True:
            writer.write(rest)
            await writer.drain()

    return play


def hang(start: bytes = b"") -> Script:
    """Write a start, then nothing, and keep the connection."""

    async def play(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        await writer.drain()
        await asyncio.Event().wait()

    return play


def drip(content: bytes) -> Script:
    """Write one byte after the other, and never come to an end in time."""

    async def play(writer: asyncio.StreamWriter) -> None:
        for byte in content:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.02)

    return play


def reset(start: bytes = b"") -> Script:
    """Write a start, then break the connection."""

    async def play(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        await writer.drain()
        writer.transport.abort()

    return play


class Connections:
    """Those that are open, each with what is played on it; ends them all."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    async def hold(self, writer: asyncio.StreamWriter, play: Script) -> None:
        """Play on a connection until that ends or is ended, and close it."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        # Cancelled is how a script that hangs ends; asyncio would log it.
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            try:
                with suppress(asyncio.CancelledError):
                    await play(writer)
            finally:
                writer.close()
            await writer.wait_closed()
        self._tasks.discard(task)

    async def end(self) -> None:
        """End whatever is still played."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)


class ScriptedServer:
    """One server; ``scripts`` maps a path without query to what happens there.

    ``requests`` holds every path asked, query included, ``heads`` what was sent.
    """

    def __init__(self, scripts: Mapping[str, Script] | None = None) -> None:
        self.scripts = healthy() | dict(scripts or {})
        self.requests: list[str] = []
        self.heads: list[str] = []
        self.url = ""
        self._connections = Connections()

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one request and close."""
        await self._connections.hold(writer, partial(self._answer, reader))

    async def end(self) -> None:
        """End every script that still runs."""
        await self._connections.end()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = request.split(" ")[1]
        self.heads.append(request)
        self.requests.append(path)
        await self._script(path)(writer)

    def _script(self, path: str) -> Script:
        missing = answer(b"404 page not found", 404)
        return self.scripts.get(path) or self.scripts.get(
            path.partition("?")[0], missing
        )


def healthy(server_id: str = builders.SERVER) -> dict[str, Script]:
    """Return the scripts of a server with one idle account."""
    return {
        "/varz": answer(builders.varz(server_id=server_id)),
        "/accstatz": answer(
            builders.accstatz(builders.stat("APP"), server_id=server_id)
        ),
        "/connz": answer(builders.connz(server_id=server_id)),
        "/routez": answer(builders.routez(server_id=server_id)),
        "/gatewayz": answer(builders.gatewayz(server_id)),
        "/jsz": answer(builders.jsz(server_id=server_id)),
        "/accountz": answer({"server_id": server_id, "system_account": "$SYS"}),
    }


@asynccontextmanager
async def running(*servers: ScriptedServer) -> AsyncIterator[None]:
    """Serve on free ports of loopback until the block ends."""
    listeners = []
    for server in servers:
        listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        server.url = "http://127.0.0.1:{1}".format(*listener.sockets[0].getsockname())
        listeners.append(listener)
    try:
        yield
    finally:
        for listener in listeners:
            listener.close()
        for server in servers:
            await server.end()
