"""Durations: Prometheus' grammar, both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nats_idle_exporter.config.durations import format_duration, parse_duration

LONGEST_MILLISECONDS = (2**63 - 1) // 1_000_000

GOOD = [
    ("0", 0.0, "0s"),
    ("0s", 0.0, "0s"),
    ("0w", 0.0, "0s"),
    ("500ms", 0.5, "500ms"),
    ("2s", 2.0, "2s"),
    ("324ms", 0.324, "324ms"),
    ("3s", 3.0, "3s"),
    ("5m", 300.0, "5m"),
    ("1h", 3600.0, "1h"),
    ("4d", 4 * 86400.0, "4d"),
    ("4d1h", 4 * 86400.0 + 3600, "4d1h"),
    ("14d", 14 * 86400.0, "2w"),
    ("3w", 3 * 604800.0, "3w"),
    ("3w2d1h", (23 * 24 + 1) * 3600.0, "23d1h"),
    ("90d", 90 * 86400.0, "90d"),
    ("10y", 10 * 365 * 86400.0, "10y"),
    ("1y1ms", 365 * 86400.0 + 0.001, "365d1ms"),
    ("1d12h", 129600.0, "1d12h"),
    ("007s", 7.0, "7s"),
    ("0" * 30 + "7s", 7.0, "7s"),
    ("1y2w3d4h5m6s7ms", 33019506.007, "382d4h5m6s7ms"),
]

BAD = [
    "",
    " ",
    "1",
    "00",
    "s",
    "1.5h",
    "-1s",
    "+1s",
    "1 s",
    " 1s",
    "1s ",
    "1s\n",
    "1S",
    "1us",
    "1s1m",
    "1m1m",
    "1ms1s",
    "1:30",
    "24h0",
    "٣s",
    "1e3s",
    "9" * 5000 + "s",
]


@pytest.mark.parametrize(("text", "seconds", "shortest"), GOOD)
def test_durations_are_read_and_written(
    text: str, seconds: float, shortest: str
) -> None:
    """A duration means its seconds, which are written in the shortest form."""
    assert parse_duration(text) == seconds
    assert format_duration(seconds) == shortest


@pytest.mark.parametrize("text", BAD)
def test_everything_else_is_refused(text: str) -> None:
    """Signs, fractions, spaces, wrong order and bare numbers are no durations."""
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["293y", "9223372036855ms", "99999999999999999s"])
def test_what_prometheus_cannot_count_is_refused(text: str) -> None:
    """A duration beyond 63 bits of nanoseconds is refused."""
    with pytest.raises(ValueError, match="292 years"):
        parse_duration(text)


def test_the_longest_duration_is_accepted() -> None:
    """The bound itself is a duration."""
    assert parse_duration("9223372036854ms") == 9223372036.854


def test_negative_seconds_cannot_be_written() -> None:
    """The grammar has no sign, so negative seconds are refused."""
    with pytest.raises(ValueError, match="negative"):
        format_duration(-1)


@given(st.integers(min_value=0, max_value=LONGEST_MILLISECONDS))
def test_round_trip(milliseconds: int) -> None:
    """What is written from seconds is read as the same seconds."""
    seconds = milliseconds / 1000

    assert parse_duration(format_duration(seconds)) == seconds
