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
        self._accounts: dict[str, bytes] = {}
        self._counters: dict[str, dict[str, Row]] = {}
        self._jetstream: Keyed = {}
        self._rounds: tuple[object, ...] = ()

    def changes(self, memory: Memory, clock: SavedClock) -> Changes:
        """Return what changed since the last call; at the first that is all.

        It costs a look at every account and counter that is remembered.
        """
        changes = Changes([], [])
        moving, self._moving = self._moving, _moving(memory, clock)
        tell(changes, moving, self._moving)
        self._tell_accounts(changes, memory)
        counters, self._counters = self._counters, _counters(memory)
        for server_id in counters.keys() | self._counters.keys():
            before = counters.get(server_id, _NO_ROWS)
            after = self._counters.get(server_id, _NO_ROWS)
            # Each reading brings a new set of rows: the same set is as it was.
            if before is not after:
                _tell_counters(changes, server_id, before, after)
        jetstream = self._jetstream
        self._look_at_jetstream(memory)
        tell(changes, jetstream, self._jetstream)
        return changes

    def begin(self, memory: Memory, clock: SavedClock) -> None:
        """Take all that is remembered for told: it was just restored."""
        self._moving = _moving(memory, clock)
        self._tell_accounts(Changes([], []), memory)
        self._counters = _counters(memory)
        self._look_at_jetstream(memory)

    def retell(self) -> None:
        """Take all that was told for changed; what goes is still told to go."""
        self._moving = dict.fromkeys(self._moving, b"")
        self._accounts = dict.fromkeys(self._accounts, b"")
        self._counters = {
            server_id: dict.fromkeys(rows, Row(""))
            for server_id, rows in self._counters.items()
        }
        self._jetstream = dict.fromkeys(self._jetstream, b"")
        self._rounds = ()

    def _tell_accounts(self, changes: Changes, memory: Memory) -> None:
        told, self._accounts = self._accounts, {}
        for account, record in memory.records.items():
            core, whole = account_row(record, memory.concluded_at)
            self._accounts[account] = core
            if told.get(account) != core:
                changes.puts.append((Kind.ACCOUNT, account, whole))
        changes.deletes.extend(
            (Kind.ACCOUNT, account) for account in told.keys() - self._accounts.keys()
        )

    def _look_at_jetstream(self, memory: Memory) -> None:
        rounds = (
            memory.jetstream.oldest,
            len(memory.jetstream.enabled),
            sum(e.lacking_since is None for e in memory.jetstream.estates.values()),
            *((i, server.jetstream) for i, server in memory.fleet.servers.items()),
        )
        # Rounds are rare; between them some account may be suspected, or seen to
        # return, no more.
        if rounds != self._rounds:
            self._rounds = rounds
            self._jetstream = jetstream_rows(memory.jetstream, memory.fleet)


def _moving(memory: Memory, clock: SavedClock) -> Keyed:
    return {(Kind.CLOCK, ""): encode(clock), **moving_rows(memory)}


def _counters(memory: Memory) -> dict[str, dict[str, Row]]:
    return {i: server.rows for i, server in memory.fleet.servers.items()}


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
