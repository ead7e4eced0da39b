"""Whether the poll loop lives, judged by the ends of its cycles."""

from __future__ import annotations

import pytest

from nats_idle_exporter.pulse import Pulse

START = 1_000.0


def pulse(interval_seconds: float) -> Pulse:
    """Return one whose loop began at the start."""
    started = Pulse()
    started.expect(interval_seconds, START)
    return started


@pytest.mark.parametrize(
    ("interval_seconds", "patience"), [(0.05, 180), (30, 180), (45, 180), (60, 240)]
)
def test_silence_is_a_flaw_after_four_intervals(
    interval_seconds: float, patience: float
) -> None:
    """Before the first cycle as after each, four intervals or three minutes pass."""
    judged = pulse(interval_seconds)
    assert judged.trouble(START + patience) == ""
    hung = judged.trouble(START + patience + 1)
    judged.beat(START + patience + 2)

    assert hung == f"no cycle of polls ended for {patience + 1} s"
    assert judged.trouble(START + 2 * patience + 2) == ""
    assert judged.trouble(START + 2 * patience + 3) == hung


def test_nothing_is_expected_before_the_loop_runs() -> None:
    """However long it takes to load the state, it is no flaw of the loop."""
    assert Pulse().trouble(1e9) == ""


def test_another_interval_counts_anew() -> None:
    """A reload that shortens it finds no silence in what was right before."""
    judged = pulse(3600)
    judged.expect(30, START + 3600)

    assert judged.trouble(START + 3780) == ""
    assert judged.trouble(START + 3781)


def test_the_same_interval_is_no_sign_of_life() -> None:
    """Reloads alone do not hide that the loop hangs."""
    judged = pulse(30)
    judged.expect(30, START + 179)

    assert judged.trouble(START + 181)
