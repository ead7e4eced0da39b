"""What goes wrong in a history: restarts, outages, reloads, clocks, addresses."""

from __future__ import annotations

from tests.simulator.draft import BEGAN_AT, INTERVAL, RELEASES, Kind
from tests.simulator.journal_lives import JournalLives
from tests.simulator.restarts import OwnRestart
from tests.simulator.servers import Release, edge
from tests.simulator.world import GLOBAL, Endpoint, Node


class Incidents(JournalLives):
    """A draft that knows what may go wrong."""

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
        if not self.is_calm and rng.random() < 0.5:
            self._uses_journals(at, rng.choice((10.0, 60.0, 150.0)))
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

    def _stream_incidents(self) -> None:
        """Do to streams what hides their use."""
        rng, journals = self.rng, self.world.jetstream.journals
        acts = (
            self._moves_leaders,
            self._drops_journal,
            self._drops_reader,
            self._restarts_keeper,
            self._restarts_keeper,
        )
        for _ in range(rng.choice((1, 2, 3)) if journals else 0):
            rng.choice(acts)(rng.uniform(BEGAN_AT, self.end_at))

    def _restarts_keeper(self, at: float) -> None:
        """Restart all servers that keep a stream, used since the last round."""
        journal = self.rng.choice(self.world.jetstream.journals)
        for index in journal.places:
            node = self.world.nodes[index]
            self._restart(at, node, self.rng.uniform(0.2, 5.0))
        self._uses_journal(at - self.rng.uniform(0.0, 150.0), journal)

    def _own_restarts(self) -> list[OwnRestart]:
        """Restart ourselves, with or without what was learned."""
        rng = self.rng
        amount = rng.choices((0, 1, 2, 3), (60, 22, 12, 6))[0]
        return [
            self._own_restart(rng.uniform(BEGAN_AT, self.end_at)) for _ in range(amount)
        ]

    def _own_restart(self, at: float) -> OwnRestart:
        rng = self.rng
        seconds = rng.choice((1.0, 20.0, 90.0, 300.0, 0.4 * self.threshold))
        if rng.random() < 0.1:
            seconds = 1.2 * self.threshold
        seconds *= rng.uniform(0.5, 1.5)
        restart = OwnRestart(at, seconds, rng.random() < 0.75, rng.random() < 0.3)
        if self.is_calm:
            return restart
        moment = at + rng.uniform(0.0, 1.0) * (seconds + INTERVAL)
        acts = (
            self._short_restart,
            self._double_restart,
            self._reload,
            self._readd,
            self._clock,
            self._server_clock,
            self._server_glitch,
            self._overflow,
        )
        if rng.random() < 0.6:
            rng.choice(acts)(moment)
        self._temptation(moment)
        return restart

    def _temptation(self, at: float) -> None:
        """Use accounts just where it is easily overlooked."""
        rng = self.rng
        for account in self.world.tenants:
            if rng.random() < 0.5:
                act = self._use if rng.random() < 0.8 else self._connect
                act(at + rng.uniform(-1.5, 1.5) * INTERVAL, account)
        self._uses_journals(at + 1.5 * INTERVAL, 3.0 * INTERVAL)

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
