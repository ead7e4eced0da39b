"""The ledger: everything we remember of one system, and the cycle that adds to it.

Invariants, whatever happens to servers, networks, clocks and us:

* a failed poll is no fact: it never reaches the ledger, it only lets what is
  known grow old;
* ``watched_to`` and every account's last use never go back;
* the order of the readings of a cycle changes nothing;
* a ledger that is resumed from its rows goes on as if it had never stopped, but
  for the time in which nobody watched (see ``bridge``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from nats_idle_exporter.activity.bridge import Bridge, Clocks, bridge_over
from nats_idle_exporter.activity.ends import End
from nats_idle_exporter.activity.facts import Instant, Listing, Reading
from nats_idle_exporter.activity.fleet import Fleet
from nats_idle_exporter.activity.forms import SavedClock
from nats_idle_exporter.activity.holes import NEVER
from nats_idle_exporter.activity.intake import Intake
from nats_idle_exporter.activity.jetstream import Rounds
from nats_idle_exporter.activity.journal import Journal
from nats_idle_exporter.activity.listings import Listings
from nats_idle_exporter.activity.memory import Memory
from nats_idle_exporter.activity.policy import Cadence, Rules
from nats_idle_exporter.activity.publish import Publisher
from nats_idle_exporter.activity.restoring import restore
from nats_idle_exporter.activity.rings import Rings
from nats_idle_exporter.activity.rows import Changes, SavedRow
from nats_idle_exporter.activity.verdict import (
    OUTDATED_AFTER_ROUNDS,
    Coverage,
    Judge,
)
from nats_idle_exporter.activity.view import EvidenceKind, SystemView


class Ledger:
    """The memory of one system; one owner writes it, in cycles.

    A cycle is: ``apply`` each good reading, in any order, then ``conclude``; after
    that a store may ask for the ``changes``.

    Args:
        endpoints: what the operator wants watched; a ``Source`` among them stands for
            the endpoints that are told of it (see ``discover``).
        rules: the operator's policies and exclusions.
        cadence: how often the endpoints are read.
    """

    def __init__(
        self, endpoints: Iterable[str], rules: Rules, cadence: Cadence
    ) -> None:
        self._memory = Memory(Fleet(endpoints))
        self._listings = Listings(self._memory, cadence.forget_after_seconds)
        self._rings = Rings(self._memory, cadence.brief_connections)
        self._intake = Intake(self._memory, self._listings, self._rings)
        self._rules = rules
        self._cadence = cadence
        self._wanted = frozenset[str]()
        self._pending: list[Reading] = []
        self._bridge = Bridge()
        self._arranged: Instant | None = None
        """When the operator's list was replaced, until ends follow from it."""
        self._untold_since: list[Instant | None] = []
        """Since when sources were not told that were in this cycle."""
        self._journal = Journal()

    @classmethod
    def resume(
        cls,
        endpoints: Iterable[str] | None,
        rules: Rules,
        cadence: Cadence,
        rows: Iterable[SavedRow],
        clocks: Clocks,
    ) -> Self:
        """Return a ledger that knows what the rows tell; without rows a new one.

        Args:
            endpoints: what the operator wants watched now, see ``watch``; None for
                those of the rows.
            rules: the operator's policies and exclusions now.
            cadence: how often the endpoints are read now.
            rows: all that an earlier ledger told as ``changes``, in any order.
            clocks: the start of this process; the instants of all that follows are
                of its timelines.

        Raises:
            DamagedRows: the rows are not what a ledger told.
        """
        wanted = None if endpoints is None else list(endpoints)
        ledger = cls(wanted or (), rules, cadence)
        saved = restore(ledger._memory, rows)
        if saved is not None:
            ledger._take_over(saved, clocks)
            if wanted is not None:
                ledger.watch(wanted, clocks.now)
        return ledger

    def _take_over(self, saved: SavedClock, clocks: Clocks) -> None:
        self._bridge = bridge_over(saved, clocks)
        judge = self._judge(saved.now)
        for record in self._memory.records.values():
            name = record.name or record.account
            judge.resume(record, self._rules.policy(record.account, name))
        self._wanted = frozenset(judge.consumers_wanted)
        # The store knows all this: only what changes from now on is told.
        self._journal.begin(self._memory, saved)

    def adopt(self, rules: Rules, cadence: Cadence) -> None:
        """Judge by other rules from the next cycle on; nothing learned is lost.

        What holds for readings to come holds for them only: a ring that did not
        reach back, and was forgiven, stays so.
        """
        self._rules = rules
        self._cadence = cadence
        self._listings.forget_after_seconds = cadence.forget_after_seconds
        self._rings.brief_connections = cadence.brief_connections

    def watch(self, endpoints: Iterable[str], now: Instant) -> None:
        """Replace the list of endpoints; the watch of those left out ends now.

        The same list changes nothing. After a restart it waits for the first
        readings: until it is known how long nobody watched, no end can be dated.
        """
        wanted = list(endpoints)
        if self._memory.fleet.roster.is_arranged(wanted):
            return
        self._memory.fleet.arrange(wanted)
        self._arranged = now
        if not self._bridge.is_open:
            self._let_go()

    def _let_go(self) -> None:
        if self._arranged is None:
            return
        now, self._arranged = self._arranged, None
        for end in self._memory.fleet.let_go(self._bridge.carry(now)):
            self._end(end)

    def discover(self, source: str, endpoints: Iterable[str], now: Instant) -> None:
        """Replace what a source finds; call it between cycles.

        What it finds no more is not to be read any more, but its server counts until
        its end is shown. Until a source is told of for the first time, and as long as
        nobody can say what it finds, its endpoints count as unread.
        """
        found = self._memory.fleet.roster.sources.get(source)
        if found is not None and found.endpoints is None:
            self._untold_since.append(found.known_since)
        self._memory.fleet.discover(source, endpoints, self._bridge.carry(now))

    def endpoints_wanted(self) -> tuple[str, ...]:
        """Return the endpoints to read, each once."""
        return tuple(self._memory.fleet.watches)

    def endpoints_found(self) -> dict[str, tuple[str, ...]]:
        """Return what was found last, by source; only of those that were told."""
        sources = self._memory.fleet.roster.sources.items()
        return {n: f.endpoints for n, f in sources if f.endpoints is not None}

    def apply(self, reading: Reading) -> None:
        """Take one good reading in; it counts when the cycle is concluded."""
        self._pending.append(reading)

    def list_accounts(self, listing: Listing | None) -> None:
        """Take an answer of the inventory in, at most one per cycle.

        It holds until the next one. None, as at first: none is configured.
        """
        self._listings.answer(listing)

    def servers(self) -> frozenset[str]:
        """Return the ``server_id`` of every server that is remembered."""
        return frozenset(self._memory.fleet.servers)

    def consumers_wanted(self) -> frozenset[str]:
        """Return the accounts whose consumers the next rounds of jsz must tell.

        Telling is dear to servers: they are asked for those of whom a verdict is
        near, and for a few more that are quiet or were never looked at.
        """
        return self._wanted

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """End the cycle and return what is now known.

        Args:
            now: the end of the cycle, after all its readings.
            shift_seconds: added to all published times (see ``Timeline``).
        """
        memory = self._memory
        readings = self._readings(shift_seconds)
        now = self._bridge.carry(now)
        if not self._bridge.is_open:
            self._see_untold(now)
            self._see_pause(readings)
        memory.shift_seconds = self._bridge.shift_seconds(shift_seconds)
        self._listings.bring_in(readings)
        rounds = Rounds(memory.jetstream, memory.fleet, memory.records)
        read = self._intake.take(readings)
        if not self._bridge.is_open:
            for end in memory.fleet.settle():
                self._end(end)
        memory.fleet.forget(now.slow - self._cadence.forget_after_seconds)
        rounds.take(readings)
        self._listings.see(now, is_complete=memory.fleet.is_complete(read.values()))
        memory.concluded_at = now.slow
        judge = self._judge(now)
        view = Publisher(
            memory.fleet, self._rules, self._cadence, now, memory.shift_seconds
        ).publish(memory.records, judge, read)
        self._wanted = frozenset(judge.consumers_wanted)
        return view

    def _readings(self, shift_seconds: float) -> list[Reading]:
        """Return the cycle's readings of watched endpoints, as they came."""
        readings, self._pending = self._pending, []
        if readings:
            counted = dict(self._memory.fleet.counted())
            self._bridge.close(readings, counted, shift_seconds)
            self._let_go()
        watches = self._memory.fleet.watches
        readings = [
            self._bridge.carry_reading(each)
            for each in readings
            if each.endpoint in watches
        ]
        return sorted(readings, key=lambda each: (each.answered, each.endpoint))

    def _see_untold(self, now: Instant) -> None:
        """Note the time before a source was told: nobody knows who was there."""
        for since in self._untold_since:
            seconds = float("inf") if since is None else now.fast - since.fast
            self._memory.holes.add(now.slow, seconds)
        self._untold_since.clear()

    def _see_pause(self, readings: list[Reading]) -> None:
        """Note a time in which servers may have come and gone, and nobody named them.

        Only discovery lets them: where the operator lists all, nobody can.
        """
        fleet = self._memory.fleet
        if fleet.roster.is_fixed or fleet.watched_to is None or not readings:
            return
        asked = min(each.asked.fast for each in readings)
        # Of nobody who was read nothing is known: that is a pause since ever.
        heard = max(
            (server.asked.fast for server in fleet.servers.values()), default=NEVER
        )
        if asked - heard > OUTDATED_AFTER_ROUNDS * self._cadence.poll_seconds:
            self._memory.holes.add(readings[-1].answered.slow, asked - heard)

    def changes(self, clocks: Clocks) -> Changes:
        """Return what changed since the last call; call it between cycles.

        As long as a resumed ledger has seen no reading there is nothing to tell,
        and the time in which nobody watched goes on.
        """
        memory = self._memory
        if self._bridge.is_open or memory.concluded_at == NEVER:
            return Changes([], [])
        saved = self._bridge.saved_clock(
            clocks, memory.shift_seconds, memory.concluded_at
        )
        return self._journal.changes(memory, saved)

    def retell(self) -> None:
        """Have ``changes`` tell all at its next call: a store may have dropped it."""
        self._journal.retell()

    def _end(self, end: End) -> None:
        if end.server is None or end.hole_seconds > 0:
            self._memory.holes.add(end.at, end.hole_seconds)
        if end.server is None:
            return
        for account, row in end.server.live.items():
            # Whoever was connected at the last reading stayed until the end.
            kind = EvidenceKind.CONNECTION if row.connections else EvidenceKind.LEAFNODE
            if record := self._memory.records.get(account):
                record.use(kind, end.server.facts.server_id, end.at)

    def _judge(self, now: Instant) -> Judge:
        return Judge(
            Coverage(now, self._memory.fleet.watched_to, self._memory.fleet.oldest()),
            self._memory.jetstream,
            self._cadence,
            self._memory.proof_from,
            self._memory.holes,
        )
