"""What asking about single accounts costs the servers, beside what polls cost them.

``python -m tests.bench.facts [ACCOUNTS]``; three real servers, polled by two watches in
turn, one of which asks no questions. The servers' CPU time is the system's own count.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path
from statistics import median
from typing import NamedTuple

import structlog

from tests.bench.systems import System, a_system
from tests.support.natsserver import NatsServer
from tests.support.watching import Watching, watching

ACCOUNTS = 10_000
PAIRS = 60
QUESTIONS = 50
TIMEOUT_SECONDS = 10.0
GOAL = 1.1
_TICKS = os.sysconf("SC_CLK_TCK")
_UTIME, _STIME = 11, 12
"""Fields after the program's name, which may hold spaces itself."""


class Cycle(NamedTuple):
    """One cycle: CPU seconds of all servers, and the questions to each of them."""

    seconds: float
    questions: tuple[int, ...]


def cpu_seconds(pid: int) -> float:
    """Return what a process worked in all its threads since its start."""
    told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2]
    fields = told.split()
    return (int(fields[_UTIME]) + int(fields[_STIME])) / _TICKS


async def questions(server: NatsServer) -> int:
    """Return how often a server was asked about accounts since its start."""
    told = (await server.read("/varz"))["http_req_stats"]
    return int(told.get("/accountz", 0))


async def run_cycle(system: System, watch: Watching) -> Cycle:
    """Run one cycle, and return what it cost."""
    counts = [await questions(server) for server in system.servers]
    before = sum(cpu_seconds(server.pid) for server in system.servers)
    await watch.cycles()
    seconds = sum(cpu_seconds(server.pid) for server in system.servers) - before
    after = [await questions(server) for server in system.servers]
    asked = tuple(n - m for m, n in zip(counts, after, strict=True))
    return Cycle(seconds, asked)


def report(silent: list[Cycle], asking: list[Cycle]) -> str:
    """Return what was measured.

    Servers collect their garbage now and then, in whatever cycle that is: medians of
    cycles tell more than those of pairs.

    Raises:
        AssertionError: a server was asked too often.
    """
    most = max(count for cycle in asking for count in cycle.questions)
    none = max(count for cycle in silent for count in cycle.questions)
    assert none == 0, "a poll asks about single accounts"
    assert most <= QUESTIONS, f"{most} questions in one cycle"
    without = median(each.seconds for each in silent)
    with_them = median(each.seconds for each in asking)
    ratio = with_them / without
    total = sum(b.seconds for b in asking) / sum(a.seconds for a in silent)
    word = "met" if ratio < GOAL else "MISSED"
    return (
        f"cycles          {len(silent) + len(asking)}, each other one with questions\n"
        f"CPU per cycle   {1000 * without:.0f} ms of all servers,"
        f" {1000 * with_them:.0f} ms with questions; medians\n"
        f"ratio           {ratio:.3f} of the medians, {total:.3f} of the sums\n"
        f"questions       at most {most} per server and cycle\n"
        f"goal: less than {GOAL - 1:.0%} more: {word}\n"
    )


async def measure(accounts: int) -> str:
    """Return what questions cost servers with so many accounts, as a report."""
    async with (
        a_system(accounts) as system,
        watching(system.urls, timeout_seconds=TIMEOUT_SECONDS) as quiet,
        watching(
            system.urls, timeout_seconds=TIMEOUT_SECONDS, questions=QUESTIONS
        ) as curious,
    ):
        silent: list[Cycle] = []
        asking: list[Cycle] = []
        # The first answers of a server make it grow.
        for watch in (quiet, curious):
            await run_cycle(system, watch)
        for turn in range(PAIRS):
            # Who is first would pay for what the other left behind.
            pair = [(quiet, silent), (curious, asking)]
            for watch, cycles in pair if turn % 2 else reversed(pair):
                cycles.append(await run_cycle(system, watch))
    return report(silent, asking)


def main() -> None:
    """Measure and print."""
    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else ACCOUNTS
    quiet = structlog.make_filtering_bound_logger(logging.WARNING)
    structlog.configure(wrapper_class=quiet)
    told = asyncio.run(measure(accounts))
    sys.stdout.write(f"three servers of {accounts} accounts\n{told}")


if __name__ == "__main__":
    main()
