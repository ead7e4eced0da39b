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


def doors_of(facts: Iterable[AccountFacts]) -> Doors:
    """Return who may log in by the facts of accounts; what is not told is left out."""
    closed, told = set(), set()
    for each in facts:
        is_disabled = each.limits is not None and each.limits.is_disabled
        if each.is_expired or is_disabled:
            closed.add(each.account)
        if each.limits is not None or each.is_expired:
            told.add(each.account)
    return Doors(closed, told)
