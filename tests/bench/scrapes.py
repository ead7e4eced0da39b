"""Many scrapers and slow readers at once, beside polls of many accounts.

``python -m tests.bench.scrapes [ACCOUNTS]``; the daemon is a process of its own, as
are its three real servers. All scrapers ask at the same moment, as Prometheus asks,
and again and again; the slow readers never come to an end. It fails when a scrape
failed or a cycle was missed; times are printed.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

import aiohttp

from tests.bench.systems import System, a_system
from tests.support.daemon import Daemon

ACCOUNTS = 10_000
SCRAPERS, SLOW_READERS = 200, 50
ROUNDS = 12
INTERVAL_SECONDS = 5.0
"""Of polls, and of scrapes."""
PATIENCE_SECONDS = 10.0
"""Prometheus' own default; a scrape that takes longer failed."""
SLOW_BYTES, SLOW_SECONDS = 4096, 0.1
HEADERS = {"Accept": "application/openmetrics-text", "Accept-Encoding": "gzip"}
FLAGS = (f"--poll.interval={INTERVAL_SECONDS:.0f}s", "--web.max-requests=0")
"""By default 40 requests are served at once, and others are turned away."""
OK = 200
_OUR = "nats_idle_exporter_"


class Counts(NamedTuple):
    """What the daemon says of itself."""

    cycles: float
    errors: float
    completed_at: float
    resident_bytes: float


class Scrapes:
    """Scrapes of one page, and how they went."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.seconds: list[float] = []
        self.failures: list[str] = []

    async def one(self, session: aiohttp.ClientSession) -> None:
        """Scrape once."""
        start = time.perf_counter()
        try:
            async with session.get(self._url, headers=HEADERS) as response:
                await response.read()
                status = response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            self.failures.append(type(error).__name__)
            return
        self.seconds.append(time.perf_counter() - start)
        if status != OK:
            self.failures.append(f"HTTP {status}")

    async def rounds(self, scrapers: int, rounds: int) -> None:
        """Let so many scrape at once, each on a connection that it keeps."""
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(PATIENCE_SECONDS),
        ) as session:
            for _ in range(rounds):
                # Whoever takes longer than the interval begins the next one late.
                pause = asyncio.create_task(asyncio.sleep(INTERVAL_SECONDS))
                await asyncio.gather(*(self.one(session) for _ in range(scrapers)))
                await pause


async def read_slowly(port: int) -> None:
    """Ask for the page, and take little of it at a time, for ever."""
    while True:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, limit=SLOW_BYTES
        )
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        piece = b"at first"
        with suppress(ConnectionError):
            while piece:
                piece = await reader.read(SLOW_BYTES)
                await asyncio.sleep(SLOW_SECONDS)
        writer.close()


def counts(page: str) -> Counts:
    """Return what a page of metrics says of the daemon; of endpoints the worst."""
    samples = [line.rsplit(" ", 1) for line in page.splitlines() if line[:1] != "#"]

    def values(name: str) -> Iterable[float]:
        return (float(v) for series, v in samples if series.partition("{")[0] == name)

    return Counts(
        min(values(f"{_OUR}polls_total")),
        sum(values(f"{_OUR}poll_errors_total")),
        max(values(f"{_OUR}cycle_last_completed_timestamp_seconds")),
        max(values("process_resident_memory_bytes")),
    )


async def load(daemon: Daemon, system: System, rounds: int) -> Scrapes:
    """Scrape a daemon with everybody, and return how it went."""
    scrapes = Scrapes(f"{daemon.url}/metrics")
    async with asyncio.TaskGroup() as group:
        others = [
            group.create_task(read_slowly(daemon.port)) for _ in range(SLOW_READERS)
        ]
        others.append(group.create_task(_use(system)))
        await scrapes.rounds(SCRAPERS, rounds)
        for task in others:
            task.cancel()
    return scrapes


async def _use(system: System) -> None:
    while True:
        await system.use()
        await asyncio.sleep(INTERVAL_SECONDS)


def report(scrapes: Scrapes, before: Counts, after: Counts) -> tuple[str, bool]:
    """Return what was measured, and whether all goals but those of time were met."""
    ordered = sorted(scrapes.seconds)
    low, high = (ordered[int(len(ordered) * part)] for part in (0.5, 0.99))
    due = round((after.completed_at - before.completed_at) / INTERVAL_SECONDS)
    missed = due - round(after.cycles - before.cycles)
    errors = round(after.errors - before.errors)
    told = (
        f"{len(ordered)} scrapes by {SCRAPERS} at once beside {SLOW_READERS} slow"
        f" readers: {len(scrapes.failures)} failed {sorted(set(scrapes.failures))}\n"
        f"scrape: median {low:.3f} s  p99 {high:.3f} s  largest {ordered[-1]:.3f} s\n"
        f"cycles: {due} due, {missed} missed, {errors} polls failed\n"
        f"memory: {before.resident_bytes / 1e6:.0f} MB before,"
        f" {after.resident_bytes / 1e6:.0f} MB after\n"
    )
    return told, not (scrapes.failures or missed or errors)


async def measure(accounts: int, rounds: int) -> tuple[str, bool]:
    """Return the report, and whether its goals were met."""
    async with a_system(accounts) as system:
        endpoints = [f"--nats.endpoint={url}" for url in system.urls]
        with Daemon(*endpoints, *FLAGS) as daemon:
            await asyncio.to_thread(daemon.wait_for, "first cycle ended")
            await asyncio.sleep(INTERVAL_SECONDS)
            before = counts(await asyncio.to_thread(daemon.page))
            scrapes = await load(daemon, system, rounds)
            after = counts(await asyncio.to_thread(daemon.page))
    return report(scrapes, before, after)


def main() -> int:
    """Measure and print; return 0 when no scrape failed and no cycle was missed."""
    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else ACCOUNTS
    told, is_met = asyncio.run(measure(accounts, ROUNDS))
    sys.stdout.write(f"three servers of {accounts} accounts\n{told}")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
