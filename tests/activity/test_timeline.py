"""Two timelines made of clocks that step, stop and run backwards."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nats_idle_exporter.activity import Instant, Timeline

JUMPS = st.floats(min_value=-1e5, max_value=1e5, allow_nan=False)


class TestTimeline:
    """Timeline.advance."""

    def test_agreeing_clocks_give_one_time(self) -> None:
        """Both timelines follow clocks that agree."""
        timeline = Timeline(1000.0, 5.0)

        assert timeline.advance(1030.0, 35.0) == Instant(1030.0, 1030.0)
        assert timeline.shift_seconds == 0.0

    def test_forward_step_lengthens_gaps_only(self) -> None:
        """A wall clock set forward makes gaps longer, and idleness not."""
        timeline = Timeline(1000.0, 0.0)

        assert timeline.advance(4630.0, 30.0) == Instant(1030.0, 4630.0)
        assert timeline.shift_seconds == 3600.0

    def test_backward_step_adds_no_idleness(self) -> None:
        """A wall clock set back adds nothing to idleness, and its time to gaps."""
        timeline = Timeline(1000.0, 0.0)

        assert timeline.advance(500.0, 30.0) == Instant(1000.0, 1030.0)
        assert timeline.advance(530.0, 60.0) == Instant(1030.0, 1060.0)
        assert timeline.shift_seconds == 0.0

    def test_suspended_monotonic_clock_adds_no_idleness(self) -> None:
        """Time in which the monotonic clock stood still counts for gaps only."""
        timeline = Timeline(1000.0, 0.0)

        assert timeline.advance(9000.0, 1.0) == Instant(1001.0, 9000.0)

    def test_jitter_is_no_step(self) -> None:
        """A difference below a second is not published as a shift."""
        timeline = Timeline(1000.0, 0.0)
        timeline.advance(1030.9, 30.0)

        assert timeline.shift_seconds == 0.0

    @given(st.lists(st.tuples(JUMPS, JUMPS), max_size=30))
    def test_never_goes_back(self, jumps: list[tuple[float, float]]) -> None:
        """Whatever the clocks do, no timeline and no published time goes back."""
        wall, monotonic = 1e9, 0.0
        timeline = Timeline(wall, monotonic)
        last, published = timeline.advance(wall, monotonic), wall
        for by_wall, by_monotonic in jumps:
            wall, monotonic = wall + by_wall, monotonic + by_monotonic
            now = timeline.advance(wall, monotonic)

            assert now.slow >= last.slow
            assert now.fast >= last.fast
            assert now.slow + timeline.shift_seconds >= published
            assert now.fast - last.fast >= now.slow - last.slow - 0.01
            last, published = now, now.slow + timeline.shift_seconds
