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
from nats_idle_exporter.activity.holes import NEVER
from nats_idle_exporter.activity.traces import Mark, mark_consumer, mark_stream


@dataclass(slots=True)
class Told:
    """The most that is told of one stream or consumer.

    ``teller`` is the last reading of this cycle that added anything, None when
    only older ones tell of it. ``tellers`` are all of this cycle. ``stamped`` is
    what was told with the newest stamp.
    """

    mark: Mark
    stamped: Mark
    teller: Reading | None = None
    tellers: list[Reading] = field(default_factory=list)

    def add(self, mark: Mark, reading: Reading | None) -> None:
        """Add what one round tells; ``reading`` is None for an older round."""
        is_news = self.teller is None or mark.is_above(self.mark)
        self.mark = self.mark.most(mark)
        if mark.stamp_at == self.stamped.stamp_at:
            self.stamped = self.stamped.most(mark)
        elif mark.stamp_at > self.stamped.stamp_at:
            self.stamped = mark
        if reading is not None:
            self.teller = reading if is_news else self.teller
            self.tellers.append(reading)

    @property
    def is_dated(self) -> bool:
        """Whether the stamp is not older than any of the numbers.

        Followers know no stamps of consumers: what they tell beyond the leader's
        numbers was used after its stamp.
        """
        return self.stamped.stamp_at > NEVER and self.stamped == self.mark

    @property
    def uptime_seconds(self) -> float:
        """Return the least of this cycle's tellers."""
        return min(each.server.uptime_seconds for each in self.tellers)


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
            told = self.consumers.setdefault(consumer.name, Told(mark, mark))
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
                mark = mark_stream(stream)
                streams[stream.name] = ToldStream(mark, mark)
            streams[stream.name].add_stream(stream, reading)
    return accounts
