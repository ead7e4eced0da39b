"""Tests of polls that fail: each for its reason, and with nothing learned."""

from __future__ import annotations

import asyncio
import gzip
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.monitoring.client import MonitoringClient
from nats_idle_exporter.monitoring.failures import REASONS, failure
from nats_idle_exporter.monitoring.fetch import MAX_INTERIM, TURN_BYTES
from tests.monitoring import builders
from tests.monitoring.conftest import MakesClient
from tests.monitoring.scripted import (
    Script,
    ScriptedServer,
    answer,
    drip,
    endless,
    hang,
    head,
    healthy,
    raw,
    reset,
    running,
)

BODY = builders.dump(builders.accstatz())
LONG = len(BODY) + 100
CHUNKED = head(Transfer_Encoding="chunked")
MANY_CHUNKS = b"".join(b"1\r\n%c\r\n" % byte for byte in BODY + b" " * 1000)
CHUNK = b"2710\r\n" + b" " * 10_000 + b"\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
WHOLE = head(Content_Length=len(BODY)) + BODY
BOMB = gzip.compress(b" " * 10_000_000)

FAILURES: list[tuple[str, str, Script]] = [
    ("reset at once", "unreachable", reset()),
    ("closed at once", "unreachable", raw(b"")),
    ("reset in the head", "unreachable", reset(b"HTTP/1.1 200 OK\r\nConte")),
    ("hangs", "timeout", hang()),
    ("hangs in the head", "timeout", hang(b"HTTP/1.1 200 OK\r\n")),
    ("hangs in the body", "timeout", hang(head(Content_Length=LONG) + BODY)),
    ("drips", "timeout", drip(head(Content_Length=LONG) + BODY)),
    ("400", "status", answer(b"bad request", 400)),
    ("404", "status", answer(b"404 page not found", 404)),
    ("500", "status", answer(BODY, 500)),
    ("204", "status", raw(head(204))),
    ("302", "status", answer(b"", 302, Location="/varz")),
    ("body too short", "truncated", raw(head(Content_Length=LONG) + BODY)),
    ("reset in the body", "truncated", reset(head(Content_Length=LONG) + BODY)),
    ("chunks break off", "truncated", raw(CHUNKED + CHUNK)),
    ("no length, cut", "payload", raw(head() + BODY[:-1])),
    ("length too short", "payload", raw(head(Content_Length=20) + BODY)),
    ("long by its head", "oversized", hang(head(Content_Length=200_000))),
    ("long body", "oversized", answer(b" " * 200_000)),
    ("endless chunks", "oversized", endless(CHUNKED, CHUNK)),
    ("endless chunks of a byte", "payload", endless(CHUNKED, b"1\r\n \r\n" * 1000)),
    ("chunks of a byte", "payload", raw(CHUNKED + MANY_CHUNKS + b"0\r\n\r\n")),
    ("endless body", "oversized", endless(head(), b" " * 10_000)),
    ("endless interims", "payload", endless(b"", INTERIM * 100)),
    ("too many interims", "payload", raw(INTERIM * (MAX_INTERIM + 1) + WHOLE)),
    ("not HTTP", "payload", raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")),
    ("garbage", "payload", answer(bytes(range(256)))),
    ("html", "payload", answer(b"<html>", Content_Type="text/html")),
    ("empty", "payload", answer(b"")),
    ("wrong type", "payload", answer(BODY.replace(b'"conns": 0', b'"conns": "0"'))),
    ("vast number", "payload", answer(BODY.replace(b": 0", b": " + b"9" * 400))),
    ("not a number", "payload", answer(BODY.replace(b": 0", b": NaN"))),
    ("nesting bomb", "payload", answer(BODY[:-1] + b',"x":' + b"[" * 90_000)),
    ("gzip bomb", "payload", answer(BOMB, Content_Encoding="gzip")),
    ("gzip of truth", "payload", answer(gzip.compress(BODY), Content_Encoding="GZip")),
    ("deflate", "payload", answer(b"x", Content_Encoding="deflate")),
    ("another server", "identity", answer(builders.accstatz(server_id="NOTHER"))),
]  # fmt: skip

TELLING_NOW = {
    "/varz": builders.varz(),
    "/accstatz": builders.accstatz() | {"now": "2026-11-24T01:58:56.7Z"},
    "/connz": builders.connz(),
    "/jsz": builders.jsz(),
}


async def refusal(client: MonitoringClient, url: str) -> EndpointError:
    """Return the error that a poll ends with."""
    with pytest.raises(EndpointError) as caught:
        await client.read(url, with_jetstream=True)
    return caught.value


@asynccontextmanager
async def talking(
    first: bytes, context: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Serve the same bytes to whoever connects, whatever is asked."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(
        talk, "127.0.0.1", 0, ssl=context
    ) as listener:
        yield "{}:{}".format(*listener.sockets[0].getsockname())


async def test_others_get_turns(make_client: MakesClient) -> None:
    """Who sends very much, and fast, lets the loop go on with something else."""
    turns, scripts = 0, {"/accstatz": answer(b" " * 8_000_000)}

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with running(server := ScriptedServer(scripts)):
        counting = asyncio.create_task(count())
        client = make_client(max_body_bytes=9_000_000)
        error = await refusal(client, server.url)
        counting.cancel()

    assert error.reason == "payload"
    assert turns > 8_000_000 // TURN_BYTES


class TestFailures:
    """One bad answer refuses the whole poll."""

    @pytest.mark.parametrize(
        ("reason", "script"), [f[1:] for f in FAILURES], ids=[f[0] for f in FAILURES]
    )
    async def test_reason(
        self, make_client: MakesClient, reason: str, script: Script
    ) -> None:
        """What a server does wrong has one reason of the closed list."""
        timeout = 0.3 if reason == "timeout" else 30.0
        async with running(server := ScriptedServer({"/accstatz": script})):
            error = await refusal(make_client(timeout), server.url)

        assert error.reason == reason
        assert reason in REASONS
        assert error.detail.isprintable()
        assert 0 < len(error.detail) <= 200

    @pytest.mark.parametrize("path", sorted(healthy()))
    async def test_every_body_counts(self, make_client: MakesClient, path: str) -> None:
        """Whichever body fails, the poll does."""
        scripts = {
            "/varz": answer(builders.varz(system_account="")),
            path: answer(b"no", 503),
        }
        async with running(server := ScriptedServer(scripts)):
            error = await refusal(make_client(), server.url)

        assert error.reason == "status"
        assert error.detail == f"{path}: HTTP 503"

    @pytest.mark.parametrize("path", sorted(set(healthy()) - {"/varz"}))
    async def test_bodies_of_two_servers(
        self, make_client: MakesClient, path: str
    ) -> None:
        """Half of one server and half of another is no reading."""
        scripts = {
            "/varz": answer(builders.varz(system_account="")),
            path: healthy("NOTHER")[path],
        }
        async with running(server := ScriptedServer(scripts)):
            error = await refusal(make_client(), server.url)

        assert error.reason == "identity"
        assert path in error.detail
        assert "NOTHER" in error.detail

    @pytest.mark.parametrize("path", sorted(TELLING_NOW))
    async def test_an_answer_from_a_cache(
        self, make_client: MakesClient, path: str
    ) -> None:
        """An answer that was given before would hide all use since."""
        client, body = make_client(), builders.dump(TELLING_NOW[path])
        cached = raw(head(Content_Length=len(body)) + body)
        async with running(server := ScriptedServer({path: cached})):
            await client.read(server.url, with_jetstream=True)
            error = await refusal(client, server.url)
            server.scripts[path] = answer(body)
            await client.read(server.url, with_jetstream=True)

        assert error.reason == "payload"
        assert error.detail.startswith(path)
        assert error.detail.endswith("is there a cache?")

    async def test_redirects_are_not_followed(self, make_client: MakesClient) -> None:
        """A server cannot send the program to another address."""
        varz = answer(b"", 307, Location="/jsz")
        async with running(server := ScriptedServer({"/varz": varz})):
            await refusal(make_client(), server.url)

        assert server.requests == ["/varz"]

    async def test_a_packed_body_is_refused_for_that(
        self, make_client: MakesClient
    ) -> None:
        """The encoding that was not asked for is named, whatever the body holds."""
        script = answer(BODY, Content_Encoding="gzip")
        async with running(server := ScriptedServer({"/accstatz": script})):
            error = await refusal(make_client(), server.url)

        assert error.reason == "payload"
        assert "encoded as gzip" in error.detail

    async def test_refused(self, make_client: MakesClient) -> None:
        """A closed port is unreachable."""
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            url = "http://127.0.0.1:{1}".format(*closed.getsockname())

            error = await refusal(make_client(), url)

        assert str(error) == "unreachable: /varz: Connection refused"

    async def test_reset_is_in_the_words_of_the_system(
        self, make_client: MakesClient
    ) -> None:
        """A broken connection is told without numbers."""
        async with running(server := ScriptedServer({"/varz": reset()})):
            error = await refusal(make_client(), server.url)

        assert error.detail in {
            "/varz: Connection reset by peer",
            "/varz: Server disconnected",
        }

    async def test_half_a_head_is_not_repeated(self, make_client: MakesClient) -> None:
        """Headers that came before the end are no part of what is logged."""
        half = raw(b"HTTP/1.1 200 OK\r\nSet-Cookie: id=secret\r\nConte")
        async with running(server := ScriptedServer({"/varz": half})):
            error = await refusal(make_client(), server.url)

        assert str(error) == "unreachable: /varz: Server disconnected"

    async def test_unknown_host(self, make_client: MakesClient) -> None:
        """A name that leads nowhere is told in the words of the resolver."""
        error = await refusal(make_client(), "http://no-such-host.invalid:8222")

        assert re.fullmatch(r"unreachable: /varz: [\w ]+", str(error))

    async def test_bad_certificate(self, make_client: MakesClient) -> None:
        """A certificate that nobody vouches for is refused, and it is said why."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(Path(__file__).with_name("self_signed.pem"))
        async with talking(head(400), context) as address:
            error = await refusal(make_client(), f"https://{address}")

        assert str(error) == (
            "unreachable: /varz: certificate not accepted: self-signed certificate"
        )

    async def test_no_tls(self, make_client: MakesClient) -> None:
        """A server that speaks no TLS cannot be reached by it."""
        async with talking(head(400)) as address:
            error = await refusal(make_client(), f"https://{address}")

        assert re.fullmatch(r"unreachable: /varz: no TLS: [\w ]+", str(error))

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            (b"<html>", "not what a nats-server answers: JSON is malformed"),
            (b'"\xff"', "not what a nats-server answers: "),
            (b"{}", "not what a nats-server answers: Object missing required field"),
            (builders.dump(builders.accstatz(builders.stat("A"), builders.stat("A"))),
             "an account is listed twice"),
        ],
    )  # fmt: skip
    async def test_payload_names_the_question(
        self, make_client: MakesClient, body: bytes, told: str
    ) -> None:
        """An answer that cannot be used is told with what was asked."""
        async with running(server := ScriptedServer({"/accstatz": answer(body)})):
            error = await refusal(make_client(), server.url)

        assert str(error).startswith(f"payload: /accstatz?unused=1: {told}")

    @pytest.mark.parametrize(
        "url", ["http://[::1", "ftp://me:secret@x", "http://me:secret@", "nonsense"]
    )
    async def test_unusable_urls(self, make_client: MakesClient, url: str) -> None:
        """A URL that cannot be used is unreachable, and is not shown."""
        error = await refusal(make_client(), url)

        assert error.reason == "unreachable"
        assert "secret" not in str(error)

    async def test_the_next_poll_starts_afresh(self, make_client: MakesClient) -> None:
        """A server that changed between polls is no error of identity."""
        client = make_client()
        async with running(server := ScriptedServer()):
            await client.read(server.url, with_jetstream=False)
            server.scripts |= healthy("NOTHER")
            reading = await client.read(server.url, with_jetstream=False)

        assert reading.server.server_id == "NOTHER"

    def test_details_are_one_short_line(self) -> None:
        """A stranger's text cannot forge lines, nor fill the log."""
        error = failure("payload", "a\nb\x1b[31m\x00" + "x" * 5000)

        assert error.detail.startswith(r"a\nb\x1b[31m\x00xxx")
        assert len(error.detail) == 200
