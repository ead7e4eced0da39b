"""Builders of rounds of jsz, for the tests of JetStream."""

from __future__ import annotations

from typing import Any

from nats_idle_exporter.activity import Consumer, JetStreamRound, Reading, Stream
from tests.activity.builders import HOUR, POLL, Process, Watcher, at

START = 1_000_000.0
BOOT = START - 24 * HOUR
NEXT = START + POLL
RAISED = NEXT + HOUR
"""When the threshold is over since the first look at consumers."""
LATER = RAISED + POLL
TEAM = frozenset({"TEAM"})


def a_stream(last_seq: int = 5, **changes: Any) -> Stream:
    """Return a stream of the team, written when the servers started."""
    return Stream("TEAM", "S", last_seq, **{"written_at": BOOT, **changes})


def read_by(delivered: int = 3, name: str = "C", **changes: Any) -> Stream:
    """Return the stream with one consumer."""
    consumer = Consumer(name, delivered, delivered, **changes)
    return a_stream(has_consumers=True, consumers=(consumer,))


UNASKED = a_stream(has_consumers=True)
"""The stream with a consumer that nobody asked for."""


def told(
    server: Process,
    when: float,
    *streams: Stream,
    consumers_of: frozenset[str] = frozenset(),
    untouched: frozenset[str] = frozenset(),
    now_at: float | None = None,
    **changes: Any,
) -> Reading:
    """Return a reading with a round of jsz in it."""
    asked = changes.pop("jsz_asked", when)
    now = when if now_at is None else now_at
    round_ = JetStreamRound(at(asked), now, TEAM, untouched, streams, consumers_of)
    return server.reading(when, **{"jetstream": round_, **changes})


def watch(
    watcher: Watcher,
    server: Process,
    *streams: Stream,
    start: float = START,
    end: float = RAISED,
) -> None:
    """Run cycles with the same streams; consumers are told where they are wanted."""
    when = start
    while when <= end:
        wanted = watcher.ledger.consumers_wanted()
        shown = [
            s if s.account in wanted else s._replace(consumers=()) for s in streams
        ]
        watcher.cycle(when, told(server, when, *shown, consumers_of=wanted))
        when += POLL
