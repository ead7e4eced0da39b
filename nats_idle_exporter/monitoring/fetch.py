"""One HTTP answer: its bytes within a bound, or why there are none.

Nothing here waits by itself: the whole poll has one timeout, and it is the
caller's.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import aiohttp
from aiohttp.connector import Connection
from multidict import CIMultiDict
from yarl import URL

from nats_idle_exporter import __version__
from nats_idle_exporter.monitoring.access import PLAIN, Access
from nats_idle_exporter.monitoring.failures import (
    OVERSIZED,
    PAYLOAD,
    STATUS,
    TRUNCATED,
    UNREACHABLE,
    failure,
)
from nats_idle_exporter.text import os_words

OK: Final = 200
MAX_REDIRECTS: Final = 4
"""Redirects on the way to one body, where they are followed at all."""
MAX_INTERIM: Final = 8
"""Answers like ``100 Continue`` before the one that counts; servers send none."""
MAX_SMALL_CHUNKS: Final = 256
"""Chunks of a body that are smaller than any server makes them; each costs time."""
_SMALL_CHUNK_BYTES: Final = 64
_READ_BYTES: Final = 16_384
TURN_BYTES: Final = 16_384
"""Of a body, after which whatever else is ready goes on first."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_HEADERS: Final = {
    "Accept": "application/json",
    # A small compressed body may unpack to anything: neither asked nor taken.
    "Accept-Encoding": "identity",
    # What is between us and the server must not answer in its place.
    "Cache-Control": "no-cache",
    "User-Agent": f"nats-idle-exporter/{__version__}",
}


class _Response(aiohttp.ClientResponse):
    """Reads an answer, but not behind any number of interim ones.

    The library skips those as fast as they come, and lets nobody else in meanwhile.
    """

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        protocol = connection.protocol
        assert protocol is not None  # noqa: S101 - a new connection has one
        read, count = protocol.read, 0

        async def read_few() -> Any:
            nonlocal count
            count += 1
            if count > 1 + MAX_INTERIM:
                what = f"{self.url.path}: more than {MAX_INTERIM} interim answers"
                raise failure(PAYLOAD, what)
            return await read()

        protocol.read = read_few  # type: ignore[method-assign]
        try:
            return await super().start(connection)
        finally:
            del protocol.read


def new_session() -> aiohttp.ClientSession:
    """Open the session that polls share; the caller closes it.

    No cookies, no proxies from the environment, nothing unpacked, and no
    timeouts of its own.
    """
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        # So much is parsed of a body before others get their turn.
        read_bufsize=_READ_BYTES,
        response_class=_Response,
        timeout=aiohttp.ClientTimeout(),
    )


def address(url: str, path: str) -> URL:
    """Return the address of a path under an endpoint, its base path kept.

    Args:
        url: the endpoint.
        path: path and query, already escaped.

    Raises:
        EndpointError: the endpoint's URL cannot be used.
    """
    try:
        base = URL(url)
    except ValueError as error:
        raise failure(UNREACHABLE, "not a usable URL") from error
    return URL(f"{str(base).rstrip('/')}{path}", encoded=True)


async def fetch(
    session: aiohttp.ClientSession,
    url: URL,
    max_body_bytes: int,
    access: Access = PLAIN,
) -> bytearray:
    """Return the body of a GET.

    Raises:
        EndpointError: it cannot be had; the detail names the path.
    """
    # The endpoint's own headers first: they may not replace ours.
    headers = CIMultiDict(access.headers)
    headers.update(_HEADERS)
    with _failures(url.path):
        for _ in range(1 + (MAX_REDIRECTS if access.follows_redirects else 0)):
            async with session.get(
                url,
                headers=headers,
                allow_redirects=False,
                ssl=access.context or True,
                server_hostname=access.server_name,
                proxy=access.proxy,
            ) as response:
                if access.follows_redirects and response.status in _REDIRECTS:
                    url = _redirected(url, response)
                    continue
                _require_plain_success(response)
                return await _bounded(response, max_body_bytes)
        raise failure(STATUS, f"{url.path}: more than {MAX_REDIRECTS} redirects")


def _redirected(url: URL, response: aiohttp.ClientResponse) -> URL:
    """Return where a redirect leads, within the place that was asked.

    Another place would be told the credentials that are for this one.
    """
    try:
        there = url.join(URL(response.headers.get("Location", "")))
        if there.origin() == url.origin():
            return there
    except ValueError as error:
        raise failure(STATUS, f"{url.path}: redirected to no URL") from error
    raise failure(STATUS, f"{url.path}: redirected to another place")


def _require_plain_success(response: aiohttp.ClientResponse) -> None:
    path = response.url.path
    if response.status != OK:
        raise failure(STATUS, f"{path}: HTTP {response.status}")
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        raise failure(PAYLOAD, f"{path}: encoded as {encoding}, which was not asked")


async def _bounded(response: aiohttp.ClientResponse, max_body_bytes: int) -> bytearray:
    path, body, chunks = response.url.path, bytearray(), 0
    _bound(response.content_length or 0, max_body_bytes, path)
    # Counted while it comes: a Content-Length may be missing or a lie.
    async for piece, ends_chunk in response.content.iter_chunks():
        body += piece
        chunks += ends_chunk
        _bound(len(body), max_body_bytes, path)
        if chunks > MAX_SMALL_CHUNKS + len(body) // _SMALL_CHUNK_BYTES:
            raise failure(PAYLOAD, f"{path}: in chunks of a few bytes")
        # What never ends may come as fast as it is read: others get their turns.
        for _ in range(len(piece) // TURN_BYTES):
            await asyncio.sleep(0)
    return body


def _bound(size: int, most: int, path: str) -> None:
    if size > most:
        raise failure(OVERSIZED, f"{path}: more than {most} bytes")


@contextmanager
def _failures(path: str) -> Iterator[None]:
    try:
        yield
    except aiohttp.ClientPayloadError as error:
        raise failure(TRUNCATED, f"{path}: the body ended early") from error
    except aiohttp.ClientHttpProxyError as error:
        why = f"the proxy answered with HTTP {error.status}"
        raise failure(UNREACHABLE, f"{path}: {why}") from error
    except aiohttp.ClientResponseError as error:
        raise failure(PAYLOAD, f"{path}: not an HTTP answer") from error
    except (aiohttp.ClientError, ssl.SSLError, OSError) as error:
        raise failure(UNREACHABLE, f"{path}: {_cause(error)}") from error


def _cause(error: Exception) -> str:
    """Return what the system or the peer said, without what libraries add."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        error = error.certificate_error
    elif isinstance(error, aiohttp.ClientConnectorError):
        error = error.os_error
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not accepted: {error.verify_message}"
    # Before OSError, which it is: its numbers are not those of the system.
    if isinstance(error, ssl.SSLError):
        return f"no TLS: {(error.reason or 'unknown').lower().replace('_', ' ')}"
    if isinstance(error, OSError):
        return os_words(error)
    if isinstance(error, aiohttp.ServerDisconnectedError):
        # It may hold the half of an answer that came, headers and all.
        return "Server disconnected"
    # What is wrong with a URL is told with the URL, and that may hold a secret.
    is_connection = isinstance(error, aiohttp.ClientConnectionError)
    return (str(error) if is_connection else "") or type(error).__name__
