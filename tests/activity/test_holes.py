"""Which holes are forgiven, and since when quiet can be claimed."""

from __future__ import annotations

import pytest

from nats_idle_exporter.activity.holes import (
    MOST_HOLES,
    NEVER,
    Hole,
    Holes,
    quiet_bound,
)
from nats_idle_exporter.activity.policy import Policy

HOUR_POLICY = Policy(threshold_seconds=3600.0, gap_tolerance_seconds=100.0)
"""Forgives holes up to 100 s, and less than 180 s in all."""


class TestQuietBound:
    """quiet_bound."""

    @pytest.mark.parametrize(
        ("holes", "expected"),
        [
            ([], 10.0),
            ([Hole(50.0, 100.0)], 10.0),
            ([Hole(50.0, 100.1)], 50.0),
            ([Hole(50.0, 90.0), Hole(70.0, 89.0)], 10.0),
            ([Hole(50.0, 90.0), Hole(70.0, 90.0)], 50.0),
            ([Hole(50.0, 90.0), Hole(70.0, 60.0), Hole(90.0, 60.0)], 50.0),
            ([Hole(9.0, 1000.0)], 10.0),
            ([Hole(10.0, 1000.0)], 10.0),
            ([Hole(50.0, 0.0)], 10.0),
        ],
    )
    def test_bound(self, holes: list[Hole], expected: float) -> None:
        """Short holes are forgiven while together they stay below a twentieth."""
        assert quiet_bound(holes, HOUR_POLICY, 10.0) == expected
        assert quiet_bound(reversed(holes), HOUR_POLICY, 10.0) == expected

    def test_zero_tolerance_forgives_nothing(self) -> None:
        """With tolerance 0 the smallest hole bounds the claim; an empty one not."""
        strict = Policy(3600.0, 0.0)

        assert quiet_bound([Hole(50.0, 0.001)], strict, 10.0) == 50.0
        assert quiet_bound([Hole(50.0, 0.0)], strict, 10.0) == 10.0

    def test_tolerance_is_capped_by_the_threshold(self) -> None:
        """At most a twentieth of the threshold is tolerated, whatever is set."""
        careless = Policy(3600.0, 3000.0)

        assert quiet_bound([Hole(50.0, 181.0)], careless, 10.0) == 50.0


class TestHoles:
    """Holes.add."""

    def test_holes_are_kept_by_their_end(self) -> None:
        """Holes may be found in any order."""
        holes = Holes()
        holes.add(70.0, 2.0)
        holes.add(50.0, 1.0)

        assert list(holes) == [Hole(50.0, 1.0), Hole(70.0, 2.0)]
        assert holes

    def test_endless_hole_is_never_forgiven(self) -> None:
        """A hole without a known beginning bounds everything."""
        holes = Holes()
        holes.add(70.0, float("inf"))
        holes.add(60.0, float("inf"))

        assert holes.unforgiven_until_at == 70.0
        assert not holes

    def test_number_is_bounded(self) -> None:
        """Holes beyond the limit are not forgotten but no longer forgiven."""
        holes = Holes()
        for end in range(MOST_HOLES):
            holes.add(float(end), 0.1)

        assert holes.unforgiven_until_at == NEVER

        holes.add(float(MOST_HOLES), 0.1)

        assert holes.unforgiven_until_at == 0.0
        assert len(list(holes)) == MOST_HOLES

    def test_holes_before_a_use_are_dropped(self) -> None:
        """Quiet starts at the use, so what came before does not matter."""
        holes = Holes()
        for end in (1.0, 2.0, 3.0):
            holes.add(end, 0.1)
        holes.drop_until(2.0)

        assert list(holes) == [Hole(3.0, 0.1)]
