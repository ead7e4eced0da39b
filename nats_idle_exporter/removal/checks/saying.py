"""How a check says what it found, and by whose word."""

from __future__ import annotations

from typing import NamedTuple

from nats_idle_exporter.removal.case import Case
from nats_idle_exporter.removal.dossier import Check, Item, Outcome
from nats_idle_exporter.removal.words import counted, duration

OLDEST_SECONDS = 86_400.0
"""What was told longer ago is not known any more: much may have come since."""

REGISTRY = "the registry"
SERVERS = "the servers' monitoring endpoints"


class Says(NamedTuple):
    """Makes the item of one check, by the word of one source."""

    check: Check
    source: str

    def passes(self, detail: str) -> Item:
        """Say that nothing blocks here."""
        return Item(self.check, Outcome.PASS, 0, detail, self.source)

    def fails(self, number: int, detail: str) -> Item:
        """Say how many things block, and which."""
        return Item(self.check, Outcome.FAIL, number, detail, self.source)

    def doubts(self, detail: str, number: int = 1) -> Item:
        """Say what nobody told."""
        return Item(self.check, Outcome.UNKNOWN, number, detail, self.source)


def asked(case: Case, now_at: float) -> str:
    """Return who told the facts of an account, and how long ago at most."""
    facts = case.facts
    who = SERVERS if facts.is_listed is None else f"{SERVERS} and the inventory"
    return who + aged(facts.told_at, now_at)


def aged(told_at: float | None, now_at: float) -> str:
    """Return how long ago something was told, to be put behind who told it."""
    return "" if told_at is None else f", {duration(now_at - told_at)} ago"


def is_outdated(told_at: float | None, now_at: float) -> bool:
    """Say whether something was told too long ago to count."""
    return told_at is not None and now_at - told_at > OLDEST_SECONDS


def outdated_words(told_at: float | None, now_at: float) -> str:
    """Return why what was told does not count any more."""
    return f"told {duration(now_at - (told_at or 0.0))} ago, too long to count"


def accounts(count: int) -> str:
    """Return how many accounts these are."""
    return counted(count, "account")
