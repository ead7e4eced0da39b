"""From rows back to the memory of a system."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from msgspec.structs import astuple

from nats_idle_exporter.activity.compare import is_present
from nats_idle_exporter.activity.facts import Instant, JetStreamRound, Row, Stream
from nats_idle_exporter.activity.fleet import Fleet
from nats_idle_exporter.activity.forms import (
    Form,
    SavedAccount,
    SavedClock,
    SavedCounters,
    SavedEnabled,
    SavedEstate,
    SavedProof,
    SavedRound,
    SavedServer,
    SavedStreamTrace,
    SavedSystem,
    SavedTold,
    SavedTrace,
    SavedWatch,
)
from nats_idle_exporter.activity.holes import MOST_HOLES, MOST_HOLES_OF_ACCOUNT, Holes
from nats_idle_exporter.activity.jetstream import JetStream
from nats_idle_exporter.activity.memory import Memory
from nats_idle_exporter.activity.record import Record, Sticky, Use
from nats_idle_exporter.activity.roster import Dropped, Found
from nats_idle_exporter.activity.rows import (
    DamagedRows,
    Kind,
    SavedRow,
    decode,
    parts,
)
from nats_idle_exporter.activity.servers import Server, Stranger, Watch
from nats_idle_exporter.activity.traces import (
    NUMBERS_OF_CONSUMER,
    NUMBERS_OF_STREAM,
    Estate,
    StreamTrace,
    Trace,
)

F = TypeVar("F", bound=Form)
T = TypeVar("T")


def restore(memory: Memory, rows: Iterable[SavedRow]) -> SavedClock | None:
    """Fill a new memory with what the rows tell; return when they were told.

    None when there are no rows: then the memory stays as it is.

    Raises:
        DamagedRows: the rows are not what a journal tells.
    """
    told = _Rows(rows)
    if told.is_empty:
        return None
    clock = told.only(Kind.CLOCK, SavedClock)
    memory.concluded_at = clock.concluded_at
    memory.shift_seconds = clock.shift_seconds
    proof = told.only(Kind.PROOF, SavedProof)
    memory.proof_from = proof.proof_from
    memory.strays_at = (
        clock.concluded_at if proof.strays_at is None else proof.strays_at
    )
    memory.holes = _holes(proof, MOST_HOLES)
    _restore_system(memory, told.only(Kind.SYSTEM, SavedSystem))
    _restore_servers(memory.fleet, told)
    _restore_streams(memory.jetstream, told)
    for account, saved in told.each(Kind.ACCOUNT, SavedAccount):
        memory.records[account] = _record(account, saved, clock.concluded_at)
    return clock


class _Rows:
    """Rows by their kind."""

    def __init__(self, rows: Iterable[SavedRow]) -> None:
        self._rows: dict[str, list[tuple[str, bytes]]]
        self._rows = {kind.value: [] for kind in Kind}
        for kind, key, value in rows:
            if kind not in self._rows:
                raise DamagedRows("a row of an unknown kind")
            self._rows[kind].append((key, value))

    @property
    def is_empty(self) -> bool:
        return not any(self._rows.values())

    def only(self, kind: Kind, form: type[F]) -> F:
        found = [value for _, value in self.each(kind, form)]
        if len(found) != 1:
            raise DamagedRows(f"{len(found)} rows of the kind {kind}, not one")
        return found[0]

    def each(self, kind: Kind, form: type[F]) -> Iterator[tuple[str, F]]:
        for key, value in self._rows[kind]:
            yield key, decode(kind, value, form)

    def each_of(
        self, kind: Kind, form: type[F], owners: Mapping[str, T]
    ) -> Iterator[tuple[T, str, F]]:
        """Yield the rows of a pair: whom the first name means, and the second."""
        for key, value in self.each(kind, form):
            one, other = parts(key)
            if one not in owners:
                raise DamagedRows(f"a row of the kind {kind} that belongs to nothing")
            yield owners[one], other, value


def _holes(saved: SavedProof | SavedAccount, most: int) -> Holes:
    holes = Holes(most)
    holes.unforgiven_until_at = saved.unforgiven_until_at
    for hole in saved.holes:
        holes.add(*hole)
    return holes


def _restore_system(memory: Memory, saved: SavedSystem) -> None:
    fleet = memory.fleet
    fleet.watched_to = saved.watched_to
    roster, watches = fleet.roster, dict(_watch(each) for each in saved.watches)
    roster.fixed = tuple(watches) if saved.fixed is None else saved.fixed
    roster.sources = {
        each.name: Found(each.known_since, each.endpoints) for each in saved.sources
    }
    roster.watches = watches
    roster.dropped = {
        each.watch.endpoint: Dropped(
            _watch(each.watch)[1], frozenset(each.sources), each.at
        )
        for each in saved.dropped
    }
    fleet.strangers = {
        stranger.server_id: Stranger(stranger.kind, stranger.known_since)
        for stranger in saved.strangers
    }
    memory.jetstream.reach = saved.jetstream_reach
    memory.jetstream.oldest = saved.jetstream_oldest
    memory.jetstream.counted_to = saved.jetstream_counted_to


def _watch(saved: SavedWatch) -> tuple[str, Watch]:
    return saved.endpoint, Watch(
        saved.known_since,
        saved.server_id,
        saved.past,
        saved.steady,
        saved.is_load_balanced,
        # It is saved at a cycle's end.
        was_missed=saved.server_id is None,
    )


def _restore_servers(fleet: Fleet, told: _Rows) -> None:
    rounds = dict(told.each(Kind.ROUND, SavedRound))
    streams: dict[str, list[Stream]] = {server_id: [] for server_id in rounds}
    for its, account, saved in told.each_of(Kind.TOLD, SavedTold, streams):
        its.extend(Stream(account, *astuple(stream)) for stream in saved.streams)
    for server_id, process in told.each(Kind.SERVER, SavedServer):
        rest = rounds.pop(server_id, None)
        fleet.servers[server_id] = _server(process, rest, streams.get(server_id, []))
    if rounds:
        raise DamagedRows("a round of jsz that belongs to no server")
    for server, account, counters in told.each_of(
        Kind.COUNTERS, SavedCounters, fleet.servers
    ):
        row = server.rows[account] = Row(account, *astuple(counters))
        if is_present(row):
            server.live[account] = row


def _server(
    saved: SavedServer, told: SavedRound | None, streams: list[Stream]
) -> Server:
    if (saved.round is None) != (told is None):
        raise DamagedRows("half a round of jsz")
    jetstream = None
    if saved.round is not None and told is not None:
        jetstream = JetStreamRound(
            saved.round.asked,
            saved.round.now_at,
            frozenset(told.enabled),
            streams=tuple(streams),
            consumers_of=frozenset(told.consumers_of),
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
        met=frozenset(saved.met),
    )


def _restore_streams(jetstream: JetStream, told: _Rows) -> None:
    for account, enabled in told.each(Kind.ENABLED, SavedEnabled):
        jetstream.enabled[account] = Sticky(holds=True, misses=enabled.misses)
    for account, estate in told.each(Kind.ESTATE, SavedEstate):
        jetstream.estates[account] = _estate(estate, jetstream.reach)
    for owner, name, saved in told.each_of(
        Kind.STREAM, SavedStreamTrace, jetstream.estates
    ):
        streams = owner.gone if saved.is_gone else owner.streams
        streams[name] = _stream(saved)


def _stream(saved: SavedStreamTrace) -> StreamTrace:
    trace = saved.trace
    _require_numbers(trace, NUMBERS_OF_STREAM)
    for consumer in saved.consumers:
        _require_numbers(consumer, NUMBERS_OF_CONSUMER)
    return StreamTrace(
        trace.mark,
        trace.lost,
        trace.misses,
        saved.has_consumers,
        {each.name: _trace(each) for each in saved.consumers},
    )


def _require_numbers(saved: SavedTrace, numbers: int) -> None:
    """Refuse marks that could never be compared with what a server tells."""
    marks = [saved.mark] if saved.lost is None else [saved.mark, saved.lost]
    if any(len(mark.counts) != numbers for mark in marks):
        raise DamagedRows("a mark of something else")


def _estate(saved: SavedEstate, reach: Instant | None) -> Estate:
    return Estate(
        reach=reach if saved.is_current else saved.reach,
        consumers_reach=(
            reach if saved.are_consumers_current else saved.consumers_reach
        ),
        is_lacking=saved.is_lacking,
        lacking_since=saved.lacking_since,
        is_looked_into=saved.is_looked_into,
        is_lacking_consumers=saved.is_lacking_consumers,
        had_no_consumers=saved.had_no_consumers,
        is_awaited=saved.is_awaited,
    )


def _trace(saved: SavedTrace) -> Trace:
    return Trace(saved.mark, saved.lost, saved.misses)


def _record(account: str, saved: SavedAccount, concluded_at: float) -> Record:
    use = saved.last_use
    return Record(
        account=account,
        watched_since=saved.watched_since,
        issued_at=saved.issued_at,
        name=saved.name,
        last_use=None if use is None else Use(use.kind, use.server_id, use.at),
        holes=_holes(saved, MOST_HOLES_OF_ACCOUNT),
        is_raised=saved.is_raised,
        longest_idle_seconds=saved.longest_idle_seconds,
        is_at_longest=saved.is_at_longest,
        listed_at=concluded_at if saved.listed_at is None else saved.listed_at,
        listing_misses=saved.listing_misses,
        listed=saved.listed,
        inventory_misses=saved.inventory_misses,
        inventory=saved.inventory,
    )
