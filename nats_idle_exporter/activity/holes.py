"""Holes: time in which a server could be used and nobody read it, for good.

A hole that a later reading of the same process closes is none: the process
kept counting. What is left are ends of processes and resets of counters.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import NamedTuple

from nats_idle_exporter.activity.policy import Policy

MOST_HOLES = 1000
"""Holes of a system remembered one by one; older ones are never forgiven."""
MOST_HOLES_OF_ACCOUNT = 64
"""The same for one account, of which there may be many."""

NEVER = float("-inf")

_by_end = attrgetter("end_at")


class Hole(NamedTuple):
    """One hole: where it ends on the slow timeline, how long on the fast one."""

    end_at: float
    seconds: float


def quiet_bound(holes: Iterable[Hole], policy: Policy, since_at: float) -> float:
    """Return since when quiet can be claimed, holes considered.

    Holes are forgiven while each is short and all of them together stay below
    the policy's bound, newest first; the first that does not fit ends the claim.

    Args:
        holes: in any order.
        policy: says what is forgiven.
        since_at: older holes do not matter; returned when all are forgiven.
    """
    forgiven = 0.0
    for hole in sorted(holes, reverse=True):
        if hole.end_at <= since_at:
            break
        forgiven += hole.seconds
        if hole.seconds > policy.longest_forgiven_seconds:
            return hole.end_at
        if hole.seconds and forgiven >= policy.forgiven_seconds:
            return hole.end_at
    return since_at


class Holes:
    """The holes of one system or of one account, bounded in number."""

    __slots__ = ("_holes", "_most", "unforgiven_until_at")

    def __init__(self, most: int = MOST_HOLES) -> None:
        self._holes: list[Hole] = []
        self._most = most
        self.unforgiven_until_at = NEVER
        """No policy can claim quiet from before this moment."""

    def __iter__(self) -> Iterator[Hole]:
        return iter(self._holes)

    def __bool__(self) -> bool:
        return bool(self._holes)

    def add(self, end_at: float, seconds: float) -> None:
        """Remember a hole; ``inf`` seconds is one that nothing forgives."""
        if seconds == float("inf"):
            self.unforgiven_until_at = max(self.unforgiven_until_at, end_at)
            return
        insort(self._holes, Hole(end_at, max(0.0, seconds)), key=_by_end)
        if len(self._holes) > self._most:
            oldest = self._holes.pop(0)
            self.unforgiven_until_at = max(self.unforgiven_until_at, oldest.end_at)

    def drop_until(self, at: float) -> None:
        """Forget holes that ended by then: quiet starts later anyway."""
        if self._holes:
            self._holes = [hole for hole in self._holes if hole.end_at > at]
