"""A real Prometheus answers every query of the dashboard with data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from nats_idle_exporter.metrics import Format, render
from nats_idle_exporter.removal.dossier import Check, Stage
from nats_idle_exporter.removal.facts import Jwt
from tests.deploy.queries import (
    Query,
    annotation_queries,
    panel_queries,
    variable_queries,
)
from tests.metrics.builders import (
    NO_PROCESS,
    a_publication,
    a_snapshot,
    a_system,
    an_account,
)
from tests.metrics.dossierbuilders import (
    a_blocker,
    facts_of,
    holdings,
    with_blockers,
)
from tests.removal.cases import NOW, an_importer
from tests.support.clients import connected
from tests.support.monitoring_stack import (
    Service,
    running_daemon,
    running_prometheus,
    running_scraper,
)
from tests.support.topology import a_single

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

# The exporter is not restarted here, so there is no mark to show, and what stands in
# the way of removals has a test of its own.
REMOVAL = (
    "Inactive accounts, by what",
    "What stands in the way",
    "JWTs by their end",
    "Disabled accounts",
)
MAY_BE_EMPTY = {query.where for query in annotation_queries()} | {
    query.where for query in panel_queries() if query.where.startswith(REMOVAL)
}


def filled(query: Query, exporter: Service) -> str:
    """Return a query as Grafana would send it, for the exporter and all systems."""
    choices: Mapping[str, str] = {
        "$job": "nats-idle-exporter",
        "$instance": exporter.address,
        "$system": ".+",
        "$__rate_interval": "5s",
    }
    expr = query.expr
    for variable, choice in choices.items():
        expr = expr.replace(variable, choice)
    return expr


async def test_every_query_returns_data(tmp_path: Path) -> None:
    """With an inactive, an active and an unknown account, no panel stays empty."""
    server = a_single("QUIET", "BUSY", "YOUNG")
    config = {
        "systems": [{"name": "shop", "endpoints": [server.monitoring_url]}],
        "poll": {"interval": "500ms"},
        "inactivity": {"threshold": "1s", "gap_tolerance": "50ms"},
        "accounts": [{"match": "YOUNG", "threshold": "1h", "owner": "sales"}],
    }
    async with (
        server,
        connected(server, "BUSY"),
        running_daemon(tmp_path, config) as exporter,
        running_prometheus(tmp_path, exporter) as prometheus,
    ):
        for query in (*panel_queries(), *annotation_queries(), *variable_queries()):
            expr = filled(query, exporter)

            async def has_data(where: str = query.where, expr: str = expr) -> bool:
                result = await asked(prometheus, expr)
                return bool(result) or where in MAY_BE_EMPTY

            await prometheus.child.until(has_data, f"has data for {query.where}")
        ranked = await asked(prometheus, filled(longest_idle(), exporter))

    assert [row["metric"]["account"] for row in ranked] == ["QUIET"]


async def test_every_query_about_removal_returns_data(tmp_path: Path) -> None:
    """With accounts that hold, expire and are disabled no panel stays empty."""
    async with (
        TestServer(removal_page()) as server,
        running_scraper(tmp_path, f"127.0.0.1:{server.port}", {}) as prometheus,
    ):
        exporter = prometheus._replace(url=f"http://127.0.0.1:{server.port}")
        for query in panel_queries():
            if not query.where.startswith(REMOVAL):
                continue
            expr = filled(query, exporter)

            async def has_data(expr: str = expr) -> bool:
                return bool(await asked(prometheus, expr))

            await prometheus.child.until(has_data, f"has data for {query.where}")
        first = next(q for q in panel_queries() if q.where.endswith("would free B"))
        ranked = await asked(prometheus, filled(first, exporter))

    freed = {row["metric"]["account"]: float(row["value"][1]) for row in ranked}
    assert freed == {"HOLDS": 4096 + 100 + 1000}


def removal_page() -> web.Application:
    """Return an application that serves the page of accounts on their way out."""
    views = [an_account("HOLDS"), an_account("UNTOLD"), an_account("GOES")]
    held = holdings(
        streams=1, bytes=4096, reserved_memory_bytes=100, reserved_storage_bytes=1000
    )
    facts = {
        "HOLDS": facts_of(
            views[0],
            holdings=held,
            importers=(an_importer("A"),),
            jwt=Jwt(expires_at=NOW),
        ),
        "UNTOLD": facts_of(views[1], holdings=None, importers_unknown=None),
        "GOES": facts_of(views[2], holdings=None),
    }
    snapshot = with_blockers(
        a_snapshot({"default": a_system(*views)}),
        facts=facts,
        blockers={"HOLDS": (a_blocker(Check.STREAMS),)},
        stages={"GOES": Stage(disabled_at=NOW - 60, grace_ends_at=NOW)},
    )
    page = render(a_publication(snapshot), NO_PROCESS)[Format.TEXT]

    async def serve(_request: web.Request) -> web.Response:
        return web.Response(body=page, headers={"Content-Type": Format.TEXT.value})

    application = web.Application()
    application.router.add_get("/metrics", serve)
    return application


def longest_idle() -> Query:
    """Return the first query of the table of inactive accounts."""
    return next(q for q in panel_queries() if q.where.startswith("Inactive accounts,"))


async def asked(prometheus: Service, expr: str) -> list[dict[str, Any]]:
    """Return the result of a query that must succeed."""
    status, body = await prometheus.ask("/api/v1/query", query=expr)

    assert status == 200, body
    result: list[dict[str, Any]] = body["data"]["result"]
    return result
