"""Durations as Prometheus writes them: ``24h``, ``1d12h``, ``500ms``.

The grammar is that of prometheus/common: whole numbers with the units y, w, d,
h, m, s, ms, from largest to smallest, each at most once; ``0`` needs no unit.
"""

from __future__ import annotations

import re

_UNITS = {
    "y": 365 * 24 * 3_600_000,
    "w": 7 * 24 * 3_600_000,
    "d": 24 * 3_600_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
"""Milliseconds per unit, largest first."""

# More than 19 digits cannot fit, and int() refuses very many.
_GRAMMAR = re.compile("".join(rf"(?:0*([0-9]{{1,19}}){unit})?" for unit in _UNITS))

# Prometheus counts nanoseconds in 63 bits: about 292 years.
_LONGEST_MILLISECONDS = (2**63 - 1) // 1_000_000


def parse_duration(text: str) -> float:
    """Return the seconds that a duration says.

    >>> parse_duration("1d12h")
    129600.0

    Raises:
        ValueError: the text is no duration, or one too long for Prometheus.
    """
    if text == "0":
        return 0.0
    match = _GRAMMAR.fullmatch(text)
    if match is None or not text:
        raise ValueError("not a duration like 24h")
    milliseconds = sum(
        int(digits or 0) * size
        for digits, size in zip(match.groups(), _UNITS.values(), strict=True)
    )
    if milliseconds > _LONGEST_MILLISECONDS:
        raise ValueError("a duration of more than 292 years")
    return milliseconds / 1000


def format_duration(seconds: float) -> str:
    """Return the shortest text that parses to the seconds, rounded to 1 ms.

    Years and weeks are used only where nothing remains: 90d, not 12w6d.

    >>> format_duration(129600)
    '1d12h'

    Raises:
        ValueError: the seconds are negative; the grammar knows no sign.
    """
    rest = round(seconds * 1000)
    if rest < 0:
        raise ValueError("a negative duration")
    parts = []
    for unit, size in _UNITS.items():
        if unit in {"y", "w"} and rest % size:
            continue
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
