"""Read the exporter's own metrics page into what the demonstration shows.

Pure: text in, values out. Like any alert rule, it knows the exporter by its
metrics only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from nats_idle_exporter.metrics import catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

_PER_ACCOUNT = (
    catalogue.ACCOUNT_INACTIVE,
    catalogue.ACCOUNT_OBSERVED,
    catalogue.ACCOUNT_IDLE,
    catalogue.ACCOUNT_THRESHOLD,
    catalogue.ACCOUNT_CONNECTIONS,
    catalogue.ACCOUNT_LAST_ACTIVITY,
)


class Row(NamedTuple):
    """One account; ``last_activity_at`` is Unix seconds, None when never used."""

    account: str
    is_inactive: bool
    is_observed: bool
    idle_seconds: float
    threshold_seconds: float
    connections: int
    last_activity_at: float | None

    @property
    def state(self) -> str:
        """The verdict in words; "held" is an inactive one without proof up to now."""
        if self.is_inactive:
            return "inactive" if self.is_observed else "inactive (held)"
        return "active" if self.is_observed else "unknown"


class Board(NamedTuple):
    """One reading, made at ``read_at`` in Unix seconds; ``rows`` by account."""

    rows: Mapping[str, Row]
    servers_up: int
    servers: int
    read_at: float

    def state(self, account: str) -> str:
        """Return an account's state, "" before the first cycle."""
        row = self.rows.get(account)
        return row.state if row else ""


def read_board(page: str, read_at: float) -> Board:
    """Return what a metrics page in Prometheus text said at this moment."""
    found: dict[str, dict[str, float]] = {}
    ups: list[float] = []
    names = {family.name for family in _PER_ACCOUNT}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name in names:
                account = sample.labels["account"]
                found.setdefault(account, {})[sample.name] = sample.value
            elif sample.name == catalogue.ENDPOINT_UP.name:
                ups.append(sample.value)
    rows = {account: _row(account, values) for account, values in found.items()}
    return Board(rows, sum(up == 1 for up in ups), len(ups), read_at)


def changes(before: Board | None, after: Board) -> list[str]:
    """Return one line per account whose state changed, in the board's order."""
    lines = []
    for account, row in after.rows.items():
        was = before.state(account) if before else ""
        if row.state != was:
            arrow = f"{was} -> {row.state}" if was else row.state
            lines.append(f"{account}: {arrow} {_because(row)}")
    return lines


def hint(board: Board, account: str) -> str:
    """Return how far the proof about an account is, "" when there is nothing to say."""
    row = board.rows.get(account)
    if row is None:
        return ""
    missing = row.threshold_seconds - row.idle_seconds
    if row.state == "unknown" and missing > 0:
        return (
            f"Nobody has used {account} for {row.idle_seconds:.0f} s, proven on every "
            f"server; in {missing:.0f} s that is enough."
        )
    return ""


def _because(row: Row) -> str:
    if row.state == "active":
        return f"({row.connections} connections now)"
    return (
        f"(proven idle {row.idle_seconds:.1f} s of {row.threshold_seconds:.0f} s,"
        f" observed {row.is_observed:d})"
    )


def _row(account: str, values: dict[str, float]) -> Row:
    return Row(
        account=account,
        is_inactive=values[catalogue.ACCOUNT_INACTIVE.name] == 1,
        is_observed=values[catalogue.ACCOUNT_OBSERVED.name] == 1,
        idle_seconds=values[catalogue.ACCOUNT_IDLE.name],
        threshold_seconds=values[catalogue.ACCOUNT_THRESHOLD.name],
        connections=int(values[catalogue.ACCOUNT_CONNECTIONS.name]),
        last_activity_at=values.get(catalogue.ACCOUNT_LAST_ACTIVITY.name),
    )
