"""The plan of a history: which servers, which accounts, and what goes wrong when."""

from __future__ import annotations

from enum import StrEnum
from random import Random
from typing import NamedTuple

from nats_idle_exporter.activity import BriefConnections
from tests.simulator.judge import Promise
from tests.simulator.servers import Release, edge
from tests.simulator.watcher import Habits
from tests.simulator.world import GLOBAL, Endpoint, Node, World

BEGAN_AT = 1_700_000_000.0
INTERVAL = 30.0
RELEASES: tuple[Release, ...] = (
    (2, 9, 10),
    (2, 9, 25),
    (2, 10, 25),
    (2, 11, 11),
    (2, 12, 8),
    (2, 15, 1),
)
MODERN = RELEASES[3:]


class Kind(StrEnum):
    """What a history is made to prove."""

    SLACK = "slack"
    """Anything goes; forgiven holes excuse what they hide."""
    STRICT = "strict"
    """Anything but new endpoints, tolerance 0: nothing is excused."""
    CALM = "calm"
    """Everything is read: silence must be raised in time."""
    ROLLING = "rolling"
    """Calm, with rolling restarts under a long threshold."""


class Plan(NamedTuple):
    """One history, ready to run."""

    kind: Kind
    world: World
    promise: Promise
    habits: Habits
    cycles: int
    changes: dict[int, tuple[str, Endpoint]]
    """Cycle -> an endpoint that the operator adds or removes before it."""


def make_plan(rng: Random, kind: Kind) -> Plan:
    """Draw one history of this kind."""
    return _Planner(rng, kind).plan()


class _Planner:
    def __init__(self, rng: Random, kind: Kind) -> None:
        self.rng = rng
        self.kind = kind
        self.is_calm = kind in (Kind.CALM, Kind.ROLLING)
        self.world = World(rng, operator=rng.random() < 0.35)
        self.length = rng.randint(8, 22) if rng.random() < 0.75 else rng.randint(30, 60)
        more = rng.uniform(1.3, 2.1)
        if kind is Kind.ROLLING:
            self.length, more = 150, rng.uniform(1.2, 1.3)
        self.cycles = int(self.length * more) + 4
        self.end_at = BEGAN_AT + self.cycles * INTERVAL
        self.threshold = self.length * INTERVAL
        self.changes: dict[int, tuple[str, Endpoint]] = {}
        self.started_from = BEGAN_AT - 5000.0
        self.mirrored: str | None = None
        self.releases = RELEASES
        # Real rings hold 10,000: where everything is read, none overflows.
        self.world.ring_size = 10_000 if self.is_calm else rng.randint(8, 40)

    def plan(self) -> Plan:
        rng = self.rng
        self._nodes()
        self._accounts()
        promise, habits = self._promise(), self._habits()
        self._mirrors()
        for account in self.world.tenants:
            self._life(account)
        if not self.is_calm:
            for _ in range(rng.choice((0, 1, 2, 3, 4, 6))):
                self._incident(rng.uniform(BEGAN_AT, self.end_at))
        elif self.kind is Kind.ROLLING:
            self._rolling()
        return Plan(self.kind, self.world, promise, habits, self.cycles, self.changes)

    # --- who is there --------------------------------------------------------

    def _nodes(self) -> None:
        rng, world = self.rng, self.world
        amount = 3 if self.kind is Kind.ROLLING else rng.choice((1, 2, 2, 3, 3, 4))
        is_mixed = rng.random() < 0.3
        # Before 2.9.17 a reload could hide between a start and the first reading.
        self.releases = RELEASES[1:] if self.kind is Kind.ROLLING else RELEASES
        release = rng.choice(self.releases)
        for index in range(amount):
            far = index == amount - 1 and amount > 2 and rng.random() < 0.2
            mixed = rng.choice(self.releases) if is_mixed else release
            node = Node(index, int(far), mixed)
            node.clock_offset = rng.choice((0.0, 0.0, -40.0, 3.0, 900.0))
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
        if rng.random() < 0.25:
            world.jetstream = set(rng.sample(world.tenants, 1))

    def _promise(self) -> Promise:
        rng = self.rng
        tolerance = rng.choice((0.0, 20.0, 45.0, 90.0, 300.0, 300.0))
        if self.kind is Kind.STRICT:
            tolerance = 0.0
        elif self.kind is Kind.ROLLING:
            tolerance = 300.0
        tenants = self.world.tenants
        thresholds, excluded = {}, frozenset[str]()
        if len(tenants) > 2 and rng.random() < 0.3:
            excluded = frozenset(tenants[-1:])
        if rng.random() < 0.3 and self.kind is not Kind.ROLLING:
            thresholds[tenants[0]] = self.threshold * 0.7
        return Promise(
            thresholds=thresholds,
            threshold_seconds=self.threshold,
            tolerance_seconds=tolerance,
            forget_after_seconds=self.threshold * 0.6,
            excluded=excluded,
            brief_connections=self._brief_connections(),
            is_calm=self.is_calm,
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

    # --- how accounts live ---------------------------------------------------

    def _life(self, account: str) -> None:
        rng, world = self.rng, self.world
        for _ in range(rng.randint(0, 2)):
            self._use(rng.uniform(self.started_from + 4000, BEGAN_AT), account)
        ways = (self._fades, self._is_rare, self._is_busy, self._stays, None)
        way = rng.choices(ways, (30, 20, 10, 15, 25))[0]
        if way is not None:
            way(account)
        if world.jetstream == {account} and not self.is_calm and rng.random() < 0.3:
            world.at(rng.uniform(BEGAN_AT, self.end_at), world.create_stream, account)

    def _fades(self, account: str) -> None:
        rng = self.rng
        last_at = BEGAN_AT + rng.uniform(0.0, 0.7) * (self.end_at - BEGAN_AT)
        for _ in range(rng.randint(1, 4)):
            self._use(rng.uniform(BEGAN_AT, last_at), account)

    def _is_rare(self, account: str) -> None:
        at = BEGAN_AT + self.rng.uniform(0.0, 1.0) * self.threshold
        while at < self.end_at:
            self._use(at, account)
            at += self.threshold * self.rng.uniform(0.5, 1.4)

    def _is_busy(self, account: str) -> None:
        at = BEGAN_AT
        while at < self.end_at:
            self._use(at, account)
            at += INTERVAL * self.rng.uniform(1.0, 6.0)

    def _stays(self, account: str) -> None:
        self._connect(self.rng.uniform(BEGAN_AT - 500.0, self.end_at), account)

    def _node(self) -> Node:
        return self.rng.choice(self.world.nodes)

    def _use(self, at: float, account: str, node: Node | None = None) -> None:
        rng, world = self.rng, self.world
        node, way = node or self._node(), rng.random()
        size = rng.choice((0, 4, 4))
        if way < 0.15:
            self._silent(at, account, node)
        elif way < 0.25:
            world.at(at, world.send_at_once, node, account, size)
        else:
            to = self._node() if rng.random() < 0.3 else None
            world.at(at, world.publish, node, account, size, to)

    def _silent(self, at: float, account: str, node: Node) -> None:
        """Connect for a moment, most likely seen by no poll."""
        act = self._links if self.rng.random() < 0.2 else self.world.connect
        self.world.at(at, act, node, account, self.rng.uniform(0.01, 6.0))

    def _connect(self, at: float, account: str, node: Node | None = None) -> None:
        rng = self.rng
        seconds = rng.choice((10.0, 45.0, 200.0, self.threshold * 0.8))
        seconds *= rng.uniform(0.5, 1.5)
        act = self._links if rng.random() < 0.3 else self.world.connect
        self.world.at(at, act, node or self._node(), account, seconds)

    def _links(self, when: float, node: Node, account: str, seconds: float) -> None:
        self.world.connect(when, node, account, seconds, is_leaf=True)

    def _mirrors(self) -> None:
        rng, nodes = self.rng, self.world.nodes
        if len(nodes) < 2 or rng.random() > 0.5 or self.world.tenants == [GLOBAL]:
            return
        one, two = rng.sample(nodes, 2)
        self.mirrored = account = rng.choice(self.world.tenants)
        self.world.at(BEGAN_AT - 3000.0, self._mirror, one, two, account)

    def _mirror(self, when: float, one: Node, two: Node, account: str) -> None:
        self.world.mirror(when, one, two, account, 31.0)

    # --- what goes wrong -----------------------------------------------------

    def _rolling(self) -> None:
        at = BEGAN_AT + self.rng.uniform(10.0, 60.0) * INTERVAL
        while at < self.end_at:
            for node in self.world.nodes:
                self._restart(at, node, self.rng.uniform(0.5, 3.0))
                at += INTERVAL * self.rng.uniform(2.0, 4.0)
            at += INTERVAL * self.rng.uniform(75.0, 100.0)

    def _restart(self, at: float, node: Node, down: float) -> None:
        world, rng = self.world, self.rng
        # Peers list a server for a while after it was cut off.
        lag = 0.0 if self.is_calm else rng.choice((0.0, 0.0, 0.0, 8.0, 50.0))
        world.at(at, world.kill, node, lag)
        if rng.random() < 0.1:
            world.at(at + 0.1, self._upgrade, node, rng.choice(self.releases))
        world.at(at + down, world.start, node)
        if not self.is_calm and rng.random() < 0.2:
            after = at + down + rng.uniform(0.1, 40.0)
            self._rush(after, node)
            self._slips_in(after, node, 9.0)

    def _upgrade(self, _when: float, node: Node, release: Release) -> None:
        node.release = release

    def _incident(self, at: float) -> None:
        rng = self.rng
        acts = [
            self._short_restart,
            self._short_restart,
            self._long_restart,
            self._double_restart,
            self._outage,
            self._outage,
            self._total_outage,
            self._dark_restart,
            self._reload,
            self._reload,
            self._readd,
            self._readd,
            self._clock,
            self._server_clock,
            self._server_glitch,
            self._repoint,
            self._fresh_account,
            self._leave,
            self._stray,
            self._overflow,
            self._overflow,
        ]
        if self.kind is Kind.SLACK:
            acts += [self._leave, self._join, self._retire, self._duplicate]
        rng.choice(acts)(at)
        if rng.random() < 0.5:
            self._temptation(at)

    def _temptation(self, at: float) -> None:
        """Use accounts just where it is easily overlooked."""
        rng = self.rng
        for account in self.world.tenants:
            if rng.random() < 0.5:
                act = self._use if rng.random() < 0.8 else self._connect
                act(at + rng.uniform(-1.5, 1.5) * INTERVAL, account)

    def _replays(self, at: float, node: Node, pause: float = 0.0) -> None:
        """Prepare that counters reach their totals of ``at`` again after a pause."""
        self.world.at(at - 0.001, self._remember, node, at + pause)

    def _remember(self, _when: float, node: Node, at: float) -> None:
        if node.process is None:
            return
        for account, book in node.process.books.items():
            if account in self.world.tenants and self.rng.random() < 0.6:
                after = self.rng.choice((1.0, 2.0, 5.0, 14.0, 31.0, 70.0, 130.0))
                moment = at + after * self.rng.uniform(0.5, 1.5)
                numbers = book.numbers
                if any(numbers[4:]) and self.rng.random() < 0.7:
                    # The same use, with less traffic between the servers.
                    numbers = (*edge(numbers), *(0,) * 8)
                self.world.at(moment, self.world.replay, node, account, numbers)

    def _short_restart(self, at: float) -> None:
        node = self._node()
        self._replays(at, node)
        self._restart(at, node, self.rng.uniform(0.2, 12.0))

    def _long_restart(self, at: float) -> None:
        node = self._node()
        self._replays(at, node)
        self._restart(at, node, self.rng.uniform(1.0, 1.2 * self.length) * INTERVAL)

    def _double_restart(self, at: float) -> None:
        node = self._node()
        first, second = self.rng.uniform(0.2, 9.0), self.rng.uniform(10.0, 60.0)
        self._restart(at, node, first)
        self._restart(at + second, node, self.rng.uniform(0.2, 9.0))
        for account in self.world.tenants:
            if self.rng.random() < 0.5:
                self._use(at + self.rng.uniform(first, second), account, node)

    def _length_of_outage(self) -> float:
        rng = self.rng
        return INTERVAL * rng.choice((1.2, 2.5, 5.0, 12.0, 1.1 * self.length))

    def _outage(self, at: float) -> None:
        rng, world = self.rng, self.world
        seconds = self._length_of_outage() * rng.uniform(0.5, 1.3)
        if rng.random() < 0.5:
            world.at(at, world.fall_silent, self._node(), seconds)
        else:
            world.at(at, world.block, [rng.choice(list(world.endpoints))], seconds)

    def _total_outage(self, at: float) -> None:
        seconds = self._length_of_outage() * self.rng.uniform(0.5, 1.3)
        self.world.at(at, self.world.block, list(self.world.endpoints), seconds)

    def _dark_restart(self, at: float) -> None:
        """Restart a server while nobody can see it."""
        seconds = self._length_of_outage()
        node = self._node()
        urls = [f"http://n{node.index}:8222"]
        self.world.at(at, self.world.block, urls, seconds)
        moment = at + self.rng.uniform(0.0, seconds)
        self._replays(moment, node)
        self._restart(moment, node, 2.0)
        for account in self.world.tenants:
            if self.rng.random() < 0.3:
                self._use(at + self.rng.uniform(0.0, seconds), account, node)

    def _reload(self, at: float) -> None:
        nodes = [node for node in self.world.nodes if self.rng.random() < 0.7]
        for node in nodes:
            self._replays(at, node)
            self.world.at(at, self.world.reload, node, frozenset(), frozenset())

    def _readd(self, at: float) -> None:
        """Remove an account by reload and add it again a little later."""
        rng, world = self.rng, self.world
        name = rng.choice(world.tenants)
        if self.mirrored is not None and rng.random() < 0.6:
            name = self.mirrored
        account = frozenset({name} - {GLOBAL})
        pause = rng.choice((0.3, 0.3, 0.3, 5.0, 40.0, 100.0, 200.0, 600.0))
        nodes = [node for node in world.nodes if rng.random() < 0.8]
        for node in nodes:
            self._replays(at, node, pause)
            world.at(at, world.reload, node, account, frozenset())
            world.at(at + pause, world.reload, node, frozenset(), account)

    def _fresh_account(self, at: float) -> None:
        world = self.world
        name = f"B{int(at) % 97}"
        if world.tenants == [GLOBAL]:
            return
        for node in world.nodes:
            world.at(at, world.reload, node, frozenset(), frozenset({name}))
        if self.rng.random() < 0.7:
            self._use(at + self.rng.uniform(0.0, 300.0), name)

    def _stray(self, at: float) -> None:
        """Open a socket that never logs in: it shows in ``$G`` for a moment."""
        self.world.at(at, self._strays, self._node())

    def _strays(self, when: float, node: Node) -> None:
        self.world.connect(when, node, GLOBAL, 2.0, is_login=False)

    def _overflow(self, at: float) -> None:
        """Fill a ring, perhaps with somebody's silent use already in it."""
        node = self._node()
        self._rush(at, node)
        self._slips_in(at, node, self.rng.choice((0.1, 5.0, 25.0, 60.0)))

    def _rush(self, at: float, node: Node) -> None:
        """Let strangers, or a tenant's clients, come and go in numbers."""
        rng, world = self.rng, self.world
        account = rng.choice(world.tenants) if rng.random() < 0.2 else None
        parts = rng.choice((1, 1, 1, 5))
        amount = int(world.ring_size * rng.uniform(0.6, 2.5)) // parts + 1
        for part in range(parts):
            world.at(at + part * 20.0, world.rush, node, account, amount)

    def _clock(self, at: float) -> None:
        rng = self.rng
        seconds = rng.choice((-1.0, 1.0)) * rng.choice((0.7, 5.0, 60.0, 3600.0, 9e4))
        self.world.at(at, self.world.step_wall, seconds)

    def _server_clock(self, at: float) -> None:
        rng = self.rng
        node = self._node()
        seconds = rng.choice((-1.0, 1.0)) * rng.choice((5.0, 60.0, 3600.0))
        self.world.at(at, self.world.step_server, node, seconds)
        self._slips_in(at, node, INTERVAL)

    def _server_glitch(self, at: float) -> None:
        """Step a server's clock far back, and right again before long."""
        node, seconds = self._node(), self.rng.uniform(1.0, 20.0)
        self.world.at(at, self._glitches, node, seconds)
        self._slips_in(at + seconds, node, seconds)

    def _glitches(self, when: float, node: Node, seconds: float) -> None:
        if "repoint" in self.world.seen:
            # Who was never read at this address may have stamps of any age.
            return
        self.world.step_server(when, node, -3600.0)
        self.world.at(when + seconds, self.world.step_server, node, 3600.0)

    def _slips_in(self, at: float, node: Node, seconds: float) -> None:
        """Let some connect silently in the time up to this moment."""
        for account in self.world.tenants:
            if self.rng.random() < 0.4:
                self._silent(at - self.rng.uniform(0.0, seconds), account, node)

    def _repoint(self, at: float) -> None:
        """Let an address lead to another old server, or to two in turn."""
        rng, world = self.rng, self.world
        if len(world.nodes) < 2:
            return
        endpoint = world.endpoints[rng.choice(list(world.endpoints))]
        old = endpoint.nodes[0]
        other = rng.choice([n.index for n in world.nodes if n.index != old])
        nodes = (old, other) if rng.random() < 0.4 else (other,)
        world.at(at, world.repoint, endpoint, nodes)
        if rng.random() < 0.6:
            back_at = at + rng.uniform(1.0, 20.0) * INTERVAL
            world.at(back_at, world.repoint, endpoint, (old,))

    # --- who comes and goes --------------------------------------------------

    def _cycle_of(self, at: float) -> int:
        return int((at - BEGAN_AT) / INTERVAL)

    def _leave(self, at: float) -> None:
        """End a server for good; the operator may take its endpoint out later."""
        rng, world = self.rng, self.world
        if len(world.nodes) < 2:
            return
        node = self._node()
        if node.index == 0:
            return
        world.at(at, self._leaves, node)
        if self.kind is Kind.SLACK and rng.random() < 0.8:
            cycle = self._cycle_of(at) + rng.choice((1, 2, 4, 10))
            endpoint = world.endpoints.get(f"http://n{node.index}:8222")
            if endpoint is not None:
                self.changes.setdefault(cycle, ("remove", endpoint))

    def _leaves(self, when: float, node: Node) -> None:
        self.world.leave(when, node)

    def _retire(self, at: float) -> None:
        """Take out the endpoint of a server that works on, perhaps for a while."""
        rng, world = self.rng, self.world
        node = self._node()
        endpoint = world.endpoints.get(f"http://n{node.index}:8222")
        if node.index == 0 or endpoint is None:
            return
        cycle = self._cycle_of(at)
        self.changes.setdefault(cycle, ("remove", endpoint))
        if rng.random() < 0.6:
            self.changes.setdefault(
                cycle + rng.choice((1, 3, 10)),
                ("add", Endpoint(endpoint.url, endpoint.nodes)),
            )

    def _join(self, at: float) -> None:
        """Add a server to the system, with or without its endpoint."""
        rng, world = self.rng, self.world
        index = len(world.nodes)
        if index > 5:
            return
        node = Node(index, 0, rng.choice(RELEASES))
        node.configured = set(world.nodes[0].configured)
        world.nodes.append(node)
        world.at(at, world.start, node)
        for account in world.tenants:
            if rng.random() < 0.5:
                self._use(at + rng.uniform(0.0, 4.0) * INTERVAL, account, node)
        if rng.random() < 0.4:
            self._rush(at + rng.uniform(0.0, 4.0) * INTERVAL, node)
            self._slips_in(at + INTERVAL, node, INTERVAL)
        if rng.random() < 0.75:
            url = f"http://n{index}:8222"
            cycle = max(1, self._cycle_of(at) + rng.choice((-1, 0, 1, 1, 2, 5)))
            self.changes.setdefault(cycle, ("add", Endpoint(url, (index,))))
        elif rng.random() < 0.6:
            world.at(at + rng.uniform(0.5, 20.0) * INTERVAL, self._leaves, node)

    def _duplicate(self, at: float) -> None:
        """Add a second address of a server that is watched already."""
        rng, node = self.rng, self._node()
        index = node.index
        url = f"http://n{index}-again:8222"
        cycle = max(1, self._cycle_of(at))
        # Just between the answers of both.
        moment = BEGAN_AT + (cycle + rng.randint(1, 9)) * INTERVAL
        moment += rng.uniform(0.4, 1.2)
        self._rush(moment, node)
        self._slips_in(moment, node, 0.4)
        self.changes.setdefault(cycle, ("add", Endpoint(url, (index,))))
