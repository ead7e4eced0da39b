"""What strangers send that is no HTTP."""

from __future__ import annotations

import asyncio
import logging

import pytest

from nats_idle_exporter.metrics import Refusal
from tests.web.serving import protected

PASSWORD = b"Authorization: Basic bWU6cGxhbnRlZA=="
LONG = b"x" * 10_000


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n" + PASSWORD + b"\x01\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + PASSWORD + LONG + b"\r\n\r\n",
        b"GET / HTTP/9.9 bWU6cGxhbnRlZA==\r\n\r\n",
        b"bWU6cGxhbnRlZA==\r\n\r\n",
        b"GET /?bWU6cGxhbnRlZA==" + LONG + b" HTTP/1.1\r\n\r\n",
    ],
)
async def test_malformed_requests_are_counted_and_not_shown(
    request_bytes: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """No log line shows what was sent, and above debug there is none at all."""
    caplog.set_level(logging.DEBUG)
    async with protected() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(request_bytes)
        answer = await reader.read()
        writer.close()
        refused = server.refused(Refusal.MALFORMED)

    assert b" 400 " in answer.splitlines()[0]
    assert refused == 1
    assert "bWU6cGxhbnRlZA" not in caplog.text
    assert [r for r in caplog.records if r.levelno > logging.DEBUG] == []
