"""The historian: each day of use and each change of a verdict is noted once."""

from __future__ import annotations

from nats_idle_exporter.activity import Evidence, EvidenceKind, Verdict
from nats_idle_exporter.state import Batch, Historian, VerdictChange
from nats_idle_exporter.state.historian import DAY_SECONDS, HistorySoFar
from tests.metrics.builders import a_system, an_account

DAY = 20_000
NOON = (DAY + 0.5) * DAY_SECONDS


def used(at: float) -> Evidence:
    """Return evidence of a message that was received at that time."""
    return Evidence(EvidenceKind.RECEIVED, "N1", at, at)


def test_first_verdict_and_first_day() -> None:
    """An account that was not known had no verdict before."""
    batch = Batch()
    view = a_system(
        an_account("A", verdict=Verdict.ACTIVE, last_evidence=used(NOON)),
        an_account("B", verdict=Verdict.UNKNOWN, last_evidence=None),
    )
    Historian(HistorySoFar()).note({"s": view}, NOON, batch)

    assert batch.days == {("s", "A", DAY)}
    assert batch.verdicts == [
        VerdictChange("s", "A", NOON, "", "active", "received"),
        VerdictChange("s", "B", NOON, "", "unknown", ""),
    ]


def test_only_changes_are_noted() -> None:
    """The same verdict and another use on the same day are no news."""
    historian, batch = Historian(HistorySoFar()), Batch()
    active = an_account("A", verdict=Verdict.ACTIVE, last_evidence=used(NOON))
    historian.note({"s": a_system(active)}, NOON, Batch())
    later = active._replace(last_evidence=used(NOON + 60))
    historian.note({"s": a_system(later)}, NOON + 60, batch)

    assert batch == Batch()


def test_next_day_and_next_verdict() -> None:
    """A new day of use and a new verdict are noted with what led to them."""
    historian, batch = Historian(HistorySoFar()), Batch()
    quiet = an_account("A", verdict=Verdict.INACTIVE, last_evidence=used(NOON))
    historian.note({"s": a_system(quiet)}, NOON, Batch())
    at = NOON + DAY_SECONDS
    woken = quiet._replace(verdict=Verdict.ACTIVE, last_evidence=used(at))
    historian.note({"s": a_system(woken)}, at, batch)

    assert batch.days == {("s", "A", DAY + 1)}
    assert batch.verdicts == [
        VerdictChange("s", "A", at, "inactive", "active", "received")
    ]


def test_gone_account() -> None:
    """An account that is not listed any more has no verdict after."""
    historian, batch = Historian(HistorySoFar()), Batch()
    historian.note({"s": a_system(an_account("A"))}, NOON, Batch())
    historian.note({"s": a_system()}, NOON, batch)
    historian.note({"s": a_system()}, NOON, batch)

    assert batch.verdicts == [
        VerdictChange("s", "A", NOON, an_account("A").verdict.value, "", "")
    ]


def test_goes_on_after_a_restart() -> None:
    """What an earlier process noted is not noted again."""
    so_far = HistorySoFar({("s", "A"): "active", ("s", "B"): ""}, {("s", "A"): DAY})
    batch = Batch()
    view = a_system(an_account("A", verdict=Verdict.ACTIVE, last_evidence=used(NOON)))
    Historian(so_far).note({"s": view}, NOON, batch)

    assert batch == Batch()
