"""The journal: which rows changed since a store was last told."""

from __future__ import annotations

from nats_idle_exporter.activity.facts import Row
from nats_idle_exporter.activity.forms import SavedClock, SavedCounters
from nats_idle_exporter.activity.memory import Memory
from nats_idle_exporter.activity.rows import Changes, Keyed, Kind, encode, pair, tell
from nats_idle_exporter.activity.saving import (
    account_row,
    jetstream_rows,
    moving_rows,
)

_NO_ROWS: dict[str, Row] = {}


class Journal:
    """Remembers what it told, so that each change is told once."""

    def __init__(self) -> None:
        self._moving: Keyed = {}
        self._accounts: Keyed = {}
        self._counters: dict[str, dict[str, Row]] = {}
        self._jetstream: Keyed = {}
        self._rounds: tuple[object, ...] = ()

    def changes(self, memory: Memory, clock: SavedClock) -> Changes:
        """Return what changed since the last call; at the first that is all.

        It costs a look at every account and counter that is remembered.
        """
        changes = Changes([], [])
        moving = {(Kind.CLOCK, ""): encode(clock), **moving_rows(memory)}
        tell(changes, self._moving, moving)
        self._moving = moving
        self._tell_accounts(changes, memory)
        self._tell_all_counters(changes, memory)
        self._tell_jetstream(changes, memory)
        return changes

    def _tell_accounts(self, changes: Changes, memory: Memory) -> None:
        told, self._accounts = self._accounts, {}
        for account, record in memory.records.items():
            core, whole = account_row(record, memory.concluded_at)
            where = Kind.ACCOUNT, account
            self._accounts[where] = core
            if told.get(where) != core:
                changes.puts.append((*where, whole))
        changes.deletes.extend(told.keys() - self._accounts.keys())

    def _tell_all_counters(self, changes: Changes, memory: Memory) -> None:
        told, self._counters = self._counters, {}
        for server_id, server in memory.fleet.servers.items():
            self._counters[server_id] = server.rows
        for server_id in told.keys() | self._counters.keys():
            before = told.get(server_id, _NO_ROWS)
            after = self._counters.get(server_id, _NO_ROWS)
            # Each reading brings a new set of rows: the same set is as it was.
            if before is not after:
                _tell_counters(changes, server_id, before, after)

    def _tell_jetstream(self, changes: Changes, memory: Memory) -> None:
        rounds = (
            memory.jetstream.oldest,
            *((i, server.jetstream) for i, server in memory.fleet.servers.items()),
        )
        if rounds != self._rounds:
            self._rounds = rounds
            rows = jetstream_rows(memory.jetstream, memory.fleet)
            tell(changes, self._jetstream, rows)
            self._jetstream = rows


def _tell_counters(
    changes: Changes, server_id: str, before: dict[str, Row], after: dict[str, Row]
) -> None:
    for account, row in after.items():
        if row != before.get(account):
            value = encode(SavedCounters(*row[1:]))
            changes.puts.append((Kind.COUNTERS, pair(server_id, account), value))
    changes.deletes.extend(
        (Kind.COUNTERS, pair(server_id, account))
        for account in before.keys() - after.keys()
    )
