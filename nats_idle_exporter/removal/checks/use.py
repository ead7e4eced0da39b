"""Is it in use, and do we know? Connections, use, and how long we watched."""

from __future__ import annotations

from nats_idle_exporter.removal.case import Case
from nats_idle_exporter.removal.checks.saying import SERVERS, Says
from nats_idle_exporter.removal.dossier import Check, Item
from nats_idle_exporter.removal.facts import Use
from nats_idle_exporter.removal.words import counted, day, duration

ACTIVE = "active"
INACTIVE = "inactive"
EXEMPT = "exempt"
COUNTED_REASONS = frozenset({"", "watched_too_short", "jetstream_outdated"})
"""Reasons of the proof for a doubt with which every server was still read lately."""

_OUTDATED = {
    "outdated": "a server that counts was not read lately",
    "jetstream_outdated": "its JetStream was not read lately, or not wholly",
}
_PROOF = "the proof, by all servers' counters"


def check_connections(case: Case, _: float) -> Item:
    """Judge who is connected now; not known while some server is not read."""
    says, use = Says(Check.CONNECTIONS, SERVERS), case.use
    number = use.connections + use.leafnodes
    words = (
        f"{counted(use.connections, 'client connection')} and "
        f"{counted(use.leafnodes, 'leafnode link')}"
    )
    if number:
        return says.fails(number, f"{words} now")
    if use.reason not in COUNTED_REASONS:
        return says.doubts(f"{words} where we looked, but some server was not read")
    return says.passes(f"{words} now")


def check_use(case: Case, _: float) -> Item:
    """Judge what the proof says; of an exempt account by its numbers."""
    says, use = Says(Check.USE, _PROOF), case.use
    if use.verdict == ACTIVE:
        return says.fails(1, f"in use within {_threshold(use)}: {_newest(use)}")
    is_proven = use.is_observed and use.idle_seconds >= use.threshold_seconds
    if use.verdict == INACTIVE or (use.verdict == EXEMPT and is_proven):
        return says.passes(f"no use for {_threshold(use)}; {_newest(use)}")
    return says.doubts(f"no use seen, but not proven either; {_newest(use)}")


def check_watched(case: Case, now_at: float) -> Item:
    """Judge whether the watching reaches far enough, by the account's own threshold.

    What is known to be too short fails. It is unknown while something is not read
    now, and after a hole, through which a verdict was held.
    """
    says, use = Says(Check.WATCHED, _PROOF), case.use
    expected_at = case.entry.expected_at
    if expected_at is not None and expected_at > now_at:
        return says.fails(1, f"its use is expected from {day(expected_at)} on")
    if use.reason in _OUTDATED:
        return says.doubts(_OUTDATED[use.reason])
    watched = f"proven unused for {duration(use.idle_seconds)} of {_threshold(use)}"
    if use.idle_seconds < use.threshold_seconds:
        if use.verdict == INACTIVE:
            return says.doubts(f"{watched} since a hole in the watching")
        return says.fails(1, watched)
    if not use.is_observed:
        return says.doubts(f"{watched}, but not up to now")
    since = day(use.quiet_since_at)
    return says.passes(f"{watched}, since {since} and up to now")


def _threshold(use: Use) -> str:
    return f"its threshold of {duration(use.threshold_seconds)}"


def _newest(use: Use) -> str:
    if use.last_use_at is None:
        return "never seen in use"
    return f"last seen on {day(use.last_use_at)} by {use.evidence or 'its use'}"
