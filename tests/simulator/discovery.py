"""Discovery: a name whose addresses change, and what happens to those behind it."""

from __future__ import annotations

from nats_idle_exporter.activity import Source
from tests.simulator.draft import BEGAN_AT, INTERVAL, Kind
from tests.simulator.incidents import Incidents
from tests.simulator.names import Names
from tests.simulator.world import Endpoint, Node

SOURCE = Source("dns+http://nats:8222")


class Discovery(Incidents):
    """A draft whose endpoints are found by a name."""

    names: Names | None = None

    def _discovery(self) -> None:
        """Let a name tell the endpoints, and plan how they change."""
        rng, world = self.rng, self.world
        self.names = Names(dict(world.endpoints))
        if self.kind is Kind.SCALED:
            self._rolls()
            return
        world.is_meshed = rng.random() < 0.85
        for endpoint in list(world.endpoints.values())[: rng.choice((0, 0, 1))]:
            self.names.fixed[endpoint.url] = endpoint
            if rng.random() < 0.3:
                self.names.fail(BEGAN_AT, rng.choice((1.0, 3.0, 8.0)) * INTERVAL)
        acts = (
            self._replaces,
            self._replaces,
            self._replaces_all,
            self._scales_up,
            self._scales_down,
            self._scales_down,
            self._flaps,
            self._vanishes,
            self._fails,
            self._haunts,
        )
        for _ in range(rng.choice((1, 1, 2, 3, 5))):
            rng.choice(acts)(rng.uniform(BEGAN_AT, self.end_at))

    def _rolls(self) -> None:
        """Replace every server by one at another address, again and again."""
        rng, world = self.rng, self.world
        nodes = list(world.nodes)
        at = BEGAN_AT + rng.uniform(5.0, 40.0) * INTERVAL
        while at < self.end_at:
            for place, node in enumerate(nodes):
                nodes[place] = self._replace(at, node, rng.uniform(0.5, 9.0), 0.0, 0.0)
                at += INTERVAL * rng.uniform(2.0, 4.0)
            if rng.random() < 0.5:
                nodes.append(self._comes(at, nodes[0], ""))
            elif len(nodes) > 2:
                node = nodes.pop()
                world.at(at, world.leave, node)
                self._drops(at, node)
            self._fails(at + INTERVAL * rng.uniform(5.0, 10.0))
            at += INTERVAL * rng.uniform(75.0, 100.0)

    # --- what happens --------------------------------------------------------

    def _replaces(self, at: float) -> None:
        rng, node = self.rng, self._node()
        self._replace(at, node, rng.uniform(0.5, 60.0), self._lag(), self._lag())
        self._temptation(at)

    def _replaces_all(self, at: float) -> None:
        for node in list(self.world.nodes):
            self._replace(at, node, self.rng.uniform(0.5, 60.0), 5.0, 5.0)
        self._temptation(at)

    def _replace(
        self, at: float, node: Node, down: float, lag: float, other_lag: float
    ) -> Node:
        """End a server; one of the same name comes, at another address."""
        self.world.at(at, self.world.leave, node)
        self._drops(at + lag, node)
        return self._comes(at + down, node, node.name, other_lag)

    def _scales_up(self, at: float) -> None:
        node = self._comes(at, self.world.nodes[0], "", self._lag())
        for account in self.world.tenants:
            if self.rng.random() < 0.5:
                self._use(at + self.rng.uniform(0.0, 4.0) * INTERVAL, account, node)

    def _scales_down(self, at: float) -> None:
        """Drop a server, which is used until it is gone a little later."""
        rng, node = self.rng, self._node()
        left_at = at + rng.choice((-15.0, 0.0, 20.0, 100.0, 600.0))
        self._drops(at, node)
        self.world.at(left_at, self.world.leave, node)
        self._is_tempting(node, at, left_at)

    def _flaps(self, at: float) -> None:
        """Drop a server that lives on, for a while."""
        node = self._node()
        back_at = at + self.rng.choice((20.0, 60.0, 300.0, 900.0))
        self._drops(at, node)
        self._finds(back_at, node)
        self._is_tempting(node, at, back_at)

    def _vanishes(self, at: float) -> None:
        """Drop a server that lives on, for good."""
        node = self._node()
        self._drops(at, node)
        self._is_tempting(node, at, self.end_at)

    def _fails(self, at: float) -> None:
        assert self.names is not None
        seconds = self.rng.choice((1.0, 3.0, 10.0)) * INTERVAL
        self.world.at(at, self.names.fail, seconds)

    def _haunts(self, at: float) -> None:
        """Tell an address for a while where nobody ever answers."""
        node = self._add("", self.world.nodes[0])
        self._finds(at, node)
        self._drops(at + self.rng.choice((20.0, 100.0, 400.0)), node)

    # --- parts of it ---------------------------------------------------------

    def _comes(self, at: float, like: Node, name: str, lag: float = 0.0) -> Node:
        node = self._add(name, like)
        self.world.at(at, self._starts, node)
        self._finds(at + lag, node)
        return node

    def _starts(self, when: float, node: Node) -> None:
        """Start a server; whose name it took over is gone for good by then."""
        for other in self.world.nodes[: node.index]:
            if other.name == node.name:
                self.world.leave(when, other)
        self.world.start(when, node)

    def _add(self, name: str, like: Node) -> Node:
        node = Node(len(self.world.nodes), like.cluster, like.release, name)
        node.configured = set(like.configured)
        self.world.nodes.append(node)
        return node

    def _drops(self, at: float, node: Node) -> None:
        assert self.names is not None
        self.world.at(at, self.names.drop, f"http://n{node.index}:8222")

    def _finds(self, at: float, node: Node) -> None:
        assert self.names is not None
        url = f"http://n{node.index}:8222"
        self.world.at(at, self.names.add, Endpoint(url, (node.index,)))

    def _lag(self) -> float:
        return self.rng.choice((-20.0, 0.0, 0.0, 5.0, 40.0, 90.0))

    def _is_tempting(self, node: Node, at: float, until: float) -> None:
        for account in self.world.tenants:
            if self.rng.random() < 0.6:
                self._use(self.rng.uniform(at - 20.0, until), account, node)
