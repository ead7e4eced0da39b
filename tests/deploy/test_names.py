"""Rules and dashboard ask for series that exist."""

from __future__ import annotations

import pytest

from nats_idle_exporter.metrics import FAMILIES
from tests.deploy.queries import (
    Query,
    annotation_queries,
    load_rules,
    metric_names,
    panel_queries,
    rule_queries,
    variable_queries,
)

OURS = {family.name for family in FAMILIES}
RECORDED = {rule["record"] for rule in load_rules() if "record" in rule}
OF_PROMETHEUS = {"up"}
OF_THE_CLIENT_LIBRARY = {
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
}
QUERIES = [
    *rule_queries(),
    *panel_queries(),
    *annotation_queries(),
    *variable_queries(),
]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.where)
def test_every_series_exists(query: Query) -> None:
    """Each name is in the catalogue, recorded by a rule, or known from elsewhere."""
    names = metric_names(query.expr)

    assert names
    assert names <= OURS | RECORDED | OF_PROMETHEUS | OF_THE_CLIENT_LIBRARY


def test_names_are_found_in_any_expression() -> None:
    """Functions, labels, matchers, ranges and operators are no names of series."""
    expr = (
        'topk by (a, b) (1, x{c="d{}"} unless on (a) (y)) * on (a) group_left (o)'
        " rate(z:r[5m]) or count without (l) (last_over_time(w[1h])) % 2 == 1"
    )

    assert metric_names(expr) == {"x", "y", "z:r", "w"}
