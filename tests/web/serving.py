"""Serve the application over real sockets, behind a web configuration file."""

from __future__ import annotations

import asyncio
import base64
import http.client
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, NamedTuple

import bcrypt
from aiohttp import web

from nats_idle_exporter.config import WebOptions
from nats_idle_exporter.metrics import Pages, Publication, Refusal
from nats_idle_exporter.web import ServingState, make_app
from nats_idle_exporter.web.running import make_runner
from nats_idle_exporter.web.security import Guard
from tests.metrics.builders import a_publication, a_snapshot, shown

CHEAP = 4
"""The least cost that bcrypt has."""


def hashed(password: str, cost: int = CHEAP) -> str:
    """Return a hash as it stands in the file."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost, b"2a")).decode()


def rewrite(file: Path, text: str) -> None:
    """Change a file under a running server, in the time of one short write."""
    file.write_text(text)


class Answer(NamedTuple):
    """What a request came to."""

    status: int
    headers: Any
    text: str


class Protected:
    """A running application; ask it anew each time, by a new connection."""

    def __init__(self, port: int, state: ServingState) -> None:
        self.port = port
        self.state = state

    def refused(self, reason: Refusal) -> int:
        """Return how many were refused for a reason so far."""
        return self.state.refusals.read()[reason]

    async def ask(
        self,
        path: str = "/-/healthy",
        *,
        context: ssl.SSLContext | None = None,
        user: tuple[str, str] | None = None,
        **headers: str,
    ) -> Answer:
        """Return the answer to GET.

        Raises:
            OSError: there is none.
            http.client.HTTPException: there is none.
        """
        if user is not None:
            claim = ":".join(user).encode()
            headers["Authorization"] = f"Basic {base64.b64encode(claim).decode()}"
        return await asyncio.to_thread(self._get, path, context, headers)

    def _get(
        self, path: str, context: ssl.SSLContext | None, headers: dict[str, str]
    ) -> Answer:
        # Not aiohttp's client: that one asks twice where the first try failed.
        connection = (
            http.client.HTTPSConnection("127.0.0.1", self.port, context=context)
            if context
            else http.client.HTTPConnection("127.0.0.1", self.port)
        )
        connection.timeout = 10
        with closing(connection):
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode())


@asynccontextmanager
async def protected(
    file: Path | None = None, publication: Publication | None = None, **options: Any
) -> AsyncIterator[Protected]:
    """Serve a publication, or any, behind a web configuration file, or behind none."""
    state = ServingState(Pages())
    guard = Guard(file, state.refusals)
    app = make_app(state, WebOptions(**options), guard)
    runner = make_runner(app, state.refusals)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    context = guard.ssl_context
    await web.SockSite(runner, listener, ssl_context=context).start()
    async with asyncio.TaskGroup() as group:
        rendering = group.create_task(state.pages.run())
        publication = publication or a_publication(a_snapshot())
        state.pages.offer(publication)
        await shown(state.pages, publication)
        try:
            yield Protected(listener.getsockname()[1], state)
        finally:
            rendering.cancel()
            await runner.cleanup()
