"""Run one history: the world, the watcher and the judge together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from nats_idle_exporter.activity import (
    BriefConnections,
    Cadence,
    Clocks,
    Instant,
    Ledger,
    Listing,
    Policy,
    SystemView,
    Timeline,
)
from tests.simulator.draft import BEGAN_AT, Kind
from tests.simulator.exemptions import Waivers, draw_waivers
from tests.simulator.horizon import Horizon
from tests.simulator.inventory import Source
from tests.simulator.judge import Judge, Promise, Violation
from tests.simulator.plan import Plan, make_plan
from tests.simulator.restarts import Machine, OwnRestart, Store
from tests.simulator.truth import Truth
from tests.simulator.watcher import Door, Forge, Poll, TimelineForge, Watcher
from tests.simulator.world import Endpoint

ORDERED_SHARE = 0.25
"""The share of histories that are also told in another order."""


class _Rules(NamedTuple):
    promise: Promise
    waivers: Waivers

    def policy(self, account: str, name: str) -> Policy:
        del name
        return Policy(
            self.promise.threshold(account),
            self.promise.tolerance_seconds,
            exempt_until_at=self.waivers.until_at(account),
        )

    def excludes(self, account: str, name: str) -> bool:
        del name
        return account in self.promise.excluded


@dataclass(slots=True)
class Outcome:
    """What came of one history."""

    seed: int
    kind: Kind
    raises: int = 0
    owner_raises: int = 0
    """Raises of accounts that own streams."""
    unloaded_raises: int = 0
    """Raises of accounts that no server ever listed."""
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
        *,
        has_inventory: bool = True,
    ) -> None:
        # A string, so that neighbouring seeds share nothing.
        self.rng = Random(f"{kind}-{seed}")
        chance = Random(f"{kind}-{seed}-inventory")
        self.plan: Plan = make_plan(self.rng, kind, chance if has_inventory else None)
        self.source = self._source(chance)
        self.outcome = Outcome(seed, kind)
        self._forge, self._timeline = forge, timeline
        self.waivers = draw_waivers(
            Random(f"{kind}-{seed}-exemptions"),
            self.plan.world.tenants,
            self.plan.cycles,
            self.plan.cycles * self.plan.habits.interval_seconds,
        )
        self._rules = _Rules(self.plan.promise, self.waivers)
        self.restarts = sorted(self.plan.restarts)
        self.machine = Machine(
            self.plan.world, counts_suspension=self.rng.random() < 0.5
        )
        self.plan.world.run_until(BEGAN_AT)
        self._begin(BEGAN_AT)

    def _source(self, chance: Random) -> Source | None:
        habits = self.plan.inventory
        return None if habits is None else Source(self.plan.world, habits, chance)

    def _begin(self, when: float) -> None:
        """Let a heart begin that knows nothing, and all that judges it."""
        world, promise = self.plan.world, self.plan.promise
        habits = self.plan.habits
        self.truth = Truth(
            is_strict_about_rings=promise.brief_connections is BriefConnections.REQUIRE,
            round_seconds=habits.jetstream_seconds + habits.interval_seconds,
        )
        self.horizon = Horizon(world, self.truth)
        self.watcher = Watcher(world, self.plan.habits, when, self._timeline)
        self.judge = Judge(
            world,
            self.truth,
            self.horizon,
            promise,
            self.watcher,
            BEGAN_AT,
            self.waivers,
        )
        amount = 2 if self.rng.random() < ORDERED_SHARE else 1
        cadence, endpoints = self._cadence(), list(world.endpoints)
        self.ledgers: list[Door] = [
            self._forge(endpoints, self._rules, cadence) for _ in range(amount)
        ]
        self.stores = [Store() for _ in range(amount)]
        self._saved: Clocks | None = None
        self._begin_listing(when)

    def _begin_listing(self, when: float) -> None:
        if self.source is None:
            return
        listing = self.source.begin(when)
        self.judge.clerk.restart(listing)
        if listing is not None:
            for ledger in self.ledgers:
                ledger.list_accounts(listing)

    def _cadence(self) -> Cadence:
        habits = self.plan.habits
        return Cadence(
            habits.interval_seconds,
            habits.jetstream_seconds,
            self.plan.promise.forget_after_seconds,
            self.plan.promise.brief_connections,
        )

    def run(self) -> Outcome:
        """Run it; stop at the first cycle that breaks a promise."""
        outcome = self.outcome
        for cycle in range(self.plan.cycles):
            if self.restarts and self.watcher.due_at >= self.restarts[0].at:
                self._restart(self.restarts.pop(0), cycle)
            self._step(cycle)
            if self.judge.violations:
                break
        self._end()
        outcome.seen |= self.plan.world.seen
        outcome.violations = self.judge.violations
        return outcome

    def _end(self) -> None:
        """Note what this life of ours held."""
        truth, judge = self.truth, self.judge
        marks = {
            "hole": truth.holes,
            "forgiven": judge.forgiven,
            "overflow": truth.overflows,
            "ring use": truth.shown_by_rings,
            "JetStream use": truth.shown_by_journals,
            "owner raise": judge.owner_raises,
            "unloaded raise": judge.unloaded_raises,
            "exemption": judge.exempted,
            "later raise": judge.later_raises,
        }
        self.outcome.seen |= {name for name, mark in marks.items() if mark}
        self.outcome.raises += judge.raises
        self.outcome.owner_raises += judge.owner_raises
        self.outcome.unloaded_raises += judge.unloaded_raises

    # --- our own restarts ----------------------------------------------------

    def _restart(self, restart: OwnRestart, cycle: int) -> None:
        at = self.watcher.due_at + restart.down_seconds
        self.plan.world.run_until(at)
        if restart.reboots:
            self.machine.reboot(at - min(10.0, restart.down_seconds / 2))
        if restart.keeps_state and self._saved is not None:
            self.plan.world.seen.add("own restart")
            if (change := self.plan.changes.pop(cycle + 1, None)) is not None:
                self._change(*change, at)
            self._resume(at, self._saved)
        else:
            self.plan.world.seen.add("own new start")
            self._end()
            self.plan.world.forget()
            self._begin(at)

    def _resume(self, at: float, saved: Clocks) -> None:
        world = self.plan.world
        clocks = self.machine.clocks(Instant(0.0, 0.0), at)
        self.watcher.resume(at, saved, clocks)
        clocks = clocks._replace(now=self.watcher.now(at))
        self.judge.resume(at)
        self.truth.resumed_at = at
        endpoints, cadence = list(world.endpoints), self._cadence()
        self.ledgers = [
            ledger.resume(endpoints, self._rules, cadence, store.rows(), clocks)
            for ledger, store in zip(self.ledgers, self.stores, strict=True)
        ]
        if self.source is not None:
            self.source.reconfigure()
        self._begin_listing(at)

    def _save(self, now: Instant, done_at: float) -> None:
        if not any(restart.keeps_state for restart in self.restarts):
            return
        self._saved = self.machine.clocks(now, done_at)
        for ledger, store in zip(self.ledgers, self.stores, strict=True):
            store.save(ledger.changes(self._saved))

    # --- cycles --------------------------------------------------------------

    def _step(self, cycle: int) -> None:
        self.waivers.cycle = cycle
        change = self.plan.changes.get(cycle)
        if change is not None:
            at = self.watcher.due_at
            self._change(*change, at)
            now = self.watcher.now(at)
            for ledger in self.ledgers:
                ledger.watch(list(self.plan.world.endpoints), now)
        wanted = [ledger.consumers_wanted() for ledger in self.ledgers]
        done_at, polls = self.watcher.run_cycle(wanted[0])
        self.truth.cycle = self.watcher.cycle
        news = self._listed(polls, done_at)
        views = self._tell(polls, done_at, news)
        self.horizon.take(polls)
        self._calibrate(views[0], polls)
        self.judge.hear(views[0], polls, done_at, news)
        if any(accounts != wanted[0] for accounts in wanted):
            self.judge.violations.append(
                Violation("order", "", done_at - BEGAN_AT, f"consumers of {wanted}")
            )
        if any(view != views[0] for view in views[1:]):
            self.judge.violations.append(
                Violation("order", "", done_at - BEGAN_AT, _difference(*views))
            )

    def _listed(self, polls: list[Poll], done_at: float) -> Listing | None:
        if self.source is None:
            return None
        is_read = any(not poll.is_failed for poll in polls)
        return self.source.news(done_at, is_read=is_read)

    def _tell(
        self, polls: list[Poll], done_at: float, news: Listing | None
    ) -> list[SystemView]:
        readings = [poll.reading() for poll in polls if not poll.is_failed]
        now = self.watcher.now(done_at)
        shift = self.watcher.timeline.shift_seconds
        self.judge.published_at = self.watcher.published_at(now)
        views = []
        for ledger in self.ledgers:
            self.rng.shuffle(readings)
            for reading in readings:
                ledger.apply(reading)
            if news is not None:
                ledger.list_accounts(news)
            views.append(ledger.conclude(now, shift))
        self._save(now, done_at)
        return views

    def _calibrate(self, view: SystemView, polls: list[Poll]) -> None:
        is_whole = view.is_fresh and not view.unwatched
        if view.watched_to_at is None or not is_whole or not self.watcher.is_resumed:
            return
        first_at = min(poll.asked_at for poll in polls)
        is_read = not any(poll.is_failed for poll in polls)
        if is_read and self.horizon.reach_at() >= first_at:
            self.watcher.calibrate(view.watched_to_at, polls)

    def _change(self, what: str, endpoint: Endpoint, at: float) -> None:
        """Let the operator change the list of endpoints."""
        world = self.plan.world
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
