"""Follow the sources of endpoints of one system beside the poll loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from nats_idle_exporter.monitoring.followed import Followed
from nats_idle_exporter.snapshot import DiscoveryStatus


class KeepsDiscovery(Protocol):
    """What is needed of a reader of sources."""

    interval_seconds: float
    news: dict[str, tuple[str, ...]]

    async def step(self, now: float) -> object:
        """Look all sources up; monotonic seconds."""

    async def close(self) -> None:
        """Give back what is held."""

    def recall(self, found: Mapping[str, tuple[str, ...]]) -> None:
        """Take over what was found before the process started."""

    def statuses(self) -> tuple[DiscoveryStatus, ...]:
        """Return how looking up goes, by source."""


class FollowedDiscovery(Followed):
    """One system's sources of endpoints, told cycle by cycle.

    Args:
        keeper: looks them up.
        found: by source, what an earlier process found.
    """

    def __init__(
        self, keeper: KeepsDiscovery, found: Mapping[str, tuple[str, ...]]
    ) -> None:
        super().__init__(keeper)
        self.keeper = keeper
        keeper.recall(found)

    def news(self) -> dict[str, tuple[str, ...]]:
        """Return what was found since the last call, by source."""
        news, self.keeper.news = self.keeper.news, {}
        return news

    @property
    def statuses(self) -> tuple[DiscoveryStatus, ...]:
        """Return how looking up goes, by source."""
        return self.keeper.statuses()
