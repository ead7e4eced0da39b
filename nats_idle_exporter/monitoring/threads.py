"""Blocking calls beside the event loop, one of each kind at a time."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class OneThread(Generic[T]):
    """Call something that blocks in a thread, never twice at once.

    Args:
        call: what is called.
    """

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._running: Future[T] | None = None

    async def run(self) -> T:
        """Return what the call returns; raise what it raises.

        A call that hangs, on a dead network mount say, outlives a caller who gives
        up. The next caller waits for it too: hung threads do not pile up.
        """
        if self._running is None:
            loop = asyncio.get_running_loop()
            self._running = loop.run_in_executor(None, self._call)
            self._running.add_done_callback(self._ended)
        return await asyncio.shield(self._running)

    def _ended(self, running: Future[T]) -> None:
        self._running = None
        # Who gave up does not ask for the error, and asyncio would complain.
        if not running.cancelled():
            running.exception()
