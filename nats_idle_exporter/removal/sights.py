"""What a cycle tells the lifecycle: accounts as they were seen, and who may log in."""

from __future__ import annotations

from collections.abc import Container
from collections.abc import Set as AbstractSet
from typing import NamedTuple, Protocol


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

    @property
    def slow_at(self) -> float:
        """When, on a timeline of its own: one use never moves there."""


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
