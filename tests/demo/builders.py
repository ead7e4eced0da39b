"""Metrics pages as the exporter would write them, for the demonstration's tests."""

from __future__ import annotations

from typing import Any

from nats_idle_exporter.demo.board import Board, Row
from nats_idle_exporter.metrics import catalogue

READ_AT = 1_000_000.0


def a_row(account: str = "legacy-crm", **changed: Any) -> Row:
    """Return an account without a client, not watched for long enough."""
    row = Row(
        account=account,
        is_inactive=False,
        is_observed=False,
        idle_seconds=5.0,
        threshold_seconds=15.0,
        connections=0,
        last_activity_at=None,
    )
    return row._replace(**changed)


def a_board(*rows: Row, servers_up: int = 3) -> Board:
    """Return a reading of three servers."""
    return Board({row.account: row for row in rows}, servers_up, 3, READ_AT)


def a_page(board: Board) -> str:
    """Return the metrics page that says this."""
    lines: list[str] = []
    for row in board.rows.values():
        labels = f'{{system="demo",account="{row.account}",account_name="x"}}'
        values = {
            catalogue.ACCOUNT_INACTIVE: int(row.is_inactive),
            catalogue.ACCOUNT_OBSERVED: int(row.is_observed),
            catalogue.ACCOUNT_IDLE: row.idle_seconds,
            catalogue.ACCOUNT_THRESHOLD: row.threshold_seconds,
            catalogue.ACCOUNT_CONNECTIONS: row.connections,
            catalogue.ACCOUNT_LAST_ACTIVITY: row.last_activity_at,
        }
        lines += [
            f"{family.name}{labels} {value}\n"
            for family, value in values.items()
            if value is not None
        ]
    for number in range(board.servers):
        up = int(number < board.servers_up)
        labels = f'{{system="demo",endpoint="http://127.0.0.1:{number}"}}'
        lines.append(f"{catalogue.ENDPOINT_UP.name}{labels} {up}\n")
    return "".join(lines)
