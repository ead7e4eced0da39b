"""What is remembered of one account of one system, over all its servers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from nats_idle_exporter.activity.facts import Listed
from nats_idle_exporter.activity.holes import MOST_HOLES_OF_ACCOUNT, NEVER, Holes
from nats_idle_exporter.activity.view import EvidenceKind, Inventory

MISSES_UNTIL_GONE = 3
"""Complete looks without a thing before it is believed to be gone."""


@dataclass(slots=True)
class Sticky:
    """A fact of jsz that is believed at once, and its absence only in the end.

    A server that recovers or restarts may not list a stream, or an account,
    for a while.
    """

    holds: bool = False
    misses: int = 0

    def __bool__(self) -> bool:
        return self.holds

    def see(self, *, is_there: bool, is_whole_round: bool) -> None:
        """Note what the last rounds say; only whole new ones count as misses."""
        if is_there:
            self.holds, self.misses = True, 0
        elif is_whole_round:
            self.misses += 1
            self.holds = self.misses < MISSES_UNTIL_GONE


@dataclass(slots=True)
class Use:
    """The newest evidence of use; ``at`` is on the slow timeline."""

    kind: EvidenceKind
    server_id: str
    at: float


@dataclass(slots=True)
class Record:
    """One account; all moments are on the slow timeline.

    ``watched_since`` bounds its quiet: before it nothing is proven of it. So does
    ``issued_at``, when its JWT was issued at the latest, as far as that is known.
    ``longest_idle_seconds`` is the longest idle time proven while raised, and
    ``is_at_longest`` says that it grows with every cycle.
    """

    account: str
    watched_since: float
    issued_at: float = NEVER
    name: str = ""
    last_use: Use | None = None
    holes: Holes = field(default_factory=partial(Holes, MOST_HOLES_OF_ACCOUNT))
    is_raised: bool = False
    longest_idle_seconds: float = 0.0
    is_at_longest: bool = False
    listed_at: float = NEVER
    listing_misses: int = 0
    listed: Listed | None = None
    """As the inventory listed it last; None when it never did."""
    inventory_misses: int = 0
    inventory: Inventory = Inventory.NONE

    def use(self, kind: EvidenceKind, server_id: str, at: float) -> None:
        """Note evidence of use; older evidence than the newest changes nothing."""
        if self.last_use is None or at > self.last_use.at:
            self.last_use = Use(kind, server_id, at)
            self.holes.drop_until(at)

    def clear(self) -> None:
        """Take a raised verdict back."""
        self.is_raised = self.is_at_longest = False
        self.longest_idle_seconds = 0.0

    def see_idle(self, seconds: float) -> None:
        """Note how long it is proven idle now, if its verdict is raised."""
        if self.is_raised:
            self.is_at_longest = seconds >= self.longest_idle_seconds
            self.longest_idle_seconds = max(self.longest_idle_seconds, seconds)

    def see_listing(self, *, is_listed: bool, is_complete: bool, at: float) -> None:
        """Note whether any server lists the account.

        Args:
            is_listed: some server that counts lists it.
            is_complete: every server that counts was read in this cycle.
            at: the end of the cycle.
        """
        if is_listed:
            self.listed_at, self.listing_misses = at, 0
        elif is_complete:
            # Nobody asks how many more there were, and each would be a change.
            self.listing_misses = min(self.listing_misses + 1, MISSES_UNTIL_GONE)
