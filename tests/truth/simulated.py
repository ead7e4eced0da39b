"""Many simulated histories, on all cores: see ``tests.simulator``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.simulator.draft import FIXED
from tests.simulator.tally import Tally, run_many

_CHUNK = 250


def simulate(histories: int) -> Tally:
    """Run so many histories, seeds from 1 on, and return what they held."""
    total = Tally()
    # Not forked: this process has threads and a loop behind it.
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as processes:
        for part in processes.map(_run, _chunks(histories)):
            total.merge(part)
    return total


def _chunks(histories: int) -> Iterator[range]:
    for first in range(1, histories + 1, _CHUNK):
        yield range(first, min(first + _CHUNK, histories + 1))


def _run(seeds: range) -> Tally:
    return run_many(seeds, FIXED)
