"""JetStream as evidence: streams that others may use while counters stand still.

An account's streams can be written and read through other accounts' imports;
its own counters and connections show nothing of that. What shows it are the
streams' numbers and stamps. They are followed per system (see ``traces``):

* a round is whole when every server that counts told jsz anew: one server's
  quick second answer is no second opinion of the others;
* what is told for the first time dates use by its stamp, carried to our clock
  so that no clock error makes it older; without a stamp it may be of any age.
  Where a round before lacked it, it was used since: it counts as now, because a
  clock may have been wrong for a moment that no reading saw;
* a round that lacks something known is no reading for its account, until that
  is believed; then the time since the last good one is a hole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from nats_idle_exporter.activity.facts import Instant, Reading
from nats_idle_exporter.activity.fleet import Fleet
from nats_idle_exporter.activity.holes import NEVER
from nats_idle_exporter.activity.record import MISSES_UNTIL_GONE, Record, Sticky
from nats_idle_exporter.activity.settle import (
    Span,
    later,
    settle_consumers,
    settle_streams,
)
from nats_idle_exporter.activity.stamps import StampReader
from nats_idle_exporter.activity.told import Told, ToldAccount, gather
from nats_idle_exporter.activity.traces import Estate, StreamTrace, Trace
from nats_idle_exporter.activity.view import EvidenceKind


@dataclass(slots=True)
class JetStream:
    """All that is remembered of one system's JetStream.

    ``reach`` is until when every server's jsz was read, and never goes back;
    ``oldest`` is the same of the servers that count now.
    """

    enabled: dict[str, Sticky] = field(default_factory=dict)
    """Accounts that may own streams."""
    estates: dict[str, Estate] = field(default_factory=dict)
    """Accounts that own some."""
    reach: Instant | None = None
    oldest: Instant | None = None
    counted_to: Instant | None = None
    """The end of the last whole round."""

    def suspect(self, account: str) -> None:
        """Note whom a server lists since its last round: its streams may be untold.

        Until two whole rounds were over the account may own some: of the first one
        half may be older. Where no round ever told of anybody that says nothing.
        """
        if self.reach is not None and account not in self.enabled:
            self.enabled[account] = Sticky(holds=True, misses=MISSES_UNTIL_GONE - 2)

    def see_return(self, accounts: Iterable[str]) -> None:
        """Note whose streams may have been there again, and used, untold by any round.

        That is so when servers may have loaded them anew: what such an account lacks
        is lacking since the next whole round only.
        """
        for account in accounts:
            if estate := self.estates.get(account):
                estate.lacking_since = None

    def see_start(self) -> None:
        """Note that a server is read for the first time: it may still recover.

        What it keeps may come back, be used and be deleted between any two rounds.
        """
        for estate in self.estates.values():
            estate.lacking_since, estate.is_awaited = None, True


class Rounds:
    """Takes the rounds of jsz of one cycle of one system in.

    It is made before the fleet takes the cycle's readings in, so that it knows
    who told what before.

    Args:
        jetstream: what it writes.
        fleet: the servers.
        records: the accounts by id.
    """

    def __init__(
        self, jetstream: JetStream, fleet: Fleet, records: Mapping[str, Record]
    ) -> None:
        self._jetstream = jetstream
        self._fleet = fleet
        self._records = records
        self._is_watched = fleet.watched_to is not None
        self._heard = {i for i, s in fleet.servers.items() if s.jetstream is not None}

    def take(self, readings: Sequence[Reading]) -> None:
        """Take the cycle in; cycles without a new round cost nothing.

        Args:
            readings: those that count, in the order in which they came.
        """
        jetstream = self._jetstream
        oldest, newest = self._fleet.jetstream_span()
        if oldest == jetstream.oldest and not any(r.jetstream for r in readings):
            return
        jetstream.oldest = oldest
        told = gather(self._fleet, readings)
        stamps = StampReader(readings)
        for account, streams in told.items():
            self._take_streams(account, streams, stamps)
        self._see_looks(readings)
        if oldest is None or newest is None:
            self._see_enabled(is_whole=False)
            return
        is_whole = jetstream.counted_to is None or oldest > jetstream.counted_to
        jetstream.counted_to = newest if is_whole else jetstream.counted_to
        jetstream.reach = later(jetstream.reach, oldest)
        self._see_enabled(is_whole=is_whole)
        self._settle(told, Span(oldest, newest, is_whole))

    # -- evidence

    def _take_streams(
        self, account: str, streams: ToldAccount, stamps: StampReader
    ) -> None:
        estate = self._jetstream.estates.get(account)
        if estate is None:
            # Who owned no stream before had no consumer either.
            estate = self._jetstream.estates[account] = Estate(
                reach=self._jetstream.reach, had_no_consumers=self._is_watched
            )
        record = self._records.get(account)
        for name, told in streams.items():
            trace = estate.know(name, told.mark)
            is_new = trace is None and self._was_lacked(told)
            if trace is None:
                trace = estate.streams[name] = StreamTrace(told.mark)
                _date(record, told, stamps, is_new=is_new)
            else:
                _compare(record, trace, told, stamps, estate.reach)
            trace.has_consumers = told.has_consumers
            is_new |= estate.had_no_consumers or estate.consumers_reach is not None
            for consumer, progress in told.consumers.items():
                known = trace.consumers.get(consumer)
                if known is None:
                    trace.consumers[consumer] = Trace(progress.mark)
                    _date(record, progress, stamps, is_new=is_new)
                else:
                    _compare(record, known, progress, stamps, estate.consumers_reach)

    def _was_lacked(self, told: Told) -> bool:
        """Say whether rounds before this cycle would have told it."""
        tellers = {each.server.server_id for each in told.tellers}
        return self._is_watched or not tellers.isdisjoint(self._heard)

    # -- how far it reaches

    def _settle(self, told: Mapping[str, ToldAccount], span: Span) -> None:
        looked_into = self._looked_into()
        for account, estate in list(self._jetstream.estates.items()):
            streams = told.get(account, {})
            hole = settle_streams(estate, streams, span)
            record = self._records.get(account)
            if hole is not None and record is not None:
                record.holes.add(*hole)
            estate.had_no_consumers |= not estate.has_consumers
            if account in looked_into:
                settle_consumers(estate, streams, span)
            if not estate.streams and (record is None or not estate.gone):
                del self._jetstream.estates[account]

    def _see_enabled(self, *, is_whole: bool) -> None:
        """Note who may own streams; absence is believed in the end only."""
        rounds = [server.jetstream for server in self._fleet.witnesses()]
        listed = {account for each in rounds if each for account in each.enabled}
        known = self._jetstream.enabled
        for account in listed - known.keys():
            known[account] = Sticky(holds=True)
        # Its JetStream was switched off for a while.
        self._jetstream.see_return(a for a in listed if known[a].misses)
        for account, sticky in list(known.items()):
            sticky.see(is_there=account in listed, is_whole_round=is_whole)
            if not sticky:
                del known[account]

    def _see_looks(self, readings: Iterable[Reading]) -> None:
        for reading in readings:
            if reading.jetstream is not None:
                for account in reading.jetstream.consumers_of:
                    if estate := self._jetstream.estates.get(account):
                        estate.is_looked_into = True

    def _looked_into(self) -> frozenset[str]:
        """Return the accounts whose consumers every server's last round told."""
        rounds = [server.jetstream for _, server in self._fleet.counted()]
        told = [each.consumers_of for each in rounds if each is not None]
        return told[0].intersection(*told[1:])


def _date(
    record: Record | None, told: Told, stamps: StampReader, *, is_new: bool
) -> None:
    """Date the use of something that is told for the first time.

    Args:
        record: of its account, None when no server lists that.
        told: all that is told of it.
        stamps: reads this cycle's.
        is_new: rounds before lacked it.
    """
    teller, mark = told.teller, told.mark
    is_used = mark.stamp_at > NEVER or any(mark.counts)
    if record is None or teller is None or not is_used:
        return
    at = teller.answered.slow
    if not is_new:
        # A stamp dates the use at best: the clock that made it may have been set back
        # and forth again unseen. So quiet starts now, as at the first sight.
        record.watched_since = max(record.watched_since, at)
        if mark.stamp_at == NEVER:
            return
        if told.is_dated:
            at = stamps.made_at(teller, mark.stamp_at, told.uptime_seconds)
    record.use(EvidenceKind.JETSTREAM, teller.server.server_id, at)


def _compare(
    record: Record | None,
    trace: Trace,
    told: Told,
    stamps: StampReader,
    reach: Instant | None,
) -> None:
    """Find use of something that was told before; ``reach`` is the last good look."""
    if (teller := told.teller) is None:
        return
    at = teller.answered.slow
    if trace.is_dated_by(told.mark):
        at = stamps.clocked_at(teller, told.mark.stamp_at)
    is_use = trace.take(told.mark)
    if not is_use and told.mark.counts_less(trace.mark) and reach is not None:
        # A clock that ran ahead may have made the older stamp: the new one tells.
        is_use = stamps.clocked_at(teller, told.mark.stamp_at) > reach.slow
        if is_use:
            trace.begin_anew(told.mark)
    if is_use and record is not None:
        record.use(EvidenceKind.JETSTREAM, teller.server.server_id, at)
