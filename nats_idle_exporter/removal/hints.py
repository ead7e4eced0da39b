"""Hints at why nobody uses an account: guesses, never a reason for or against.

They help a person to ask the right question first.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import NamedTuple

from nats_idle_exporter.removal.dossier import Hint, HintedCause
from nats_idle_exporter.removal.facts import Use
from nats_idle_exporter.removal.words import day, duration, quoted

TEMPORARY_WORDS = frozenset(
    {
        "demo",
        "dev",
        "example",
        "experiment",
        "playground",
        "poc",
        "sandbox",
        "scratch",
        "stage",
        "staging",
        "temp",
        "test",
        "testing",
        "tests",
        "tmp",
        "trial",
    }
)
"""Words of a name that say that the account was not meant to stay."""

AROUND_SECONDS = 7 * 86_400.0
"""A successor came into use at most so long before or after the last use."""

_LONGEST_NAME = 256
"""Longer names are no names that people gave."""
_SHORTEST_STEM = 3
_ACTIVE = "active"

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_VERSION_WORDS = frozenset({"v", "new", "old", "next", "legacy", "blue", "green"})


class Successor(NamedTuple):
    """An account with a like name, and when it came into use, Unix seconds."""

    account: str
    name: str
    arrived_at: float


_arrived_at = attrgetter("arrived_at")


class Successors:
    """Those who came into use while somebody watched, by the stems of their names.

    Reading is safe in threads while somebody adds: nobody is ever taken out. Very many
    may have one stem, ``customer-1`` and all the others, so they are sorted by time.
    """

    def __init__(self) -> None:
        self._by_stem: dict[str, list[Successor]] = {}

    def add(self, successor: Successor) -> None:
        """Know one more."""
        if stem := stem_of(successor.name):
            insort(self._by_stem.setdefault(stem, []), successor, key=_arrived_at)

    def find(self, account: str, name: str, used_at: float) -> Successor | None:
        """Return who may have taken over from an account last used at that time."""
        known = self._by_stem.get(stem_of(name), [])
        place = bisect_left(known, used_at, key=_arrived_at)
        after = _other(account, known, range(place, len(known)))
        before = _other(account, known, range(place - 1, -1, -1))
        near = [
            each
            for each in (before, after)
            if each and abs(each.arrived_at - used_at) <= AROUND_SECONDS
        ]
        return min(near, key=lambda each: abs(each.arrived_at - used_at), default=None)


def _other(
    account: str, known: list[Successor], places: Iterable[int]
) -> Successor | None:
    """Return the first of these who is another account."""
    those = (known[place] for place in places)
    return next((each for each in those if each.account != account), None)


NO_SUCCESSORS = Successors()


def hints_at(
    account: str, name: str, use: Use, now_at: float, successors: Successors
) -> tuple[HintedCause, ...]:
    """Return what the silence of an account may come from; nothing for one in use."""
    if use.verdict == _ACTIVE:
        return ()
    return tuple(_hints(account, name, use, now_at, successors))


def _hints(
    account: str, name: str, use: Use, now_at: float, successors: Successors
) -> Iterator[HintedCause]:
    if (used_at := use.last_use_at) is None:
        watched = day(use.quiet_since_at)
        words = f"never seen in use, as far back as {watched}: made in advance?"
        yield HintedCause(Hint.NEVER_USED, words)
    else:
        ago = duration(now_at - used_at)
        words = f"used until {day(used_at)}, {ago} ago: moved away, or a dead client?"
        yield HintedCause(Hint.USED_UNTIL, words)
    found = sorted(TEMPORARY_WORDS.intersection(_words(name)))
    if found:
        words = f"its name says {quoted(found[0])}: left over?"
        yield HintedCause(Hint.TEMPORARY_NAME, words)
    if used_at is not None and (taken := successors.find(account, name, used_at)):
        words = f"{quoted(taken.name)} came into use on {day(taken.arrived_at)}"
        yield HintedCause(Hint.SUCCEEDED, f"{words}: taken over?")


def stem_of(name: str) -> str:
    """Return what like names have in common, "" for one that says too little.

    >>> stem_of("ordersV2"), stem_of("orders-2024-new"), stem_of("A1")
    ('orders', 'orders', '')
    """
    words = [each for each in _words(name) if not each.isdigit()]
    stem = "-".join(each for each in words if each not in _VERSION_WORDS)
    return stem if len(stem) >= _SHORTEST_STEM else ""


def _words(name: str) -> list[str]:
    if len(name) > _LONGEST_NAME:
        return []
    return [each.lower() for each in _WORD.findall(name)]
