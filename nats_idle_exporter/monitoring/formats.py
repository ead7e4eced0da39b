"""The small languages inside the bodies: uptimes and versions."""

from __future__ import annotations

import re
from typing import Final

_UPTIME: Final = re.compile(
    r"(?=[0-9])(?:([0-9]{1,4})y)?(?:([0-9]{1,6})d)?"
    r"(?:([0-9]{1,6})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?"
)
_UNITS: Final = (365 * 86400, 86400, 3600, 60, 1)
LONGEST_UPTIME_SECONDS: Final = 100 * 365 * 86400.0
"""Older than NATS by far. At first sight an uptime says how long proof goes back."""
_RELEASE: Final = re.compile(r"v?([0-9]{1,6})\.([0-9]{1,6})\.([0-9]{1,6})(?![0-9])")


def parse_uptime(text: str) -> float:
    """Return the seconds of an uptime as servers write it.

    >>> parse_uptime("1d2h3m4s")
    93784.0

    Raises:
        ValueError: it is not an uptime, or not one of this world.
    """
    match = _UPTIME.fullmatch(text)
    if match is None:
        raise ValueError("unreadable uptime")
    counts = (int(count or 0) for count in match.groups())
    seconds = float(sum(n * unit for n, unit in zip(counts, _UNITS, strict=True)))
    if seconds > LONGEST_UPTIME_SECONDS:
        raise ValueError("an uptime of more than a century")
    return seconds


def parse_release(version: str) -> tuple[int, ...]:
    """Return a version's numbers without its suffix, () when there are none.

    >>> parse_release("2.12.0-beta.1")
    (2, 12, 0)
    """
    match = _RELEASE.match(version)
    return tuple(int(part) for part in match.groups()) if match else ()
