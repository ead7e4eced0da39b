"""Hints at why nobody uses an account."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nats_idle_exporter.removal.dossier import Hint
from nats_idle_exporter.removal.hints import (
    NO_SUCCESSORS,
    Successor,
    Successors,
    hints_at,
    stem_of,
)
from tests.removal.cases import DAY, NOW, USE, a_case, a_dossier

SILENT = USE._replace(last_use_at=NOW - 30 * DAY, evidence="sent")


def known(*successors: Successor) -> Successors:
    """Return those who came into use."""
    several = Successors()
    for each in successors:
        several.add(each)
    return several


def hinted(name: str, successors: Successors = NO_SUCCESSORS) -> list[str]:
    """Return the hints at an account that is silent for 30 days, but for that."""
    hints = hints_at("A", name, SILENT, NOW, successors)
    assert hints[0].hint is Hint.USED_UNTIL
    return [f"{each.hint}: {each.detail}" for each in hints[1:]]


def test_never_used() -> None:
    """An account that nobody ever used was made in advance, perhaps."""
    dossier = a_dossier(a_case())

    assert [each.hint for each in dossier.hints] == [Hint.NEVER_USED]
    assert "as far back as 2027-01-12" in dossier.hints[0].detail


def test_used_until() -> None:
    """Of another the last use is told."""
    (hint,) = hints_at("A", "TEAM", SILENT, NOW, NO_SUCCESSORS)

    assert hint.hint is Hint.USED_UNTIL
    assert hint.detail.startswith("used until 2026-12-16, 30d ago")


def test_in_use() -> None:
    """There is nothing to guess about an account in use."""
    use = USE._replace(verdict="active")

    assert hints_at("A", "test", use, NOW, NO_SUCCESSORS) == ()


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("orders-test", "test"),
        ("StagingOrders", "staging"),
        ("POC2", "poc"),
        ("tmp_x", "tmp"),
        ("contest", None),
        ("LATEST", None),
        ("x" * 300 + "-test", None),
    ],
)
def test_temporary_names(name: str, word: str | None) -> None:
    """Words of a name count, not parts of words."""
    expected = [f'temporary_name: its name says "{word}": left over?'] if word else []

    assert hinted(name) == expected


class TestSuccessors:
    """Another account that took over."""

    @pytest.mark.parametrize("days", [-7, 0, 7])
    def test_came_into_use_at_that_time(self, days: float) -> None:
        """A like name that came into use around the last use may have taken over."""
        came_at = NOW + (days - 30) * DAY
        successors = known(Successor("B", "orders-v2", came_at))

        (hint,) = hinted("orders-v1", successors)

        assert hint.startswith('succeeded: "orders-v2" came into use on 20')

    def test_the_nearest_is_named(self) -> None:
        """Of several the one is named that came nearest to the last use."""
        successors = known(
            Successor("B", "orders2", NOW - 34 * DAY),
            Successor("C", "orders3", NOW - 31 * DAY),
            Successor("D", "orders4", NOW - 27 * DAY),
        )

        assert '"orders3"' in hinted("orders1", successors)[0]

    @pytest.mark.parametrize(
        "other",
        [
            Successor("B", "orders2", NOW - 40 * DAY),
            Successor("B", "orders2", NOW),
            Successor("B", "payments2", NOW - 30 * DAY),
            Successor("A", "orders2", NOW - 30 * DAY),
            Successor("B", "2", NOW - 30 * DAY),
        ],
    )
    def test_others_did_not(self, other: Successor) -> None:
        """Another time, another name, or the account itself is no successor."""
        assert hinted("orders1", known(other)) == []

    def test_among_very_many(self) -> None:
        """Numbered customers have one stem: whoever came next to it is found."""
        successors = known(
            *(Successor(f"A{i}", f"customer-{i}", float(i)) for i in range(50_000))
        )

        for i in range(1, 50_000):
            found = successors.find(f"A{i}", f"customer-{i}", float(i))
            assert found is not None
            assert found.arrived_at in {i - 1.0, i + 1.0}

    def test_names_that_say_nothing(self) -> None:
        """Two short names are not alike for that."""
        assert hinted("A1", known(Successor("B", "A2", NOW - 30 * DAY))) == []

    def test_of_who_was_never_used(self) -> None:
        """Nobody can take over from an account that nobody used."""
        successors = known(Successor("B", "orders2", USE.quiet_since_at))
        hints = hints_at("A", "orders1", USE, NOW, successors)

        assert [each.hint for each in hints] == [Hint.NEVER_USED]


@given(st.text(max_size=300))
def test_any_name_has_hints(name: str) -> None:
    """No stranger's name breaks a hint or its line."""
    successors = known(Successor("B", name, NOW - 30 * DAY))

    for hint in hints_at("A", name, SILENT, NOW, successors):
        assert hint.detail.isprintable()
    assert stem_of(name) == stem_of(name).lower()
