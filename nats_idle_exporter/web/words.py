"""Values -> words for people: durations, moments, verdicts, strangers' names."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Protocol, assert_never

from nats_idle_exporter.activity import (
    EvidenceKind,
    Inventory,
    Reason,
    Verdict,
)

NAME_LENGTH = 256
"""Longer names are cut: one account must not fill the page."""

_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Fillers of Hangul, and Braille without dots: letters that print nothing."""

_SWALLOWED = re.compile(r"\A |(?<= ) | \Z")

_LATEST_AT = 253402300799.0
"""The last second that has a four-digit year."""

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))

_REASONS = {
    Reason.NONE: "",
    Reason.WATCHED_TOO_SHORT: "no use seen, but not watched long enough yet",
    Reason.OUTDATED: "a server that counts was not read lately",
    Reason.JETSTREAM_OUTDATED: "its JetStream was not read lately, or not wholly",
    Reason.EXPECTED_LATER: "its use is expected later, by its rule",
}

EVIDENCE = {
    EvidenceKind.CONNECTION: "client connection",
    EvidenceKind.LEAFNODE: "leafnode connection",
    EvidenceKind.SENT: "sent traffic",
    EvidenceKind.RECEIVED: "received traffic",
    EvidenceKind.CLOSED_CONNECTION: "connection that was closed",
    EvidenceKind.JETSTREAM: "JetStream messages, written or read",
}
"""What was seen, by kind of evidence."""

INVENTORY = {
    Inventory.NONE: "",
    Inventory.BOTH: "",
    Inventory.SERVERS_ONLY: "not in the inventory; a server still has it",
    Inventory.INVENTORY_ONLY: "in the inventory only; no server has loaded it",
}
"""What is odd about who lists an account; "" for nothing."""


def visible(text: str, longest: int = NAME_LENGTH) -> str:
    r"""Return text in which every character can be seen, cut to a fair length.

    Control, format (bidirectional overrides among them) and unassigned characters
    are spelled out, so that a name cannot reorder or hide what stands around it. So are
    spaces that a page swallows, and all that looks like one: two accounts whose names
    differ must look different.

    >>> visible("pay\u202eroll ")
    'pay\\u202eroll\\x20'
    """
    if len(text) > longest:
        text = f"{text[:longest]}… ({len(text):,} characters)"
    spelled = "".join(
        _spelled(each) if _is_blank(each) else _visible_character(each) for each in text
    )
    return _SWALLOWED.sub(r"\\x20", spelled)


def block(text: str) -> str:
    """Return text of several lines in which every character can be seen, uncut."""
    return "".join(
        each if each in "\n\t" else _visible_character(each) for each in text
    )


def _visible_character(character: str) -> str:
    category = unicodedata.category(character)
    if category.startswith("C") or category in {"Zl", "Zp"}:
        return _spelled(character)
    return character


def _is_blank(character: str) -> bool:
    is_space = unicodedata.category(character) == "Zs" and character != " "
    return is_space or character in _BLANK_LETTERS


def _spelled(character: str) -> str:
    return character.encode("unicode-escape").decode()


def duration(seconds: float) -> str:
    """Return a duration by its two largest units, rounded down.

    >>> duration(187205)
    '2d 4h'
    """
    left = int(seconds)
    parts: list[tuple[int, str]] = []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append((count, unit))
    shown = [f"{count}{unit}" for count, unit in parts[:2] if count]
    return " ".join(shown) or "0s"


def moment(at: float) -> str:
    """Return a moment, in Unix seconds, as UTC; impossible years are clamped.

    >>> moment(0)
    '1970-01-01 00:00:00 UTC'
    """
    possible = min(max(at, 0.0), _LATEST_AT)
    return datetime.fromtimestamp(possible, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


class Judged(Protocol):
    """What is said of an account."""

    @property
    def verdict(self) -> Verdict:
        """Return the verdict."""

    @property
    def reason(self) -> Reason:
        """Return why it is not proven now."""

    @property
    def is_observed(self) -> bool:
        """Return whether it is backed by watching up to now."""


def meaning(view: Judged) -> str:
    """Return what an account's verdict says, with the reason for a doubt."""
    reason = _REASONS[view.reason]
    match view.verdict:
        case Verdict.ACTIVE:
            return "used within the threshold"
        case Verdict.INACTIVE if view.is_observed:
            return "proven unused for its threshold"
        case Verdict.INACTIVE:
            held = "proven unused before, no use seen since"
            return f"{held}: {reason}" if reason else held
        case Verdict.EXEMPT:
            return f"exempt by its rule; {reason or 'proven unused for its threshold'}"
        case Verdict.UNKNOWN | Verdict.EXCLUDED:
            return reason
        case _:
            assert_never(view.verdict)
