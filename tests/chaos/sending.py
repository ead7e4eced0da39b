"""How the proxy writes an answer: from the truth in small pieces to no HTTP at all.

Every function here takes the body that the server really sent and returns the
script that plays in its place. A script that returns ends the connection.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable

from tests.monitoring.scripted import Script, endless, hang, head, raw, reset

Sends = Callable[[bytes], Script]
"""The server's body -> what is written instead of it."""

CHUNKED = head(Transfer_Encoding="chunked")
PIECE = b" " * 0x10000
BOMB = gzip.compress(b" " * 100_000_000)
MUCH = 10_000_000
"""Bytes of a name or a line that is too long to be one."""


def whole(body: bytes) -> Script:
    """Answer as the server did, and end the connection."""
    return raw(head(Content_Length=len(body)) + body)


def always(script: Script) -> Sends:
    """Play the same script, whatever the server sent."""
    return lambda _: script


def starting(script: Callable[[bytes], Script]) -> Sends:
    """Send a true head and half of the body, then what a script does."""
    return lambda body: script(head(Content_Length=len(body)) + body[: len(body) // 2])


def headed(status: int = 200, **headers: object) -> Sends:
    """Send the true body under another head."""
    return lambda body: raw(
        head(status, **{"Content_Length": len(body), **headers}) + body
    )


def measured(difference: int, then: Callable[[bytes], Script]) -> Sends:
    """Announce a body longer or shorter than it is, then do what a script does."""
    return lambda body: then(head(Content_Length=len(body) + difference) + body)


def delayed(seconds: float) -> Sends:
    """Answer truly, but so much later."""

    def send(body: bytes) -> Script:
        async def play(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(seconds)
            await whole(body)(writer)

        return play

    return send


def dripped(body: bytes) -> Script:
    """Write the true answer byte by byte, far too slowly to come to an end."""

    async def play(writer: asyncio.StreamWriter) -> None:
        for byte in head(Content_Length=len(body)) + body:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.05)

    return play


def chunked(size: bytes, then: Callable[[bytes], Script]) -> Sends:
    """Send the body as one chunk of a size as written, then what a script does."""
    return lambda body: then(CHUNKED + size + b"\r\n" + body + b"\r\n")


def half_chunk(body: bytes) -> Script:
    """Close in the middle of a chunk."""
    return raw(CHUNKED + b"%x\r\n" % len(body) + body[: len(body) // 2])


def unended(body: bytes) -> Script:
    """Send the whole body as a chunk, and never the last one."""
    return hang(CHUNKED + b"%x\r\n" % len(body) + body + b"\r\n")


def unmeasured_half(body: bytes) -> Script:
    """Send half of the body without a length, and close as if that were all."""
    return raw(head() + body[: len(body) // 2])


def twice_measured(body: bytes) -> Script:
    """Send two lengths that contradict each other."""
    lengths = b"Content-Length: %d\r\nContent-Length: 7\r\n\r\n" % len(body)
    return raw(b"HTTP/1.1 200 OK\r\n" + lengths + body)


def flooded(body: bytes) -> Script:
    """Send a hundred thousand headers before the body."""
    lines = b"".join(b"X-%d: y\r\n" % number for number in range(100_000))
    return raw(b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n" + body)


def long_line(body: bytes) -> Script:
    """Send a header of ten megabytes before the body."""
    line = b"X-Long: " + b"y" * MUCH + b"\r\n"
    return raw(b"HTTP/1.1 200 OK\r\n" + line + b"\r\n" + body)


def redirected(where: str) -> Sends:
    """Redirect every question to one place."""
    return headed(302, Location=where)


endless_chunks = always(endless(CHUNKED, b"%x\r\n" % len(PIECE) + PIECE + b"\r\n"))
endless_small_chunks = always(endless(CHUNKED, b"1\r\n \r\n" * 1000))
endless_body = always(endless(head(), PIECE))
endless_chunk = always(endless(CHUNKED + b"%x\r\n" % 2**62, PIECE))
endless_line = always(endless(b"HTTP/1.1 200 OK\r\nX-Long: ", b"y" * 0x10000))
endless_continues = always(endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100))
reset_at_once = always(reset())
closed_at_once = always(raw(b""))
