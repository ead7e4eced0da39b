"""Our own restart: instants of a new process, carried to the timelines of before.

While we were down nobody watched. For holes that took as long as the longest of
our clocks says, and of idleness only that part counts which the servers' uptimes
and our clocks agree on: one of them may have been set, or may have stood.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from nats_idle_exporter.activity.facts import Instant, Reading
from nats_idle_exporter.activity.forms import SavedClock
from nats_idle_exporter.activity.servers import Server

ROUNDING_SECONDS = 1.0
"""What uptimes in whole seconds can add to their difference."""
LAG_SECONDS = 10.0
"""Published times rather lag behind the wall clock by this than move."""


class Clocks(NamedTuple):
    """Our clocks, read at one moment.

    ``now`` is that moment on the timelines of this process. ``monotonic_at`` is in
    seconds since the boot that ``boot_id`` names; "" when that is unknown.
    """

    now: Instant
    wall_at: float
    monotonic_at: float
    boot_id: str = ""


class Opening(NamedTuple):
    """What is known of the time in which we were down, until servers are read.

    ``saved_to`` and ``began`` are its ends on the fast timelines of both sides.
    """

    least_seconds: float
    saved_to: float
    began: float

    def down_seconds(self, reading: Reading, last: Server) -> float:
        """Return how long we were down at least, by one server's uptime.

        Its growth spans the time before and after too, and was told at some
        moment of each poll: of both the longest is taken off.
        """
        grown = reading.server.uptime_seconds - last.facts.uptime_seconds
        before = self.saved_to - last.asked.fast
        after = reading.answered.fast - self.began
        return grown - ROUNDING_SECONDS - before - after


@dataclass(slots=True)
class Bridge:
    """Carries the instants of this process to the timelines of a ledger.

    A bridge is open until it is decided how much of the time in which we were down
    counts as idle. Until then it counts as none, so nothing new may be dated.
    """

    _slow: float = 0.0
    _fast: float = 0.0
    _floor: float = float("-inf")
    _lag: float = 0.0
    _open: Opening | None = None

    @property
    def is_open(self) -> bool:
        """Say whether it is still undecided how long we were down."""
        return self._open is not None

    def close(
        self,
        readings: Collection[Reading],
        counted: Mapping[str, Server],
        shift_seconds: float,
    ) -> None:
        """Decide how long we were down, by the first readings after it.

        Later ones could tell more, but what was dated by then would look older.

        Args:
            readings: of one cycle, as this process stamped them.
            counted: the servers that counted before, by ``server_id``.
            shift_seconds: this process's own (see ``Timeline``).
        """
        if self._open is None:
            return
        grown = [
            self._open.down_seconds(reading, last)
            for reading in readings
            if (last := counted.get(reading.server.server_id)) is not None
        ]
        if grown:
            self._slow += max(0.0, min(self._open.least_seconds, *grown))
        self._open = None
        behind = shift_seconds - self._slow - self._floor
        self._lag = behind if 0.0 < behind <= LAG_SECONDS else 0.0

    def carry(self, instant: Instant) -> Instant:
        """Return an instant of this process on the ledger's timelines."""
        return Instant(instant.slow + self._slow, instant.fast + self._fast)

    def carry_reading(self, reading: Reading) -> Reading:
        """Return a reading with its instants carried over."""
        jetstream = reading.jetstream
        if jetstream is not None:
            jetstream = jetstream._replace(asked=self.carry(jetstream.asked))
        return replace(
            reading,
            asked=self.carry(reading.asked),
            answered=self.carry(reading.answered),
            jetstream=jetstream,
        )

    def shift_seconds(self, shift_seconds: float) -> float:
        """Return what to add to the ledger's slow timeline to publish it.

        No published time goes back by a restart, nor does one move while it is
        undecided how long that took.
        """
        if self._open is not None:
            return self._floor
        return max(self._floor, shift_seconds - self._slow - self._lag)

    def saved_clock(
        self, clocks: Clocks, shift_seconds: float, concluded_at: float
    ) -> SavedClock:
        """Return what a later process needs to build a bridge from here.

        ``shift_seconds`` is the one last published, ``concluded_at`` the end of the
        last cycle on the ledger's slow timeline.
        """
        return SavedClock(
            now=self.carry(clocks.now),
            shift_seconds=shift_seconds,
            wall_at=clocks.wall_at,
            monotonic_at=clocks.monotonic_at,
            boot_id=clocks.boot_id,
            concluded_at=concluded_at,
        )


def bridge_over(saved: SavedClock, clocks: Clocks) -> Bridge:
    """Return an open bridge from what was saved to the start of this process."""
    elapsed = list(_elapsed(saved, clocks))
    return Bridge(
        saved.now.slow - clocks.now.slow,
        saved.now.fast + max(0.0, *elapsed) - clocks.now.fast,
        saved.shift_seconds,
        _open=Opening(min(elapsed), saved.now.fast, clocks.now.fast),
    )


def _elapsed(saved: SavedClock, clocks: Clocks) -> Iterator[float]:
    yield clocks.wall_at - saved.wall_at
    if clocks.boot_id and clocks.boot_id == saved.boot_id:
        yield clocks.monotonic_at - saved.monotonic_at
