"""Escaping, sample lines and headers of the two text formats."""

from __future__ import annotations

import pytest

from nats_idle_exporter.metrics import Family, Format, Kind
from nats_idle_exporter.metrics.exposition import (
    escape,
    expose,
    pairs,
    sample,
    samples,
)

GAUGE = Family("queue_seconds", Kind.GAUGE, ("name",), "Time.", "seconds")
COUNTER = Family("polls_total", Kind.COUNTER, (), "Polls.")
INFO = Family("build_info", Kind.INFO, (), "Build.")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", b""),
        ("ORDERS", b"ORDERS"),
        ('"', rb"\""),
        ("\\", rb"\\"),
        ("\n", rb"\n"),
        ("\\n", rb"\\n"),
        ('\\"\n', rb"\\\"\n"),
        ("100%d", b"100%d"),
        ("\r\t\0", b"\r\t\0"),
        ("\u2028é", "\u2028é".encode()),
        ("\ud800", rb"\\ud800"),
        ('\udfff"', rb"\\udfff" + rb"\""),
    ],
)
def test_escape(value: str, expected: bytes) -> None:
    """Only what would end a value is escaped, and a lone surrogate spelled out."""
    assert escape(value) == expected


def test_pairs_refuse_a_missing_value() -> None:
    """Labels and values that do not match are a fault, never a shifted label."""
    with pytest.raises(TypeError, match="not enough arguments"):
        pairs(("system", "kind"), ("default",))


@pytest.mark.parametrize(
    ("family", "labels", "value", "expected"),
    [
        (GAUGE, ("a",), 0.25, b'queue_seconds{name="a"} 0.25\n'),
        (COUNTER, (), 7, b"polls_total 7\n"),
    ],
)
def test_sample(
    family: Family, labels: tuple[str, ...], value: float, expected: bytes
) -> None:
    """A sample without labels has no braces."""
    assert sample(family, labels, value) == expected


def test_samples_write_one_line_per_label_set() -> None:
    """Many samples are written in order, percent signs in labels unharmed."""
    lines = samples("idle", b"%.3f", [b'{a="%d"}', b'{a="2"}'], [1.5, 86400])

    assert lines == b'idle{a="%d"} 1.500\nidle{a="2"} 86400.000\n'


def test_samples_of_nothing() -> None:
    """No labels make no bytes."""
    assert samples("idle", b"%d", [], []) == b""


LINES = {GAUGE: b'queue_seconds{name="a"} 1\n', INFO: b"build_info 1\n"}


class TestExpose:
    """A page in each format."""

    def test_text(self) -> None:
        """In the text format an info family is a gauge and names keep suffixes."""
        page = expose(LINES, (INFO, COUNTER, GAUGE), b"# own\n", Format.TEXT)

        assert page.decode().splitlines() == [
            "# HELP build_info Build.",
            "# TYPE build_info gauge",
            "build_info 1",
            "# HELP polls_total Polls.",
            "# TYPE polls_total counter",
            "# HELP queue_seconds Time.",
            "# TYPE queue_seconds gauge",
            'queue_seconds{name="a"} 1',
            "# own",
        ]

    def test_openmetrics(self) -> None:
        """In OpenMetrics families lose their suffix, tell units, and EOF is last."""
        page = expose(LINES, (INFO, COUNTER, GAUGE), b"# own\n", Format.OPENMETRICS)

        assert page.decode().splitlines() == [
            "# HELP build Build.",
            "# TYPE build info",
            "build_info 1",
            "# HELP polls Polls.",
            "# TYPE polls counter",
            "# HELP queue_seconds Time.",
            "# TYPE queue_seconds gauge",
            "# UNIT queue_seconds seconds",
            'queue_seconds{name="a"} 1',
            "# own",
            "# EOF",
        ]
