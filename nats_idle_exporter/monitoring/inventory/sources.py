"""Sources of accounts: what every one of them can do, and those that are files."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Callable
from typing import Protocol

from nats_idle_exporter.monitoring.inventory.accounts import SourceList


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
        self._read = read
        self._reading: Future[SourceList] | None = None

    async def read(self) -> SourceList:
        """Return what it lists now.

        A reading that hangs, on a dead network mount say, outlives a caller who
        gives up. The next caller waits for it too: hung threads do not pile up.
        """
        if self._reading is None:
            loop = asyncio.get_running_loop()
            self._reading = loop.run_in_executor(None, self._read)
            self._reading.add_done_callback(self._ended)
        return await asyncio.shield(self._reading)

    async def close(self) -> None:
        """Hold nothing, so do nothing."""

    def _ended(self, reading: Future[SourceList]) -> None:
        self._reading = None
        # Who gave up does not ask for the error, and asyncio would complain.
        if not reading.cancelled():
            reading.exception()
