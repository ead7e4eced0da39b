"""From rows back to the memory of a system."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from nats_idle_exporter.activity.compare import is_present
from nats_idle_exporter.activity.facts import JetStreamRound, Row
from nats_idle_exporter.activity.fleet import Fleet
from nats_idle_exporter.activity.holes import MOST_HOLES, MOST_HOLES_OF_ACCOUNT, Holes
from nats_idle_exporter.activity.memory import Memory
from nats_idle_exporter.activity.record import Record, Sticky, Use
from nats_idle_exporter.activity.rows import (
    DamagedRows,
    Kind,
    SavedAccount,
    SavedClock,
    SavedCounters,
    SavedProof,
    SavedRound,
    SavedRow,
    SavedServer,
    SavedSystem,
    decode,
    split_counters_key,
)
from nats_idle_exporter.activity.servers import Server, Stranger, Watch

T = TypeVar("T")
ByKind = Mapping[str, list[tuple[str, bytes]]]


def restore(memory: Memory, rows: Iterable[SavedRow]) -> SavedClock | None:
    """Fill a new memory with what the rows tell; return when they were told.

    None when there are no rows: then the memory stays as it is.

    Raises:
        DamagedRows: the rows are not what a journal tells.
    """
    by_kind: dict[str, list[tuple[str, bytes]]] = {kind.value: [] for kind in Kind}
    for kind, key, value in rows:
        if kind not in by_kind:
            raise DamagedRows("a row of an unknown kind")
        by_kind[kind].append((key, value))
    if not any(by_kind.values()):
        return None
    clock = _one(Kind.CLOCK, by_kind, SavedClock)
    memory.concluded_at = clock.concluded_at
    memory.shift_seconds = clock.shift_seconds
    proof = _one(Kind.PROOF, by_kind, SavedProof)
    memory.proof_from = proof.proof_from
    memory.holes = _holes(proof, MOST_HOLES)
    _restore_system(memory, _one(Kind.SYSTEM, by_kind, SavedSystem))
    _restore_servers(memory.fleet, by_kind)
    for account, value in by_kind[Kind.ACCOUNT]:
        saved = decode(Kind.ACCOUNT, value, SavedAccount)
        memory.records[account] = _record(account, saved, clock.concluded_at)
    return clock


def _one(kind: Kind, by_kind: ByKind, form: type[T]) -> T:
    if len(by_kind[kind]) != 1:
        raise DamagedRows(f"{len(by_kind[kind])} rows of the kind {kind}, not one")
    return decode(kind, by_kind[kind][0][1], form)


def _holes(saved: SavedProof | SavedAccount, most: int) -> Holes:
    holes = Holes(most)
    holes.unforgiven_until_at = saved.unforgiven_until_at
    for hole in saved.holes:
        holes.add(*hole)
    return holes


def _restore_system(memory: Memory, saved: SavedSystem) -> None:
    fleet = memory.fleet
    fleet.watched_to = saved.watched_to
    fleet.watches = {
        watch.endpoint: Watch(
            watch.known_since,
            watch.server_id,
            watch.past,
            watch.steady,
            watch.is_load_balanced,
        )
        for watch in saved.watches
    }
    fleet.strangers = {
        stranger.server_id: Stranger(stranger.kind, stranger.known_since)
        for stranger in saved.strangers
    }
    memory.jetstream_to = saved.jetstream_to
    memory.round_counted = saved.round_counted


def _restore_servers(fleet: Fleet, by_kind: ByKind) -> None:
    rounds = {
        server_id: decode(Kind.ROUND, value, SavedRound)
        for server_id, value in by_kind[Kind.ROUND]
    }
    for server_id, value in by_kind[Kind.SERVER]:
        saved = decode(Kind.SERVER, value, SavedServer)
        fleet.servers[server_id] = _server(saved, rounds.pop(server_id, None))
    if rounds:
        raise DamagedRows("a round of jsz without its server")
    for key, value in by_kind[Kind.COUNTERS]:
        server_id, account = split_counters_key(key)
        server = fleet.servers.get(server_id)
        if server is None:
            raise DamagedRows("counters without their server")
        counters = decode(Kind.COUNTERS, value, SavedCounters)
        row = server.rows[account] = Row(
            account,
            counters.name,
            counters.connections,
            counters.leafnodes,
            counters.total,
            counters.routes,
            counters.gateways,
        )
        if is_present(row):
            server.live[account] = row


def _server(saved: SavedServer, told: SavedRound | None) -> Server:
    jetstream = None
    if saved.round_asked is not None and told is not None:
        jetstream = JetStreamRound(
            saved.round_asked, frozenset(told.enabled), frozenset(told.holding)
        )
    return Server(
        home=saved.home,
        facts=saved.facts,
        asked=saved.asked,
        answered=saved.answered,
        live={row.account: row for row in saved.live},
        routes=frozenset(saved.routes),
        gateways=frozenset(saved.gateways),
        jetstream=jetstream,
        ended_at=saved.ended_at,
    )


def _record(account: str, saved: SavedAccount, concluded_at: float) -> Record:
    use = saved.last_use
    return Record(
        account=account,
        watched_since=saved.watched_since,
        name=saved.name,
        last_use=Use(use.kind, use.server_id, use.at) if use else None,
        holes=_holes(saved, MOST_HOLES_OF_ACCOUNT),
        is_raised=saved.is_raised,
        longest_idle_seconds=saved.longest_idle_seconds,
        has_jetstream=Sticky(saved.has_jetstream.holds, saved.has_jetstream.misses),
        holds_streams=Sticky(saved.holds_streams.holds, saved.holds_streams.misses),
        listed_at=concluded_at if saved.listed_at is None else saved.listed_at,
        listing_misses=saved.listing_misses,
    )
