"""A real Prometheus answers every query of the dashboard with data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.queries import (
    Query,
    annotation_queries,
    panel_queries,
    variable_queries,
)
from tests.support.clients import connected
from tests.support.monitoring_stack import Service, running_daemon, running_prometheus
from tests.support.topology import a_single

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = pytest.mark.live

# The exporter is not restarted here, so there is no mark to show.
MAY_BE_EMPTY = {query.where for query in annotation_queries()}


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


def longest_idle() -> Query:
    """Return the first query of the table of inactive accounts."""
    return next(q for q in panel_queries() if q.where.startswith("Inactive accounts,"))


async def asked(prometheus: Service, expr: str) -> list[dict[str, Any]]:
    """Return the result of a query that must succeed."""
    status, body = await prometheus.ask("/api/v1/query", query=expr)

    assert status == 200, body
    result: list[dict[str, Any]] = body["data"]["result"]
    return result
