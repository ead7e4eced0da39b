"""Intake: what one cycle's readings say of each account.

This is where evidence is found: every row is compared with the last one of the
same process, and what a server tells at its first reading bounds the proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from nats_idle_exporter.activity.compare import Change, compare
from nats_idle_exporter.activity.ends import succession
from nats_idle_exporter.activity.facts import Instant, JetStreamRound, Reading, Row
from nats_idle_exporter.activity.holes import NEVER
from nats_idle_exporter.activity.listings import Listings
from nats_idle_exporter.activity.memory import Memory
from nats_idle_exporter.activity.naming import Naming
from nats_idle_exporter.activity.record import Record
from nats_idle_exporter.activity.rings import Rings
from nats_idle_exporter.activity.servers import (
    Server,
    gap_seconds_since,
    wipes_on_reload,
)
from nats_idle_exporter.activity.stamps import counting_since, issued_since


class Intake:
    """Writes readings into the memory of one system."""

    def __init__(self, memory: Memory, listings: Listings, rings: Rings) -> None:
        self._memory = memory
        self._listings = listings
        self._rings = rings
        self._naming = Naming(memory, listings)

    def take(self, readings: Sequence[Reading]) -> dict[str, str]:
        """Take a cycle's readings in; return endpoint -> ``server_id``.

        They are of watched endpoints, in the order in which they came. A server
        that several endpoints lead to counts once: the answer that came first
        becomes its last reading, of the others only use is taken.
        """
        read: dict[str, str] = {}
        for reading in readings:
            server_id = reading.server.server_id
            is_again = server_id in read.values()
            self._bound_by_silence(reading)
            displaced = self._memory.fleet.bind(reading)
            read[reading.endpoint] = server_id
            rows = {row.account: row for row in reading.rows}
            self._rings.hear(reading)
            if is_again:
                self._take_again(reading, rows)
                continue
            known = self._memory.fleet.servers.get(server_id)
            if known is None:
                self._meet(reading, rows, displaced)
            else:
                self._compare_all(reading, rows)
                self._follow(reading, known)
            self._memory.fleet.take(reading, rows)
        self._naming.settle()
        self._rings.settle()
        self._learn_issued(readings)
        return read

    def _bound_by_silence(self, reading: Reading) -> None:
        """Note the time before an endpoint first answered, until its server's start.

        Another one may have been there, and gone: that is a hole as if it was read
        when the endpoint was first known. Who answers in the first cycle is a later
        joiner as any other.
        """
        watch = self._memory.fleet.watches[reading.endpoint]
        if watch.was_missed and watch.known_since is not None:
            start_at = reading.answered.fast - reading.server.uptime_seconds
            if (seconds := start_at - watch.known_since.fast) > 0:
                self._memory.holes.add(reading.answered.slow, seconds)

    def _take_again(self, reading: Reading, rows: dict[str, Row]) -> None:
        """Take from a server's second answer of a cycle what may be news."""
        server = self._memory.fleet.servers[reading.server.server_id]
        self._compare_all(reading, rows)
        self._rings.bound(reading, server)
        server.see_again(reading, rows)

    def _meet(
        self, reading: Reading, rows: dict[str, Row], displaced: Server | None
    ) -> None:
        """Take in the first reading of a server."""
        self._memory.jetstream.see_start()
        reach = self._memory.fleet.watched_to
        if reach is None:
            self._meet_at_first_sight(reading, rows)
        else:
            self._meet_joiner(reading, rows, displaced, reach)
        for row in rows.values():
            self._naming.hear(row, None)

    def _meet_at_first_sight(self, reading: Reading, rows: dict[str, Row]) -> None:
        """Prove quiet back to the server's start where nothing tells of use.

        Counters above zero are of any age, and so is what streams were used
        for: there quiet starts at this poll.
        """
        answered = reading.answered.slow
        since = counting_since(reading)
        if self._rings.is_forgetful(reading) or not self._memory.fleet.roster.is_fixed:
            # Somebody may have come and gone untold, or a whole server.
            since = answered
        self._memory.proof_from = max(self._memory.proof_from, since)
        jetstream = reading.jetstream
        touched = {closed.account for closed in reading.ring.new}
        sighted = {**self._unlisted(rows), **rows}
        touched |= sighted.keys() if jetstream is None else _touched(jetstream)
        for account, row in sighted.items():
            is_untouched = account not in touched and not any(row.total)
            record = self._sight(reading, account, since if is_untouched else answered)
            kinds = compare(row, row, was_reloaded=False, is_wiped=False).kinds
            if kinds:
                record.use(kinds[0], reading.server.server_id, answered)

    def _meet_joiner(
        self,
        reading: Reading,
        rows: dict[str, Row],
        displaced: Server | None,
        reach: Instant,
    ) -> None:
        """Take what a server counted that joined a watched system as use."""
        answered, uptime = reading.answered, reading.server.uptime_seconds
        if wipes_on_reload(reading.server) or self._rings.is_forgetful(reading):
            # Its counters tell of the time since its last reload only, or its
            # ring has forgotten some that came and went since its start.
            # Uptimes are rounded down, and told up to a whole poll ago.
            up = uptime + 1.0 + answered.fast - reading.asked.fast
            self._memory.holes.add(answered.slow, up)
        elif displaced is None or succession(displaced, reading) is None:
            unwatched = reach.slow - (reading.asked.slow - uptime)
            if unwatched > 0:
                self._memory.holes.add(answered.slow, unwatched)
        for row in rows.values():
            change = compare(Row(row.account), row, was_reloaded=False, is_wiped=False)
            self._note(row.account, change, reading, 0.0)

    def _follow(self, reading: Reading, known: Server) -> None:
        """Bound the proof by what a reading of a known server cannot close."""
        at = reading.answered.slow
        if self._memory.fleet.watched_to is None and known.ended_at is not None:
            # All ended while this one was unwatched: a first sight again.
            self._memory.proof_from = max(self._memory.proof_from, at)
        self._rings.bound(reading, known)

    def _learn_issued(self, readings: Iterable[Reading]) -> None:
        """Let quiet go back to the oldest JWT that any server told of.

        It matters not how late this is learned: use since then bounds quiet itself.
        """
        for reading in readings:
            for account, issued_at in reading.issued.items():
                if record := self._memory.records.get(account):
                    shift_seconds = self._memory.shift_seconds
                    at = issued_since(reading, issued_at, shift_seconds)
                    record.issued_at = min(record.issued_at, at)

    def _compare_all(self, reading: Reading, rows: dict[str, Row]) -> None:
        server = self._memory.fleet.servers[reading.server.server_id]
        was_reloaded = reading.server.loaded_at != server.facts.loaded_at
        is_wiped = was_reloaded and wipes_on_reload(reading.server)
        gap_seconds = gap_seconds_since(reading, server)
        jetstream = self._memory.jetstream
        if was_reloaded:
            # Who was removed may have been added again, and removed.
            jetstream.see_return(jetstream.estates)
        for account in self._worth_comparing(
            server.rows, rows, was_reloaded=was_reloaded, is_wiped=is_wiped
        ):
            # Not listed is a row of zeros: the server has not touched it.
            before = server.rows.get(account) or Row(account)
            after = rows.get(account) or Row(account)
            change = compare(
                before, after, was_reloaded=was_reloaded, is_wiped=is_wiped
            )
            self._note(account, change, reading, gap_seconds)
            self._naming.hear(after, server.rows.get(account))
            if account not in server.rows:
                jetstream.see_return((account,))
                if reading.jetstream is None:
                    jetstream.suspect(account)

    def _note(
        self, account: str, change: Change, reading: Reading, gap_seconds: float
    ) -> None:
        at = reading.answered.slow
        record = self._memory.records.get(account)
        if record is None:
            record = self._memory.records[account] = Record(account, at)
        if change.kinds:
            record.use(change.kinds[0], reading.server.server_id, at)
        elif change.is_blind:
            record.holes.add(at, gap_seconds)

    def _sight(self, reading: Reading, account: str, since: float) -> Record:
        """Return the record of an account that is quiet from then on, or later.

        Its JWT may be younger than any start: until its age is told, it counts as
        issued now.
        """
        record = self._memory.records.setdefault(account, Record(account, since))
        record.watched_since = max(record.watched_since, since)
        if reading.server.is_operator_mode and record.issued_at == NEVER:
            record.issued_at = reading.answered.slow
        return record

    def _unlisted(self, rows: dict[str, Row]) -> dict[str, Row]:
        """Return rows of zeros for whom the inventory lists and the server does not."""
        listing = self._listings.listing
        accounts = listing.accounts.keys() - rows.keys() if listing else ()
        return {account: Row(account) for account in accounts}

    def _worth_comparing(
        self,
        before: dict[str, Row],
        after: dict[str, Row],
        *,
        was_reloaded: bool,
        is_wiped: bool,
    ) -> Iterable[str]:
        """Yield the accounts of which a reading may tell something new.

        Most accounts of most readings are idle, and their rows equal.
        """
        records = self._memory.records
        if was_reloaded:
            # Who came, was used and went between two readings is in neither.
            others = records.keys() if is_wiped else set[str]()
            return before.keys() | after.keys() | others
        changed = (
            account
            for account, row in after.items()
            if row.connections
            or row.leafnodes
            or row != before.get(account)
            or account not in records
        )
        return chain(changed, before.keys() - after.keys())


def _touched(told: JetStreamRound) -> frozenset[str]:
    """Return the accounts whose streams may have been used at any time."""
    written = (s.account for s in told.streams if s.last_seq or s.written_at)
    return told.enabled.difference(told.untouched).union(written)
