"""What our client makes of a server's ring: who is new in it, and how long gone."""

from __future__ import annotations

import math
from typing import NamedTuple

from nats_idle_exporter.activity import Closed, Ring, ServerFacts
from tests.simulator.truth import RingSample

STEP_SECONDS = 2.0
SETTLE_SECONDS = 10.0


class RingMemory(NamedTuple):
    """What a good poll leaves for the next of the same server."""

    known: int
    clock_at: float
    """The server's start by its own clock, as that stands now."""
    read_at: float


class RingReader:
    """Read one ring, as the client does: stamps that may lie count as now."""

    def __init__(
        self,
        server: ServerFacts,
        sample: RingSample,
        now_at: float,
        last: RingMemory | None,
    ) -> None:
        self._sample = sample
        self._known = last.known if last else None
        self._now_at = min(server.now_at, now_at)
        self._uptime_seconds = server.uptime_seconds
        self._clock_at = server.now_at - server.uptime_seconds
        before = last.clock_at if last else server.start_at
        self._is_stepped = abs(self._clock_at - before) > STEP_SECONDS
        self._settled_at = last.read_at - SETTLE_SECONDS if last else -math.inf

    def ring(self) -> Ring:
        """Return what is new, and whether that is all there was.

        The oldest entries go first: what was read before and is still there
        proves that nothing younger is missing.
        """
        forgotten = self._sample.forgotten
        is_complete = forgotten == 0
        joins = self._known is not None and forgotten < self._known
        return Ring(self._new(), is_complete or joins, is_complete)

    def memory(self) -> RingMemory:
        """Return what to remember once the whole poll was good."""
        # A step within the poll shows in the next one.
        clock_at = min(self._clock_at, self._now_at - self._uptime_seconds)
        return RingMemory(self._sample.closed, clock_at, self._now_at)

    def _new(self) -> tuple[Closed, ...]:
        ages: dict[str, float] = {}
        sample = self._sample
        begin = max(self._known or 0, sample.forgotten)
        for account, _, stamp in sample.process.closed[begin : sample.closed]:
            if account is not None:
                age = self._age(stamp)
                ages[account] = min(age, ages.get(account, age))
        return tuple(Closed(*each) for each in ages.items())

    def _age(self, stamp: float) -> float:
        age = self._now_at - stamp
        most = self._uptime_seconds + STEP_SECONDS
        if self._is_stepped or stamp < self._settled_at or age > most:
            return 0.0
        return max(0.0, age)
