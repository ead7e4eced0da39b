"""Accounts as cycles see them, and a lifecycle that steps through cycles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from nats_idle_exporter.removal import Entry, Registry, Rule
from nats_idle_exporter.removal.dossier import FRESH, Stage
from nats_idle_exporter.removal.happenings import Event
from nats_idle_exporter.removal.lifecycle import Lifecycle
from nats_idle_exporter.removal.registry import (
    DEFAULT_GRACE_SECONDS,
    Decommission,
    Exemption,
)
from nats_idle_exporter.removal.sights import Doors
from tests.removal.cases import NOW

CYCLE = 30.0
OPEN = Doors(told={"A", "B"})
CLOSED = Doors({"A"}, {"A", "B"})


class Used(NamedTuple):
    """A use; ``shift`` is how far it was dated later since."""

    at: float
    kind: str = "sent"
    server_id: str = "N1"
    shift: float = 0.0

    @property
    def slow_at(self) -> float:
        """Where it stays."""
        return self.at - self.shift


class Seen(NamedTuple):
    """One account as a cycle shows it; by default one that nobody ever used."""

    verdict: str = "unknown"
    last_evidence: Used | None = None
    account: str = "A"
    name: str = "team"


ACTIVE, INACTIVE, EXEMPT = (Seen(word) for word in ("active", "inactive", "exempt"))


def ruled(
    until_at: float | None = None,
    match: str = "A",
    disabled_on_at: float | None = None,
    grace_seconds: float = DEFAULT_GRACE_SECONDS,
) -> Registry:
    """Return a registry with one rule."""
    exemption = None if until_at is None else Exemption(until_at, "r", "b")
    decommission = Decommission(disabled_on_at, "", grace_seconds)
    entry = Entry(exemption=exemption, decommission=decommission)
    return Registry([Rule(match, entry)])


class Followed:
    """A lifecycle, the time, and what was saved of it."""

    def __init__(self, registry: Registry | None = None) -> None:
        self.registry = registry or Registry()
        self.now_at = NOW
        self.lifecycle = Lifecycle()
        self.rows: dict[tuple[str, str], bytes] = {}

    def step(
        self, *accounts: Seen, doors: Doors = OPEN, after: float = CYCLE
    ) -> list[Event]:
        """Step once, so many seconds later."""
        self.now_at += after
        return self.lifecycle.step(self.now_at, accounts, doors, self.registry)

    def happened(
        self, *accounts: Seen, doors: Doors = OPEN, after: float = CYCLE
    ) -> list[str]:
        """Step once; return what happened, by its name."""
        return [
            each.happening for each in self.step(*accounts, doors=doors, after=after)
        ]

    def save(self) -> Iterable[tuple[str, str]]:
        """Save what changed; return what was written or deleted."""
        changes = self.lifecycle.changes()
        for kind, key, value in changes.puts:
            self.rows[kind, key] = value
        for place in changes.deletes:
            self.rows.pop(place, None)
        return [*((kind, key) for kind, key, _ in changes.puts), *changes.deletes]

    def restart(self) -> None:
        """Save, and go on with what was saved."""
        self.save()
        rows = [(*place, value) for place, value in self.rows.items()]
        self.lifecycle = Lifecycle.resume(rows)

    def stage(self, account: str = "A") -> Stage:
        """Return where an account stands."""
        return self.lifecycle.stages.get(account, FRESH)
