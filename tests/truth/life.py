"""What a script knows of one account, for it did it: the truth. Pure.

Times are seconds since the scene began, on a clock that never steps. Nothing here
knows what any exporter said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from typing import NamedTuple

EPSILON = 1e-6
"""Cycles are multiples of an interval, as floats are."""
HAIR_SECONDS = 0.01
"""A 1 that is early by less is no error, nor owed: an act takes no time here."""


class Span(NamedTuple):
    """A time; ``until`` is infinite as long as it lasts."""

    since: float
    until: float = inf

    def holds(self, at: float) -> bool:
        """Say whether a moment lies in it."""
        return self.since <= at < self.until


class Standing(StrEnum):
    """What may be said of an account at a moment."""

    ABSENT = "absent"
    """It does not exist: nothing said is judged."""
    USED = "used"
    """It was used within the threshold, or is none to be reported: 1 is wrong."""
    IDLE = "idle"
    """It was not, but nobody can prove that yet: 1 is no error, and not owed."""
    OWED = "owed"
    """It was not, and whoever watched can prove it: 0 is late."""


@dataclass(slots=True)
class Life:
    """One account of a scene: what was done to it, and what could be seen.

    Args:
        account: its id.
        case: what it is there to show.
        threshold_seconds: its own.

    Attributes:
        exists: when it was there, in order.
        uses: when it was used, in order; a moment is a span without length.
        blind: when nobody who polls could know, in order: watching began late, a
            server that was used could not be read, counters were lost.
        veils: when nobody could read, but what was read later tells all; not when.
        reported_from: before it nobody wants to be told.
        limit: why no polling can tell its idleness; "" for all others.
    """

    account: str
    case: str
    threshold_seconds: float
    exists: list[Span] = field(default_factory=lambda: [Span(0.0)])
    uses: list[Span] = field(default_factory=list)
    blind: list[Span] = field(default_factory=list)
    veils: list[Span] = field(default_factory=list)
    reported_from: float = 0.0
    limit: str = ""

    def quiet_since(self, at: float) -> float | None:
        """Return since when it is unused; None when it is in use, or not there."""
        existence = next((span for span in self.exists if span.holds(at)), None)
        begun = [span for span in self.uses if span.since <= at]
        if existence is None or any(span.holds(at) for span in begun):
            return None
        return max(existence.since, *(span.until for span in begun), -inf)

    def standing(self, at: float) -> Standing:
        """Return what may be said of it at a moment."""
        if not any(span.holds(at) for span in self.exists):
            return Standing.ABSENT
        since = self.quiet_since(at)
        idle_from = inf if since is None else since + self.threshold_seconds
        if at < max(idle_from, self.reported_from) - HAIR_SECONDS:
            return Standing.USED
        assert since is not None
        is_owed = at >= self._provable_from(since) - EPSILON
        return Standing.OWED if is_owed else Standing.IDLE

    def _provable_from(self, quiet_since: float) -> float:
        """Return from when on a quiet that began then can have been proven."""
        # Use under a veil is told by its end, and nothing says that it was earlier.
        proof = self._lifted(quiet_since)
        for span in self.blind:
            if span.until > proof and span.since < proof + self.threshold_seconds:
                proof = span.until
        return self._lifted(max(proof + self.threshold_seconds, self.reported_from))

    def _lifted(self, at: float) -> float:
        """Return when the veil over a moment lifts: at once if there is none."""
        return next((veil.until for veil in self.veils if veil.holds(at)), at)

    def words(self, cycle_at: Iterable[float]) -> str:
        """Return the truth in cycles, as the table tells it."""
        cycles = list(cycle_at)
        told = [
            *_told("gone", _gaps(self.exists), cycles),
            *_told("used", self.uses, cycles),
        ]
        if self.reported_from == inf:
            return "not to be reported"
        if self.reported_from:
            told.append(f"expected from {_cycle(self.reported_from, cycles)}")
        return ", ".join(told) or "never used"


def _told(word: str, spans: Iterable[Span], cycles: list[float]) -> Iterator[str]:
    words = []
    for span in spans:
        first, last = _cycle(span.since, cycles), _cycle(span.until, cycles)
        words.append(str(first) if first == last else f"{first}-{last}")
    words = list(dict.fromkeys(words))
    if len(words) > 3:
        words = [words[0], "...", words[-1]]
    if words:
        yield f"{word} {' '.join(words)}"


def _gaps(exists: list[Span]) -> Iterator[Span]:
    for before, after in zip(exists, [*exists[1:], Span(inf)], strict=True):
        if before.until < inf:
            yield Span(before.until, after.since)


def _cycle(at: float, cycles: list[float]) -> int | str:
    """Return the last cycle before a moment, or that there is none after it."""
    if at == inf:
        return "end"
    return max(0, sum(each <= at + EPSILON for each in cycles) - 1)
