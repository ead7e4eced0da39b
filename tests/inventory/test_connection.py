"""The connection to servers that are none, or that strangers answer for."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from nats_idle_exporter.monitoring.inventory import SourceError
from nats_idle_exporter.monitoring.inventory import natsconnection as module
from nats_idle_exporter.monitoring.inventory.natsconnection import (
    ClaimsAccess,
    connect,
)

GREETING = b'INFO {"server_id":"N","version":"2.15.1","max_payload":1048576}\r\n'
PONG = b"PONG\r\n"
Script = Callable[[StreamReader, StreamWriter], Awaitable[None]]


@asynccontextmanager
async def a_server(script: Script) -> AsyncIterator[ClaimsAccess]:
    """Serve a script on loopback; the way there is for impatient askers."""

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            await script(reader, writer)
        except ConnectionError:
            pass  # Whoever asked has gone.
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield ClaimsAccess(
            url=f"nats://127.0.0.1:{port}", answer_seconds=0.2, quiet_seconds=0.1
        )


def says(first: bytes, answer: bytes = b"") -> Script:
    """Greet, answer pings, and each question with these bytes."""

    async def script(reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(first)
        while line := await reader.readline():
            if line.startswith(b"PING"):
                writer.write(PONG)
            elif line.startswith(b"PUB"):
                inbox, size = line.split()[2:]
                await reader.readexactly(int(size) + 2)
                writer.write(answer.replace(b"INBOX", inbox))

    return script


STRANGE = {
    "a list": b"INFO []\r\n",
    "a text": b'INFO "x"\r\n',
    "nothing": b"INFO null\r\n",
    "urls that are none": b'INFO {"connect_urls":5}\r\n',
    "no JSON": b"INFO {\r\n",
    "another protocol": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "a long line": b"INFO " + b"a" * 200_000 + b"\r\n",
    "deep nesting": b"INFO " + b"[" * 30_000 + b"\r\n",
    "no text": b'INFO {"server_id":"\xff"}\r\n',
    "an error": GREETING + b"-ERR\r\n",
}


@pytest.mark.parametrize("greeting", STRANGE.values(), ids=STRANGE.keys())
async def test_a_strange_greeting_is_an_error_of_the_source(greeting: bytes) -> None:
    """Whatever listens there takes nothing down but this source."""
    async with a_server(says(greeting)) as access:
        with pytest.raises(SourceError) as caught:
            await connect(access)

    assert caught.value.problem.expected == "a connection to a nats-server"
    assert str(caught.value).isprintable()


async def test_a_strange_limit_is_an_error_of_the_source() -> None:
    """What is wrong with a greeting may show only in the first question."""
    async with a_server(says(b'INFO {"max_payload":"x"}\r\n')) as access:
        connection = await connect(access)
        with pytest.raises(SourceError, match="found what no nats-server says"):
            await connection.gather("$SYS.REQ.CLAIMS.LIST")
        answer = await connection.ask("$SYS.REQ.ACCOUNT.A.CLAIMS.LOOKUP")
        await connection.close()

    assert answer is None


@pytest.mark.parametrize("limit", ["MOST_ANSWERS", "MOST_ANSWER_BYTES"])
async def test_answers_without_end_are_refused(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who knows the question can answer it again and again; memory is bounded."""
    monkeypatch.setattr(module, limit, 3)
    answers = b"MSG INBOX 1 2\r\n{}\r\n" * 4

    async with a_server(says(GREETING, answers)) as access:
        connection = await connect(access)
        with pytest.raises(SourceError, match="found too many of them"):
            await connection.gather("$SYS.REQ.CLAIMS.LIST")

    assert not connection.is_open


async def test_answers_are_gathered_until_no_more_come() -> None:
    """As many as come in time are returned, in their order."""
    answers = b"MSG INBOX 1 1\r\na\r\nMSG INBOX 1 1\r\nb\r\n"

    async with a_server(says(GREETING, answers)) as access:
        connection = await connect(access)
        gathered = await connection.gather("$SYS.REQ.CLAIMS.LIST")
        await connection.close()

    assert gathered == [b"a", b"b"]
