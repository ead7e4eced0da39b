"""Look all sources of endpoints of one system up again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import structlog

from nats_idle_exporter.monitoring.discovery.found import (
    MOST_ENDPOINTS,
    DiscoveryError,
    FindsEndpoints,
    FoundEndpoint,
)
from nats_idle_exporter.monitoring.reporting import Reminder
from nats_idle_exporter.snapshot import DiscoveryStatus

TIMEOUT_SECONDS: Final = 15.0
"""How long one source may take."""

_log = structlog.get_logger(__name__)


class Lead(NamedTuple):
    """Which source an endpoint comes from, and whom its certificate has to name."""

    source: str
    server_name: str


class DiscoveryReader:
    """Keep what the sources of one system found last.

    It owns no task and no clock: whoever does calls ``step``, one at a time.

    Args:
        system: the system's name.
        sources: where its endpoints are found.
        interval_seconds: how often they are looked up.
        timeout_seconds: how long one source may take.
    """

    def __init__(
        self,
        system: str,
        sources: Sequence[FindsEndpoints],
        interval_seconds: float,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self.interval_seconds = interval_seconds
        self.news: dict[str, tuple[str, ...]] = {}
        """By source, what was found since that was taken; empty for no news."""
        self._system = system
        self._sources = {
            each.label: _Source(system, each, timeout_seconds) for each in sources
        }
        self._leads: dict[str, Lead] = {}

    async def step(self, now: float) -> None:
        """Look all sources up; ``now`` is monotonic seconds."""
        async with asyncio.TaskGroup() as lookups:
            for source in self._sources.values():
                lookups.create_task(source.refresh(now))
        for label, source in self._sources.items():
            if source.last is not None and source.error is None:
                self.news[label] = source.urls
        self._note_leads()

    async def close(self) -> None:
        """Hold nothing, so do nothing."""

    def recall(self, found: Mapping[str, tuple[str, ...]]) -> None:
        """Take over what was found before the process started, where nothing was since.

        Whom their certificates have to name is known where the source has one name.
        """
        for label, urls in found.items():
            source = self._sources.get(label)
            if source is not None and source.last is None:
                source.recall(urls)
        self._note_leads()

    def lead(self, url: str) -> Lead | None:
        """Return where an endpoint was found; None for one that was not."""
        return self._leads.get(url)

    def statuses(self) -> tuple[DiscoveryStatus, ...]:
        """Return how looking up goes, by source."""
        return tuple(
            DiscoveryStatus(
                system=self._system,
                source=label,
                is_up=source.error is None and source.last is not None,
                endpoints=len(source.last or ()),
                last_error=source.error or "",
            )
            for label, source in self._sources.items()
        )

    def _note_leads(self) -> None:
        self._leads = {}
        for label, source in self._sources.items():
            for each in source.last or ():
                self._leads.setdefault(each.url, Lead(label, each.server_name))


class _Source:
    """One source, and what it found last."""

    def __init__(
        self, system: str, finds: FindsEndpoints, timeout_seconds: float
    ) -> None:
        self._finds = finds
        self._timeout_seconds = timeout_seconds
        self._log = _log.bind(system=system, source=finds.label)
        self._reminder = Reminder()
        self.last: tuple[FoundEndpoint, ...] | None = None
        self.error: str | None = None

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.url for each in self.last or ()))

    def recall(self, urls: tuple[str, ...]) -> None:
        """Take over what it told before the process started."""
        name = self._finds.server_name
        self.last = tuple(FoundEndpoint(url, name) for url in urls)

    async def refresh(self, now: float) -> None:
        """Look it up; a failure leaves what was found last."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                found = _bounded(self._finds.label, await self._finds.find())
        except DiscoveryError as error:
            self._failed(error, now)
        except TimeoutError:
            expected = f"an answer within {self._timeout_seconds:g} s"
            label = self._finds.label
            self._failed(DiscoveryError(label, expected=expected, found="none"), now)
        else:
            self._succeeded(found)

    def _succeeded(self, found: tuple[FoundEndpoint, ...]) -> None:
        self.error = None
        if self._reminder.is_over(self._finds.label):
            self._log.info("discovery recovered")
        before = frozenset(self.urls)
        self.last = found
        for url in self.urls:
            if url not in before:
                self._log.info("endpoint found", endpoint=url)
        for url in sorted(before.difference(self.urls)):
            self._log.info("endpoint found no more", endpoint=url)

    def _failed(self, error: DiscoveryError, now: float) -> None:
        self.error = str(error)
        if self._reminder.is_due(self._finds.label, self.error, now):
            self._log.warning(
                "discovery failed",
                where=error.where,
                expected=error.expected,
                found=error.found,
                endpoints_kept=len(self.last or ()),
            )


def _bounded(label: str, found: tuple[FoundEndpoint, ...]) -> tuple[FoundEndpoint, ...]:
    if len(found) > MOST_ENDPOINTS:
        raise DiscoveryError(
            label, expected=f"at most {MOST_ENDPOINTS} endpoints", found="more"
        )
    return found
