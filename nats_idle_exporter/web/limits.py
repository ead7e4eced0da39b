"""How many requests are served at once; probes are never turned away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import web

from nats_idle_exporter.metrics import Refusal, Refusals

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Limit:
    """Serve a number of requests at once, until each answer was handed on.

    Args:
        most: how many; 0 is without a limit.
        exempt: paths that are always served.
        refusals: counts who is turned away.
    """

    def __init__(self, most: int, exempt: frozenset[str], refusals: Refusals) -> None:
        self._most = most
        self._exempt = exempt
        self._refusals = refusals
        self._open = 0

    async def serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Return the handler's answer, or that there are too many."""
        if not self._most or request.path in self._exempt:
            return await handler(request)
        if self._open >= self._most:
            self._refusals.count(Refusal.OVERLOAD)
            return web.Response(status=503, text="too many requests at once\n")
        self._open += 1
        try:
            response = await handler(request)
            # Written here, not by the caller, so that a slow reader counts too.
            with suppress(ConnectionError):
                await response.prepare(request)
                await response.write_eof()
            return response
        finally:
            self._open -= 1
