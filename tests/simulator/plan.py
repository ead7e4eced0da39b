"""The plan of a history: which servers, which accounts, and what goes wrong when."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from nats_idle_exporter.activity import BriefConnections
from tests.simulator.discovery import Discovery
from tests.simulator.draft import (
    BEGAN_AT,
    FOUND,
    INTERVAL,
    LONG,
    MODERN,
    RELEASES,
    Kind,
)
from tests.simulator.inventory import SourceHabits
from tests.simulator.judge import Promise
from tests.simulator.jwt_lives import JwtLives
from tests.simulator.names import Names
from tests.simulator.restarts import OwnRestart
from tests.simulator.watcher import Habits
from tests.simulator.world import GLOBAL, Endpoint, Node, World


class Plan(NamedTuple):
    """One history, ready to run."""

    kind: Kind
    world: World
    promise: Promise
    habits: Habits
    cycles: int
    changes: dict[int, tuple[str, Endpoint]]
    """Cycle -> an endpoint that the operator adds or removes before it."""
    restarts: list[OwnRestart]
    inventory: SourceHabits | None
    names: Names | None
    """Who tells the endpoints, where the operator does not."""


def make_plan(rng: Random, kind: Kind, chance: Random | None) -> Plan:
    """Draw one history of this kind; by ``chance``, where given, its inventory."""
    return _Planner(rng, kind).plan(chance)


class _Planner(JwtLives, Discovery):
    def plan(self, chance: Random | None) -> Plan:
        rng = self.rng
        self._nodes()
        self._accounts()
        if self.kind in FOUND:
            self._discovery()
        promise, habits = self._promise(), self._habits()
        self._mirrors()
        self._jetstream()
        for account in self.world.tenants:
            self._life(account)
        if not self.is_calm:
            self._stream_incidents()
            for _ in range(rng.choice((0, 1, 2, 3, 4, 6))):
                self._incident(rng.uniform(BEGAN_AT, self.end_at))
        elif self.kind is Kind.ROLLING:
            self._rolling()
        return Plan(
            self.kind,
            self.world,
            promise,
            habits,
            self.cycles,
            self.changes,
            self._own_restarts(),
            self._inventory(chance) if chance is not None else None,
            self.names,
        )

    def _nodes(self) -> None:
        rng, world = self.rng, self.world
        amount = 3 if self.kind in LONG else rng.choice((1, 2, 2, 3, 3, 4))
        self.amount = amount
        is_mixed = rng.random() < 0.3
        # Before 2.9.17 a reload could hide between a start and the first reading.
        self.releases = RELEASES[1:] if self.kind in LONG else RELEASES
        release = rng.choice(self.releases)
        for index in range(amount):
            far = index == amount - 1 and amount > 2 and rng.random() < 0.2
            mixed = rng.choice(self.releases) if is_mixed else release
            node = Node(index, int(far), mixed)
            node.clock_offset = rng.choice((0.0, 0.0, -40.0, 3.0, 900.0))
            node.ahead_seconds = node.clock_offset
            world.nodes.append(node)
            url = f"http://n{index}:8222"
            world.endpoints[url] = Endpoint(url, (index,))

    def _accounts(self) -> None:
        rng, world = self.rng, self.world
        if rng.random() < 0.06 and not world.operator:
            world.tenants = [GLOBAL]
            for node in world.nodes:
                node.release = rng.choice(MODERN)
        else:
            world.tenants = [f"A{i}" for i in range(rng.randint(2, 4))]
        for node in world.nodes:
            node.configured = {acc for acc in world.tenants if acc != GLOBAL}
            world.at(self.started_from + rng.uniform(0.0, 4000.0), world.start, node)
            if rng.random() < 0.2 and not self.is_calm:
                self._rush(rng.uniform(BEGAN_AT - 900.0, BEGAN_AT), node)
        if rng.random() < 0.3:
            world.tags = {world.tenants[-1]: world.tenants[0]}

    def _promise(self) -> Promise:
        rng = self.rng
        tolerance = rng.choice((0.0, 20.0, 45.0, 90.0, 300.0, 300.0))
        if self.has_streams and rng.random() < 0.6:
            tolerance = 300.0
        if self.kind is Kind.STRICT:
            tolerance = 0.0
        elif self.kind in LONG:
            tolerance = 300.0
        tenants = self.world.tenants
        thresholds, excluded = {}, frozenset[str]()
        if len(tenants) > 2 and rng.random() < 0.3:
            excluded = frozenset(tenants[-1:])
        if rng.random() < 0.3 and self.kind not in LONG:
            thresholds[tenants[0]] = self.threshold * 0.7
        return Promise(
            thresholds=thresholds,
            threshold_seconds=self.threshold,
            tolerance_seconds=tolerance,
            forget_after_seconds=self.threshold * 0.6,
            excluded=excluded,
            brief_connections=self._brief_connections(),
            is_calm=self.is_calm,
            is_discovered=self.kind in FOUND,
        )

    def _brief_connections(self) -> BriefConnections:
        if self.kind is not Kind.STRICT and self.rng.random() < 0.2:
            return BriefConnections.BEST_EFFORT
        return BriefConnections.REQUIRE

    def _habits(self) -> Habits:
        rng = self.rng
        jetstream = INTERVAL * rng.choice((1, 3, 5))
        if self.is_calm:
            every = rng.choice((0, 7, 12))
            return Habits(INTERVAL, jetstream, 0.0, every, 0.0, 0.0)
        return Habits(
            INTERVAL,
            jetstream,
            rng.choice((0.0, 0.0, 0.02, 0.1)),
            0,
            rng.choice((0.0, 0.1, 0.5)),
            rng.choice((0.0, 0.0, 0.0, 0.03)),
        )
