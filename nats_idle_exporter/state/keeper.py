"""The keeper: loads the state at start and saves it cycle by cycle.

Nothing here stops the watching. What cannot be written waits and is written with
the next save; only two files end the program at its start: one that another
process holds, and one that a later version wrote.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import structlog

from nats_idle_exporter.activity import SavedRow
from nats_idle_exporter.errors import (
    BrokenStateError,
    HeldStateError,
    NewerStateError,
    StartError,
    StateError,
)
from nats_idle_exporter.snapshot import StateStatus
from nats_idle_exporter.state.batch import Batch
from nats_idle_exporter.state.files import set_aside
from nats_idle_exporter.state.historian import DAY_SECONDS, HistorySoFar
from nats_idle_exporter.state.store import Store

T = TypeVar("T")

FORGET_EVERY_SECONDS: Final = DAY_SECONDS
"""How often what is too old is looked for."""

_log = structlog.get_logger(__name__)


class Keeper:
    """Owns the state file; use it from one event loop.

    Args:
        path: of the file.
        systems: the configured ones, by name.
        forget_after_seconds: when the rows of other systems are dropped.
        wall: Unix seconds.
    """

    def __init__(
        self,
        path: Path,
        systems: Collection[str],
        forget_after_seconds: float,
        wall: Callable[[], float],
    ) -> None:
        self._path = path
        self._systems = systems
        self._forget_after_seconds = forget_after_seconds
        self._wall = wall
        # One thread: there are never two saves at a time.
        self._thread = ThreadPoolExecutor(1, "state")
        self._store: Store | None = None
        self._forgot_at = float("-inf")
        self._waiting = Batch()
        self._offered = asyncio.Event()
        self._is_closing = False
        self._status = StateStatus()
        self._cause = ""

    @property
    def status(self) -> StateStatus:
        """Return how saving goes."""
        return self._status

    async def load(self) -> tuple[Mapping[str, list[SavedRow]], HistorySoFar]:
        """Open the file and return what it holds; nothing when it cannot be used.

        A broken file is set aside. Of one that cannot be written nothing is read:
        a later process might find it as it is now, older than what it believes.

        Raises:
            StartError: another process holds it, or a later version wrote it.
        """
        return await self._in_thread(self._load)

    async def reject(self, reason: str) -> None:
        """Set the file aside that was just loaded: its rows make no sense."""
        await self._in_thread(lambda: self._replace(reason))

    def offer(self, batch: Batch) -> None:
        """Have a batch written with the next save."""
        self._waiting.follow(batch)
        self._offered.set()

    async def run(self) -> None:
        """Save what is offered, until closed or cancelled."""
        while not self._is_closing:
            await self._offered.wait()
            self._offered.clear()
            await self._save()

    def close(self) -> None:
        """Let ``run`` save a last time and return."""
        self._is_closing = True
        self._offered.set()

    async def let_go(self) -> None:
        """Close the file, after any save that is still being written."""
        await self._in_thread(self._close)
        self._thread.shutdown()

    async def _save(self) -> None:
        batch, self._waiting = self._waiting, Batch()
        try:
            saved_at = await self._in_thread(lambda: self._write(batch))
        except StateError as error:
            batch.follow(self._waiting)
            self._waiting = batch
            self._failed(error)
        else:
            self._status = StateStatus(saved_at, self._status.errors)
            if self._cause:
                self._cause = ""
                _log.info("state saved again", path=str(self._path))

    def _failed(self, error: StateError) -> None:
        self._status = StateStatus(
            self._status.last_save_at, self._status.errors + 1
        )
        if str(error) != self._cause:
            self._cause = str(error)
            _log.error("state not saved", path=str(self._path), reason=self._cause)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    # -- in the thread

    def _load(self) -> tuple[Mapping[str, list[SavedRow]], HistorySoFar]:
        nothing = {}, HistorySoFar()
        try:
            self._store = Store(self._path)
            return self._store.rows(), self._store.history_so_far()
        except (HeldStateError, NewerStateError) as error:
            raise StartError(f"cannot use the state in {self._path}: {error}") from error
        ...
