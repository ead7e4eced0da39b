"""Read all sources of one system again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from nats_idle_exporter.monitoring.inventory.accounts import (
    MOST_ACCOUNTS,
    Problem,
    Roles,
    SourceError,
    SourceList,
)
from nats_idle_exporter.monitoring.inventory.reporting import InventoryReporter
from nats_idle_exporter.monitoring.inventory.sources import ListsAccounts
from nats_idle_exporter.monitoring.inventory.union import (
    Inventory,
    Labelled,
    SourceStatus,
    unite,
    unite_roles,
)

TIMEOUT_SECONDS: Final = 20.0
"""How long one source may take."""

_SLACK: Final = 0.1
"""Part of the interval by which a step may come early and still refresh."""


class _Source:
    """One source, and its last good list."""

    def __init__(self, lists: ListsAccounts, timeout_seconds: float) -> None:
        self._lists = lists
        self._timeout_seconds = timeout_seconds
        self.last: SourceList | None = None
        self.error: Problem | None = None
        self.label = lists.label

    async def refresh(self) -> None:
        """Read it; a failure leaves the last list."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                self.last = self._bounded(await self._lists.read())
            self.error = None
        except SourceError as error:
            self.error = error.problem
        except TimeoutError:
            expected = f"an answer within {self._timeout_seconds:g} s"
            self.error = Problem(self.label, expected, "none")

    def _bounded(self, listed: SourceList) -> SourceList:
        if len(listed.accounts) > MOST_ACCOUNTS:
            expected = f"at most {MOST_ACCOUNTS} accounts"
            raise SourceError(self.label, expected=expected, found="more")
        return listed

    async def close(self) -> None:
        await self._lists.close()

    @property
    def roles(self) -> Roles | None:
        """What it tells of roles, if it could be read just now."""
        return self.last.roles if self.last and self.error is None else None

    def status(self) -> SourceStatus:
        last = self.last or SourceList(is_complete=False)
        return SourceStatus(
            label=self.label,
            accounts=len(last.accounts),
            is_complete=last.is_complete and self.error is None,
            error=self.error,
            problems=last.problems,
            servers=last.servers,
        )


class InventoryReader:
    """Keep the inventory of one system.

    It owns no task and no clock: whoever does calls ``step``, one at a time.

    Args:
        system: the system's name, for the log.
        sources: where its accounts are listed.
        interval_seconds: how often they are read.
        timeout_seconds: how long one source may take.
    """

    def __init__(
        self,
        system: str,
        sources: Sequence[ListsAccounts],
        interval_seconds: float,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._sources = [_Source(each, timeout_seconds) for each in sources]
        self._reporter = InventoryReporter(system)
        self.interval_seconds = interval_seconds
        self._refreshed_at: float | None = None
        self.inventory = Inventory()

    async def step(self, now: float) -> Inventory | None:
        """Read all sources if it is time, and return what they list then.

        Args:
            now: monotonic seconds.

        Returns:
            The new ``inventory``, or None when it was not yet time.
        """
        least = self.interval_seconds * (1 - _SLACK)
        if self._refreshed_at is not None and now - self._refreshed_at < least:
            return None
        self._refreshed_at = now
        async with asyncio.TaskGroup() as reads:
            for source in self._sources:
                reads.create_task(source.refresh())
        lists = [Labelled(each.label, each.last) for each in self._sources if each.last]
        self.inventory = Inventory(
            # With many accounts this takes long: scrapes must not wait.
            accounts=await asyncio.to_thread(unite, lists),
            statuses=tuple(each.status() for each in self._sources),
            refreshes=self.inventory.refreshes + 1,
            roles=unite_roles(each.roles for each in self._sources),
            written_at=max(
                (at for _, each in lists if (at := each.written_at) is not None),
                default=None,
            ),
        )
        for status in self.inventory.statuses:
            self._reporter.refreshed(status, now)
        return self.inventory

    async def close(self) -> None:
        """Give back what the sources hold."""
        for source in self._sources:
            await source.close()
