"""Words of the checklist: one line each, whatever goes in."""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nats_idle_exporter.removal import words

LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


@given(st.floats(0, LAST))
def test_moments_are_those_of_the_calendar(at: float) -> None:
    """Days and minutes are those that the standard library tells."""
    known = datetime.fromtimestamp(int(at), UTC)

    assert words.day(at) == known.strftime("%Y-%m-%d").rjust(10, "0")
    assert words.moment(at) == f"{known:%Y-%m-%d %H:%M} UTC"


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (-1e9, "1970-01-01"),
        (1e18, "9999-12-31"),
        (LAST, "9999-12-31"),
        (-inf, "1970-01-01"),
        (inf, "9999-12-31"),
    ],
)
def test_impossible_days(at: float, shown: str) -> None:
    """What is out of the calendar is shown as its nearest day."""
    assert words.day(at) == shown
    assert words.moment(at).startswith(shown)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-5, "0s"), (0, "0s"), (59.9, "59s"), (3600, "1h"), (86400 + 60, "1d")],
)
def test_durations(seconds: float, shown: str) -> None:
    """The two largest units are shown, zeros are not."""
    assert words.duration(seconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1,023 bytes"),
        (1536, "1.5 KiB"),
        (2**80, "1,048,576.0 EiB"),
    ],
)
def test_sizes(count: int, shown: str) -> None:
    """Amounts are shown in the largest unit that fits."""
    assert words.size(count) == shown


@given(st.text())
def test_strangers_words_are_one_printable_line(text: str) -> None:
    """No name breaks the line, hides in it, or fills the page."""
    shown = words.quoted(text)

    assert shown.isprintable()
    assert len(shown) <= 10 * words.LONGEST + 2


def test_a_long_name_is_cut() -> None:
    """A cut is marked."""
    assert words.quoted("x" * 81) == f'"{"x" * 77}..."'


def test_lists() -> None:
    """Of long lists the first are named, and the rest is counted."""
    assert words.listed(list("abcde")) == "a, b, c, d, e"
    assert words.listed(list("abcdef")) == "a, b, c, d, e and 1 more"
