"""A batch: everything that one save writes, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from nats_idle_exporter.activity import Changes

MOST_VERDICT_CHANGES = 100_000
"""Kept while they cannot be written; then the oldest are lost."""


class VerdictChange(NamedTuple):
    """One account's verdict became another; ``at`` is Unix seconds.

    ``before`` is "" for an account that had none, ``after`` for one that is gone.
    ``evidence`` is the kind of the newest evidence of use, "" when there is none.
    """

    system: str
    account: str
    at: float
    before: str
    after: str
    evidence: str


@dataclass(slots=True)
class Batch:
    """What is to be written: rows to put or, where None, to delete; and history.

    ``days`` holds the days of use since the last save: (system, account) and the
    UTC day, counted from the Unix epoch.
    """

    rows: dict[tuple[str, str, str], bytes | None] = field(default_factory=dict)
    days: set[tuple[str, str, int]] = field(default_factory=set)
    verdicts: list[VerdictChange] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.rows or self.days or self.verdicts)

    def add(self, system: str, changes: Changes) -> None:
        """Take in what changed in one system."""
        for kind, key, value in changes.puts:
            self.rows[system, kind, key] = value
        for kind, key in changes.deletes:
            self.rows[system, kind, key] = None

    def follow(self, later: Batch) -> None:
        """Take in a later batch: of each row the later word counts."""
        self.rows.update(later.rows)
        self.days |= later.days
        self.verdicts += later.verdicts
        del self.verdicts[:-MOST_VERDICT_CHANGES]
