"""Intake: what one cycle's readings say of each account.

This is where evidence is found: every row is compared with the last one of the
same process, and what a server tells at its first reading bounds the proof.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from nats_idle_exporter.activity.compare import Change, compare
from nats_idle_exporter.activity.ends import succession
from nats_idle_exporter.activity.facts import Reading, Row
from nats_idle_exporter.activity.memory import Memory
from nats_idle_exporter.activity.record import Record
from nats_idle_exporter.activity.servers import Server, wipes_on_reload


class Intake:
    """Writes readings into the memory of one system."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._news: dict[str, str] = {}

    def take(self, readings: Iterable[Reading]) -> dict[str, str]:
        """Take a cycle's readings in; return endpoint -> ``server_id``.

        A server that several endpoints lead to counts once: the answer that
        came first becomes its last reading, of the others only use is taken.
        """
        read: dict[str, str] = {}
        for reading in sorted(readings, key=lambda r: (r.answered, r.endpoint)):
            if reading.endpoint not in self._memory.fleet.watches:
                continue
            server_id = reading.server.server_id
            is_again = server_id in read.values()
            displaced = self._memory.fleet.bind(reading)
            read[reading.endpoint] = server_id
            rows = {row.account: row for row in reading.rows}
            if is_again:
                self._compare_all(reading, rows)
                self._memory.fleet.servers[server_id].see_present(rows)
                continue
            known = self._memory.fleet.servers.get(server_id)
            if known is None:
                self._meet(reading, rows, displaced)
            else:
                self._compare_all(reading, rows)
                self._start_anew(reading, known)
            self._memory.fleet.take(reading, rows)
        self._learn_names()
        return read

    def _meet(
        self, reading: Reading, rows: dict[str, Row], displaced: Server | None
    ) -> None:
        """Take in the first reading of a server.

        In a watched system what it counted is use; at first sight it may be of
        any age, and only who is there now is in use.
        """
        is_watched = self._memory.fleet.watched_to is not None
        self._bound_proof(reading, displaced)
        for row in rows.values():
            before = Row(row.account) if is_watched else row
            change = compare(before, row, was_reloaded=False, is_wiped=False)
            self._note(row.account, change, reading, 0.0)
            self._hear_name(row, None)

    def _bound_proof(self, reading: Reading, displaced: Server | None) -> None:
        answered, up = reading.answered, reading.server.uptime_seconds
        reach = self._memory.fleet.watched_to
        if reach is None:
            self._memory.proof_from = max(self._memory.proof_from, answered.slow)
        elif wipes_on_reload(reading.server):
            # Its counters tell of the time since its last reload only.
            self._memory.holes.add(answered.slow, up + 1.0)
        elif displaced is None or succession(displaced, reading) is None:
            unwatched = reach.slow - (answered.slow - up)
            if unwatched > 0:
                self._memory.holes.add(answered.slow, unwatched)

    def _start_anew(self, reading: Reading, known: Server) -> None:
        """Bound the proof when all others ended while this one was unwatched."""
        if self._memory.fleet.watched_to is None and known.ended_at is not None:
            at = reading.answered.slow
            self._memory.proof_from = max(self._memory.proof_from, at)

    def _compare_all(self, reading: Reading, rows: dict[str, Row]) -> None:
        server = self._memory.fleet.servers[reading.server.server_id]
        was_reloaded = reading.server.config_load_time != server.facts.config_load_time
        is_wiped = was_reloaded and wipes_on_reload(reading.server)
        gap_seconds = max(
            reading.answered.fast - server.asked.fast,
            reading.server.now_at - server.facts.now_at,
        )
        for account in self._worth_comparing(
            server.rows, rows, was_reloaded=was_reloaded
        ):
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
        record = self._memory.records.get(account)
        if record is None:
            record = self._memory.records[account] = Record(account, at)
        if change.kinds:
            record.use(change.kinds[0], reading.server.server_id, at)
        elif change.is_blind:
            record.holes.add(at, gap_seconds)

    def _hear_name(self, row: Row, before: Row | None) -> None:
        """Collect the cycle's new names: those that a server did not tell before.

        An id in the place of a name is none: a known name is never given up.
        """
        is_news = before is None or before.name != row.name
        if is_news and row.name not in {"", row.account}:
            heard = self._news.get(row.account, row.name)
            self._news[row.account] = min(heard, row.name)

    def _learn_names(self) -> None:
        """Take the new names over; servers that disagree: the first by sorting."""
        for account, name in self._news.items():
            self._memory.records[account].name = name
        self._news.clear()

    def _worth_comparing(
        self, before: dict[str, Row], after: dict[str, Row], *, was_reloaded: bool
    ) -> Iterable[str]:
        """Yield the accounts of which a reading may tell something new.

        Most accounts of most readings are idle, and their rows equal.
        """
        if was_reloaded:
            return before.keys() | after.keys()
        records = self._memory.records
        changed = (
            account
            for account, row in after.items()
            if row.connections
            or row.leafnodes
            or row != before.get(account)
            or account not in records
        )
        return chain(changed, before.keys() - after.keys())
