"""Tests of the judges: each goal can be missed, and only by what misses it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nats_idle_exporter.activity import AccountView, Verdict
from tests.chaos.outcome import Outcome, render_delays, render_json, render_table
from tests.chaos.truth import Truth
from tests.metrics.builders import an_account

GOOD = Outcome(
    fault="reset",
    expected="unreachable",
    costs_proof=False,
    errors={"unreachable": 7},
    told="poll failed",
    false_raises=(),
    false_clears=(),
    kept_bytes=100,
    peak_bytes=100,
    calm_seconds=(0.01, 0.01, 9.0),
    others_seconds=(0.01,),
    up_after=1,
    proven_after=2,
)


def view(verdict: Verdict, *, is_observed: bool = True) -> list[AccountView]:
    """Return the only account of a cycle."""
    return [an_account("APP", verdict=verdict, is_observed=is_observed)]


class TestTruth:
    """Verdicts against what was really used; the threshold is ten seconds."""

    def test_raised_too_early(self) -> None:
        """An account that was used within the threshold must not be raised."""
        truth = Truth(10)
        truth.use("APP", 100)
        truth.judge(view(Verdict.INACTIVE, is_observed=False), 109)

        assert truth.false_raises == ["APP"]

    def test_raised_in_time(self) -> None:
        """After the threshold it may be raised, and stay so."""
        truth = Truth(10)
        truth.use("APP", 100)
        truth.judge(view(Verdict.INACTIVE), 110)
        truth.judge(view(Verdict.INACTIVE), 111)

        assert not truth.false_raises
        assert not truth.false_clears

    def test_held_through_use_that_nobody_saw(self) -> None:
        """A raised account that is used unseen may be held, but not as proven."""
        truth = Truth(10)
        truth.judge(view(Verdict.INACTIVE), 100)
        truth.use("APP", 101)
        truth.judge(view(Verdict.INACTIVE, is_observed=False), 102)
        assert not truth.false_raises

        truth.judge(view(Verdict.INACTIVE), 103)
        assert truth.false_raises == ["APP"]

    @pytest.mark.parametrize("is_used", [True, False])
    def test_cleared(self, *, is_used: bool) -> None:
        """Only use clears."""
        truth = Truth(10)
        truth.judge(view(Verdict.INACTIVE), 100)
        if is_used:
            truth.use("APP", 101)
        truth.judge(view(Verdict.UNKNOWN), 102)

        assert truth.false_clears == ([] if is_used else ["APP"])


class TestGoals:
    """Outcomes against a calm run."""

    def test_all_met(self) -> None:
        """A fault that did what it should misses nothing."""
        assert GOOD.misses(GOOD) == []

    @pytest.mark.parametrize(
        ("changed", "missed"),
        [
            ({"errors": {}}, "counted good, not unreachable"),
            ({"errors": {"unreachable": 6, "timeout": 1}}, "counted timeout unreach"),
            ({"false_raises": ("APP",)}, "false raises"),
            ({"false_clears": ("APP",)}, "false clears"),
            ({"told": ""}, "nothing was logged"),
            ({"peak_bytes": 151}, "too much memory"),
            ({"kept_bytes": 151, "peak_bytes": 151}, "too much was kept"),
            ({"proven_after": 3}, "back after 3"),
            ({"proven_after": None}, "back after None"),
            ({"costs_proof": True, "up_after": None}, "back after None"),
        ],
    )
    def test_missed(self, changed: dict[str, Any], missed: str) -> None:
        """Each goal is missed by itself, and told with the fault's name."""
        (miss,) = replace(GOOD, **changed).misses(GOOD)

        assert miss.startswith(f"reset: {missed}")

    def test_time_is_no_goal(self) -> None:
        """What slows down the polls of others is printed only."""
        slow = replace(GOOD, others_seconds=(1.0, 1.0, 0.0))

        assert slow.misses(GOOD) == []
        assert "100.00x" in render_table([slow], GOOD)
        assert "above 1.1x: reset 100.00x" in render_delays([slow])
        assert "above 1.1x: none" in render_delays([GOOD])
        assert '"misses": []' in render_json([slow], GOOD)

    def test_times_of_several_plays(self) -> None:
        """A fault that was played again is judged by the times of all plays."""
        slow = replace(GOOD, others_seconds=(1.0,))
        quick = replace(GOOD, others_seconds=(0.01, 0.01))

        assert quick.timed_with(slow).delay == 1.0
        assert replace(quick, others_seconds=(0.01,)).timed_with(slow).is_slow
