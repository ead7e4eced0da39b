"""The HTTP application: it serves what was published, and never renders in a scrape.

Routes, all below the route prefix: the telemetry path, ``/``, ``/config``,
``/accounts/<system>/<account>``, ``/-/healthy``, ``/-/ready``, those of ``api``; GET
and HEAD. ``/-/reload`` takes POST and PUT. No request comes to them but past the guard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import hdrs, web

from nats_idle_exporter.api.book import Book, UnknownError
from nats_idle_exporter.config.web import WebOptions
from nats_idle_exporter.metrics import (
    Encoding,
    Page,
    Pages,
    Refusals,
    negotiate,
)
from nats_idle_exporter.web.accountpage import render_account
from nats_idle_exporter.web.api import SEGMENTS, STARTING, Api
from nats_idle_exporter.web.limits import Handler, Limit
from nats_idle_exporter.web.pages import render_index
from nats_idle_exporter.web.security import Guard
from nats_idle_exporter.web.templating import CONTENT_SECURITY_POLICY

_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "Server": "nats-idle-exporter",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(slots=True)
class ServingState:
    """What the application serves; its owner sets ``is_stopping``.

    ``config`` is the configuration in YAML, without secrets. ``reload`` has it loaded
    anew, and comes with why it could not be, "" when it was; None lets nobody do that.
    ``trouble`` tells why only a restart helps, "" while all is well.
    """

    pages: Pages
    is_stopping: bool = False
    refusals: Refusals = field(default_factory=Refusals)
    config: str = ""
    reload: Callable[[], Awaitable[str]] | None = None
    trouble: Callable[[], str] = lambda: ""

    @property
    def book(self) -> Book | None:
        """Return what the current page was made from; None until a cycle ended."""
        page = self.pages.current
        if page is None or page.publication.snapshot is None:
            return None
        return Book(page.publication.snapshot)

    @property
    def obstacle(self) -> str:
        """Return why we are not ready; "" when we are."""
        if self.is_stopping:
            return "stopping"
        return "" if self.book else STARTING


_DEFAULTS = WebOptions()


def make_app(
    state: ServingState, options: WebOptions = _DEFAULTS, guard: Guard | None = None
) -> web.Application:
    """Return the application; the guard None lets everybody in.

    Without a first page the telemetry path answers 503; before the first cycle
    ended its page holds our own families only.
    """
    prefix = options.route_prefix
    site = _Site(state, options)
    app = web.Application()
    _protect(app, state, options, guard or Guard(None, state.refusals))
    if prefix:
        app.router.add_get("/", site.to_index)
        app.router.add_get(prefix, site.to_index)
    app.router.add_get(f"{prefix}/", site.index)
    app.router.add_get(prefix + options.telemetry_path, site.metrics)
    app.router.add_get(f"{prefix}/config", site.config)
    app.router.add_get(f"{prefix}/accounts/{SEGMENTS}", site.account)
    app.router.add_get(f"{prefix}/-/healthy", site.healthy)
    app.router.add_get(f"{prefix}/-/ready", site.ready)
    app.router.add_post(f"{prefix}/-/reload", site.reload)
    app.router.add_put(f"{prefix}/-/reload", site.reload)
    Api(lambda: state.book, prefix).add_routes(app.router)
    return app


def _protect(
    app: web.Application, state: ServingState, options: WebOptions, guard: Guard
) -> None:
    probes = (f"{options.route_prefix}{path}" for path in ("/-/healthy", "/-/ready"))
    limit = Limit(options.max_requests, frozenset(probes), state.refusals)

    async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(_HEADERS)
        response.headers.update(guard.headers)

    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await guard.admit(request) or await handler(request)

    async def limited(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await limit.serve(request, handler)

    app.on_response_prepare.append(add_headers)
    # The first is the outermost.
    app.middlewares.extend(map(web.middleware, (limited, admit)))


class _Site:
    """The handlers, and the landing page's HTML of the current page."""

    def __init__(self, state: ServingState, options: WebOptions) -> None:
        self._state = state
        self._options = options
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

    async def to_index(self, _: web.Request) -> web.Response:
        raise web.HTTPFound(f"{self._options.route_prefix}/")

    async def index(self, _: web.Request) -> web.Response:
        body = await self._rendered_index()
        return _html(body)

    async def account(self, request: web.Request) -> web.Response:
        if (book := self._state.book) is None:
            return web.Response(status=503, text=f"{STARTING}\n")
        system, account = request.match_info["system"], request.match_info["account"]
        try:
            async with self._rendering:
                html = await asyncio.to_thread(
                    lambda: render_account(
                        book.detail(system, account), self._options.route_prefix
                    )
                )
        except UnknownError as error:
            return web.Response(status=404, text=f"{error}\n")
        return _html(html.encode())

    async def config(self, _: web.Request) -> web.Response:
        return web.Response(text=self._state.config)

    async def healthy(self, _: web.Request) -> web.Response:
        if trouble := self._state.trouble():
            return web.Response(status=503, text=f"not healthy: {trouble}\n")
        return web.Response(text="healthy\n")

    async def ready(self, _: web.Request) -> web.Response:
        if obstacle := self._state.obstacle:
            return web.Response(status=503, text=f"not ready: {obstacle}\n")
        return web.Response(text="ready\n")

    async def reload(self, _: web.Request) -> web.Response:
        if self._state.reload is None:
            text = "reloading is not enabled: start with --web.enable-lifecycle\n"
            return web.Response(status=403, text=text)
        if error := await self._state.reload():
            text = f"failed to reload the configuration: {error}\n"
            return web.Response(status=500, text=text)
        return web.Response(text="reloaded\n")

    async def _rendered_index(self) -> bytes:
        """Return the HTML of the current page, made once however many ask."""
        async with self._rendering:
            page = self._state.pages.current
            if self._index is None or self._index[0] is not page:
                publication = page.publication if page else None
                html = await asyncio.to_thread(
                    render_index,
                    publication,
                    self._options.telemetry_path,
                    self._options.route_prefix,
                )
                self._index = page, html.encode()
            return self._index[1]


def _html(body: bytes) -> web.Response:
    return web.Response(
        body=body,
        content_type="text/html",
        charset="utf-8",
        headers={hdrs.CACHE_CONTROL: "no-cache"},
    )


def _joined(request: web.Request, name: str) -> str | None:
    """Return a header that may be sent in several lines."""
    lines = request.headers.getall(name, [])
    return ",".join(lines) if lines else None
