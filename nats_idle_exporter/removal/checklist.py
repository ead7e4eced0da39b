"""The checklist: what is known of an account -> may it go, and why not."""

from __future__ import annotations

from nats_idle_exporter.removal.dossier import Dossier, Stage
from nats_idle_exporter.removal.facts import AccountFacts, Use
from nats_idle_exporter.removal.registry import Entry


def examine(
    system: str,
    use: Use,
    facts: AccountFacts,
    entry: Entry,
    stage: Stage,
    now_at: float,
) -> Dossier:
    """Return the dossier of one account as of a moment in Unix seconds."""
    raise NotImplementedError
