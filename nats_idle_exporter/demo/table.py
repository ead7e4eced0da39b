"""Draw the board as a table for the terminal. Pure: no clock, no output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from nats_idle_exporter.demo.cast import CAST

if TYPE_CHECKING:
    from nats_idle_exporter.demo.board import Board, Row

_STYLES = {
    "active": "green",
    "unknown": "yellow",
    "inactive": "bold red",
    "inactive (held)": "red",
}


def draw(board: Board) -> Table:
    """Return the table of one reading; it fits a terminal of 80 columns."""
    caption = f"{board.servers_up} of {board.servers} servers answer"
    table = Table(caption=caption, caption_justify="left", box=SIMPLE_HEAD, padding=0)
    table.add_column("account")
    table.add_column("its clients", style="dim")
    table.add_column("verdict")
    table.add_column("proven idle", justify="right")
    table.add_column("clients", justify="right")
    table.add_column("last use", justify="right")
    for role in CAST:
        row = board.rows.get(role.account)
        if row is not None:
            table.add_row(role.account, role.part, *_cells(row, board.read_at))
    return table


def _cells(row: Row, read_at: float) -> list[Text]:
    return [
        Text(row.state, style=_STYLES[row.state]),
        Text(f"{row.idle_seconds:.0f} of {row.threshold_seconds:.0f} s"),
        Text(str(row.connections)),
        Text(_age(row.last_activity_at, read_at)),
    ]


def _age(moment_at: float | None, read_at: float) -> str:
    if moment_at is None:
        return "none seen"
    return f"{max(0.0, read_at - moment_at):.0f} s ago"
