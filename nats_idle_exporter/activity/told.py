"""What servers tell together of streams and consumers at the end of a cycle.

Every server's last round counts, so that a replica that lags, or the order of
the readings, changes nothing: the most that any of them tells is the truth.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from nats_idle_exporter.activity.facts import JetStreamRound, Reading, Stream
from nats_idle_exporter.activity.fleet import Fleet
from nats_idle_exporter.activity.traces import Mark, mark_consumer, mark_stream


@dataclass(slots=True)
class Told:
    """The most that is told of one stream or consumer.

    ``teller`` is the last reading of this cycle that added anything, None when
    only older ones tell of it. ``uptime_seconds`` is the least of this cycle's
    tellers.
    """

    mark: Mark
    teller: Reading | None = None
    uptime_seconds: float = float("inf")

    def add(self, mark: Mark, reading: Reading | None) -> None:
        """Add what one round tells; ``reading`` is None for an older round."""
        is_news = self.teller is None or mark.is_above(self.mark)
        self.mark = self.mark.most(mark)
        if reading is not None:
            self.teller = reading if is_news else self.teller
            uptime = reading.server.uptime_seconds
            self.uptime_seconds = min(self.uptime_seconds, uptime)


@dataclass(slots=True)
class ToldStream(Told):
    """The same of a stream, with its consumers by name."""

    has_consumers: bool = False
    consumers: dict[str, Told] = field(default_factory=dict)

    def add_stream(self, stream: Stream, reading: Reading | None) -> None:
        """Add what one round tells of the stream and its consumers."""
        self.add(mark_stream(stream), reading)
        self.has_consumers |= stream.has_consumers
        for consumer in stream.consumers:
            mark = mark_consumer(consumer)
            told = self.consumers.setdefault(consumer.name, Told(mark))
            told.add(mark, reading)


ToldAccount: TypeAlias = dict[str, ToldStream]
"""The streams of one account by name."""


def gather(fleet: Fleet, readings: Iterable[Reading]) -> dict[str, ToldAccount]:
    """Return what is told of every account's streams.

    Args:
        fleet: whose last rounds count, where the readings bring no newer one.
        readings: of this cycle, in their order.
    """
    new = [(reading.jetstream, reading) for reading in readings]
    answered = {reading.server.server_id for told, reading in new if told is not None}
    old = (s.jetstream for i, s in fleet.counted() if i not in answered)
    rounds: list[tuple[JetStreamRound | None, Reading | None]]
    rounds = [*((each, None) for each in old), *new]
    accounts = defaultdict[str, ToldAccount](dict)
    for told, reading in rounds:
        for stream in told.streams if told else ():
            streams = accounts[stream.account]
            if stream.name not in streams:
                streams[stream.name] = ToldStream(mark_stream(stream))
            streams[stream.name].add_stream(stream, reading)
    return accounts
