"""What the dashboard shows of two replicas, of which one is cut off from NATS."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.queries import Query, panel_queries
from tests.support.programs import require_program

CUT, BETTER = "a:7778", "b:7778"
VARIABLES = {"$job": ".*", "$instance": ".*", "$system": ".*"}
FACTS = (
    "account_idle_seconds",
    "account_quiet_since_timestamp_seconds",
    "account_inactivity_threshold_seconds",
    "account_info",
    "account_importers",
    "account_jetstream_bytes",
    "account_jetstream_streams",
    'account_removal_blockers{reason="role"}',
    'account_jetstream_reserved_bytes{storage="file"}',
    "account_jwt_expiry_timestamp_seconds",
)
VERDICTS = [
    query
    for query in panel_queries()
    if "account_inactive{" in query.expr or "account_observed{" in query.expr
]


def series(name: str, instance: str, account_name: str, value: int) -> dict[str, str]:
    """Return a series of one account that does not change."""
    bare, _, own = name.partition("{")
    labels = f'job="j", instance="{instance}", system="s", account="A"'
    labels += f', account_name="{account_name}", {own.removesuffix("}")}'
    return {"series": f"{bare}{{{labels}}}".replace(", }", "}"), "values": f"{value}x9"}


def replica(
    instance: str, account_name: str, *, inactive: int, observed: int
) -> list[dict[str, str]]:
    """Return what a replica says of an account."""
    return [
        series("account_inactive", instance, account_name, inactive),
        series("account_observed", instance, account_name, observed),
        *(series(name, instance, account_name, 7) for name in FACTS),
    ]


def shown(expr: str, told: list[dict[str, str]], value: int, folder: Path) -> str:
    """Return what promtool says of the sum over all that a query returns."""
    for variable, choice in VARIABLES.items():
        expr = expr.replace(variable, choice)
    sample: dict[str, Any] = {"labels": "{}", "value": value}
    case = {"expr": f"sum({expr}) or vector(0)", "eval_time": "5m"}
    test = {
        "interval": "1m",
        "input_series": told,
        "promql_expr_test": [case | {"exp_samples": [sample]}],
    }
    file = folder / "test.yaml"
    file.write_text(yaml.safe_dump({"tests": [test]}))
    done = subprocess.run(
        [require_program("promtool"), "test", "rules", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("name", ["A", "orders"])
@pytest.mark.parametrize("query", VERDICTS, ids=lambda query: query.where)
def test_use_that_one_replica_saw_counts(
    query: Query, name: str, tmp_path: Path
) -> None:
    """An account in use is nowhere inactive, by whatever name the other knows it."""
    told = [
        *replica(CUT, "A", inactive=1, observed=0),
        *replica(BETTER, name, inactive=0, observed=1),
    ]

    assert shown(query.expr, told, 0, tmp_path) == ""
