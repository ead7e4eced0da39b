"""Find the rule of an account: globs on id or name, the first match wins.

Globs are those of :func:`fnmatch.fnmatchcase`: case counts, and a ``[`` in a
name is written ``[[]``. Account names are strangers' words: they are only ever
matched, never used as patterns.
"""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DEFAULT_GRACE_SECONDS = 30 * 86_400.0
"""How long an account stays disabled before it may go, where no rule says it."""

REMEMBERED = 262_144
"""Accounts whose rule is remembered; each is asked for in every cycle."""


class Exemption(NamedTuple):
    """Why an account is left alone, until a moment in Unix seconds."""

    until_at: float
    reason: str
    by: str


class Decommission(NamedTuple):
    """How far an account is on its way out; ``disabled_on_at`` is Unix seconds."""

    disabled_on_at: float | None = None
    approved_by: str = ""
    grace_seconds: float = DEFAULT_GRACE_SECONDS


class Entry(NamedTuple):
    """What is known of one account; None and "" where no rule says anything."""

    threshold_seconds: float | None = None
    gap_tolerance_seconds: float | None = None
    owner: str = ""
    team: str = ""
    environment: str = ""
    expected_at: float | None = None
    contact: str = ""
    purpose: str = ""
    exemption: Exemption | None = None
    decommission: Decommission = Decommission()


class Rule(NamedTuple):
    """One rule: the glob ``match`` on id or name, and what holds then."""

    match: str
    entry: Entry


NO_ENTRY = Entry()
_TAGS = {
    "owner": "owner",
    "team": "team",
    "environment": "environment",
    "env": "environment",
}


class Registry:
    """The operator's rules, asked by account; answers depend on nothing else."""

    def __init__(self, rules: Iterable[Rule] = (), exclude: Iterable[str] = ()) -> None:
        self._rules = tuple(rules)
        self._matching = _Globs([rule.match for rule in self._rules])
        self._matched: set[int] = set()
        self.was_asked = False
        """Some account was asked for: what is unused means something."""
        excluded = tuple(exclude)
        self._excluding = _Globs(excluded)
        has_any = bool(self._rules or excluded)
        self._look_up = lru_cache(REMEMBERED)(self._find) if has_any else _find_none

    def entry(self, account: str, name: str) -> Entry:
        """Return the entry of the first rule that matches the id or the name."""
        return self._look_up(account, name)[0]

    def excludes(self, account: str, name: str) -> bool:
        """Say whether an exclude glob matches the id or the name."""
        return self._look_up(account, name)[1]

    def unused(self) -> tuple[int, ...]:
        """Return the places of rules that were no account's first match so far."""
        return tuple(
            place for place in range(len(self._rules)) if place not in self._matched
        )

    def _find(self, account: str, name: str) -> tuple[Entry, bool]:
        self.was_asked = True
        index = self._matching.first(account, name)
        if index is None:
            entry = NO_ENTRY
        else:
            self._matched.add(index)
            entry = self._rules[index].entry
        return entry, self._excluding.first(account, name) is not None


def with_tags(entry: Entry, tags: Iterable[str], description: str) -> Entry:
    """Return an entry with what its account's JWT tells where no rule says anything.

    Tags are ``owner:x``, ``team:x``, ``environment:x`` or ``env:x``, in any case; of
    several the first counts. The description stands for the purpose.

    >>> with_tags(Entry(team="t"), ["owner:ann", "team:other"], "").owner
    'ann'
    """
    told: dict[str, str] = {}
    for tag in tags:
        key, _, value = tag.partition(":")
        word = _TAGS.get(key.strip().lower())
        if word and value.strip():
            told.setdefault(word, value.strip())
    if not told and not description:
        return entry
    return entry._replace(
        owner=entry.owner or told.get("owner", ""),
        team=entry.team or told.get("team", ""),
        environment=entry.environment or told.get("environment", ""),
        purpose=entry.purpose or description,
    )


def _find_none(_account: str, _name: str) -> tuple[Entry, bool]:
    return NO_ENTRY, False


class _Globs:
    """Globs in order; those without wildcards are found without a search."""

    def __init__(self, globs: Sequence[str]) -> None:
        self._plain: dict[str, int] = {}
        self._wild: list[tuple[int, re.Pattern[str]]] = []
        for index, glob in enumerate(globs):
            if re.search(r"[*?\[]", glob):
                self._wild.append((index, re.compile(translate(glob))))
            else:
                self._plain.setdefault(glob, index)

    def first(self, account: str, name: str) -> int | None:
        """Return the lowest index of a glob that matches either text."""
        found = [self._plain[text] for text in (account, name) if text in self._plain]
        best = min(found, default=None)
        for index, pattern in self._wild:
            if best is not None and index > best:
                break
            if pattern.match(account) or pattern.match(name):
                return index
        return best
