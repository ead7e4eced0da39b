"""What is fuzzed of the state: rows that somebody or something changed.

A file that SQLite takes for whole may still tell what no ledger told. It is refused
as damaged, so that it can be set aside, and ends nothing.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import msgspec

from nats_idle_exporter.activity import DamagedRows, Ledger, SavedRow
from nats_idle_exporter.activity.rows import Keyed
from nats_idle_exporter.monitoring.memories import memory_rows, read_memories
from nats_idle_exporter.monitoring.ring import Mark, RingMemory
from nats_idle_exporter.monitoring.wire import ClosedEntry
from nats_idle_exporter.removal.lifecycle import Lifecycle
from nats_idle_exporter.removal.lives import DamagedLives
from tests.activity.builders import POLL, A, Process, Watcher, at
from tests.activity.keeping import no_time, told
from tests.activity.rounds import BOOT, START, TEAM, read_by, watch
from tests.activity.rounds import told as a_round
from tests.chaos.entrances import Target
from tests.removal.lifelines import CLOSED, INACTIVE, Followed, Seen, Used, ruled

END = START + 4 * POLL
NOW = END + POLL
LATER = 2e9


def _watched() -> tuple[Watcher, Process]:
    """Return a watch over a few cycles, and its server."""
    watcher, server = Watcher(A), Process("SA", A, start=BOOT)
    server.peers = frozenset({"SB"})
    watch(watcher, server, read_by(), end=END)
    return watcher, server


def _written(rows: list[SavedRow]) -> bytes:
    """Return rows as JSON with infinities, in which damage often leaves rows."""
    shown = [(kind, key, msgspec.msgpack.decode(value)) for kind, key, value in rows]
    return json.dumps(shown).encode()


def _read(data: bytes) -> list[SavedRow]:
    """Return the rows that the bytes write; what is no row is left out."""
    try:
        shown = json.loads(data)
    except (ValueError, RecursionError):
        return []
    found = map(_row, shown if isinstance(shown, list) else [])
    return [row for row in found if row is not None]


def _row(shown: Any) -> SavedRow | None:
    try:
        kind, key, value = shown
        # A database's text is of characters that can be written.
        f"{kind}{key}".encode()
        packed = msgspec.msgpack.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None
    is_named = isinstance(kind, str) and isinstance(key, str)
    return (kind, key, packed) if is_named else None


_WATCHER, _SERVER = _watched()


def resume(data: bytes) -> None:
    """Take such rows for what a ledger told, and go on from there."""
    rows, now = _read(data), at(NOW)
    try:
        ledger = Ledger.resume(
            [A], _WATCHER.rules, _WATCHER.cadence, rows, no_time(now)
        )
    except DamagedRows:
        return
    ledger.apply(a_round(_SERVER, NOW, read_by(), consumers_of=TEAM))
    ledger.conclude(now)


def recall(data: bytes) -> None:
    """Take such rows for what the client remembers, and write them again."""
    with suppress(DamagedRows):
        memory_rows(*read_memories(_read(data)))


def go_on(data: bytes) -> None:
    """Take such rows for what is remembered of accounts on their way out."""
    followed = Followed()
    try:
        followed.lifecycle = Lifecycle.resume(_read(data))
    except DamagedLives:
        return
    followed.step(INACTIVE, doors=CLOSED)
    followed.restart()


def _lives() -> list[SavedRow]:
    followed = Followed(ruled(until_at=LATER, disabled_on_at=1.0))
    followed.step(Seen())
    followed.step(INACTIVE)
    followed.step(Seen("active", Used(LATER)))
    followed.step(INACTIVE)
    followed.save()
    return [(*place, value) for place, value in followed.rows.items()]


def _rings() -> Keyed:
    ring = RingMemory(
        server_id="SA",
        clock_at=100.0,
        read_at=100.0,
        mark=Mark(3, 1, 2, ClosedEntry(3, "TEAM", is_client=True, stop_at=99.0)),
        known={2: None, 3: None},
        is_complete=True,
    )
    return memory_rows({A: "SA"}, {"SA": ring})


KEPT = {
    "ledger": Target(resume, [_written(told(_WATCHER.rows))], 3),
    "lives": Target(go_on, [_written(_lives())], 3),
    "memories": Target(recall, [_written(told(_rings()))]),
}
"""By name."""
