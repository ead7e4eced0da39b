"""Sources of accounts: what every one of them can do, and those that are files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from nats_idle_exporter.monitoring.inventory.accounts import SourceList
from nats_idle_exporter.monitoring.threads import OneThread


class ListsAccounts(Protocol):
    """One place where accounts are listed."""

    @property
    def label(self) -> str:
        """Return what it is called in logs and metrics, without credentials."""

    async def read(self) -> SourceList:
        """Return what it lists now.

        Raises:
            SourceError: it lists nothing.
        """

    async def close(self) -> None:
        """Give back what it holds."""


class FileSource:
    """A source whose reading blocks: it is read in a thread, one at a time.

    Args:
        label: what it is called.
        read: reads it all; raises ``SourceError``.
    """

    def __init__(self, label: str, read: Callable[[], SourceList]) -> None:
        self.label = label
        self._thread = OneThread(read)

    async def read(self) -> SourceList:
        """Return what it lists now, together with whoever waits for that already."""
        return await self._thread.run()

    async def close(self) -> None:
        """Hold nothing, so do nothing."""
