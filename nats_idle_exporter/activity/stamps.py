"""Stamps of a server's clock, carried to our timeline as ages.

An age is the server's own ``now`` minus its own stamp, as long as that clock
was not set in between; then the stamp counts as now.
"""

from __future__ import annotations

from collections.abc import Sequence

from nats_idle_exporter.activity.facts import Reading, ServerFacts
from nats_idle_exporter.activity.holes import NEVER
from nats_idle_exporter.activity.servers import Server

STEP_SECONDS = 2.0
"""More than uptimes in whole seconds can make of a clock that runs evenly."""
SLACK_SECONDS = STEP_SECONDS + 1.0
"""What a step that goes unnoticed can add to an age."""


def stamped_at(reading: Reading, age_seconds: float, last: Server | None) -> float:
    """Return when something was stamped at the latest, on the slow timeline.

    Args:
        reading: the reading that told the stamp.
        age_seconds: its age by the server's clock.
        last: the server as it was last read; None when it never was.
    """
    is_older_than_server = age_seconds > reading.server.uptime_seconds + SLACK_SECONDS
    if is_older_than_server or _was_stepped(
        reading.server, last.facts if last else None
    ):
        return reading.answered.slow
    return _ago(reading, age_seconds - SLACK_SECONDS, last)


def counting_since(reading: Reading) -> float:
    """Return since when at the latest a server's counters count, likewise.

    That is its start, or its last reload: who was added to the configuration
    counts from then on.
    """
    facts = reading.server
    if facts.loaded_at == facts.start_at:
        return _ago(reading, facts.uptime_seconds, None)
    return stamped_at(reading, facts.now_at - facts.loaded_at, None)


def issued_since(reading: Reading, issued_at: float, shift_seconds: float) -> float:
    """Return when a JWT was issued at the latest, likewise.

    Unlike other stamps it may well be older than the server that tells it, and no
    server's clock made it: ours, which is ahead of the slow timeline by that shift,
    has its say too. Whose clock is ahead would make it older than it is.
    """
    if _was_stepped(reading.server, None):
        return reading.answered.slow
    by_us = reading.answered.slow + shift_seconds - issued_at
    age_seconds = min(by_us, reading.server.now_at - issued_at)
    return _ago(reading, age_seconds - SLACK_SECONDS, None)


class StampReader:
    """Dates stamps that any server may have made, by all clocks of a cycle.

    Whoever made a stamp, the least age by any clock is not older than the true
    one, unless a clock was set since: then every stamp counts as now.
    """

    def __init__(self, readings: Sequence[Reading]) -> None:
        self._now_at = min((_told_at(reading) for reading in readings), default=NEVER)
        self._is_stepped = any(_was_stepped(r.server, None) for r in readings)

    def made_at(self, teller: Reading, stamp_at: float, uptime_seconds: float) -> float:
        """Return when a stamp was made at the latest, on the slow timeline.

        Args:
            teller: a reading of this cycle that told it.
            stamp_at: Unix seconds by a server's clock.
            uptime_seconds: of the tellers; what was before counts as the start.
        """
        return self._dated(teller, min(self._now_at - stamp_at, uptime_seconds))

    def clocked_at(self, teller: Reading, stamp_at: float) -> float:
        """Return the same by the clocks alone; ``NEVER`` of a stamp of never."""
        if stamp_at == NEVER:
            return NEVER
        return self._dated(teller, self._now_at - stamp_at)

    def _dated(self, teller: Reading, age_seconds: float) -> float:
        if self._is_stepped:
            return teller.answered.slow
        return _ago(teller, age_seconds - SLACK_SECONDS, None)


def _told_at(reading: Reading) -> float:
    told = reading.jetstream
    return reading.server.now_at if told is None else told.now_at


def _ago(reading: Reading, age_seconds: float, last: Server | None) -> float:
    answered = reading.answered
    # What the slow timeline lost may lie after the stamp.
    lost = answered.fast - answered.slow
    if last is not None:
        lost -= last.asked.fast - last.asked.slow
    return answered.slow - max(0.0, age_seconds - lost)


def _was_stepped(now: ServerFacts, last: ServerFacts | None) -> bool:
    """Say whether the server's clock was set since it was last read, or started."""
    began = now.start_at if last is None else last.now_at - last.uptime_seconds
    return abs(now.now_at - now.uptime_seconds - began) > STEP_SECONDS
