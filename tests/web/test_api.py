"""The JSON API over a real socket, and its own description."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest

from nats_idle_exporter.api import model
from nats_idle_exporter.metrics import Publication
from tests.api.builders import HOSTILE, hostile_snapshot, knowing, known
from tests.metrics.builders import a_publication, shown
from tests.web.reading import Document
from tests.web.serving import protected
from tests.web.test_app import serving

LIST = "/api/v1/accounts"
PATHS = [
    LIST,
    f"{LIST}/default/ORDERS",
    "/api/v1/endpoints",
    "/api/v1/openapi.json",
]
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


def published() -> Publication:
    """Return a publication of one account that may go."""
    return a_publication(knowing(default=[known()]))


@pytest.mark.parametrize("path", PATHS)
async def test_head(path: str) -> None:
    """HEAD answers as GET does, without a body."""
    async with serving(published()) as (ask, _):
        get, head = await ask(path), await ask(path, "HEAD")

    assert (get.status, head.status, await head.read()) == (200, 200, b"")
    for name in ("Content-Type", "Content-Length"):
        assert head.headers[name] == get.headers[name]
    assert get.headers["Content-Type"] == "application/json"
    assert get.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_nothing_can_be_changed(path: str, method: str) -> None:
    """Whatever else is asked for is refused, with what may be."""
    async with serving(published()) as (ask, _):
        response = await ask(path, method)

    assert response.status == 405
    assert response.headers["Allow"] == "GET,HEAD"


@pytest.mark.parametrize("path", PATHS[:3])
async def test_before_the_first_cycle(path: str) -> None:
    """Until a cycle ended there is a 503 in JSON, and no empty list."""
    async with serving() as (ask, _):
        first = await ask(path)
    async with serving(a_publication(None)) as (ask, _):
        second = await ask(path)

    for response in (first, second):
        assert response.status == 503
        assert await response.json() == {"error": "the first cycle has not ended"}


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        (f"{LIST}?limit=x", 400, "limit: expected a whole number from 1 to 1000"),
        (f"{LIST}?limit=1&limit=1", 400, "limit: expected once, found again"),
        (f"{LIST}?x", 400, "expected parameters of system, account,"),
        (f"{LIST}?system=x", 404, "no such system"),
        (f"{LIST}/x/ORDERS", 404, "no such system"),
        (f"{LIST}/default/x", 404, "no such account in this system"),
        (f"{LIST}/default/", 404, "no such account in this system"),
    ],
)
async def test_problems(path: str, status: int, error: str) -> None:
    """A problem is JSON, and says what is wrong."""
    async with serving(published()) as (ask, _):
        response = await ask(path)

    assert response.status == status
    assert response.headers["Content-Type"] == "application/json"
    assert (await response.json())["error"].startswith(error)


@pytest.mark.parametrize("prefix", ["", "/idle"])
@pytest.mark.parametrize("word", HOSTILE)
async def test_every_name_can_be_asked_for(word: str, prefix: str) -> None:
    """Whatever an account's name is, its path leads to it and its page says it."""
    publication = a_publication(hostile_snapshot())
    async with protected(route_prefix=prefix) as server:
        server.state.pages.offer(publication)
        await shown(server.state.pages, publication)
        path = f"default/{quote(word, safe='')}"
        answer = await server.ask(f"{prefix}{LIST}/{path}")
        page = await server.ask(f"{prefix}/accounts/{path}")

    assert (answer.status, page.status) == (200, 200)
    detail = msgspec.json.decode(answer.text, type=model.AccountDetail)
    assert detail.account.account == word
    assert "script" not in {tag for tag, _ in Document(page.text).tags}


@pytest.mark.no_cover
async def test_it_keeps_what_it_describes(tmp_path: Path) -> None:
    """Generated questions, valid and invalid, get the answers that are described."""
    publication = a_publication(hostile_snapshot())
    async with serving(publication, route_prefix="/idle") as (ask, _):
        response = await ask("/idle/api/v1/openapi.json")
        arguments = ["run", str(response.url), "--seed=1", "--max-examples=20"]
        arguments += ["--no-color", "--generation-database=none", "--checks=all"]
        tester = await asyncio.create_subprocess_exec(
            SCHEMATHESIS,
            *arguments,
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await tester.communicate()

    assert tester.returncode == 0, said.decode()
    assert b"Tested: 3" in said
