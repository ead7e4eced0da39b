"""Wrong hearts that make too much, or too little, of inventories."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from nats_idle_exporter.activity import (
    AccountView,
    Cadence,
    Instant,
    Inventory,
    Listing,
    Reading,
    Rules,
    SystemView,
)
from tests.simulator.mutants.wrapper import Wrapper, replaced


class PartIsWhole(Wrapper):
    """Take every answer for complete."""

    def listing(self, listing: Listing) -> Listing:
        """Say that nothing is lacking."""
        return replace(listing, is_complete=True)


class IgnoresInventory(Wrapper):
    """Judge only whom servers list."""

    def list_accounts(self, listing: Listing | None) -> None:
        """Hear nothing."""


class JwtsAreAncient(Wrapper):
    """Take no account for younger than the servers."""

    def listing(self, listing: Listing) -> Listing:
        """Tell an age before all time."""
        told = listing.accounts.items()
        accounts = {account: each._replace(issued_at=1.0) for account, each in told}
        return replace(listing, accounts=accounts)


class NamesByServersAlone(Wrapper):
    """Overlook the names in JWTs."""

    def listing(self, listing: Listing) -> Listing:
        """Tell no names."""
        told = listing.accounts.items()
        accounts = {account: each._replace(name="") for account, each in told}
        return replace(listing, accounts=accounts)


class _Listener(Wrapper):
    """A wrong heart that remembers the last answer."""

    def __init__(
        self, endpoints: Iterable[str], rules: Rules, cadence: Cadence
    ) -> None:
        super().__init__(endpoints, rules, cadence)
        self.last: Listing | None = None
        self.is_told = False

    def listing(self, listing: Listing) -> Listing:
        """Remember it."""
        self.last, self.is_told = listing, True
        return listing

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """Alter the accounts' views."""
        view = super().conclude(now, shift_seconds)
        self.is_told = False
        fields = {name: getattr(view, name) for name in SystemView.__slots__}
        accounts = (self.account(account) for account in view.accounts)
        kept = tuple(account for account in accounts if account is not None)
        return SystemView(**(fields | {"accounts": kept}))

    def account(self, view: AccountView) -> AccountView | None:
        """Return the altered view of one account, None to hide it."""
        return view


class CountsCycles(_Listener):
    """Take an answer that holds for long for many."""

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """Say it again."""
        if self.last is not None and not self.is_told:
            self._ledger.list_accounts(self.last)
        return super().conclude(now, shift_seconds)


class ZombiesAreGone(_Listener):
    """Believe the inventory alone."""

    def account(self, view: AccountView) -> AccountView | None:
        """Hide whom the last complete answer lacks."""
        is_whole = self.last is not None and self.last.is_complete
        is_lacked = self.last is not None and view.account not in self.last.accounts
        return None if is_whole and is_lacked else view


class LackedIsZombie(_Listener):
    """Call everybody deleted whom an answer lacks, also one that lacks a part."""

    def account(self, view: AccountView) -> AccountView:
        """Change the label."""
        is_lacked = self.last is not None and view.account not in self.last.accounts
        if is_lacked and view.inventory is Inventory.BOTH:
            return view._replace(inventory=Inventory.SERVERS_ONLY)
        return view


class IgnoresStrangers(_Listener):
    """Overlook in the rings whom nobody has listed so far."""

    def __init__(
        self, endpoints: Iterable[str], rules: Rules, cadence: Cadence
    ) -> None:
        super().__init__(endpoints, rules, cadence)
        self.known: set[str] = set()

    def reading(self, reading: Reading) -> Reading:
        """Hide their closed connections."""
        self.known |= {row.account for row in reading.rows}
        if self.last is not None:
            self.known |= self.last.accounts.keys()
        new = tuple(each for each in reading.ring.new if each.account in self.known)
        return replaced(reading, ring=reading.ring._replace(new=new))


class ForgetsDeletions(Wrapper):
    """Take who was gone and comes back for somebody who was never there."""

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """Forget that anybody was."""
        view = super().conclude(now, shift_seconds)
        self._ledger._memory.strays_at = -math.inf
        return view


class TrustsTheLoaded(Wrapper):
    """Take for an account without streams whom no round of jsz could tell of."""

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """Believe at once that who was not told to own streams owns none."""
        view = super().conclude(now, shift_seconds)
        enabled = self._ledger._memory.jetstream.enabled
        for account in [each for each, sticky in enabled.items() if sticky.misses]:
            del enabled[account]
        return view
