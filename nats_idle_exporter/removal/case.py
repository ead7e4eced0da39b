"""All that is known of one account when it is asked whether it may go."""

from __future__ import annotations

from typing import NamedTuple

from nats_idle_exporter.removal.dossier import FRESH, Stage
from nats_idle_exporter.removal.facts import AccountFacts, Use
from nats_idle_exporter.removal.hints import NO_SUCCESSORS, Successors
from nats_idle_exporter.removal.registry import NO_ENTRY, Entry


class Case(NamedTuple):
    """All that is known of one account; ``successors`` of all of its system.

    ``is_entry_shared`` says that its rule is found by its name alone, and that other
    accounts of the system have that name, too.
    """

    system: str
    use: Use
    facts: AccountFacts
    entry: Entry = NO_ENTRY
    stage: Stage = FRESH
    successors: Successors = NO_SUCCESSORS
    is_entry_shared: bool = False
