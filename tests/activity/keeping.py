"""Keep what a ledger tells, as a store does, and look at all that it remembers."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from nats_idle_exporter.activity import (
    Changes,
    Clocks,
    Instant,
    JetStreamRound,
    SavedRow,
)

Rows = dict[tuple[str, str], bytes]


def keep(rows: Rows, changes: Changes) -> None:
    """Do to the rows what a store does."""
    for kind, key, value in changes.puts:
        rows[kind, key] = value
    for where in changes.deletes:
        rows.pop(where, None)


def no_time(now: Instant) -> Clocks:
    """Return clocks by which no time passes between saving and resuming."""
    return Clocks(now, wall_at=0.0, monotonic_at=0.0, boot_id="boot")


def told(rows: Rows) -> list[SavedRow]:
    """Return the rows as a store tells them: in no order that says anything."""
    return [(kind, key, value) for (kind, key), value in sorted(rows.items())]


def plain(value: Any) -> Any:
    """Return all that an object holds, as values that compare by content."""
    if value is None or isinstance(value, str | int | float | frozenset):
        return value
    if isinstance(value, JetStreamRound):
        # Servers tell streams in no order that says anything.
        value = value._replace(streams=tuple(sorted(value.streams)))
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if is_dataclass(value):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    names = [*getattr(value, "__slots__", ()), *getattr(value, "__dict__", ())]
    return {name: plain(getattr(value, name)) for name in names}
