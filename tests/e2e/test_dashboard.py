"""A real Prometheus answers every query of the dashboard with data."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.queries import (
    Query,
    annotation_queries,
    panel_queries,
    variable_queries,
)
from tests.support.clients import add_stream, connected
from tests.support.jwts import Operator
from tests.support.monitoring_stack import (
    Service,
    running_again,
    running_daemon,
    running_prometheus,
)
from tests.support.topology import a_single, an_operator_server, running

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tests.support.natsserver import NatsServer

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

ASIDE = 1 << 20
TOMORROW = int(time.time()) + 86400
SHUT = {"limits": {"conn": 0, "leaf": 0, "subs": -1, "data": -1, "payload": -1}}


def a_vault() -> NatsServer:
    """Return a server of operator mode with an account that nobody may use."""
    operator = Operator()
    operator.add_account("SHUT", claims=SHUT, exp=TOMORROW)
    return an_operator_server(operator, full_resolver=True, name="vault")


def config_of(shop: NatsServer, vault: NatsServer) -> dict[str, Any]:
    """Return a configuration by which everything happens within seconds."""
    inventories = {
        shop: {"nats_config": str(shop.folder / "nats.conf")},
        vault: {"resolver_dir": str(vault.folder / "jwt")},
    }
    way_out = {"approved_by": "ann", "grace": "1h"}
    return {
        "systems": [
            {
                "name": name,
                "endpoints": [server.monitoring_url],
                "inventory": [inventories[server]],
                "refresh_interval": "500ms",
            }
            for name, server in (("shop", shop), ("vault", vault))
        ],
        "poll": {"interval": "500ms", "jetstream_interval": "500ms"},
        "inactivity": {"threshold": "1s", "gap_tolerance": "50ms"},
        "accounts": [
            {"match": "YOUNG", "threshold": "1h", "owner": "sales"},
            {"match": "SHUT", "decommission": way_out},
        ],
    }


def a_shop() -> NatsServer:
    """Return a server on which much is set aside for an account."""
    server = a_single("QUIET", "BUSY", "YOUNG", jetstream=["QUIET"])
    server.config["accounts"]["QUIET"]["jetstream"] = {"max_mem": 0, "max_file": ASIDE}
    return server


async def leave_behind(server: NatsServer, account: str) -> None:
    """Store a message for an account, and go."""
    async with connected(server, account) as client:
        await add_stream(client, "LEFT", ["left"])
        await client.jetstream().publish("left", b"behind")


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


async def until_all_return_data(
    queries: Iterable[Query], prometheus: Service, exporter: Service
) -> None:
    """Return once each query has returned data."""
    for query in queries:
        expr = filled(query, exporter)

        async def has_data(expr: str = expr) -> bool:
            return bool(await asked(prometheus, expr))

        await prometheus.child.until(has_data, f"has data for {query.where}")


async def test_every_query_returns_data(tmp_path: Path) -> None:
    """With accounts in every state, and a restart, no panel stays empty."""
    shop, vault = a_shop(), a_vault()
    async with running(shop, vault):
        await leave_behind(shop, "QUIET")
        async with (
            connected(shop, "BUSY"),
            running_daemon(tmp_path, config_of(shop, vault)) as exporter,
            running_prometheus(tmp_path, exporter) as prometheus,
        ):
            shown = (*panel_queries(), *variable_queries())
            await until_all_return_data(shown, prometheus, exporter)
            _, detail = await exporter.ask("/api/v1/accounts/shop/QUIET")
            held = detail["account"]["holdings"]["bytes"]
            freed = filled(query("would free B"), exporter)
            ranked = filled(query("Inactive accounts, longest idle first A"), exporter)

            async def are_told() -> bool:
                return await by_name(prometheus, freed) == {
                    "QUIET": held + ASIDE,
                    "SHUT": 0,
                } and set(await by_name(prometheus, ranked)) == {"QUIET", "SHUT"}

            await prometheus.child.until(are_told, "tells what two removals would free")
            async with running_again(tmp_path, exporter):
                await until_all_return_data(annotation_queries(), prometheus, exporter)

    assert held > 0


def query(words: str) -> Query:
    """Return the panels' query with these words."""
    return next(q for q in panel_queries() if words in q.where)


async def by_name(prometheus: Service, expr: str) -> dict[str, float]:
    """Return what a query tells of accounts."""
    return {
        row["metric"]["account_name"]: float(row["value"][1])
        for row in await asked(prometheus, expr)
    }


async def asked(prometheus: Service, expr: str) -> list[dict[str, Any]]:
    """Return the result of a query that must succeed."""
    status, body = await prometheus.ask("/api/v1/query", query=expr)

    assert status == 200, body
    result: list[dict[str, Any]] = body["data"]["result"]
    return result
