"""The keeper: loads the state at start and saves it cycle by cycle.

Nothing here stops the watching. What cannot be written waits and is written with
the next save. Two files only end the program at its start: one that another
process holds, and one that a later version wrote.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

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

TIDY_SECONDS: Final = DAY_SECONDS
"""How often old history and old systems are looked for."""

_log = structlog.get_logger(__name__)


class Loaded(NamedTuple):
    """What the file held: rows by system, and how the history ends."""

    rows: Mapping[str, list[SavedRow]]
    history: HistorySoFar


NOTHING: Final = Loaded({}, HistorySoFar())


class Keeper:
    """Owns the state file; use it from one event loop.

    Args:
        path: of the file.
        systems: the configured ones, by name.
        forget_after_seconds: when what is kept of other systems is dropped.
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
        self._tidied_at: float | None = None
        self._waiting = Batch()
        self._is_offered = asyncio.Event()
        self._is_closing = False
        self._last_save_at = 0.0
        self._errors = 0
        self._cause = ""

    def adopt(self, systems: Collection[str], forget_after_seconds: float) -> None:
        """Have other systems configured from the next save on."""
        self._systems = systems
        self._forget_after_seconds = forget_after_seconds

    @property
    def status(self) -> StateStatus:
        """Return how saving goes."""
        return StateStatus(self._last_save_at, self._errors)

    async def load(self) -> Loaded:
        """Open the file and return what it holds; nothing if it cannot be used.

        A broken file is set aside. Of one that cannot be written nothing is taken:
        what follows could not be added to it.

        Raises:
            StartError: another process holds it, or a later version wrote it.
        """
        try:
            return await self._in_thread(self._load)
        except (HeldStateError, NewerStateError) as error:
            raise StartError(f"cannot use the state {self._path}: {error}") from error
        except StateError as error:
            self._failed(error)
        return NOTHING

    async def reject(self, reason: str) -> None:
        """Set the file aside that was loaded: its rows make no sense."""
        try:
            await self._in_thread(lambda: self._begin_anew(reason))
        except StateError as error:
            self._failed(error)

    def offer(self, batch: Batch) -> None:
        """Have a batch written with the next save."""
        self._waiting.follow(batch)
        self._is_offered.set()

    async def run(self) -> None:
        """Save what is offered, until closed; then save a last time."""
        while not self._is_closing:
            await self._is_offered.wait()
            self._is_offered.clear()
            await self._save()
        if self._waiting:
            await self._save()

    def close(self) -> None:
        """Let ``run`` save what still waits, and return."""
        self._is_closing = True
        self._is_offered.set()

    async def let_go(self) -> None:
        """Close the file, once a save that is being written is over."""
        await self._in_thread(self._close)
        self._thread.shutdown()

    async def _save(self) -> None:
        batch, self._waiting = self._waiting, Batch()
        try:
            self._last_save_at = await self._in_thread(lambda: self._write(batch))
        except StateError as error:
            batch.follow(self._waiting)
            self._waiting = batch
            self._failed(error)
        else:
            if self._cause:
                self._cause = ""
                _log.info("state saved again", path=str(self._path))

    def _failed(self, error: StateError) -> None:
        self._errors += 1
        if str(error) != self._cause:
            self._cause = str(error)
            _log.error("state not saved", path=str(self._path), reason=self._cause)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    # -- in the thread

    def _load(self) -> Loaded:
        try:
            self._store = Store(self._path)
            return Loaded(self._store.rows(), self._store.history_so_far())
        except BrokenStateError as error:
            self._begin_anew(str(error))
            return NOTHING

    def _begin_anew(self, reason: str) -> Store:
        self._close()
        aside = set_aside(self._path, self._wall())
        _log.error(
            "state is broken: set aside, and begun anew",
            path=str(self._path),
            aside=str(aside),
            reason=reason,
        )
        self._store = Store(self._path)
        return self._store

    def _write(self, batch: Batch) -> float:
        store, now = self._store or self._open_late(), self._wall()
        store.write(batch, self._systems, now)
        if self._tidied_at is None or abs(now - self._tidied_at) >= TIDY_SECONDS:
            store.forget(self._systems, now, self._forget_after_seconds)
            self._tidied_at = now
        return now

    def _open_late(self) -> Store:
        """Open the file after all; what it holds was not loaded, so it stays apart."""
        try:
            store = self._store = Store(self._path)
        except BrokenStateError as error:
            return self._begin_anew(str(error))
        if store.is_used:
            return self._begin_anew("it could not be opened at the start")
        return store

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
