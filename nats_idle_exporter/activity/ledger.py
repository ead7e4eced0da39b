"""The ledger: everything we remember of one system, and the cycle that adds to it.

Invariants, whatever happens to servers, networks, clocks and us:

* a failed poll is no fact: it never reaches the ledger, it only lets what is
  known grow old;
* ``watched_to`` and every account's last use never go back;
* the order of the readings of a cycle changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from nats_idle_exporter.activity import census
from nats_idle_exporter.activity.compare import Change, compare
from nats_idle_exporter.activity.ends import End, succession
from nats_idle_exporter.activity.facts import Instant, Reading, Row
from nats_idle_exporter.activity.fleet import Fleet
from nats_idle_exporter.activity.holes import NEVER, Holes
from nats_idle_exporter.activity.policy import Cadence, Rules
from nats_idle_exporter.activity.publish import Publisher
from nats_idle_exporter.activity.record import MISSES_UNTIL_GONE, Record
from nats_idle_exporter.activity.servers import Server, wipes_on_reload
from nats_idle_exporter.activity.verdict import Coverage, Judge
from nats_idle_exporter.activity.view import EvidenceKind, SystemView


class Ledger:
    """The memory of one system; one owner writes it, in cycles.

    A cycle is: ``apply`` each good reading, in any order, then ``conclude``.

    Args:
        endpoints: what the operator wants watched.
        rules: the operator's policies and exclusions.
        cadence: how often the endpoints are read.
    """

    def __init__(
        self, endpoints: Iterable[str], rules: Rules, cadence: Cadence
    ) -> None:
        self._fleet = Fleet(endpoints)
        self._rules = rules
        self._cadence = cadence
        self._records: dict[str, Record] = {}
        self._holes = Holes()
        self._proof_from = NEVER
        self._jetstream_to: Instant | None = None
        self._pending: list[Reading] = []
        self._news: dict[str, str] = {}

    def watch(self, endpoints: Iterable[str], now: Instant) -> None:
        """Replace the list of endpoints; the watch of those left out ends now."""
        for end in self._fleet.watch(endpoints, now):
            self._end(end)

    def apply(self, reading: Reading) -> None:
        """Take one good reading in; it counts when the cycle is concluded."""
        self._pending.append(reading)

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """End the cycle and return what is now known.

        Args:
            now: the end of the cycle, after all its readings.
            shift_seconds: added to all published times (see ``Timeline``).
        """
        read = self._ingest_all()
        self._learn_names()
        for end in self._fleet.settle():
            self._end(end)
        self._fleet.forget(now.slow - self._cadence.forget_after_seconds)
        self._see_streams()
        self._see_listings(now, read)
        return Publisher(
            self._fleet, self._rules, self._cadence, now, shift_seconds
        ).publish(self._records, self._judge(now), read)

    # -- readings

    def _ingest_all(self) -> dict[str, str]:
        """Take the cycle's readings in; return endpoint -> ``server_id``.

        A server that several endpoints lead to counts once: by the answer
        that came first.
        """
        readings = sorted(self._pending, key=lambda r: (r.answered, r.endpoint))
        self._pending = []
        read: dict[str, str] = {}
        was_watched = self._fleet.watched_to is not None
        for reading in readings:
            if reading.endpoint not in self._fleet.watches:
                continue
            server_id = reading.server.server_id
            is_first = server_id not in read.values()
            displaced = self._fleet.bind(reading)
            read[reading.endpoint] = server_id
            if is_first:
                self._ingest(reading, displaced, was_watched=was_watched)
        return read

    def _ingest(
        self, reading: Reading, displaced: Server | None, *, was_watched: bool
    ) -> None:
        rows = {row.account: row for row in reading.rows}
        server = self._fleet.servers.get(reading.server.server_id)
        if server is None:
            self._meet(reading, displaced, was_watched=was_watched)
            for row in rows.values():
                before = Row(row.account) if was_watched else row
                change = compare(before, row, was_reloaded=False, is_wiped=False)
                self._note(row.account, change, reading, 0.0)
                self._hear_name(row, None)
        else:
            self._compare_all(server, reading, rows)
        self._fleet.take(reading, rows)

    def _meet(
        self, reading: Reading, displaced: Server | None, *, was_watched: bool
    ) -> None:
        """Bound the proof by a server that is read for the first time."""
        answered, up = reading.answered, reading.server.uptime_seconds
        reach = self._fleet.watched_to
        if not was_watched or reach is None:
            self._proof_from = max(self._proof_from, answered.slow)
        elif wipes_on_reload(reading.server):
            # Its counters tell of the time since its last reload only.
            self._holes.add(answered.slow, up + 1.0)
        elif displaced is None or succession(displaced, reading) is None:
            unwatched = reach.slow - (answered.slow - up)
            if unwatched > 0:
                self._holes.add(answered.slow, unwatched)

    def _compare_all(
        self, server: Server, reading: Reading, rows: dict[str, Row]
    ) -> None:
        was_reloaded = reading.server.config_load_time != server.facts.config_load_time
        is_wiped = was_reloaded and wipes_on_reload(reading.server)
        gap_seconds = max(
            reading.answered.fast - server.asked.fast,
            reading.server.now_at - server.facts.now_at,
        )
        for account in _worth_comparing(server.rows, rows, was_reloaded=was_reloaded):
            # Not listed is a row of zeros: the server has not touched it.
            before = server.rows.get(account) or Row(account)
            after = rows.get(account) or Row(account)
            change = compare(
                before, after, was_reloaded=was_reloaded, is_wiped=is_wiped
            )
            self._note(account, change, reading, gap_seconds)
            self._hear_name(after, server.rows.get(account))

    def _note(
        self, account: str, change: Change, reading: Reading, gap_seconds: float
    ) -> None:
        at = reading.answered.slow
        record = self._records.get(account)
        if record is None:
            record = self._records[account] = Record(account, at)
        if change.kinds:
            record.use(change.kinds[0], reading.server.server_id, at)
        elif change.is_blind:
            record.holes.add(at, gap_seconds)

    def _hear_name(self, row: Row, before: Row | None) -> None:
        """Collect the cycle's new names: those that a server did not tell before."""
        is_news = before is not None and before.name != row.name
        if row.name and (is_news or not self._records[row.account].name):
            heard = self._news.get(row.account, row.name)
            self._news[row.account] = min(heard, row.name)

    def _learn_names(self) -> None:
        """Take the new names over; servers that disagree: the first by sorting."""
        for account, name in self._news.items():
            self._records[account].name = name
        self._news.clear()

    # -- ends, streams, listings

    def _end(self, end: End) -> None:
        if end.server is None or end.hole_seconds > 0:
            self._holes.add(end.at, end.hole_seconds)
        if end.server is None:
            return
        for account, row in end.server.live.items():
            # Whoever was connected at the last reading stayed until the end.
            kind = EvidenceKind.CONNECTION if row.connections else EvidenceKind.LEAFNODE
            if record := self._records.get(account):
                record.use(kind, end.server.facts.server_id, end.at)

    def _see_streams(self) -> None:
        oldest = self._fleet.oldest_jetstream()
        last = self._jetstream_to
        is_whole_round = oldest is not None and (last is None or oldest > last)
        if oldest is not None:
            self._jetstream_to = max(oldest, last) if last else oldest
        holding = census.stream_holders(s for _, s in self._fleet.counted())
        for record in self._records.values():
            record.see_streams(
                is_holding=record.account in holding, is_whole_round=is_whole_round
            )

    def _see_listings(self, now: Instant, read: dict[str, str]) -> None:
        """Forget accounts that are gone.

        In operator mode absence means nothing: servers load accounts on first
        use and forget them at every restart.
        """
        is_complete = self._fleet.is_complete(read.values())
        servers = [server for _, server in self._fleet.counted()]
        forget_at = now.slow - self._cadence.forget_after_seconds
        is_operator_mode = census.is_operator_mode(servers)
        for record in list(self._records.values()):
            is_listed = any(record.account in server.rows for server in servers)
            record.see_listing(
                is_listed=is_listed, is_complete=is_complete, at=now.slow
            )
            if record.listing_misses >= MISSES_UNTIL_GONE and (
                not is_operator_mode or record.listed_at <= forget_at
            ):
                del self._records[record.account]

    def _judge(self, now: Instant) -> Judge:
        return Judge(
            Coverage(now, self._fleet.watched_to, self._fleet.oldest()),
            Coverage(now, self._jetstream_to, self._fleet.oldest_jetstream()),
            self._cadence,
            self._proof_from,
            self._holes,
        )


def _worth_comparing(
    before: dict[str, Row], after: dict[str, Row], *, was_reloaded: bool
) -> Iterable[str]:
    """Yield the accounts of which a reading may tell something new.

    Most accounts of most readings are idle, and their rows equal.
    """
    if was_reloaded:
        return before.keys() | after.keys()
    changed = (
        account
        for account, row in after.items()
        if row.connections or row.leafnodes or row != before.get(account)
    )
    return chain(changed, before.keys() - after.keys())
