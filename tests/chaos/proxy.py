"""A proxy before one server that hurts the answers: a process of its own.

So it costs the process that it hurts neither time nor memory. Its input is one
name of a fault per line, which it repeats once the fault is on.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from nats_idle_exporter.demo.ports import ReservedPort
from tests.chaos.bodyfaults import FAULTS
from tests.chaos.faults import CALM
from tests.monitoring.scripted import Connections, head
from tests.support.natsserver import NatsServer

ROOT = Path(__file__).parents[2]
_LOOPBACK = "127.0.0.1"


class Proxy:
    """Stand between who asks and one server.

    Args:
        port: where to listen.
        upstream: the port of the server.
        other: the port of another server of the same system.
    """

    def __init__(self, port: int, upstream: int, other: int) -> None:
        self._port = port
        self._upstream, self._other = upstream, other
        self._fault = CALM
        self._edit = CALM.edit()
        self._listener: asyncio.Server | None = None
        self._connections = Connections()

    async def switch(self, name: str) -> None:
        """End every connection, and play another fault from now on."""
        if self._listener:
            self._listener.close()
        await self._connections.end()
        self._fault = FAULTS[name]
        self._edit = self._fault.edit()
        if not self._fault.is_refused:
            self._listener = await asyncio.start_server(
                self._serve, _LOOPBACK, self._port
            )

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        async def play(writer: asyncio.StreamWriter) -> None:
            while await self._answer(reader, writer):
                pass

        await self._connections.hold(writer, play)

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer one request; say whether the connection stays."""
        asked = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        path = asked.partition("?")[0]
        is_hurt = path in self._fault.paths
        is_others = is_hurt and self._fault.asks_other
        body = await _ask(self._other if is_others else self._upstream, asked)
        if is_hurt:
            body = self._edit(path, body)
        if is_hurt and self._fault.sends:
            await self._fault.sends(body)(writer)
            return False
        writer.write(head(Content_Length=len(body)) + body)
        await writer.drain()
        return True


async def _ask(port: int, path: str) -> bytes:
    """Return the body of one answer."""
    reader, writer = await asyncio.open_connection(_LOOPBACK, port)
    # Of HTTP 1.0 the answer is neither in chunks nor is the connection kept.
    writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.partition(b"\r\n\r\n")[2]


class RunningProxy:
    """The process from outside: its address, and the fault that is on."""

    def __init__(self, url: str, process: asyncio.subprocess.Process) -> None:
        self.url = url
        self._process = process

    async def switch(self, name: str) -> None:
        """Return once a fault is on.

        Raises:
            RuntimeError: the process does not do so.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{name}\n".encode())
        said = (await self._process.stdout.readline()).decode().rstrip("\n")
        if said != name:
            raise RuntimeError(f"the proxy said {said!r}, not {name!r}")


@asynccontextmanager
async def proxied(
    server: NatsServer, other: NatsServer, niceness: int
) -> AsyncIterator[RunningProxy]:
    """Start a proxy before a server, without a fault, and end it."""
    port = ReservedPort()
    ports = (port.number, server.monitoring.number, other.monitoring.number)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.proxy", str(niceness), *map(str, ports)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        proxy = RunningProxy(f"http://{_LOOPBACK}:{port.number}", process)
        await proxy.switch(CALM.name)
        yield proxy
    finally:
        process.kill()
        await process.communicate()
        port.close()


async def _obey(proxy: Proxy) -> None:
    """Switch as told until the input ends."""
    lines = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(lines)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while name := (await lines.readline()).decode().rstrip("\n"):
        await proxy.switch(name)
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    os.nice(int(sys.argv[1]))
    asyncio.run(_obey(Proxy(*map(int, sys.argv[2:]))))
