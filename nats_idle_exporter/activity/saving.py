"""From the memory of a system to rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from nats_idle_exporter.activity.facts import Instant, JetStreamRound
from nats_idle_exporter.activity.fleet import Fleet
from nats_idle_exporter.activity.forms import (
    SavedAccount,
    SavedDropped,
    SavedEnabled,
    SavedEstate,
    SavedProof,
    SavedRound,
    SavedRoundClock,
    SavedServer,
    SavedSource,
    SavedStranger,
    SavedStream,
    SavedStreamTrace,
    SavedSystem,
    SavedTold,
    SavedTrace,
    SavedUse,
    SavedWatch,
)
from nats_idle_exporter.activity.jetstream import JetStream
from nats_idle_exporter.activity.memory import Memory
from nats_idle_exporter.activity.record import Record
from nats_idle_exporter.activity.rows import Keyed, Kind, encode, pair
from nats_idle_exporter.activity.servers import Server, Watch
from nats_idle_exporter.activity.traces import Estate, StreamTrace, Trace


def moving_rows(memory: Memory) -> Keyed:
    """Return the few rows that may move with every cycle."""
    rows: Keyed = {
        (Kind.SYSTEM, ""): encode(_system(memory)),
        (Kind.PROOF, ""): encode(_proof(memory)),
    }
    for server_id, server in memory.fleet.servers.items():
        rows[Kind.SERVER, server_id] = encode(_server(server))
    return rows


def account_row(record: Record, concluded_at: float) -> tuple[bytes, bytes]:
    """Return an account's row without its longest idle time, and with it.

    That grows with every cycle; as soon as it does not, ``is_at_longest`` changes,
    and so a store has to be told only when the first of both changes.
    """
    core = encode(_account(record, concluded_at, 0.0))
    if not record.is_raised:
        return core, core
    return core, encode(_account(record, concluded_at, record.longest_idle_seconds))


def jetstream_rows(jetstream: JetStream, fleet: Fleet) -> Keyed:
    """Return the rows of JetStream; they change with rounds of jsz only."""
    rows: Keyed = {}
    for server_id, server in fleet.servers.items():
        if server.jetstream is not None:
            rows[Kind.ROUND, server_id] = encode(_round(server.jetstream))
            for account, told in _told(server.jetstream):
                rows[Kind.TOLD, pair(server_id, account)] = encode(told)
    for account, sticky in jetstream.enabled.items():
        rows[Kind.ENABLED, account] = encode(SavedEnabled(sticky.misses))
    for account, estate in jetstream.estates.items():
        rows[Kind.ESTATE, account] = encode(_estate(estate, jetstream.reach))
        for name, stream in (*estate.streams.items(), *estate.gone.items()):
            is_gone = name in estate.gone
            row = encode(_stream(name, stream, is_gone=is_gone))
            rows[Kind.STREAM, pair(account, name)] = row
    return rows


def _system(memory: Memory) -> SavedSystem:
    fleet, jetstream = memory.fleet, memory.jetstream
    roster = fleet.roster
    sources = (
        SavedSource(name, found.known_since, found.endpoints)
        for name, found in roster.sources.items()
    )
    dropped = (
        SavedDropped(_watch(endpoint, each.watch), tuple(sorted(each.sources)), each.at)
        for endpoint, each in roster.dropped.items()
    )
    strangers = (
        SavedStranger(server_id, stranger.kind, stranger.known_since)
        for server_id, stranger in fleet.strangers.items()
    )
    return SavedSystem(
        fleet.watched_to,
        tuple(_watch(*each) for each in roster.watches.items()),
        tuple(strangers),
        jetstream.reach,
        jetstream.oldest,
        jetstream.counted_to,
        roster.fixed,
        tuple(sources),
        tuple(dropped),
    )


def _watch(endpoint: str, watch: Watch) -> SavedWatch:
    return SavedWatch(
        endpoint,
        watch.known_since,
        watch.server_id,
        watch.past,
        watch.steady,
        watch.is_load_balanced,
    )


def _proof(memory: Memory) -> SavedProof:
    holes = memory.holes
    return SavedProof(
        memory.proof_from,
        holes.unforgiven_until_at,
        tuple(holes),
        memory.strays_at,
    )


def _server(server: Server) -> SavedServer:
    told = server.jetstream
    return SavedServer(
        server.home,
        server.facts,
        server.asked,
        server.answered,
        tuple(sorted(server.routes)),
        tuple(sorted(server.gateways)),
        server.ended_at,
        () if server.rows else tuple(server.live.values()),
        None if told is None else SavedRoundClock(told.asked, told.now_at),
        tuple(sorted(server.met)),
    )


def _account(record: Record, concluded_at: float, longest: float) -> SavedAccount:
    use, holes = record.last_use, record.holes
    return SavedAccount(
        record.watched_since,
        record.issued_at,
        record.name,
        None if use is None else SavedUse(use.kind, use.server_id, use.at),
        holes.unforgiven_until_at,
        tuple(holes),
        record.is_raised,
        record.is_at_longest,
        longest,
        # Of most accounts this is the last cycle: not worth a row in each.
        None if record.listed_at == concluded_at else record.listed_at,
        record.listing_misses,
        record.listed,
        record.inventory_misses,
        record.inventory,
    )


def _round(told: JetStreamRound) -> SavedRound:
    return SavedRound(tuple(sorted(told.enabled)), tuple(sorted(told.consumers_of)))


def _told(told: JetStreamRound) -> Iterator[tuple[str, SavedTold]]:
    streams: defaultdict[str, list[SavedStream]] = defaultdict(list)
    for stream in told.streams:
        streams[stream.account].append(SavedStream(*stream[1:]))
    for account, each in streams.items():
        yield account, SavedTold(tuple(sorted(each, key=lambda stream: stream.name)))


def _estate(estate: Estate, reach: Instant | None) -> SavedEstate:
    is_current = estate.reach == reach
    are_consumers_current = estate.consumers_reach == reach
    return SavedEstate(
        is_current,
        None if is_current else estate.reach,
        are_consumers_current,
        None if are_consumers_current else estate.consumers_reach,
        estate.is_lacking,
        estate.lacking_since,
        estate.is_looked_into,
        estate.is_lacking_consumers,
        estate.had_no_consumers,
        estate.is_awaited,
    )


def _stream(name: str, stream: StreamTrace, *, is_gone: bool) -> SavedStreamTrace:
    consumers = tuple(_trace(each, trace) for each, trace in stream.consumers.items())
    return SavedStreamTrace(
        _trace(name, stream), stream.has_consumers, consumers, is_gone
    )


def _trace(name: str, trace: Trace) -> SavedTrace:
    return SavedTrace(name, trace.mark, trace.lost, trace.misses)
