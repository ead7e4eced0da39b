"""The checklist: what is known of an account -> may it go, and why not."""

from __future__ import annotations

from typing import NamedTuple

from nats_idle_exporter.removal.dossier import FRESH, Dossier, Stage
from nats_idle_exporter.removal.facts import AccountFacts, Use
from nats_idle_exporter.removal.registry import NO_ENTRY, Entry


class Case(NamedTuple):
    """All that is known of one account."""

    system: str
    use: Use
    facts: AccountFacts
    entry: Entry = NO_ENTRY
    stage: Stage = FRESH


def examine(case: Case, now_at: float) -> Dossier:
    """Return the dossier of one account as of a moment in Unix seconds."""
    raise NotImplementedError
