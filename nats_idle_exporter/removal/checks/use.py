"""Is it in use, and do we know? Connections, use, and how long we watched."""

from __future__ import annotations

from nats_idle_exporter.removal.case import Case
from nats_idle_exporter.removal.checks.saying import Finding, doubts, fails, passes
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


def check_connections(case: Case, _: float) -> Finding:
    """Judge who is connected now; not known while some server is not read."""
    use = case.use
    if number := use.connections + use.leafnodes:
        return fails(number, lambda: f"{_connected(use)} now")
    if use.reason not in COUNTED_REASONS:
        return doubts(
            lambda: f"{_connected(use)} where we looked, but some server was not read"
        )
    return passes(lambda: f"{_connected(use)} now")


def check_use(case: Case, _: float) -> Finding:
    """Judge what the proof says; of an exempt account by its numbers."""
    use = case.use
    if use.verdict == ACTIVE:
        return fails(1, lambda: f"in use within {_threshold(use)}: {_newest(use)}")
    is_proven = use.is_observed and use.idle_seconds >= use.threshold_seconds
    if use.verdict == INACTIVE or (use.verdict == EXEMPT and is_proven):
        return passes(lambda: f"no use for {_threshold(use)}; {_newest(use)}")
    return doubts(lambda: f"no use seen, but not proven either; {_newest(use)}")


def check_watched(case: Case, now_at: float) -> Finding:
    """Judge whether the watching reaches far enough, by the account's own threshold.

    What is known to be too short fails. It is unknown while something is not read
    now, and after a hole, through which a verdict was held.
    """
    use, expected_at = case.use, case.entry.expected_at
    if expected_at is not None and expected_at > now_at:
        return fails(1, lambda: f"its use is expected from {day(expected_at)} on")
    if use.reason in _OUTDATED:
        return doubts(_OUTDATED[use.reason])
    if use.idle_seconds < use.threshold_seconds:
        if use.verdict == INACTIVE:
            return doubts(lambda: f"{_watched(use)} since a hole in the watching")
        return fails(1, lambda: _watched(use))
    if not use.is_observed:
        return doubts(lambda: f"{_watched(use)}, but not up to now")
    return passes(
        lambda: f"{_watched(use)}, since {day(use.quiet_since_at)} and up to now"
    )


def _connected(use: Use) -> str:
    return (
        f"{counted(use.connections, 'client connection')} and "
        f"{counted(use.leafnodes, 'leafnode link')}"
    )


def _watched(use: Use) -> str:
    return f"proven unused for {duration(use.idle_seconds)} of {_threshold(use)}"


def _threshold(use: Use) -> str:
    return f"its threshold of {duration(use.threshold_seconds)}"


def _newest(use: Use) -> str:
    if use.last_use_at is None:
        return "never seen in use"
    return f"last seen on {day(use.last_use_at)} by {use.evidence or 'its use'}"
