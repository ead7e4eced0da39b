"""Tests of the small languages inside the bodies."""

from __future__ import annotations

import pytest

from nats_idle_exporter.monitoring.formats import parse_release, parse_uptime


class TestFormats:
    """Uptimes and versions."""

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("0s", 0),
            ("19s", 19),
            ("1m0s", 60),
            ("1h1m1s", 3661),
            ("1d0h0m0s", 86400),
            ("1y2d3h4m5s", 365 * 86400 + 2 * 86400 + 3 * 3600 + 4 * 60 + 5),
            ("3y", 3 * 365 * 86400),
        ],
    )
    def test_uptimes(self, text: str, seconds: float) -> None:
        """An uptime is read as the seconds that the server meant."""
        assert parse_uptime(text) == seconds

    @pytest.mark.parametrize(
        "text", ["", "s", "5", "5s4m", " 5s", "5s ", "5S", "\u0665s", "101y", "9999y"]
    )
    def test_no_uptimes(self, text: str) -> None:
        """Anything else is refused, not guessed at."""
        with pytest.raises(ValueError, match="uptime"):
            parse_uptime(text)

    @pytest.mark.parametrize(
        ("version", "release"),
        [
            ("2.9.10", (2, 9, 10)),
            ("2.12.0-beta.1", (2, 12, 0)),
            ("2.15.0-dev", (2, 15, 0)),
            ("v2.10.25", (2, 10, 25)),
            ("2.10.25+build", (2, 10, 25)),
            ("", ()),
            ("2.10", ()),
            ("main", ()),
            ("2.10." + "9" * 50, ()),
        ],
    )
    def test_releases(self, version: str, release: tuple[int, ...]) -> None:
        """A version's numbers are read, or there are none."""
        assert parse_release(version) == release
