"""A real Chromium looks at the pages, as an operator who clicks through them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from nats_idle_exporter.web import accountwords, words
from nats_idle_exporter.web.templating import account_path
from tests.api.builders import HOSTILE, hostile_snapshot
from tests.metrics.builders import a_publication
from tests.support.browser import PHONE, browsing
from tests.support.clients import connected
from tests.support.looking import check_every_screen, faint, texts, too_wide
from tests.support.monitoring_stack import Service, running_daemon
from tests.support.topology import a_single
from tests.web.serving import protected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

CODE = """function () {
    return [...this.querySelectorAll("pre")].map(found => found.textContent);
}"""

MARKUP_IN_CODE = """function () {
    return this.querySelectorAll("pre > code *, pre > :not(code)").length;
}"""


BAD = b"""<!DOCTYPE html><body style="background: #fff"><script>alert(1)</script>
<style>p { color: #999; }</style><p>faint</p>
<img src="http://elsewhere.invalid/x" alt=""><pre>%s</pre>""" % (b"wide" * 99)


def printed(way_out: dict[str, Any]) -> Iterator[str]:
    """Yield the blocks of a way out as a page must show them, in their order."""
    for step in way_out["steps"]:
        for part in ("snippets", "commands", "checks", "undo_snippets", "undo"):
            for line in step[part]:
                yield words.block(line["text"])


async def told(exporter: Service, account: str) -> Any:
    """Return what the API tells of an inactive account, once every check is known."""
    found: dict[str, Any] = {}

    async def is_settled() -> bool:
        nonlocal found
        _, found = await exporter.ask(f"/api/v1/accounts/shop/{account}")
        outcomes = {item["outcome"] for item in found["checklist"]}
        return found["account"]["verdict"] == "inactive" and "unknown" not in outcomes

    await exporter.child.until(is_settled, f"knows all of {account}")
    return found


async def test_a_bad_page_is_seen_to_be_bad(tmp_path: Path) -> None:
    """What the other tests rule out is found where it is."""

    async def serve(request: web.Request) -> web.Response:
        policy = {"Content-Security-Policy": "default-src 'none'"}
        headers = policy if request.path == "/policy" else {}
        return web.Response(body=BAD, content_type="text/html", headers=headers)

    application = web.Application()
    application.router.add_get("/{path:.*}", serve)
    async with TestServer(application) as server, browsing(tmp_path) as tab:
        await tab.look(PHONE)
        await tab.visit(str(server.make_url("/")))
        unread, wide = await faint(tab), await too_wide(tab)
        without = tab.alarms.copy()
        tab.alarms.clear()
        await tab.visit(str(server.make_url("/policy")))

    assert unread == ["faint"]
    assert [line.split()[0] for line in wide] == ["HTML", "PRE"]
    assert "dialog: 1" in without
    assert "http://elsewhere.invalid/x" in tab.requests
    assert any("Content Security Policy" in each for each in tab.alarms)


async def test_from_the_landing_page_to_the_way_out(tmp_path: Path) -> None:
    """A click on an account leads to its verdict, its checklist and its way out."""
    server = a_single("OLD", "BUSY")
    system = {
        "name": "shop",
        "endpoints": [server.monitoring_url],
        "inventory": [{"nats_config": str(server.folder / "nats.conf")}],
        "refresh_interval": "500ms",
    }
    config = {
        "systems": [system],
        # Half of the time for which a busy machine may leave the page without news.
        "poll": {"interval": "3s", "jetstream_interval": "3s"},
        "inactivity": {"threshold": "1s"},
        "accounts": [{"match": "OLD", "owner": "ann"}],
    }
    async with (
        server,
        connected(server, "BUSY"),
        running_daemon(tmp_path, config) as exporter,
        browsing(tmp_path) as tab,
    ):
        detail = await told(exporter, "OLD")
        await tab.visit(exporter.url)
        await check_every_screen(tab)
        await tab.click('a[href="/accounts/shop/OLD"]')
        heading = await texts(tab, "h1")
        (verdict,) = await texts(tab, '[aria-label="Verdict"]')
        evidence = await texts(tab, "#evidence + .table td")
        checks = await texts(tab, "#checklist + .table tbody th")
        outcomes = await texts(tab, "#checklist + .table tbody th + td")
        code = await tab.ask(CODE)
        await check_every_screen(tab)
        await tab.click('nav a[href="/"]')
        home = await texts(tab, "h1")

    assert (heading, home) == (["OLD"], ["nats-idle-exporter"])
    assert verdict.startswith("inactive Nobody used it for ")
    assert "Not passed: 2 of 11 checks (credentials, approval)." in verdict
    assert evidence[0] == "never"
    checklist = detail["checklist"]
    assert checks == [accountwords.CHECKS[item["check"]] for item in checklist]
    assert outcomes == [item["outcome"] for item in checklist]
    assert code == list(printed(detail["way_out"]))
    assert "max_connections: 0" in code[0]
    assert tab.alarms == []
    here = f"{exporter.url}/"
    assert tab.requests == [here, f"{here}accounts/shop/OLD", here]


async def test_hostile_words_stay_words(tmp_path: Path) -> None:
    """No name runs, asks for anything, hides, or widens the page of any account."""
    paths = [path for each in HOSTILE if (path := account_path("default", each))]
    async with (
        protected(publication=a_publication(hostile_snapshot())) as pages,
        browsing(tmp_path) as tab,
    ):
        origin = f"http://127.0.0.1:{pages.port}"
        await tab.visit(f"{origin}/")
        await check_every_screen(tab)
        for path in paths:
            detail = json.loads((await pages.ask(f"/api/v1{path}")).text)
            await tab.visit(origin + path)
            name = words.visible(detail["account"]["account_name"]) or "(empty name)"
            assert await texts(tab, "h1") == [name]
            assert await tab.ask(CODE) == list(printed(detail["way_out"]))
            assert await tab.ask(MARKUP_IN_CODE) == 0
            await check_every_screen(tab)

    assert tab.alarms == []
    assert tab.requests == [origin + path for path in ("/", *paths)]
