"""When garbage is looked for: never among what stays as long as we do.

The first cycle builds most of what is ever kept, hundreds of thousands of objects.
Each look at all of them would stop the event loop for longer than a cycle's own work.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Let no garbage be looked for: what is made here is none, and it is very much."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@asynccontextmanager
async def collected_later() -> AsyncIterator[Callable[[], None]]:
    """Let no garbage be looked for until what is yielded is called.

    What exists at the call is taken for what stays until the end of the block, and is
    never looked at. It awaits nothing, and stands among what a daemon opens.
    """

    def begin() -> None:
        gc.freeze()
        gc.enable()

    with uncollected():
        try:
            yield begin
        finally:
            gc.unfreeze()
