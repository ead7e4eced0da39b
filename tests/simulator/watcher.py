"""Our side of the simulation: clocks, polls and cycles, as the daemon makes them."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple, Protocol

from nats_idle_exporter.activity import (
    Cadence,
    Changes,
    Clocks,
    Instant,
    JetStreamRound,
    Listing,
    Reading,
    Ring,
    Row,
    Rules,
    SavedRow,
    ServerFacts,
    SystemView,
    Timeline,
)
from tests.simulator.connz import RingMemory, RingReader
from tests.simulator.jetstream import Telling
from tests.simulator.servers import Process
from tests.simulator.truth import RingSample, Sample
from tests.simulator.world import SYSTEM, Endpoint, Node, World


class Door(Protocol):
    """What the simulator knows of the heart."""

    def apply(self, reading: Reading) -> None:
        """Take one good reading in."""

    def watch(self, endpoints: Iterable[str], now: Instant) -> None:
        """Replace the list of endpoints."""

    def list_accounts(self, listing: Listing | None) -> None:
        """Take an answer of the inventory in."""

    def consumers_wanted(self) -> frozenset[str]:
        """Return the accounts whose consumers the next round must tell."""

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """End the cycle."""

    def changes(self, clocks: Clocks) -> Changes:
        """Return what to save of this cycle."""

    @classmethod
    def resume(
        cls,
        endpoints: Iterable[str],
        rules: Rules,
        cadence: Cadence,
        rows: Iterable[SavedRow],
        clocks: Clocks,
    ) -> Door:
        """Return a heart that knows what was saved."""


Forge = Callable[[Iterable[str], Rules, Cadence], Door]
TimelineForge = Callable[[float, float], Timeline]


NO_INSTANT = Instant(0.0, 0.0)
COMPLETE_RING = Ring()


class Habits(NamedTuple):
    """How the watcher of one history behaves."""

    interval_seconds: float
    jetstream_seconds: float
    failing: float
    """The share of polls that fail for no reason of the server's."""
    failing_every: int
    """Each so-many-th cycle one poll fails; 0 for never."""
    slow: float
    """The share of polls that take long."""
    suspending: float
    """The share of cycles in which our machine is suspended."""


@dataclass(slots=True)
class Poll:
    """One poll on its way."""

    endpoint: Endpoint
    node: Node
    asked_at: float
    asked: Instant = NO_INSTANT
    answered: Instant = NO_INSTANT
    answered_at: float = 0.0
    process: Process | None = None
    is_failed: bool = False
    server: ServerFacts | None = None
    rows: tuple[Row, ...] = ()
    sample: Sample | None = None
    ring: Ring = COMPLETE_RING
    ring_sample: RingSample | None = None
    ring_memory: RingMemory | None = None
    load: int = 0
    routes: frozenset[str] = frozenset()
    gateways: frozenset[str] = frozenset()
    peers_at: float = 0.0
    jetstream: JetStreamRound | None = None
    tellings: tuple[Telling, ...] = ()
    issued: Mapping[str, float] = field(default_factory=dict)

    def reading(self) -> Reading:
        """Return what the daemon would give to the heart."""
        assert self.server is not None
        return Reading(
            endpoint=self.endpoint.url,
            asked=self.asked,
            answered=self.answered,
            server=self.server,
            rows=self.rows,
            routes=self.routes,
            gateways=self.gateways,
            ring=self.ring,
            jetstream=self.jetstream,
            issued=self.issued,
        )


Act = Callable[[Poll, float], None]
Step = tuple[float, int, Poll, Act]


class Watcher:
    """Poll every endpoint of the world, cycle after cycle."""

    def __init__(
        self,
        world: World,
        habits: Habits,
        start_at: float,
        timeline: TimelineForge = Timeline,
    ) -> None:
        self.world = world
        self.habits = habits
        self.rng: Random = world.rng
        self.due_at = start_at
        self.cycle = 0
        self.wanted: frozenset[str] = frozenset()
        """Whose consumers are asked for in this cycle."""
        self.rounds: dict[str, float] = {}
        self.rings: dict[str, RingMemory] = {}
        self._timeline_of = timeline
        self.timeline = timeline(*self._clocks(start_at))
        self.moments: list[tuple[float, float]] = []
        self.deceived_at = -math.inf
        """When both our clocks last told less time than had passed."""
        self.is_resumed = False
        self._ahead = -math.inf
        """By how much published times are ahead, once a restart was survived."""
        self._shift_seconds = 0.0
        """The shift when that was learned: what it moves since is added."""
        self._last = (start_at, self._clocks(start_at))
        self._acts: tuple[Act, ...] = (
            self._ask,
            self._varz,
            self._accstatz,
            self._connz,
            self._routez,
            self._answer,
        )

    def _clocks(self, when: float) -> tuple[float, float]:
        return when + self.world.wall_offset, when - self.world.suspended

    def now(self, when: float) -> Instant:
        """Read our clocks."""
        clocks = self._clocks(when)
        instant = self.timeline.advance(*clocks)
        last_at, last = self._last
        told = max(now - then for now, then in zip(clocks, last, strict=True))
        if told < when - last_at - 1.0:
            self.deceived_at = when
        self._last = (when, clocks)
        if not self.moments or instant.slow > self.moments[-1][0]:
            self.moments.append((instant.slow, when))
        return instant

    def true_at(self, published_at: float) -> float:
        """Return the true time of an instant by the time published for it."""
        ahead = shift = self.timeline.shift_seconds
        if self.is_resumed:
            ahead = self._ahead + shift - self._shift_seconds
        slow = published_at - ahead - 1e-3
        if self.is_resumed and slow < self.moments[0][0]:
            # It was before the restart: then our clock was another.
            return -math.inf
        place = bisect_left(self.moments, (slow, 0.0))
        return self.moments[min(place, len(self.moments) - 1)][1]

    def published_at(self, now: Instant) -> float:
        """Return this moment as readers see it; infinite while a restart hides it."""
        shift = self.timeline.shift_seconds
        if not self.is_resumed:
            return now.slow + shift
        return now.slow + self._ahead + shift - self._shift_seconds

    def resume(self, when: float, saved: Clocks, clocks: Clocks) -> None:
        """Start anew after a restart, with the rings that were saved."""
        self.due_at = when
        self.rounds.clear()
        self.timeline = self._timeline_of(*self._clocks(when))
        self.moments = [(self.timeline.advance(*self._clocks(when)).slow, when)]
        self.is_resumed, self._ahead = True, math.inf
        told = clocks.wall_at - saved.wall_at
        if clocks.boot_id == saved.boot_id:
            told = max(told, clocks.monotonic_at - saved.monotonic_at)
        if told < when - self._last[0] - 1.0:
            self.deceived_at = when
        self._last = (when, self._clocks(when))

    def calibrate(self, watched_to_at: float, polls: list[Poll]) -> None:
        """Learn by how much published times are ahead of our clock.

        Call it when everything that counts was read in these polls.
        """
        ahead = watched_to_at - min(poll.asked.slow for poll in polls)
        shift, known = self.timeline.shift_seconds, self._ahead
        if math.isfinite(known):
            ahead = max(ahead, known)
        self._ahead, self._shift_seconds = ahead, shift

    def run_cycle(self, wanted: frozenset[str]) -> tuple[float, list[Poll]]:
        """Poll every endpoint once; return when the last poll ended, and all.

        Consumers are asked for of the accounts wanted only.
        """
        self.cycle += 1
        self.wanted = wanted
        rng = self.rng
        begin_at = self.due_at + rng.uniform(0.0, 1.0)
        self.world.run_until(self.due_at)
        suspended_at, pause = math.inf, 0.0
        if rng.random() < self.habits.suspending:
            suspended_at = begin_at + rng.uniform(-1.0, 8.0)
            pause = rng.choice((20.0, 90.0, 400.0, 1500.0))
            self.world.seen.add("clock")
        polls, steps = self._draw(begin_at, suspended_at, pause)
        self._play(steps, suspended_at, pause)
        done_at = steps[-1][0] + rng.uniform(0.01, 0.3)
        self.world.run_until(done_at)
        self.due_at = max(self.due_at + self.habits.interval_seconds, done_at)
        return done_at, polls

    def _draw(
        self, begin_at: float, suspended_at: float, pause: float
    ) -> tuple[list[Poll], list[Step]]:
        """Draw every poll of a cycle, and its steps in the order of time."""
        polls, steps = list[Poll](), list[Step]()
        failing = self._failing_endpoint()
        for endpoint in self.world.endpoints.values():
            endpoint.turn += 1
            node = self.world.nodes[endpoint.nodes[endpoint.turn % len(endpoint.nodes)]]
            moments = self._moments(begin_at)
            poll = Poll(endpoint, node, moments[0])
            poll.is_failed = endpoint.url == failing
            polls.append(poll)
            for place, moment in enumerate(moments):
                # Before we ask nobody answers; what was asked comes while we sleep.
                is_ours = moments[0] > suspended_at or place == len(moments) - 1
                late = pause if is_ours and moment > suspended_at else 0.0
                steps.append((moment + late, len(steps), poll, self._acts[place]))
        steps.sort()
        return polls, steps

    def _play(self, steps: list[Step], suspended_at: float, pause: float) -> None:
        is_suspended = False
        for moment, _, poll, act in steps:
            if not is_suspended and moment > suspended_at:
                is_suspended = True
                self.world.run_until(suspended_at)
                self.now(suspended_at)
                self.world.suspended += pause
            self.world.run_until(moment)
            act(poll, moment)

    def _failing_endpoint(self) -> str | None:
        every = self.habits.failing_every
        if every and self.cycle % every == 0:
            return self.rng.choice(list(self.world.endpoints))
        return None

    def _moments(self, begin_at: float) -> tuple[float, ...]:
        rng = self.rng
        asked_at = begin_at + rng.uniform(0.0, 0.5)
        if rng.random() >= self.habits.slow:
            at = asked_at + rng.uniform(0.001, 0.05)
            return asked_at, at, at, at, at, at + 0.01
        cuts = sorted(rng.uniform(0.0, 9.9) for _ in range(5))
        return asked_at, *(asked_at + cut for cut in cuts)

    def _ask(self, poll: Poll, when: float) -> None:
        poll.asked_at = when
        poll.asked = self.now(when)
        if self.rng.random() < self.habits.failing:
            poll.is_failed = True

    def _answering(self, poll: Poll, when: float) -> Process | None:
        process = poll.node.process
        if (
            process is None
            or poll.endpoint.blocked_until > when
            or poll.node.silent_until > when
            or poll.process not in (None, process)
        ):
            poll.is_failed = True
        return None if poll.is_failed else process

    def _varz(self, poll: Poll, when: float) -> None:
        process = self._answering(poll, when)
        if process is None:
            return
        poll.process = process
        poll.load = process.load
        poll.server = ServerFacts(
            server_id=process.server_id,
            server_name=f"n{poll.node.index}",
            version=".".join(map(str, process.release)),
            release=process.release,
            uptime_seconds=float(math.floor(when - process.start_at)),
            now_at=when + poll.node.clock_offset,
            start_at=process.told_start_at,
            loaded_at=process.told_load_at,
            nats_cluster=f"c{poll.node.cluster}",
            system_account=SYSTEM,
            is_operator_mode=self.world.operator,
        )

    def _accstatz(self, poll: Poll, when: float) -> None:
        process = self._answering(poll, when)
        if process is None:
            return
        poll.sample = self.world.sample(process, when, poll.load)
        rows = [book.told() for book in process.books.values()]
        self.rng.shuffle(rows)
        poll.rows = tuple(rows)

    def _connz(self, poll: Poll, when: float) -> None:
        process = self._answering(poll, when)
        if process is None:
            return
        poll.ring_sample = sample = self.world.ring_sample(process, when)
        assert poll.server is not None
        reader = RingReader(
            poll.server,
            sample,
            when + poll.node.clock_offset,
            self.rings.get(process.server_id),
        )
        poll.ring, poll.ring_memory = reader.ring(), reader.memory()

    def _routez(self, poll: Poll, when: float) -> None:
        process = self._answering(poll, when)
        if process is None:
            return
        poll.peers_at = when
        poll.routes, poll.gateways = self.world.peers(process, when)
        last_at = self.rounds.get(process.server_id, -math.inf)
        jetstream = self.world.jetstream
        if jetstream.enabled and (
            poll.asked_at - last_at >= self.habits.jetstream_seconds - 1.0
        ):
            answer = jetstream.answer(process, when, poll.asked, self.wanted)
            poll.jetstream, poll.tellings = answer.told, tuple(answer.tellings)

    def _answer(self, poll: Poll, when: float) -> None:
        poll.answered = self.now(when)
        poll.answered_at = when
        if self._answering(poll, when) is None or poll.process is None:
            return
        if poll.jetstream is not None:
            self.rounds[poll.process.server_id] = poll.asked_at
        if poll.ring_memory is not None:
            self.rings[poll.process.server_id] = poll.ring_memory
        if self.world.operator:
            # One account after the other is asked for the age of its JWT.
            accounts = sorted(row.account for row in poll.rows)
            account = accounts[self.cycle % len(accounts)]
            poll.issued = {account: self.world.directory.age_of(account)}
