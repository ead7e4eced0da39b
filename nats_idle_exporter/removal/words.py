"""Numbers and strangers' words -> words of one line, without any clock or locale."""

from __future__ import annotations

LONGEST = 80
"""Characters of a stranger's word that are shown."""

MOST = 5
"""Things of a list that are named; of the others is told how many there are."""

_DAY = 86_400
_UNITS = (("d", _DAY), ("h", 3600), ("m", 60), ("s", 1))
_KIBI = 1024
_SIZES = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_LAST = 2_932_897 * _DAY - 1
"""The end of 9999-12-31; what is later, or before 1970, is shown as the nearest."""


def day(at: float) -> str:
    """Return the day, in UTC, of a moment in Unix seconds.

    >>> day(1_790_000_000)
    '2026-09-21'
    """
    days = int(min(max(at, 0.0), _LAST) // _DAY)
    # Years are counted from March, so that the leap day is the last of its year:
    # https://howardhinnant.github.io/date_algorithms.html#civil_from_days
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    since_march = (5 * of_year + 2) // 153
    number = of_year - (153 * since_march + 2) // 5 + 1
    years, month = divmod(since_march + 2, 12)
    return f"{400 * era + year + years:04}-{month + 1:02}-{number:02}"


def moment(at: float) -> str:
    """Return a moment in Unix seconds, in UTC, to the minute.

    >>> moment(1_790_000_000)
    '2026-09-21 14:13 UTC'
    """
    shown = min(max(at, 0.0), _LAST)
    minutes = int(shown % _DAY // 60)
    return f"{day(shown)} {minutes // 60:02}:{minutes % 60:02} UTC"


def duration(seconds: float) -> str:
    """Return a duration by its two largest units, rounded down.

    >>> duration(187_205)
    '2d4h'
    """
    left = int(max(seconds, 0))
    parts: list[tuple[int, str]] = []
    for unit, length in _UNITS:
        count, left = divmod(left, length)
        if count or parts:
            parts.append((count, unit))
    return "".join(f"{count}{unit}" for count, unit in parts[:2] if count) or "0s"


def size(count: int) -> str:
    """Return an amount of bytes, three digits or so.

    >>> size(5_000_000)
    '4.8 MiB'
    """
    amount, steps = float(count), 0
    while amount >= _KIBI and steps < len(_SIZES) - 1:
        amount, steps = amount / _KIBI, steps + 1
    return f"{amount:,.1f} {_SIZES[steps]}" if steps else counted(count, "byte")


def counted(count: int, thing: str) -> str:
    """Return a count with the word for it.

    >>> counted(1204, "stream")
    '1,204 streams'
    """
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def quoted(text: str) -> str:
    r"""Return a stranger's word on one line, cut to a fair length.

    >>> print(quoted("a\nb"))
    "a\nb"
    """
    if len(text) > LONGEST:
        text = f"{text[: LONGEST - 3]}..."
    return f'"{"".join(map(_visible, text))}"'


def listed(words: list[str]) -> str:
    """Return the first words of a list, and how many more there are.

    >>> listed(list("abcdefg"))
    'a, b, c, d, e and 2 more'
    """
    shown = ", ".join(words[:MOST])
    return shown if len(words) <= MOST else f"{shown} and {len(words) - MOST:,} more"


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
