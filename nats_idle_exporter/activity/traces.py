"""Traces: what is remembered of streams and consumers, over all servers.

Leaders move, so nothing here is kept by server. A mark holds numbers that only
grow as long as the thing lives, and the newest stamp of use:

* more of a number, or a newer stamp, than any server told before is use; the
  first stamp of numbers that were told without one only dates them;
* less is none. It may be a replica that lags or a server that recovers, so it
  is no good reading until whole rounds told it three times. The lower numbers
  count at once, so that growth from there is seen; but what comes back exactly
  as it was is the old thing, not use: so does a stream that seemed gone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from nats_idle_exporter.activity.facts import Consumer, Instant, Stream
from nats_idle_exporter.activity.holes import NEVER
from nats_idle_exporter.activity.record import MISSES_UNTIL_GONE

NUMBERS_OF_STREAM = 1
NUMBERS_OF_CONSUMER = 2
"""Counts in a mark of each; marks of one thing have the same."""

MOST_GONE = 64
"""Streams that seem gone, remembered of one account; older ones come back as new."""


class Mark(NamedTuple):
    """Numbers that grow with use, and the newest stamp, by servers' clocks."""

    counts: tuple[int, ...]
    stamp_at: float = NEVER

    def most(self, other: Mark) -> Mark:
        """Return the most of both, number by number."""
        counts = tuple(map(max, self.counts, other.counts))
        return Mark(counts, max(self.stamp_at, other.stamp_at))

    def is_above(self, other: Mark) -> bool:
        """Say whether anything here is more or newer than there."""
        pairs = zip(self.counts, other.counts, strict=True)
        return self.stamp_at > other.stamp_at or any(a > b for a, b in pairs)

    def counts_less(self, other: Mark) -> bool:
        """Say whether any number here is lower than there."""
        return any(a < b for a, b in zip(self.counts, other.counts, strict=True))


def mark_stream(stream: Stream) -> Mark:
    """Return what is written into a stream; into a copy nobody writes."""
    if stream.is_copy:
        return Mark((0,))
    return Mark(
        (stream.last_seq,), NEVER if stream.written_at is None else stream.written_at
    )


def mark_consumer(consumer: Consumer) -> Mark:
    """Return how far a consumer got."""
    return Mark(
        (consumer.delivered, consumer.acked),
        NEVER if consumer.used_at is None else consumer.used_at,
    )


@dataclass(slots=True)
class Trace:
    """One stream or consumer: its mark, and what it lacks.

    ``lost`` is the mark from before servers told less; ``misses`` counts whole
    rounds since then, or since it was listed.
    """

    mark: Mark
    lost: Mark | None = None
    misses: int = 0

    def take(self, told: Mark) -> bool:
        """Take a mark in; say whether it shows use."""
        if self._is_back(told):
            self.mark, self.lost = told.most(self.lost or told), None
            return False
        is_use = told.is_above(self.mark)
        is_known = told.stamp_at == self.mark.stamp_at > NEVER
        if told.counts_less(self.mark) and (is_use or is_known):
            # Made anew, and used since; other servers may have told that before.
            self.begin_anew(told)
            return is_use
        if is_use:
            self.lost = None
        self.mark = told.most(self.mark)
        if is_use and told.stamp_at == NEVER:
            # The stamp is of fewer numbers: that of these is still to come.
            self.mark = self.mark._replace(stamp_at=NEVER)
        return is_use

    def _is_back(self, told: Mark) -> bool:
        # Servers forget the stamps of consumers when they restart.
        lost = self.lost
        return lost is not None and (
            told.counts == lost.counts and told.stamp_at in (lost.stamp_at, NEVER)
        )

    def is_dated_by(self, told: Mark) -> bool:
        """Say whether a mark adds no more than the stamp, which nobody told before.

        Followers know no stamps of consumers: where they were the first to tell,
        the leader's stamp dates what is known already.
        """
        is_same = self.lost is None and told.counts == self.mark.counts
        return is_same and told.stamp_at > self.mark.stamp_at == NEVER

    def begin_anew(self, told: Mark) -> None:
        """Go on from a mark that is less, because the thing was made anew."""
        self.mark, self.lost = told, None

    def lacks(self, told: Mark | None, *, is_whole: bool) -> bool:
        """Say whether all servers together tell less than before, or more than taken.

        Args:
            told: the most of their last rounds; None when none lists it.
            is_whole: every server told anew since this was asked last.
        """
        is_less = told is not None and told.counts_less(self.mark)
        if told is not None and not is_less and self.lost is None:
            self.misses = 0
            return told.is_above(self.mark)
        if is_whole:
            self.misses += 1
            if is_less and told is not None:
                self.lost, self.mark = self.lost or self.mark, told
        return True

    @property
    def is_believed(self) -> bool:
        """Whether what is missing was missing for long enough."""
        return self.misses >= MISSES_UNTIL_GONE

    def settle(self) -> None:
        """Go on from zero: what began anew and is above that was used since."""
        zeros = (0,) * len(self.mark.counts)
        self.mark = Mark(zeros, self.mark.stamp_at)
        self.lost, self.misses = None, 0


@dataclass(slots=True)
class StreamTrace(Trace):
    """A stream, and those of its consumers that were asked for."""

    has_consumers: bool = False
    consumers: dict[str, Trace] = field(default_factory=dict)

    @property
    def is_consumed(self) -> bool:
        """Whether somebody may read it and leave no other trace."""
        return self.has_consumers or bool(self.consumers)

    @property
    def is_dated(self) -> bool:
        """Whether a stamp tells a consumer of it from a new one."""
        return any(each.mark.stamp_at > NEVER for each in self.consumers.values())


@dataclass(slots=True)
class Estate:
    """The streams of one account, and until when they were read.

    ``reach`` is the last round that lacked nothing, ``consumers_reach`` the last
    in which every server told the consumers. ``lacking_since`` is when the first
    whole round was over that lacked all that is lacking, of those after the last
    moment at which any of it may have been there again; None while there is none.
    """

    streams: dict[str, StreamTrace] = field(default_factory=dict)
    reach: Instant | None = None
    consumers_reach: Instant | None = None
    is_lacking: bool = False
    is_lacking_consumers: bool = False
    lacking_since: Instant | None = None
    is_awaited: bool = False
    """Some server was read for the first time since nothing was lacking: it may
    still recover what is."""
    is_looked_into: bool = False
    """Some server told its consumers once."""
    had_no_consumers: bool = False
    """Some round told that there were none: all that there are came later."""
    gone: dict[str, StreamTrace] = field(default_factory=dict)
    """Used streams that are believed to be gone, as they were told last.

    Nobody writes into a copy: only its consumers show that it was used.
    """

    def know(self, name: str, told: Mark) -> StreamTrace | None:
        """Return what is known of a stream that is told now, None when it is new.

        A server may recover for so long that its streams seem gone: what comes back
        exactly as it was is the old one.
        """
        gone = self.gone.pop(name, None)
        if gone is not None and told == gone.mark:
            self.streams[name] = gone
        return self.streams.get(name)

    def lose(self, name: str) -> None:
        """Believe that a stream is gone."""
        trace = self.streams.pop(name)
        mark = trace.lost or trace.mark
        if mark.stamp_at == NEVER and (any(mark.counts) or not trace.is_dated):
            # It could not be told from a new one.
            return
        trace.mark, trace.lost, trace.misses = mark, None, 0
        self.gone[name] = trace
        if len(self.gone) > MOST_GONE:
            del self.gone[next(iter(self.gone))]

    @property
    def is_unclear(self) -> bool:
        """Whether another look at its consumers is needed, however busy it is."""
        return self.is_lacking_consumers or not self.is_looked_into

    @property
    def has_consumers(self) -> bool:
        """Whether somebody may read its streams and leave no other trace."""
        return any(stream.is_consumed for stream in self.streams.values())
