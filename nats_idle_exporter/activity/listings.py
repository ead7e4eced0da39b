"""Who lists each account: servers, the inventory, or nobody any more.

* What the inventory lists and a server does not is a row of zeros there. In
  operator mode servers load accounts on first use, so that was so in every reading:
  quiet goes back as far as the watch does, but not before the account's JWT.
* In operator mode absence from servers means nothing: they forget accounts at
  every restart. An account that the inventory ever listed is gone when complete
  answers of it lack the account, and no server lists it.
* An answer that lacks a part, or none, makes nobody gone.
"""

from __future__ import annotations

from collections.abc import Sequence

from nats_idle_exporter.activity import census
from nats_idle_exporter.activity.facts import Instant, Listed, Listing, Reading
from nats_idle_exporter.activity.holes import NEVER
from nats_idle_exporter.activity.memory import Memory
from nats_idle_exporter.activity.record import MISSES_UNTIL_GONE, Record
from nats_idle_exporter.activity.stamps import issued_since
from nats_idle_exporter.activity.view import Inventory


class Listings:
    """Brings in whom only the inventory lists, and forgets who is gone.

    Args:
        memory: of one system.
        forget_after_seconds: for accounts of operator mode that no inventory knows;
            may be set between cycles.
    """

    def __init__(self, memory: Memory, forget_after_seconds: float) -> None:
        self._memory = memory
        self.forget_after_seconds = forget_after_seconds
        self.listing: Listing | None = None
        """The last answer; None when no inventory is configured."""
        self._is_taken = self._is_counted = True

    def answer(self, listing: Listing | None) -> None:
        """Note an answer of the inventory; None when none is configured."""
        self.listing = listing
        self._is_taken = self._is_counted = False

    def bring_in(self, readings: Sequence[Reading]) -> None:
        """Take a new answer in, before what servers tell in the same cycle.

        Without any reading that waits: only servers tell the mode, and the time.
        """
        listing = self.listing
        if self._is_taken or listing is None or not readings:
            return
        self._is_taken = True
        since = self._new_since(readings)
        for account, listed in listing.accounts.items():
            record = self._memory.records.get(account)
            if record is None:
                record = self._memory.records[account] = Record(account, *since)
                if self._has_streams(account):
                    # They were told of before anybody asked whose they are.
                    record.watched_since = readings[-1].answered.slow
            if listed != record.listed:
                self._learn(record, listed, readings)

    def _learn(
        self, record: Record, listed: Listed, readings: Sequence[Reading]
    ) -> None:
        if _is_newest_name(record, listed):
            record.name = listed.name
        record.listed = listed
        if listed.issued_at is None:
            return
        issued_at, shift_seconds = listed.issued_at, self._memory.shift_seconds
        at = max(issued_since(each, issued_at, shift_seconds) for each in readings)
        # A JWT that was issued anew makes its account no younger.
        record.issued_at = min(record.issued_at, at)
        if at >= readings[-1].answered.slow:
            # Some clock was set, so nothing is known yet: the next answer may tell.
            record.listed = listed._replace(issued_at=None)

    def _has_streams(self, account: str) -> bool:
        jetstream = self._memory.jetstream
        return account in jetstream.estates or account in jetstream.enabled

    def _new_since(self, readings: Sequence[Reading]) -> tuple[float, float]:
        """Return the bounds of an account that is listed for the first time.

        Those of its watch, and of its JWT as long as that does not tell.
        """
        memory, now = self._memory, readings[-1].answered.slow
        by_jwt = any(reading.server.is_operator_mode for reading in readings)
        if by_jwt or census.is_operator_mode(memory.fleet.witnesses()):
            return memory.strays_at, now
        # Who is written into a configuration later was not there before.
        is_first_sight = memory.fleet.watched_to is None
        return memory.strays_at if is_first_sight else now, NEVER

    def see(self, now: Instant, *, is_complete: bool) -> None:
        """Note who lists whom at the end of a cycle, and forget who is gone.

        Args:
            now: the end of the cycle.
            is_complete: every server that counts was read in it.
        """
        memory = self._memory
        servers = memory.fleet.witnesses()
        is_operator_mode = census.is_operator_mode(servers)
        for record in list(memory.records.values()):
            is_served = any(record.account in server.rows for server in servers)
            record.see_listing(
                is_listed=is_served, is_complete=is_complete, at=now.slow
            )
            is_named = self._see_inventory(record, is_served=is_served)
            if not (is_served or is_named) and self._is_gone(
                record, now, is_operator_mode=is_operator_mode
            ):
                del memory.records[record.account]
                # It may come back with a JWT as old as before.
                memory.strays_at = max(memory.strays_at, now.slow)
        self._is_counted = True

    def _see_inventory(self, record: Record, *, is_served: bool) -> bool:
        """Note whether the inventory lists an account, and return it."""
        listing = self.listing
        if listing is None:
            record.listed, record.inventory = None, Inventory.NONE
            return False
        is_named = record.account in listing.accounts
        if is_named:
            record.inventory_misses = 0
        elif listing.is_complete and not self._is_counted:
            misses = record.inventory_misses + 1
            record.inventory_misses = min(misses, MISSES_UNTIL_GONE)
        has_missed = record.inventory_misses > 0
        if is_named or (record.listed is not None and not has_missed):
            # Whom an answer does not name that lacks a part may be in that part.
            record.inventory = Inventory.BOTH if is_served else Inventory.INVENTORY_ONLY
        elif is_served and (listing.is_complete or has_missed):
            record.inventory = Inventory.SERVERS_ONLY
        return is_named

    def _is_gone(self, record: Record, now: Instant, *, is_operator_mode: bool) -> bool:
        """Say whether an account that nobody lists now is gone for good."""
        listing = self.listing
        are_servers_sure = record.listing_misses >= MISSES_UNTIL_GONE
        if record.listed is not None:
            is_inventory_sure = record.inventory_misses >= MISSES_UNTIL_GONE
            return is_inventory_sure and (are_servers_sure or is_operator_mode)
        is_partial = listing is not None and not listing.is_complete
        if is_partial and (is_operator_mode or record.listed_at == NEVER):
            return False
        forget_at = now.slow - self.forget_after_seconds
        is_forgotten = not is_operator_mode or record.listed_at <= forget_at
        return are_servers_sure and is_forgotten


def _is_newest_name(record: Record, listed: Listed) -> bool:
    """Say whether a name is newer than the one that is known.

    An id in the place of a name is none. A JWT that tells its age outranks who
    tells none; of two without an age the first by sorting holds.
    """
    before = record.listed
    if listed.name in {"", record.account}:
        return False
    if listed.issued_at is not None:
        is_older = before and (before.issued_at or NEVER) > listed.issued_at
        return not is_older
    if before is not None:
        return listed.name != before.name
    return not record.name or listed.name < record.name
