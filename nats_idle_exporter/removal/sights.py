"""What a cycle tells the lifecycle: accounts as they were seen, and who may log in."""

from __future__ import annotations

from collections.abc import Container, Iterable
from collections.abc import Set as AbstractSet
from typing import NamedTuple, Protocol

from nats_idle_exporter.removal.facts import AccountFacts


class SeenUse(Protocol):
    """The newest evidence of use."""

    @property
    def kind(self) -> str:
        """What showed it."""

    @property
    def server_id(self) -> str:
        """Who told it."""

    @property
    def at(self) -> float:
        """When, in Unix seconds."""


class SeenAccount(Protocol):
    """What the end of a cycle says of one account; the proof's views do."""

    @property
    def account(self) -> str:
        """Its id."""

    @property
    def name(self) -> str:
        """Its name, else its id."""

    @property
    def verdict(self) -> str:
        """The proof's word."""

    @property
    def last_evidence(self) -> SeenUse | None:
        """Its newest use; None when none was ever seen."""


class Doors(NamedTuple):
    """Who may log in, as far as it is known.

    ``closed`` are accounts that are disabled, or whose JWT has expired; ``told`` holds
    all accounts of which it is known whether they are.
    """

    closed: AbstractSet[str] = frozenset()
    told: Container[str] = frozenset()


def is_closed(facts: AccountFacts) -> bool | None:
    """Say whether nobody may log in to an account any more; None when nobody told."""
    if facts.is_expired:
        return True
    return None if facts.limits is None else facts.limits.is_disabled


def doors_of(facts: Iterable[AccountFacts]) -> Doors:
    """Return who may log in by the facts of accounts; what is not told is left out.

    Of very many accounts keep the sets, and change them by ``is_closed`` of those of
    whom something was told since.
    """
    told = {
        each.account: known for each in facts if (known := is_closed(each)) is not None
    }
    return Doors({account for account in told if told[account]}, told.keys())
