"""The inventory as the daemon reads it: late, failing, old, or lacking a part."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from nats_idle_exporter.activity import Listed, Listing
from tests.simulator.directory import Entry
from tests.simulator.world import World

JWTS_AT_ONCE = 2
"""JWTs that one answer tells, where servers are asked for each."""


class SourceHabits(NamedTuple):
    """How the inventory of one history is read."""

    every_seconds: float
    first_after_seconds: float
    """How long its first answer takes."""
    lag_seconds: float
    """How old what it tells is: a copy that somebody makes now and then."""
    failing: float
    """The share of answers that fail."""
    lacking: float
    """The share of answers that lack a part, and say so."""
    bare: float
    """The share of answers in which one JWT cannot be read."""
    by_and_by: bool
    """Ids come at once, but JWTs one after the other."""
    changing: float
    """The share of our restarts at which the operator adds or removes it."""


class Source:
    """Tells what the directory holds, as well as it can."""

    def __init__(self, world: World, habits: SourceHabits, rng: Random) -> None:
        self.world = world
        self.habits = habits
        self.rng = rng
        self.is_configured = True
        self._due_at = 0.0
        self._is_heard = False
        self._last: dict[str, Listed] = {}
        self._untold: Listing | None = None
        self._told_jwts: dict[str, Listed] = {}

    def begin(self, when: float) -> Listing | None:
        """Begin anew with the daemon; return what it says at once: nothing yet."""
        self._due_at = when + self.habits.first_after_seconds
        self._is_heard, self._untold = False, None
        self._last, self._told_jwts = {}, {}
        return Listing() if self.is_configured else None

    def reconfigure(self) -> None:
        """Let the operator, perhaps, add it or take it out."""
        if self.rng.random() < self.habits.changing:
            self.is_configured = not self.is_configured

    def news(self, when: float, *, is_read: bool) -> Listing | None:
        """Return a new answer at the end of a cycle; None for no news.

        Args:
            when: the end of the cycle.
            is_read: some server was read in it. Until one is, nothing is told.
        """
        if not self.is_configured:
            return None
        self._is_heard |= is_read
        if when >= self._due_at:
            self._due_at = when + self.habits.every_seconds
            self._untold = self._read(when - self.rng.uniform(0.0, 25.0))
        if not self._is_heard:
            return None
        told, self._untold = self._untold, None
        return told

    def _read(self, when: float) -> Listing:
        rng, habits = self.rng, self.habits
        if rng.random() < habits.failing:
            self.world.seen.add("failed list")
            return Listing(dict(self._last))
        entries = self.world.directory.at(when - habits.lag_seconds)
        is_complete = bool(entries)
        if entries and rng.random() < habits.lacking:
            self.world.seen.add("lacking list")
            is_complete = False
            kept = rng.sample(sorted(entries), rng.randrange(len(entries)))
            entries = {account: entries[account] for account in kept}
        listed = self._listed(entries)
        if listed and rng.random() < habits.bare:
            listed[rng.choice(sorted(listed))] = Listed()
        self._last = listed
        return Listing(dict(listed), is_complete)

    def _listed(self, entries: dict[str, Entry]) -> dict[str, Listed]:
        listed = {account: Listed(*entry) for account, entry in entries.items()}
        if not self.habits.by_and_by:
            return listed
        known = {a: jwt for a, jwt in self._told_jwts.items() if a in listed}
        asked = self.rng.sample(sorted(listed), min(len(listed), JWTS_AT_ONCE))
        known |= {account: listed[account] for account in asked}
        self._told_jwts = known
        return {account: known.get(account, Listed()) for account in listed}
