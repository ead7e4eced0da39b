"""The dossier: all that is said about whether one account may go."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from nats_idle_exporter.removal.facts import AccountFacts, Use
from nats_idle_exporter.removal.registry import NO_ENTRY, Entry


class Check(StrEnum):
    """The items of the checklist, in the order in which they are shown."""

    CONNECTIONS = "connections"
    """Nobody is connected now."""
    USE = "use"
    """No use within the account's threshold."""
    WATCHED = "watched"
    """Watched long enough, by the account's own threshold, up to now."""
    STREAMS = "streams"
    """No streams and no consumers."""
    RESERVED = "reserved"
    """No memory and no storage set aside."""
    IMPORTERS = "importers"
    """Nobody imports from it."""
    COPIES = "copies"
    """No stream elsewhere mirrors or sources from it."""
    ROLE = "role"
    """Not an account that the system itself needs."""
    CREDENTIALS = "credentials"
    """JWT and credentials allow no login any more, as far as can be known."""
    APPROVAL = "approval"
    """The owner approved."""
    EXEMPTION = "exemption"
    """No exemption holds."""


class Outcome(StrEnum):
    """How an item stands; unknown is never a pass."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    UNKNOWN = "unknown"


class Removability(StrEnum):
    """Whether an account may go."""

    SAFE = "safe"
    """Every item passes."""
    BLOCKED = "blocked"
    """Some item fails."""
    UNKNOWN = "unknown"
    """None fails, but some are not known."""


class Item(NamedTuple):
    """One item of the checklist.

    ``number`` is how many things block (streams, importers, ...), 1 where there is
    nothing to count, 0 for a pass. ``detail`` says it in words, with the numbers, and
    ``source`` where they came from; both are one line, and may hold strangers' words.
    """

    check: Check
    outcome: Outcome
    number: int
    detail: str
    source: str


class Hint(StrEnum):
    """A guess at the cause; never a reason for or against anything."""

    NEVER_USED = "never_used"
    """Never seen in use: pre-provisioned?"""
    USED_UNTIL = "used_until"
    """Used until a day, and then no more: migrated, or its client is dead?"""
    TEMPORARY_NAME = "temporary_name"
    """Its name says test, staging or the like: left over?"""
    SUCCEEDED = "succeeded"
    """Another account with a like name came into use when this one fell silent."""


class HintedCause(NamedTuple):
    """A hint, and what it stands on, in words."""

    hint: Hint
    detail: str


class Stage(NamedTuple):
    """Where an account stands on its way out; see :mod:`..removal.lifecycle`.

    Args:
        disabled_at: since when nobody may connect, by the registry or first seen.
        grace_ends_at: when it may be deleted, if it stays unused until then.
        reactivations: how often it was used again after it was raised inactive or
            disabled, since it is known.
        reactivated_at: the last time, None for never.
        reactivated_by: the kind of evidence of the last time, and the server's id.
    """

    disabled_at: float | None = None
    grace_ends_at: float | None = None
    reactivations: int = 0
    reactivated_at: float | None = None
    reactivated_by: str = ""


FRESH = Stage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """One account: what is known, what follows from it, and where it stands.

    ``items`` holds every check once, in their order. ``manual`` lists what no program
    can see, for a person to tick off.
    """

    system: str
    use: Use
    facts: AccountFacts
    entry: Entry = NO_ENTRY
    removability: Removability
    items: tuple[Item, ...]
    hints: tuple[HintedCause, ...] = ()
    manual: tuple[str, ...] = ()
    stage: Stage = FRESH

    @property
    def account(self) -> str:
        """Return the account's id."""
        return self.facts.account

    @property
    def name(self) -> str:
        """Return the account's name."""
        return self.facts.name

    @property
    def blockers(self) -> tuple[Item, ...]:
        """Return the items that do not pass."""
        return tuple(each for each in self.items if each.outcome is not Outcome.PASS)
