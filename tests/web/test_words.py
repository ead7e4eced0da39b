"""Values in words for people."""

from __future__ import annotations

import pytest

from nats_idle_exporter.activity import EvidenceKind, Reason, UnwatchedKind, Verdict
from nats_idle_exporter.web import unwatchedwords, words
from tests.metrics.builders import an_account


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("ORDERS", "ORDERS"),
        ("é 账户 🙂 مرحبا", "é 账户 🙂 مرحبا"),
        ("a\u202eb", r"a\u202eb"),
        ("a\u2066b\u2069", r"a\u2066b\u2069"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("line\nbreak\r\t", r"line\nbreak\r\t"),
        ("NUL\0 DEL\x7f", r"NUL\x00 DEL\x7f"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("\ud800", r"\ud800"),
        ("private\ue000", r"private\ue000"),
        (" ", r"\x20"),
        (" a b  c ", r"\x20a b \x20c\x20"),
        ("a\xa0b\u3000", r"a\xa0b\u3000"),
        ("\u2800\u3164", r"\u2800\u3164"),
        ("x" * 256, "x" * 256),
        ("x" * 1257, "x" * 256 + "… (1,257 characters)"),
    ],
)
def test_visible(text: str, expected: str) -> None:
    """What cannot be seen or moves other text is spelled out; length is bounded."""
    assert words.visible(text) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0s"),
        (0.9, "0s"),
        (59.999, "59s"),
        (60, "1m"),
        (3599, "59m 59s"),
        (3600, "1h"),
        (3601, "1h"),
        (86_399, "23h 59m"),
        (86_400, "1d"),
        (90_000, "1d 1h"),
        (3_456_000, "40d"),
    ],
)
def test_duration(seconds: float, expected: str) -> None:
    """Two units are enough, and nothing is rounded up."""
    assert words.duration(seconds) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (0.0, "1970-01-01 00:00:00 UTC"),
        (1_800_000_000.9, "2027-01-15 08:00:00 UTC"),
        (-5e12, "1970-01-01 00:00:00 UTC"),
        (1e30, "9999-12-31 23:59:59 UTC"),
    ],
)
def test_moment(at: float, expected: str) -> None:
    """A moment is UTC, also when a server's clock is nonsense."""
    assert words.moment(at) == expected


@pytest.mark.parametrize(
    ("verdict", "reason", "is_observed", "expected"),
    [
        (Verdict.ACTIVE, Reason.NONE, True, "used within the threshold"),
        (Verdict.INACTIVE, Reason.NONE, True, "proven unused for its threshold"),
        (
            Verdict.INACTIVE,
            Reason.NONE,
            False,
            "proven unused before, no use seen since",
        ),
        (
            Verdict.INACTIVE,
            Reason.OUTDATED,
            False,
            (
                "proven unused before, no use seen since: "
                "a server that counts was not read lately"
            ),
        ),
        (
            Verdict.EXEMPT,
            Reason.NONE,
            True,
            "exempt by its rule; proven unused for its threshold",
        ),
        (
            Verdict.EXEMPT,
            Reason.WATCHED_TOO_SHORT,
            False,
            "exempt by its rule; no use seen, but not watched long enough yet",
        ),
        (
            Verdict.UNKNOWN,
            Reason.WATCHED_TOO_SHORT,
            False,
            "no use seen, but not watched long enough yet",
        ),
    ],
)
def test_meaning(
    verdict: Verdict, reason: Reason, *, is_observed: bool, expected: str
) -> None:
    """A verdict says what stands behind it, and why it may be in doubt."""
    view = an_account(verdict=verdict, reason=reason, is_observed=is_observed)

    assert words.meaning(view) == expected


def test_every_value_has_words() -> None:
    """No verdict, reason, evidence or kind of server is left without words."""
    for verdict in Verdict:
        for reason in Reason:
            assert isinstance(
                words.meaning(an_account(verdict=verdict, reason=reason)), str
            )
    assert words.EVIDENCE.keys() == set(EvidenceKind)
    assert unwatchedwords.KNOWN.keys() == set(UnwatchedKind)
