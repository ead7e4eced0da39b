"""The journal: which rows changed since a store was last told."""

from __future__ import annotations

from collections.abc import Iterator

from nats_idle_exporter.activity.facts import Row
from nats_idle_exporter.activity.fleet import Fleet
from nats_idle_exporter.activity.memory import Memory
from nats_idle_exporter.activity.record import Record, Sticky
from nats_idle_exporter.activity.rows import (
    Changes,
    Kind,
    SavedAccount,
    SavedClock,
    SavedCounters,
    SavedProof,
    SavedRound,
    SavedServer,
    SavedSticky,
    SavedStranger,
    SavedSystem,
    SavedUse,
    SavedWatch,
    counters_key,
    encode,
)
from nats_idle_exporter.activity.servers import Server

_NO_ROWS: dict[str, Row] = {}


class Journal:
    """Remembers what it told, so that each change is told once."""

    def __init__(self) -> None:
        self._told: dict[tuple[Kind, str], bytes] = {}
        self._accounts: dict[str, bytes] = {}
        self._counters: dict[str, dict[str, Row]] = {}

    def changes(self, memory: Memory, clock: SavedClock) -> Changes:
        """Return what changed since the last call; at the first that is all.

        It costs a look at everything that is remembered.
        """
        changes = Changes([], [])
        small = {
            (Kind.CLOCK, ""): encode(clock),
            (Kind.SYSTEM, ""): encode(_system(memory)),
            (Kind.PROOF, ""): encode(_proof(memory)),
            **dict(_servers(memory.fleet)),
        }
        is_bounded_anew = self._told.get((Kind.PROOF, "")) != small[Kind.PROOF, ""]
        self._tell_small(small, changes)
        self._tell_accounts(memory, changes, is_bounded_anew=is_bounded_anew)
        for server_id, server in memory.fleet.servers.items():
            self._tell_counters(server_id, server.rows, changes)
        for server_id in self._counters.keys() - memory.fleet.servers.keys():
            self._tell_counters(server_id, _NO_ROWS, changes)
            del self._counters[server_id]
        return changes

    def _tell_small(
        self, small: dict[tuple[Kind, str], bytes], changes: Changes
    ) -> None:
        told, self._told = self._told, small
        for (kind, key), value in small.items():
            if told.get((kind, key)) != value:
                changes.puts.append((kind.value, key, value))
        changes.deletes.extend(
            (kind.value, key) for kind, key in told.keys() - small.keys()
        )

    def _tell_accounts(
        self, memory: Memory, changes: Changes, *, is_bounded_anew: bool
    ) -> None:
        told, self._accounts = self._accounts, {}
        for account, record in memory.records.items():
            core = encode(_account(record, memory.concluded_at, 0.0))
            self._accounts[account] = core
            # The longest idle time grows with every cycle. It can be told from the
            # quiet it ends, until something ends that quiet.
            if told.get(account) != core or (is_bounded_anew and record.is_raised):
                longest = record.longest_idle_seconds
                value = encode(_account(record, memory.concluded_at, longest))
                changes.puts.append((Kind.ACCOUNT.value, account, value))
        changes.deletes.extend(
            (Kind.ACCOUNT.value, account) for account in told.keys() - self._accounts
        )

    def _tell_counters(
        self, server_id: str, rows: dict[str, Row], changes: Changes
    ) -> None:
        told = self._counters.get(server_id, _NO_ROWS)
        if told is rows:
            return
        self._counters[server_id] = rows
        for account, row in rows.items():
            if row != told.get(account):
                key = counters_key(server_id, account)
                value = encode(SavedCounters(*row[1:]))
                changes.puts.append((Kind.COUNTERS.value, key, value))
        for account in told.keys() - rows.keys():
            key = counters_key(server_id, account)
            changes.deletes.append((Kind.COUNTERS.value, key))


def _system(memory: Memory) -> SavedSystem:
    fleet = memory.fleet
    return SavedSystem(
        fleet.watched_to,
        tuple(
            SavedWatch(
                endpoint,
                watch.known_since,
                watch.server_id,
                watch.past,
                watch.steady,
                watch.is_load_balanced,
            )
            for endpoint, watch in fleet.watches.items()
        ),
        tuple(
            SavedStranger(server_id, stranger.kind, stranger.known_since)
            for server_id, stranger in fleet.strangers.items()
        ),
        memory.jetstream_to,
        memory.round_counted,
    )


def _proof(memory: Memory) -> SavedProof:
    holes = memory.holes
    return SavedProof(memory.proof_from, holes.unforgiven_until_at, tuple(holes))


def _servers(fleet: Fleet) -> Iterator[tuple[tuple[Kind, str], bytes]]:
    for server_id, server in fleet.servers.items():
        yield (Kind.SERVER, server_id), encode(_server(server))
        if server.jetstream is not None:
            enabled = tuple(sorted(server.jetstream.enabled))
            holding = tuple(sorted(server.jetstream.holding))
            yield (Kind.ROUND, server_id), encode(SavedRound(enabled, holding))


def _server(server: Server) -> SavedServer:
    return SavedServer(
        server.home,
        server.facts,
        server.asked,
        server.answered,
        tuple(sorted(server.routes)),
        tuple(sorted(server.gateways)),
        server.ended_at,
        () if server.rows else tuple(server.live.values()),
        server.jetstream.asked if server.jetstream else None,
    )


def _account(
    record: Record, concluded_at: float, longest_idle_seconds: float
) -> SavedAccount:
    use, holes = record.last_use, record.holes
    return SavedAccount(
        record.watched_since,
        record.name,
        SavedUse(use.kind, use.server_id, use.at) if use else None,
        holes.unforgiven_until_at,
        tuple(holes),
        record.is_raised,
        _sticky(record.has_jetstream),
        _sticky(record.holds_streams),
        # Of most accounts this is the last cycle: not worth a row in each.
        None if record.listed_at == concluded_at else record.listed_at,
        record.listing_misses,
        longest_idle_seconds,
    )


def _sticky(fact: Sticky) -> SavedSticky:
    return SavedSticky(fact.holds, fact.misses)
