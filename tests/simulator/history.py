"""Run one history: the world, the watcher and the judge together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from nats_idle_exporter.activity import (
    BriefConnections,
    Cadence,
    Ledger,
    Policy,
    SystemView,
    Timeline,
)
from tests.simulator.draft import BEGAN_AT, Kind
from tests.simulator.horizon import Horizon
from tests.simulator.judge import Judge, Promise, Violation
from tests.simulator.plan import Plan, make_plan
from tests.simulator.truth import Truth
from tests.simulator.watcher import Door, Forge, Poll, TimelineForge, Watcher
from tests.simulator.world import Endpoint

ORDERED_SHARE = 0.25
"""The share of histories that are also told in another order."""


class _Rules(NamedTuple):
    promise: Promise

    def policy(self, account: str, name: str) -> Policy:
        del name
        return Policy(self.promise.threshold(account), self.promise.tolerance_seconds)

    def excludes(self, account: str, name: str) -> bool:
        del name
        return account in self.promise.excluded


@dataclass(slots=True)
class Outcome:
    """What came of one history."""

    seed: int
    kind: Kind
    raises: int = 0
    seen: set[str] = field(default_factory=set)
    violations: list[Violation] = field(default_factory=list)

    def breaks(self, rules: frozenset[str]) -> bool:
        """Say whether one of these rules was broken."""
        return any(violation.rule in rules for violation in self.violations)


class History:
    """One history, from its seed to its end or its first violation."""

    def __init__(
        self,
        seed: int,
        kind: Kind,
        forge: Forge = Ledger,
        timeline: TimelineForge = Timeline,
    ) -> None:
        self.seed = seed
        # A string, so that neighbouring seeds share nothing.
        self.rng = Random(f"{kind}-{seed}")
        self.plan: Plan = make_plan(self.rng, kind)
        world, promise = self.plan.world, self.plan.promise
        world.run_until(BEGAN_AT)
        self.truth = Truth(
            is_strict_about_rings=promise.brief_connections is BriefConnections.REQUIRE
        )
        self.horizon = Horizon(world, self.truth)
        self.watcher = Watcher(world, self.plan.habits, BEGAN_AT, timeline)
        self.judge = Judge(
            world, self.truth, self.horizon, promise, self.watcher, BEGAN_AT
        )
        self.ledgers = [self._forge(forge)]
        if self.rng.random() < ORDERED_SHARE:
            self.ledgers.append(self._forge(forge))

    def _forge(self, forge: Forge) -> Door:
        habits = self.plan.habits
        cadence = Cadence(
            habits.interval_seconds,
            habits.jetstream_seconds,
            self.plan.promise.forget_after_seconds,
            self.plan.promise.brief_connections,
        )
        endpoints = list(self.plan.world.endpoints)
        return forge(endpoints, _Rules(self.plan.promise), cadence)

    def run(self) -> Outcome:
        """Run it; stop at the first cycle that breaks a promise."""
        for _ in range(self.plan.cycles):
            self._step()
            if self.judge.violations:
                break
        return Outcome(
            self.seed,
            self.plan.kind,
            self.judge.raises,
            self._seen(),
            self.judge.violations,
        )

    def _seen(self) -> set[str]:
        truth = self.truth
        marks = {
            "hole": truth.holes,
            "forgiven": self.judge.forgiven,
            "overflow": truth.overflows,
            "ring use": truth.shown_by_rings,
        }
        return self.plan.world.seen | {name for name, mark in marks.items() if mark}

    def _step(self) -> None:
        change = self.plan.changes.get(self.watcher.cycle)
        if change is not None:
            self._change(*change)
        done_at, polls = self.watcher.run_cycle()
        self.truth.cycle = self.watcher.cycle
        views = self._tell(polls, done_at)
        self.horizon.take(polls)
        self.judge.hear(views[0], polls, done_at)
        if any(view != views[0] for view in views[1:]):
            self.judge.violations.append(
                Violation("order", "", done_at - BEGAN_AT, _difference(*views))
            )

    def _tell(self, polls: list[Poll], done_at: float) -> list[SystemView]:
        readings = [poll.reading() for poll in polls if not poll.is_failed]
        now = self.watcher.now(done_at)
        shift = self.watcher.timeline.shift_seconds
        views = []
        for ledger in self.ledgers:
            self.rng.shuffle(readings)
            for reading in readings:
                ledger.apply(reading)
            views.append(ledger.conclude(now, shift))
        return views

    def _change(self, what: str, endpoint: Endpoint) -> None:
        world, at = self.plan.world, self.watcher.due_at
        world.run_until(at)
        if what == "remove":
            gone = world.endpoints.get(endpoint.url)
            if gone is None or len(world.endpoints) == 1:
                return
            del world.endpoints[endpoint.url]
            left = {i for other in world.endpoints.values() for i in other.nodes}
            for index in {*gone.nodes, *gone.past} - left:
                self.horizon.unwatch(world.nodes[index], at)
        elif endpoint.url not in world.endpoints:
            world.endpoints[endpoint.url] = endpoint
            endpoint.added_at = at
            for index in endpoint.nodes:
                self._watched_again(index, at)
        now = self.watcher.now(at)
        for ledger in self.ledgers:
            ledger.watch(list(world.endpoints), now)

    def _watched_again(self, index: int, at: float) -> None:
        node = self.plan.world.nodes[index]
        if node.last_asked_at is None:
            node.added_at = at
        for run in (*node.ended, *([node.process] if node.process else [])):
            if run.known_at is None or run.known_at < at:
                run.known_at = None


def _difference(one: SystemView, other: SystemView) -> str:
    fields: Iterable[str] = SystemView.__slots__
    return "; ".join(
        f"{name}: {getattr(one, name)} != {getattr(other, name)}"
        for name in fields
        if getattr(one, name) != getattr(other, name)
    )
