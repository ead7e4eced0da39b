"""Thousands of cycles in minutes, with servers that restart: nothing may grow.

``python -m tests.bench.soak [CYCLES]``; the servers, the requests, the ledger, the
state file and the page are real, only time is not. Accounts come and go on
connections of their own. It fails when memory, tasks, sockets or series grow.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, closing, suppress
from pathlib import Path
from statistics import median
from typing import NamedTuple

import structlog

from nats_idle_exporter.metrics import (
    Encoding,
    Format,
    ProcessMetrics,
    Publication,
    ReloadStatus,
    make_page,
)
from nats_idle_exporter.state import Batch, Historian, Store
from tests.support.clients import connected
from tests.support.natsserver import NatsServer
from tests.support.topology import a_cluster, running
from tests.support.watching import Watching, watching

"""Without anything said about owners."""
CYCLES = 10_000
ACCOUNTS = 50
RESTART_EVERY, DOWN_CYCLES = 100, 3
USE_EVERY = 5
WARM_SHARE = 0.2
"""Part of the run after which nothing grows any more."""
MOST_GROWTH = 1.05
"""Of memory, from the first half after that to the second."""
PATIENCE_SECONDS = 10.0
_SYSTEM, _CLIENT = "default", ""
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Sample(NamedTuple):
    """What there is of everything between two cycles; ``file`` and memory in bytes."""

    cycle: int
    memory: int
    objects: int
    tasks: int
    sockets: int
    series: int
    file: int


class Soak:
    """One long watch; ``samples`` are taken whenever all servers answered.

    Args:
        servers: those that are watched.
        watch: watches them.
        store: where the state is saved.
        path: its file.
    """

    def __init__(
        self, servers: Sequence[NatsServer], watch: Watching, store: Store, path: Path
    ) -> None:
        self._servers = servers
        self._watch = watch
        self._store = store
        self._path = path
        self._historian = Historian(store.history_so_far())
        self._process = ProcessMetrics()
        # Kept, as the daemon keeps it: the next one is made beside it.
        self._page = b""

    async def cycles(self, count: int) -> AsyncIterator[Sample]:
        """Run so many; yield a sample before every restart of a server."""
        down_until = 0
        for number in range(1, count + 1):
            restarted = self._servers[number // RESTART_EVERY % len(self._servers)]
            if number % RESTART_EVERY == 0:
                yield self._sample(number)
                await restarted.stop()
                down_until = number + DOWN_CYCLES
            elif number == down_until:
                await restarted.start()
            elif number % USE_EVERY == 0 and number > down_until:
                await self._use(number)
            await self._watch.cycles()
            self._save()
            self._render()

    async def _use(self, number: int) -> None:
        turn = number // USE_EVERY
        server = self._servers[turn % len(self._servers)]
        async with connected(server, f"TEAM-{turn % (ACCOUNTS // 2)}") as client:
            await client.publish("x", b"")
            await client.flush()

    def _save(self) -> None:
        """Save what the cycle changed, as the daemon does."""
        snapshot, clock = self._watch.snapshot, self._watch.clock
        batch = Batch()
        batch.add(_CLIENT, self._watch.memory.client.changes())
        batch.add(_SYSTEM, self._watch.memory.ledger.changes(clock.clocks()))
        self._historian.note(snapshot.systems, snapshot.completed_at, batch)
        self._store.write(batch, [_CLIENT, _SYSTEM], clock.wall())

    def _render(self) -> None:
        publication = Publication(
            snapshot=self._watch.snapshot,
            reload=ReloadStatus(is_successful=True, last_success_at=0.0),
        )
        page = make_page(publication, self._process.read())
        self._page = page.bodies[Format.TEXT, Encoding.IDENTITY]

    def _sample(self, cycle: int) -> Sample:
        gc.collect()
        lines = self._page.splitlines()
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
        return Sample(
            cycle=cycle,
            memory=int(pages) * _PAGE_BYTES,
            objects=len(gc.get_objects()),
            tasks=len(asyncio.all_tasks()),
            sockets=_sockets(),
            series=sum(not line.startswith(b"#") for line in lines),
            file=sum(
                each.stat().st_size
                for each in self._path.parent.glob(f"{self._path.name}*")
            ),
        )


def _sockets() -> int:
    """Return how many sockets this process has open."""
    count = 0
    for path in Path("/proc/self/fd").iterdir():
        # The folder itself is open while it is listed, and closed by now.
        with suppress(FileNotFoundError):
            count += str(path.readlink()).startswith("socket:")
    return count


def growth(samples: Sequence[Sample]) -> dict[str, bool]:
    """Return what was compared, and whether it grew, once the run was warm."""
    warm = samples[int(len(samples) * WARM_SHARE) :]
    first, second = warm[: len(warm) // 2], warm[len(warm) // 2 :]
    found = {}
    for name in ("memory", "objects", "tasks", "sockets", "series"):
        before, after = (
            median(getattr(each, name) for each in half) for half in (first, second)
        )
        most = MOST_GROWTH if name in {"memory", "objects"} else 1.0
        found[f"{name} {before:.0f} -> {after:.0f}"] = after > most * before
    return found


async def soak(cycles: int, path: Path) -> list[Sample]:
    """Run so many cycles; return the samples, and print one of ten."""
    servers = a_cluster(*(f"TEAM-{number}" for number in range(ACCOUNTS)))
    urls = [server.monitoring_url for server in servers]
    samples = []
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(*servers))
        watch = await stack.enter_async_context(
            watching(urls, timeout_seconds=PATIENCE_SECONDS)
        )
        store = stack.enter_context(closing(Store(path)))
        async for sample in Soak(servers, watch, store, path).cycles(cycles):
            samples.append(sample)
            if len(samples) % 10 == 1:
                sys.stdout.write(f"{sample}\n")
                sys.stdout.flush()
    return samples


def main() -> int:
    """Run and print; return 0 when nothing grew."""
    cycles = int(sys.argv[1]) if len(sys.argv) > 1 else CYCLES
    quiet = structlog.make_filtering_bound_logger(logging.ERROR)
    structlog.configure(wrapper_class=quiet)
    with tempfile.TemporaryDirectory(prefix="nats-idle-bench-") as folder:
        samples = asyncio.run(soak(cycles, Path(folder, "state.sqlite")))
    sys.stdout.write(f"{cycles} cycles, {len(samples)} restarts of servers\n")
    found = growth(samples)
    for what, has_grown in found.items():
        sys.stdout.write(f"{what}: {'GROWN' if has_grown else 'flat'}\n")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
