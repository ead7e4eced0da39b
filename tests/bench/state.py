"""What keeping the state costs, beside what a poll costs: CPU seconds in one run.

``python -m tests.bench.state [ACCOUNTS]``; three servers, 1 % of the rows change.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import ParamSpec, TypeVar

import msgspec

from nats_idle_exporter.activity import (
    Cadence,
    Clocks,
    Ledger,
    Reading,
    SystemView,
)
from nats_idle_exporter.garbage import uncollected
from nats_idle_exporter.monitoring import wire
from nats_idle_exporter.state import Batch, Historian, Store
from tests.activity.builders import FixedRules, Process, at

P = ParamSpec("P")
T = TypeVar("T")

ROUNDS = 9
SERVERS = 3
SHARE = 100
"""Every so-many-th row changes in a cycle."""
POLL = 30.0
START = 1_800_000_000.0
SYSTEM = "default"
CADENCE = Cadence(POLL, 10 * POLL, 30 * 86_400.0)
RULES = FixedRules(86_400.0)


def moment(cycle: int) -> float:
    """Return when a cycle is."""
    return START + cycle * POLL


def clocks(cycle: int) -> Clocks:
    """Return all clocks at a cycle."""
    return Clocks(at(moment(cycle)), moment(cycle), moment(cycle), "boot")


def body(server: int, accounts: int, cycle: int) -> bytearray:
    """Return an answer of accstatz, as 2.15.1 tells it."""
    nothing = {"msgs": 0, "bytes": 0}
    rows = []
    for number in range(accounts):
        count = 1000 + (number % SHARE + cycle) // SHARE
        moved = {"msgs": count, "bytes": 64 * count}
        shares = {**moved, "gateways": nothing, "routes": nothing, "leafs": nothing}
        rows.append(
            {
                "acc": f"A{number:055d}" if number else "$G",
                "name": f"team-{number}",
                "conns": 0,
                "leafnodes": 0,
                "total_conns": 0,
                "num_subscriptions": 4,
                "sent": shares,
                "received": shares,
                "slow_consumers": 0,
            }
        )
    told = {"server_id": f"N{server}", "now": "", "account_statz": rows}
    return bytearray(msgspec.json.encode(told))


def timed(work: Callable[P, T], *args: P.args, **named: P.kwargs) -> tuple[float, T]:
    """Return the CPU seconds that it took, of all threads, and its result."""
    start = time.process_time()
    result = work(*args, **named)
    return time.process_time() - start, result


def servers() -> list[Process]:
    """Return the servers, older than the watch."""
    return [
        Process(f"N{number}", f"http://n{number}:8222", START - 1e6)
        for number in range(SERVERS)
    ]


def poll(
    ledger: Ledger, readings: list[Reading], bodies: list[bytearray], cycle: int
) -> SystemView:
    """Decode what was fetched and conclude, as one cycle does."""
    for reading, told in zip(readings, bodies, strict=True):
        _, rows = wire.decode_accstatz(told)
        ledger.apply(replace(reading, rows=rows))
    return ledger.conclude(at(moment(cycle)))


def restored(path: Path, cycle: int) -> Ledger:
    """Open the file, check it, and make a ledger of it."""
    with uncollected(), closing(Store(path)) as store:
        store.history_so_far()
        urls = [server.endpoint for server in servers()]
        rows = store.rows()[SYSTEM]
        return Ledger.resume(urls, RULES, CADENCE, rows, clocks(cycle))


def run(accounts: int, path: Path) -> Iterator[tuple[str, list[float]]]:
    """Yield what was measured, and its rounds."""
    polls, saves, restores = list[float](), list[float](), list[float]()
    watched = servers()
    ledger = Ledger([each.endpoint for each in watched], RULES, CADENCE)
    with closing(Store(path)) as store:
        historian = Historian(store.history_so_far())
        for cycle in range(ROUNDS + 1):
            bodies = [body(n, accounts, cycle) for n in range(SERVERS)]
            readings = [each.reading(moment(cycle), ()) for each in watched]
            took, view = timed(poll, ledger, readings, bodies, cycle)
            polls.append(took)
            took, rows = timed(save, ledger, historian, store, view, cycle)
            saves.append(took)
            sys.stdout.write(f"cycle {cycle}: {rows} rows written\n")
    for cycle in range(3):
        took, _ = timed(restored, path, ROUNDS + cycle)
        restores.append(took)
    yield "poll: decode and conclude", polls[1:]
    yield "first save, all rows", saves[:1]
    yield "save", saves[1:]
    yield "restore", restores


def save(
    ledger: Ledger, historian: Historian, store: Store, view: SystemView, cycle: int
) -> int:
    """Save what a cycle changed; return how many rows that were."""
    batch = Batch()
    batch.add(SYSTEM, ledger.changes(clocks(cycle)))
    historian.note({SYSTEM: view}, moment(cycle), batch)
    store.write(batch, [SYSTEM], moment(cycle))
    return len(batch.rows)


def main() -> None:
    """Measure and print."""
    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory(prefix="nats-idle-bench-") as folder:
        path = Path(folder) / "state.sqlite"
        for what, rounds in run(accounts, path):
            sys.stdout.write(f"{what:28} {median(rounds):8.3f} s of CPU\n")
        size = path.stat().st_size
    sys.stdout.write(f"{'file':28} {size / 1e6:8.1f} MB\n")


if __name__ == "__main__":
    main()
