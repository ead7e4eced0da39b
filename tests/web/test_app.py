"""The application over a real socket."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession, TCPConnector, web
from aiohttp.test_utils import TestServer, make_mocked_request

from nats_idle_exporter.config import WebOptions
from nats_idle_exporter.metrics import Format, Pages, Publication, Refusal
from nats_idle_exporter.removal.registry import NO_ENTRY, Entry
from nats_idle_exporter.web import ServingState, make_app
from nats_idle_exporter.web.limits import Handler, Limit
from tests.metrics.builders import a_publication, a_snapshot, shown
from tests.metrics.parsing import parse

Ask = Callable[..., Awaitable[ClientResponse]]


@asynccontextmanager
async def serving(
    *publications: Publication, **options: Any
) -> AsyncIterator[tuple[Ask, ServingState]]:
    """Serve the publications' last page; yield a way to ask, and the state."""
    state = ServingState(Pages(), config="poll: {}\n")
    async with asyncio.TaskGroup() as group:
        rendering = group.create_task(state.pages.run())
        for publication in publications:
            await publish(state, publication)
        async with (
            TestServer(make_app(state, WebOptions(**options))) as server,
            ClientSession(
                connector=TCPConnector(force_close=True), auto_decompress=False
            ) as session,
        ):

            async def ask(
                path: str, method: str = "GET", **headers: str
            ) -> ClientResponse:
                names = {name.replace("_", "-"): v for name, v in headers.items()}
                response = await session.request(
                    method,
                    server.make_url(path),
                    headers=names,
                    skip_auto_headers=["Accept", "Accept-Encoding"],
                )
                await response.read()
                return response

            yield ask, state
        rendering.cancel()


async def publish(state: ServingState, publication: Publication) -> None:
    """Publish and wait for the page."""
    state.pages.offer(publication)
    await shown(state.pages, publication)


def published() -> Publication:
    """Return a publication of one finished cycle."""
    return a_publication(a_snapshot())


class TestMetrics:
    """The telemetry path."""

    @pytest.mark.parametrize(
        ("accept", "form"),
        [
            ("*/*", Format.TEXT),
            ("text/plain;version=0.0.4;q=0.5", Format.TEXT),
            ("application/openmetrics-text;version=1.0.0", Format.OPENMETRICS),
            ('application/openmetrics-text;version="x";q="', Format.TEXT),
        ],
    )
    @pytest.mark.parametrize("encoding", ["", "gzip"])
    async def test_formats_and_encodings(
        self, accept: str, form: Format, encoding: str
    ) -> None:
        """Each format and encoding arrives whole, with headers that say what it is."""
        async with serving(published()) as (ask, _):
            response = await ask("/metrics", Accept=accept, Accept_Encoding=encoding)
            body = await response.read()

        plain = gzip.decompress(body) if encoding else body
        assert response.status == 200
        assert response.headers["Content-Type"] == form.value
        assert response.headers.get("Content-Encoding", "") == encoding
        assert response.headers["Vary"] == "Accept, Accept-Encoding"
        assert ("account_inactive", form) in {
            (name, form) for name, _ in parse(form, plain)
        }

    async def test_no_headers_mean_plain_text(self) -> None:
        """A client that says nothing gets the text format, not compressed."""
        async with serving(published()) as (ask, _):
            response = await ask("/metrics")

        assert response.headers["Content-Type"] == Format.TEXT.value
        assert "Content-Encoding" not in response.headers

    async def test_before_the_first_page(self) -> None:
        """Until a page exists there is a plain 503, no empty page."""
        async with serving() as (ask, _):
            response = await ask("/metrics")

        assert (response.status, await response.text()) == (
            503,
            "no page was rendered yet\n",
        )

    async def test_before_the_first_cycle(self) -> None:
        """Before the first cycle ended the page holds our own families only."""
        async with serving(a_publication(None)) as (ask, _):
            response = await ask("/metrics")

        names = {name for name, _ in parse(Format.TEXT, await response.read())}
        assert response.status == 200
        assert "nats_idle_exporter_build_info" in names
        assert not any(name.startswith("account_") for name in names)

    async def test_a_scrape_never_renders(self) -> None:
        """However often it is scraped, a publication is rendered once."""
        asked = []

        def entries(account: str, _name: str) -> Entry:
            asked.append(account)
            return NO_ENTRY

        publication = a_publication(a_snapshot(entries=entries))
        async with serving(publication) as (ask, _):
            bodies = {await (await ask("/metrics")).read() for _ in range(3)}

        assert asked == ["ORDERS"]
        assert len(bodies) == 1

    async def test_another_path(self) -> None:
        """The telemetry path can be another one, and the landing page knows it."""
        async with serving(published(), telemetry_path="/prom/metrics") as (ask, _):
            statuses = [(await ask(p)).status for p in ("/prom/metrics", "/metrics")]
            landing = await (await ask("/")).text()

        assert statuses == [200, 404]
        assert 'href="/prom/metrics"' in landing


class TestLandingPage:
    """The page for people."""

    async def test_it_shows_the_current_publication(self) -> None:
        """Each new publication is shown, the page before it no longer."""
        async with serving() as (ask, state):
            texts = [await (await ask("/")).text()]
            await publish(state, a_publication(None))
            texts.append(await (await ask("/")).text())
            await publish(state, published())
            response = await ask("/")
            texts.append(await response.text())

        assert [("ORDERS" in text) for text in texts] == [False, False, True]
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-cache"

    async def test_one_moment_is_rendered_once(self) -> None:
        """However many ask at once, the page of one moment is made once."""
        asked = []

        def entries(account: str, _name: str) -> Entry:
            asked.append(account)
            return NO_ENTRY

        async with serving(a_publication(a_snapshot(entries=entries))) as (
            ask,
            _,
        ):
            asked.clear()
            await asyncio.gather(*(ask("/") for _ in range(5)))

        assert asked == ["ORDERS"]


class TestHealth:
    """Liveness and readiness."""

    async def test_healthy_whatever_is_known(self) -> None:
        """Liveness depends on nothing that a NATS server does, nor on stopping."""
        async with serving() as (ask, state):
            state.is_stopping = True
            response = await ask("/-/healthy")

        assert (response.status, await response.text()) == (200, "healthy\n")

    async def test_not_healthy_while_only_a_restart_helps(self) -> None:
        """A flaw of ours is told by the status, and in words."""
        async with serving() as (ask, state):
            state.trouble = lambda: "it hangs"
            response = await ask("/-/healthy")
            state.trouble = lambda: ""
            again = await ask("/-/healthy")

        assert response.status == 503
        assert await response.text() == "not healthy: it hangs\n"
        assert again.status == 200

    async def test_ready_after_the_first_cycle_until_stopping(self) -> None:
        """Readiness comes with the first cycle's page and goes when stopping."""
        async with serving() as (ask, state):
            answers = [await ask("/-/ready")]
            await publish(state, a_publication(None))
            answers.append(await ask("/-/ready"))
            await publish(state, published())
            answers.append(await ask("/-/ready"))
            state.is_stopping = True
            answers.append(await ask("/-/ready"))

        assert [(a.status, await a.text()) for a in answers] == [
            (503, "not ready: the first cycle has not ended\n"),
            (503, "not ready: the first cycle has not ended\n"),
            (200, "ready\n"),
            (503, "not ready: stopping\n"),
        ]


PATHS = ["/", "/metrics", "/config", "/-/healthy", "/-/ready"]


@pytest.mark.parametrize("path", PATHS)
async def test_head(path: str) -> None:
    """HEAD answers as GET does, without a body."""
    async with serving(published()) as (ask, _):
        get, head = await ask(path), await ask(path, "HEAD")

    assert (head.status, await head.read()) == (200, b"")
    for name in ("Content-Type", "Content-Length"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods(path: str, method: str) -> None:
    """What is read-only says so."""
    async with serving(published()) as (ask, _):
        response = await ask(path, method)

    assert response.status == 405
    assert response.headers["Allow"] == "GET,HEAD"


@pytest.mark.parametrize(
    "path", ["/favicon.ico", "/metrics/", "/-/reload/", "/-/", "/api/v1/"]
)
async def test_unknown_paths(path: str) -> None:
    """A path that is not served gets a plain 404."""
    async with serving(published()) as (ask, _):
        response = await ask(path)

    assert response.status == 404
    assert response.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        ("", 200, "reloaded\n"),
        (
            "c.yaml: $: expected a readable file, found nothing",
            500,
            (
                "failed to reload the configuration: "
                "c.yaml: $: expected a readable file, found nothing\n"
            ),
        ),
    ],
)
async def test_reload(method: str, error: str, status: int, text: str) -> None:
    """Whoever asks waits for the end of it, and is told how it went."""
    asked: list[str] = []

    async def reload() -> str:
        asked.append(method)
        return error

    async with serving(published(), route_prefix="/idle") as (ask, state):
        state.reload = reload
        response = await ask("/idle/-/reload", method)
        body = await response.text()

    assert (response.status, body) == (status, text)
    assert asked == [method]


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_reload_that_nobody_may_ask_for(method: str) -> None:
    """Without the flag it is forbidden, and the answer names the flag."""
    async with serving(published()) as (ask, _):
        response = await ask("/-/reload", method)
        body = await response.text()

    assert response.status == 403
    assert "--web.enable-lifecycle" in body


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
async def test_reload_by_another_method(method: str) -> None:
    """Looking at it reloads nothing."""
    async with serving(published()) as (ask, _):
        response = await ask("/-/reload", method)

    assert response.status == 405
    assert response.headers["Allow"] == "POST,PUT"


@pytest.mark.parametrize("path", [*PATHS, "/nowhere"])
async def test_security_headers(path: str) -> None:
    """Every answer, errors included, forbids sniffing, framing and scripts."""
    async with serving(published()) as (ask, _):
        headers = (await ask(path)).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert headers["Server"] == "nats-idle-exporter"


class TestRoutePrefix:
    """A prefix before every path."""

    async def test_every_page_is_below_it(self) -> None:
        """Pages are found below the prefix, and the landing page links there."""
        async with serving(published(), route_prefix="/idle") as (ask, _):
            statuses = [(await ask(f"/idle{path}")).status for path in PATHS]
            outside = [(await ask(path)).status for path in PATHS[1:]]
            landing = await (await ask("/idle/")).text()

        assert statuses == [200] * len(PATHS)
        assert outside == [404] * len(outside)
        for path in PATHS[1:]:
            assert f'href="/idle{path}"' in landing

    @pytest.mark.parametrize("path", ["/", "/idle"])
    async def test_the_way_there(self, path: str) -> None:
        """The root and the bare prefix lead to the landing page."""
        async with serving(published(), route_prefix="/idle") as (ask, _):
            response = await ask(path)

        assert response.status == 200
        assert response.url.path == "/idle/"


class TestLimit:
    """How many are served at once."""

    @staticmethod
    @asynccontextmanager
    async def occupied(
        most: int,
    ) -> AsyncIterator[tuple[Ask, ServingState, asyncio.Event]]:
        """Serve with one request open that ends with the event."""
        entered, opened = asyncio.Event(), asyncio.Event()

        async def slow(_: web.Request) -> web.Response:
            entered.set()
            await opened.wait()
            return web.Response(text="done")

        state = ServingState(Pages())
        limit = Limit(most, frozenset({"/-/healthy"}), state.refusals)

        @web.middleware
        async def limited(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await limit.serve(request, handler)

        app = web.Application(middlewares=[limited])
        app.router.add_get("/slow", slow)
        app.router.add_get("/{other:.*}", quick)
        async with TestServer(app) as server, ClientSession() as session:

            async def ask(path: str) -> ClientResponse:
                response = await session.get(server.make_url(path))
                await response.read()
                return response

            async with asyncio.TaskGroup() as group:
                first = group.create_task(ask("/slow"))
                await entered.wait()
                yield ask, state, opened
                opened.set()
            assert first.result().status == 200

    async def test_more_are_turned_away(self) -> None:
        """Beyond the limit there is a 503 that is counted; probes are served."""
        async with self.occupied(1) as (ask, state, _):
            over = await ask("/other")
            probe = await ask("/-/healthy")

        assert (over.status, await over.text()) == (503, "too many requests at once\n")
        assert probe.status == 200
        assert state.refusals.read()[Refusal.OVERLOAD] == 1

    async def test_room_comes_back(self) -> None:
        """Once a request ended, well or not, another one is served."""
        async with self.occupied(2) as (ask, _, _):
            statuses = [
                (await ask(path)).status for path in ("/none", "/a", "/none", "/a")
            ]

        assert statuses == [404, 200, 404, 200]

    async def test_no_limit(self) -> None:
        """With 0 nobody is turned away."""
        async with self.occupied(0) as (ask, _, _):
            response = await ask("/other")

        assert response.status == 200

    async def test_a_client_that_leaves_is_no_fault(self) -> None:
        """An answer that nobody takes any more gives its place back, and no error."""
        state = ServingState(Pages())
        limit = Limit(1, frozenset(), state.refusals)

        class Gone(web.Response):
            async def write_eof(self, _: bytes = b"") -> None:
                raise ConnectionResetError

        async def handler(_: web.Request) -> web.Response:
            return Gone()

        request = make_mocked_request("GET", "/")
        for _ in range(2):
            assert isinstance(await limit.serve(request, handler), Gone)

        assert state.refusals.read()[Refusal.OVERLOAD] == 0


async def quick(request: web.Request) -> web.Response:
    """Answer at once; 404 for one path."""
    if request.path == "/none":
        raise web.HTTPNotFound
    return web.Response()
