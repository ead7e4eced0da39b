"""How long the event loop stands still while the daemon polls many accounts.

``python -m tests.bench.loop [ACCOUNTS]``; three real servers, and all of the daemon:
polling, concluding, rendering. On a machine with other work a stall is also the time
that others had: so it is told too how much of it this process worked, in any thread.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import structlog

from nats_idle_exporter.config import WebOptions, parse_config
from nats_idle_exporter.configsource import ConfigSource
from nats_idle_exporter.daemon import run
from tests.bench.systems import System, a_system

ACCOUNTS = 10_000
SECONDS = 30.0
INTERVAL_SECONDS = 5.0
NAP_SECONDS = 0.001
GOAL_MILLISECONDS = 100.0


class Stall(NamedTuple):
    """By how much a short nap was too long, in milliseconds, and our work meanwhile."""

    late: float
    worked: float


async def stalls(seconds: float) -> list[Stall]:
    """Nap again and again; return how each of the naps went."""
    end = time.perf_counter() + seconds
    found = []
    while (before := time.perf_counter()) < end:
        worked = time.process_time()
        await asyncio.sleep(NAP_SECONDS)
        late = max(0.0, time.perf_counter() - before - NAP_SECONDS)
        # More than the time that passed is what several threads did at once.
        worked = min(late, time.process_time() - worked)
        found.append(Stall(late * 1000, worked * 1000))
    return found


@contextmanager
def collections_timed() -> Iterator[list[float]]:
    """Yield where the milliseconds go that collections of garbage take."""
    took: list[float] = []
    begun = 0.0

    def note(phase: str, _facts: dict[str, int]) -> None:
        nonlocal begun
        if phase == "start":
            begun = time.thread_time()
        else:
            took.append((time.thread_time() - begun) * 1000)

    gc.callbacks.append(note)
    try:
        yield took
    finally:
        gc.callbacks.remove(note)


async def beside_the_daemon(system: System, seconds: float) -> list[Stall]:
    """Run the daemon for so long, and return the stalls of its loop."""
    told = {
        "systems": [{"endpoints": system.urls}],
        "poll": {"interval": f"{INTERVAL_SECONDS:.0f}s", "jetstream_interval": "10s"},
    }
    options = WebOptions(listen_addresses=(("127.0.0.1", 0),))
    async with asyncio.TaskGroup() as group:
        config = parse_config(json.dumps(told))
        group.create_task(run(config, ConfigSource(), options))
        group.create_task(_use(system, seconds))
        found = await stalls(seconds)
        os.kill(os.getpid(), signal.SIGTERM)
    return found


async def _use(system: System, seconds: float) -> None:
    for _ in range(int(seconds / INTERVAL_SECONDS)):
        await system.use()
        await asyncio.sleep(INTERVAL_SECONDS)


def line(what: str, milliseconds: Iterable[float]) -> str:
    """Return the median, the 99th of a hundred, and the largest."""
    ordered = sorted(milliseconds)
    median, high = (ordered[int(len(ordered) * part)] for part in (0.5, 0.99))
    return (
        f"{what:24} median {median:7.2f} ms  p99 {high:7.2f} ms"
        f"  largest {ordered[-1]:7.2f} ms\n"
    )


async def measure(accounts: int, seconds: float) -> str:
    """Return the stalls of a loop without the daemon, and with it, as a report."""
    async with a_system(accounts) as system:
        alone = await stalls(seconds)
        with collections_timed() as collections:
            polling = await beside_the_daemon(system, seconds)
    largest = max(stall.worked for stall in polling)
    word = "met" if largest < GOAL_MILLISECONDS else "MISSED"
    return (
        line("machine alone", (stall.late for stall in alone))
        + line("with the daemon", (stall.late for stall in polling))
        + line("of that, our own work", (stall.worked for stall in polling))
        + line("collections of garbage", collections)
        + f"goal: no stall with {GOAL_MILLISECONDS:.0f} ms of our work: {word}\n"
    )


def main() -> None:
    """Measure and print."""
    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else ACCOUNTS
    quiet = structlog.make_filtering_bound_logger(logging.WARNING)
    structlog.configure(wrapper_class=quiet)
    report = asyncio.run(measure(accounts, SECONDS))
    sys.stdout.write(f"three servers of {accounts} accounts\n{report}")


if __name__ == "__main__":
    main()
