"""What the operator set for each account, as far as the proof needs it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, Protocol

FORGIVEN_SHARE = 20
"""Forgiven holes stay below this part of the threshold (design of the proof)."""


class Policy(NamedTuple):
    """How long an account must be quiet, from when on, and which holes are forgiven."""

    threshold_seconds: float
    gap_tolerance_seconds: float
    expected_at: float = float("-inf")
    """Nobody expects use before this moment, in Unix seconds."""
    exempt_until_at: float = float("-inf")
    """Somebody asked to leave it alone until this moment, in Unix seconds."""

    @property
    def forgiven_seconds(self) -> float:
        """Return the bound that all forgiven holes together stay below."""
        return self.threshold_seconds / FORGIVEN_SHARE

    @property
    def longest_forgiven_seconds(self) -> float:
        """Return the length of the longest single hole that is forgiven."""
        return min(self.gap_tolerance_seconds, self.forgiven_seconds)


class Rules(Protocol):
    """The operator's rules for accounts; answers never depend on time."""

    def policy(self, account: str, name: str) -> Policy:
        """Return the policy of an account, by its id and its name."""

    def excludes(self, account: str, name: str) -> bool:
        """Say whether the configuration excludes the account."""


class BriefConnections(StrEnum):
    """What it means that a closed connection may have been forgotten untold."""

    REQUIRE = "require"
    """Somebody may have been here: a hole."""
    BEST_EFFORT = "best_effort"
    """It is counted, and forgiven."""


class Cadence(NamedTuple):
    """How often we look, in seconds: it says when a reading is outdated."""

    poll_seconds: float
    jetstream_seconds: float
    forget_after_seconds: float
    """What no server tells of any more is forgotten after this: in operator mode
    an account that none lists, and in any mode what an ended server counted."""
    brief_connections: BriefConnections = BriefConnections.REQUIRE
