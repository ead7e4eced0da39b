"""How errors of the demonstration reach whoever started it."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import pytest

from nats_idle_exporter.demo.run import Settings, perform, what_to_tell
from nats_idle_exporter.demo.traffic import obey_cancellation
from nats_idle_exporter.errors import StartError

if TYPE_CHECKING:
    from nats_idle_exporter.demo.board import Board


class BrokenScreen:
    """A screen that times out when it is spoken to."""

    def opened(self) -> AbstractContextManager[object]:
        """Return a context that does nothing."""
        return nullcontext()

    def say(self, second: float, words: str) -> None:
        """Raise an error that is not the demonstration's own end."""
        raise TimeoutError(f"{second} {words}")

    def show(self, second: float, board: Board) -> None:
        """Show nothing."""


async def test_foreign_timeout_is_no_orderly_end() -> None:
    """A timeout that is not the end of the given time is an error."""
    settings = Settings(60, "127.0.0.1:1", 15)

    with pytest.raises(TimeoutError, match="nats-idle-exporter"):
        await perform(settings, BrokenScreen())


async def test_swallowed_cancellation() -> None:
    """A task whose library swallowed its cancellation still ends by it."""
    waits = asyncio.Event()

    async def swallow() -> None:
        waits.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        obey_cancellation()

    task = asyncio.ensure_future(swallow())
    await waits.wait()
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()


async def test_no_cancellation() -> None:
    """A task that nobody cancelled goes on."""
    obey_cancellation()


def test_foreseen_errors() -> None:
    """Of errors that were all foreseen the first is told, without the group."""
    first, second = StartError("first"), StartError("second")

    assert what_to_tell(ExceptionGroup("", [first, second])) is first


def test_unforeseen_errors() -> None:
    """With an unforeseen error nothing is left out."""
    group = ExceptionGroup("", [StartError("first"), ValueError("a fault of ours")])

    assert what_to_tell(group) is group
