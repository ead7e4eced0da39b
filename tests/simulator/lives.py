"""How the accounts of a history live: who uses them, how, and when."""

from __future__ import annotations

from tests.simulator.draft import BEGAN_AT, INTERVAL, Draft
from tests.simulator.world import GLOBAL, Node


class Lives(Draft):
    """A draft that knows how accounts are used."""

    def _life(self, account: str) -> None:
        rng = self.rng
        if account in self.world.jetstream.enabled and rng.random() < 0.6:
            # Nothing but its streams shows whether it is used.
            return
        for _ in range(rng.randint(0, 2)):
            self._use(rng.uniform(self.started_from + 4000, BEGAN_AT), account)
        ways = (self._fades, self._is_rare, self._is_busy, self._stays, None)
        way = rng.choices(ways, (30, 20, 10, 15, 25))[0]
        if way is not None:
            way(account)

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

    def _slips_in(self, at: float, node: Node, seconds: float) -> None:
        """Let some connect silently in the time up to this moment."""
        for account in self.world.tenants:
            if self.rng.random() < 0.4:
                self._silent(at - self.rng.uniform(0.0, seconds), account, node)
