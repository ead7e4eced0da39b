"""The HTTP application: it serves what was published, and never renders in a scrape.

Routes: the telemetry path, ``/``, ``/-/healthy``, ``/-/ready``; GET and HEAD.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import hdrs, web

from nats_idle_exporter.metrics import Encoding, Page, Pages, negotiate
from nats_idle_exporter.web.pages import CONTENT_SECURITY_POLICY, render_index

_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "Server": "nats-idle-exporter",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(slots=True)
class ServingState:
    """What the application serves; its owner sets ``is_stopping``."""

    pages: Pages
    is_stopping: bool = False

    @property
    def obstacle(self) -> str:
        """Return why we are not ready; "" when we are."""
        if self.is_stopping:
            return "stopping"
        page = self.pages.current
        if page is None or page.publication.snapshot is None:
            return "the first cycle has not ended"
        return ""


def make_app(state: ServingState, telemetry_path: str = "/metrics") -> web.Application:
    """Return the application; ``telemetry_path`` is one that no other page has.

    Without a first page the telemetry path answers 503; before the first cycle
    ended its page holds our own families only.
    """
    app = web.Application()
    app.on_response_prepare.append(_add_headers)
    site = _Site(state, telemetry_path)
    app.router.add_get("/", site.index)
    app.router.add_get(telemetry_path, site.metrics)
    app.router.add_get("/-/healthy", site.healthy)
    app.router.add_get("/-/ready", site.ready)
    return app


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)


class _Site:
    """The handlers, and the landing page's HTML of the current page."""

    def __init__(self, state: ServingState, telemetry_path: str) -> None:
        self._state = state
        self._telemetry_path = telemetry_path
        self._rendering = asyncio.Lock()
        self._index: tuple[Page | None, bytes] | None = None

    async def metrics(self, request: web.Request) -> web.Response:
        page = self._state.pages.current
        if page is None:
            text = "no page was rendered yet\n"
            return web.Response(status=503, text=text)
        choice = negotiate(
            _joined(request, hdrs.ACCEPT), _joined(request, hdrs.ACCEPT_ENCODING)
        )
        headers = {
            hdrs.CONTENT_TYPE: choice.content_type,
            hdrs.VARY: "Accept, Accept-Encoding",
        }
        if choice.encoding is not Encoding.IDENTITY:
            headers[hdrs.CONTENT_ENCODING] = choice.encoding
        body = page.bodies[choice.format, choice.encoding]
        return web.Response(body=body, headers=headers)

    async def index(self, _: web.Request) -> web.Response:
        body = await self._rendered_index()
        return web.Response(
            body=body,
            content_type="text/html",
            charset="utf-8",
            headers={hdrs.CACHE_CONTROL: "no-cache"},
        )

    async def healthy(self, _: web.Request) -> web.Response:
        return web.Response(text="healthy\n")

    async def ready(self, _: web.Request) -> web.Response:
        if obstacle := self._state.obstacle:
            return web.Response(status=503, text=f"not ready: {obstacle}\n")
        return web.Response(text="ready\n")

    async def _rendered_index(self) -> bytes:
        """Return the HTML of the current page, made once however many ask."""
        async with self._rendering:
            page = self._state.pages.current
            if self._index is None or self._index[0] is not page:
                publication = page.publication if page else None
                html = await asyncio.to_thread(
                    render_index, publication, self._telemetry_path
                )
                self._index = page, html.encode()
            return self._index[1]


def _joined(request: web.Request, name: str) -> str | None:
    """Return a header that may be sent in several lines."""
    lines = request.headers.getall(name, [])
    return ",".join(lines) if lines else None
