"""All that is known of one system at the end of a cycle beside the proof."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from nats_idle_exporter.activity import AccountView, Instant
from nats_idle_exporter.monitoring.inquiry.answers import Answer
from nats_idle_exporter.monitoring.inquiry.copies import Copies
from nats_idle_exporter.monitoring.inquiry.holdings import Held
from nats_idle_exporter.monitoring.inquiry.importers import Imported
from nats_idle_exporter.monitoring.inquiry.roles import RolesKnown
from nats_idle_exporter.monitoring.inventory import InventoryAccount


class Moment(NamedTuple):
    """The end of a cycle: on the timelines of the proof, and in Unix seconds."""

    now: Instant
    wall_at: float

    def wall_of(self, fast: float) -> float:
        """Return in Unix seconds when something was; it is never too late."""
        return self.wall_at - (self.now.fast - fast)


class Heard(NamedTuple):
    """An answer, and when it was asked for, on the fast timeline."""

    answer: Answer
    fast: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that is known of one system; nothing in here is ever changed.

    Args:
        views: by account id.
        heard: what servers told when they were asked, by account id.
        loaded: those that some server has in memory.
        shut: accounts that nobody may log in to by every server that has them loaded,
            and when the oldest of their words was asked for, on the fast timeline.
        is_configuration_used: whether every server read the files that the inventory
            lists from since they changed.
        importers: who imports from whom, by servers.
        listed_importers: the same by the inventory.
        listed: what the inventory lists.
        is_listing_complete: whether nobody lacks in it.
        held: by JetStream, by account id.
        held_at: when the oldest of its rounds was asked; None while one lacks.
        is_all_held: whether every server had the time to find its streams.
        copies: who copies from whom.
        roles: what the system needs accounts for.
        untold: accounts whose imports nobody told; None when more may exist.
        moment: the end of the cycle.
    """

    views: Mapping[str, AccountView]
    heard: Mapping[str, Heard]
    loaded: Collection[str]
    shut: Mapping[str, float]
    is_configuration_used: bool
    importers: Imported
    listed_importers: Imported
    listed: Mapping[str, InventoryAccount]
    is_listing_complete: bool
    held: Mapping[str, Held]
    held_at: float | None
    is_all_held: bool
    copies: Copies
    roles: RolesKnown
    untold: Collection[str] | None
    moment: Moment
