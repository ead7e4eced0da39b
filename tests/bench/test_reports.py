"""Tests of the judges of long runs: each goal can be missed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.bench.loop import line
from tests.bench.scrapes import Counts, Scrapes, counts, report
from tests.bench.soak import Sample, growth

PAGE = """\
# TYPE nats_idle_exporter_polls_total counter
nats_idle_exporter_polls_total{system="s",endpoint="a"} 7
nats_idle_exporter_polls_total{system="s",endpoint="b"} 6
nats_idle_exporter_poll_errors_total{system="s",endpoint="a",reason="timeout"} 1
nats_idle_exporter_poll_errors_total{system="s",endpoint="b",reason="status"} 2
nats_idle_exporter_cycle_last_completed_timestamp_seconds 100.5
process_resident_memory_bytes 1e+08
"""
BEFORE = Counts(cycles=6, errors=3, completed_at=100.5, resident_bytes=1e8)
AFTER = Counts(cycles=8, errors=3, completed_at=110.4, resident_bytes=1e8)


def samples(**last: int) -> list[Sample]:
    """Return as many of everything in each sample, but for the second half."""
    same: dict[str, Any] = dict.fromkeys(Sample._fields, 1000)
    half = [Sample(**same)] * 10
    return [*half, *(each._replace(**last) for each in half)]


class TestGrowth:
    """What a long run must keep."""

    def test_flat(self) -> None:
        """What stays as it was has not grown; memory may by a little."""
        assert not any(growth(samples(memory=1049, file=9999)).values())

    @pytest.mark.parametrize(
        "last",
        [{"memory": 1051}, {"objects": 1051}, {"tasks": 1001}, {"series": 1001}],
    )
    def test_grown(self, last: dict[str, int]) -> None:
        """What is more in the second half has grown, and nothing else."""
        (name,) = last
        grown = [
            what for what, has_grown in growth(samples(**last)).items() if has_grown
        ]

        assert grown == [f"{name} 1000 -> {last[name]}"]


@dataclass
class Case:
    """How scrapes went, and what the daemon said after them."""

    failures: list[str]
    after: Counts
    told: str


class TestScrapes:
    """What a daemon must bear."""

    def test_counts_are_read_from_the_page(self) -> None:
        """The endpoint that was polled least tells the cycles."""
        assert counts(PAGE) == BEFORE

    @pytest.mark.parametrize(
        "case",
        [
            Case([], AFTER, "2 due, 0 missed, 0 polls failed"),
            Case(["HTTP 503"], AFTER, "1 failed ['HTTP 503']"),
            Case([], AFTER._replace(cycles=7), "2 due, 1 missed"),
            Case([], AFTER._replace(errors=4), "1 polls failed"),
        ],
    )
    def test_goals(self, case: Case) -> None:
        """A failed scrape, a missed cycle and a failed poll are each told."""
        scrapes = Scrapes("http://127.0.0.1")
        scrapes.seconds, scrapes.failures = [0.1, 0.2], case.failures
        told, is_met = report(scrapes, BEFORE, case.after)

        assert case.told in told
        assert is_met is (case.after == AFTER and not case.failures)


def test_line_of_stalls() -> None:
    """The largest stall is told beside the usual ones."""
    told = line("daemon", [1.0] * 99 + [250.0])

    assert "median    1.00 ms" in told
    assert "largest  250.00 ms" in told
