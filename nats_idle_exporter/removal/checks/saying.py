"""How a check says what it found, and by whose word."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nats_idle_exporter.removal.case import Case
from nats_idle_exporter.removal.dossier import Outcome
from nats_idle_exporter.removal.words import counted, duration

OLDEST_SECONDS = 86_400.0
"""What was told longer ago is not known any more: much may have come since."""

PROOF = "the proof, by all servers' counters"
REGISTRY = "the registry"
SERVERS = "the servers' monitoring endpoints"

Words = str | Callable[[], str]
"""Words, or what makes them: most are never read, and making them is dear."""


# To look a member up in its class takes longer than all else in a finding.
_PASS, _FAIL, _UNKNOWN = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN


class Finding(NamedTuple):
    """How one item stands; see :class:`..dossier.Item`."""

    outcome: Outcome
    number: int
    words: Words

    @property
    def detail(self) -> str:
        """Return it in words."""
        return self.words if isinstance(self.words, str) else self.words()


def passes(words: Words) -> Finding:
    """Say that nothing blocks here."""
    return Finding(_PASS, 0, words)


def fails(number: int, words: Words) -> Finding:
    """Say how many things block, and which."""
    return Finding(_FAIL, number, words)


def doubts(words: Words, number: int = 1) -> Finding:
    """Say what nobody told."""
    return Finding(_UNKNOWN, number, words)


def jetstream(case: Case, now_at: float) -> str:
    """Return who told what JetStream holds, and how long ago at most."""
    holdings = case.facts.holdings
    return SERVERS + aged(None if holdings is None else holdings.as_of_at, now_at)


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


def outdated(told_at: float | None, now_at: float) -> Finding:
    """Say that what was told does not count any more."""
    since = now_at - (told_at or 0.0)
    return doubts(lambda: f"told {duration(since)} ago, too long to count")


def accounts(count: int) -> str:
    """Return how many accounts these are."""
    return counted(count, "account")
