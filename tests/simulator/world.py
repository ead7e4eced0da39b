"""The simulated world: nodes that run servers, endpoints that lead to them."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from random import Random
from typing import NamedTuple

from nats_idle_exporter.activity import JetStreamRound
from tests.simulator.directory import Directory
from tests.simulator.jetstream import JetStream
from tests.simulator.servers import (
    GATEWAYS,
    NEVER,
    RECEIVED,
    ROUTES,
    SENT,
    Book,
    Closing,
    Numbers,
    Process,
    Release,
    edge,
)
from tests.simulator.truth import RingSample, Sample, Snap

SYSTEM = "SYSTEM"
GLOBAL = "$G"
HOUR = 3600.0


class Node:
    """A place where one server runs at a time, over restarts."""

    def __init__(
        self, index: int, cluster: int, release: Release, name: str = ""
    ) -> None:
        self.index = index
        self.name = name or f"n{index}"
        self.cluster = cluster
        self.release = release
        self.clock_offset = self.ahead_seconds = 0.0
        """By how much its clock is ahead, now and before anybody set it."""
        self.stepped = (NEVER, 0.0)
        """When its clock was stepped last, and how far."""
        self.configured: set[str] = set()
        self.preloaded: set[str] = set()
        """Accounts whose JWTs are in its configuration."""
        self.process: Process | None = None
        self.last_process: Process | None = None
        self.ended: list[Process] = []
        self.silent_until = NEVER
        self.is_gone = False
        self.added_at = NEVER
        self.last_asked_at: float | None = None
        self.last_round: JetStreamRound | None = None
        self.last_round_at: float | None = None
        self.consumers_at: dict[str, float] = {}
        self.told_peers: tuple[float, frozenset[str]] | None = None
        self.is_displaced = False
        self.is_dropped = False
        """Discovery does not lead to it any more."""
        self.is_believed_ended = False
        """A younger server answered at its address, though it lives."""

    def forget(self) -> None:
        """Let nothing be told: whoever heard it is gone."""
        self.ended = []
        self.added_at = NEVER
        self.last_asked_at = self.last_round_at = None
        self.last_round = self.told_peers = None
        self.consumers_at.clear()
        self.is_displaced = self.is_believed_ended = self.is_dropped = False


class Endpoint:
    """An address that we poll; behind several nodes it is a load balancer."""

    def __init__(self, url: str, nodes: tuple[int, ...]) -> None:
        self.url = url
        self.nodes = nodes
        self.turn = 0
        self.blocked_until = NEVER
        self.has_answered = False
        self.added_at = NEVER
        self.past: set[int] = set()
        self.last_process: Process | None = None

    def forget(self) -> None:
        """Let nothing be told: whoever heard it is gone."""
        self.has_answered = False
        self.added_at = NEVER
        self.past.clear()
        self.last_process = None


class Link(NamedTuple):
    """One open connection or leaf link."""

    process: Process
    account: str
    book: Book
    is_leaf: bool
    is_login: bool


class World:
    """Everything that happens, in the order in which it truly happens."""

    def __init__(self, rng: Random, *, operator: bool) -> None:
        self.rng = rng
        self.operator = operator
        self.nodes: list[Node] = []
        self.endpoints: dict[str, Endpoint] = {}
        self.tenants: list[str] = []
        self.jetstream = JetStream(self)
        self.directory = Directory(self)
        self.is_meshed = True
        """Servers name each other."""
        self.tags: dict[str, str] = {}
        """Accounts that bear the name of another."""
        self.ring_size = 0
        self.lingering: list[tuple[float, Process]] = []
        self.wall_offset = 0.0
        self.suspended = 0.0
        self.seen: set[str] = set()
        self.processes: dict[str, Process] = {}
        self._queue: list[tuple[float, int, Callable[..., object], tuple[object, ...]]]
        self._queue = []
        self._order = count()

    def at(self, when: float, act: Callable[..., object], *args: object) -> None:
        """Let ``act(when, *args)`` happen at that moment."""
        heapq.heappush(self._queue, (when, next(self._order), act, args))

    def run_until(self, when: float) -> None:
        """Let everything happen that happens up to this moment."""
        queue = self._queue
        while queue and queue[0][0] <= when:
            moment, _, act, args = heapq.heappop(queue)
            act(moment, *args)

    def forget(self) -> None:
        """Let nothing be told of all this: whoever heard it is gone."""
        for node in self.nodes:
            node.forget()
        for endpoint in self.endpoints.values():
            endpoint.forget()
        for process in self.processes.values():
            process.forget()
        for journal in self.jetstream.journals:
            journal.forget()

    # --- servers -------------------------------------------------------------

    def start(self, when: float, node: Node) -> None:
        """Start a new process on the node."""
        if node.process is not None or node.is_gone:
            return
        server_id = f"N{node.index}R{len(self.processes)}"
        process = Process(server_id, node.index, when, node.release)
        process.told_start_at = process.told_load_at = when + node.clock_offset
        process.ring_size = self.ring_size
        node.process = node.last_process = self.processes[server_id] = process
        self.directory.configure(node)
        if not self.operator:
            self.directory.came(when, node.configured)
        loaded = [GLOBAL, SYSTEM, *sorted(node.configured)]
        for account in loaded:
            if self.directory.admits(node, account) or not self.operator:
                process.open_book(account, self.name_of(account))
        self.jetstream.start(when, process)
        if self.operator:
            self.at(process.recovered_at, self._recover, process)

    def _recover(self, _when: float, process: Process) -> None:
        """Load the accounts that own streams here."""
        for journal in self.jetstream.journals:
            if process.node in journal.places and journal.is_there:
                process.open_book(journal.account, self.name_of(journal.account))

    def kill(self, when: float, node: Node, lag: float = 0.0) -> None:
        """End the node's process; peers list it until ``lag`` seconds later."""
        process = node.process
        if process is None:
            return
        self.seen.add("restart")
        for trail in process.trails.values():
            trail.close(when)
        process.ended_at = when
        node.process = None
        self.jetstream.kill(when, node)
        node.ended.append(process)
        self.lingering.append((when + lag, process))

    def leave(self, when: float, node: Node) -> None:
        """End the node for good."""
        self.kill(when, node)
        node.is_gone = True
        self.jetstream.leave(when)

    def fall_silent(self, when: float, node: Node, seconds: float) -> None:
        """Let the node's server answer nobody, but work on."""
        self.seen.add("outage")
        node.silent_until = when + seconds

    def block(self, when: float, urls: list[str], seconds: float) -> None:
        """Cut the network between us and some endpoints."""
        self.seen.add("outage")
        for url in urls:
            if url in self.endpoints:
                self.endpoints[url].blocked_until = when + seconds

    def reload(
        self, when: float, node: Node, remove: frozenset[str], add: frozenset[str]
    ) -> None:
        """Reload the node's configuration, removing and adding accounts."""
        if not self.operator:
            node.configured = (node.configured - remove) | add
            self.directory.came(when, add)
        process = node.process
        if process is None:
            return
        process.load += 1
        process.told_load_at = when + node.clock_offset
        self.seen.add("reload")
        self.directory.configure(node)
        if self.operator:
            remove = self.directory.dropped(process, node)
        for account, book in process.books.items():
            is_removed = account in remove
            if is_removed:
                process.trails[account].close(when)
                self._enter_ring(
                    when, process, account, book.connections + book.leafnodes
                )
                book.connections = book.leafnodes = 0
            if is_removed or process.zeroes:
                process.reset(account, when)
                book.numbers, book.row = (0,) * 12, None
        for account in remove:
            process.books.pop(account, None)
        if not self.operator:
            for account in sorted(add):
                process.open_book(account, self.name_of(account))

    def cut(self, when: float, process: Process, account: str) -> None:
        """Cut the account's clients off; the server keeps its counters."""
        book = process.books.get(account)
        if book is None:
            return
        process.trails[account].close(when)
        self._enter_ring(when, process, account, book.connections + book.leafnodes)
        # Another book: the links of this one are gone.
        process.books[account] = Book(account, book.name)
        process.books[account].numbers = book.numbers

    def step_wall(self, _when: float, seconds: float) -> None:
        """Step our wall clock."""
        self.seen.add("clock")
        self.wall_offset += seconds

    def step_server(self, when: float, node: Node, seconds: float) -> None:
        """Step the node's wall clock.

        What undoes a step of less than an hour that no reading saw is not done: no
        stamp from that time could be told from a true one.
        """
        last_at, last_seconds = node.stepped
        is_unseen = last_at > (node.last_asked_at or NEVER)
        if is_unseen and seconds == -last_seconds and abs(seconds) < HOUR:
            return
        node.stepped = when, seconds
        self.seen.add("clock")
        node.clock_offset += seconds

    def repoint(self, _when: float, endpoint: Endpoint, nodes: tuple[int, ...]) -> None:
        """Let an address lead elsewhere, while the old server works on."""
        self.seen.add("repoint")
        for index in endpoint.nodes:
            if index not in nodes:
                self.nodes[index].is_displaced = True
        for index in nodes:
            self.nodes[index].is_displaced = False
        endpoint.nodes = nodes

    # --- use -----------------------------------------------------------------

    def name_of(self, account: str) -> str:
        """Return the name tag that servers tell for the account."""
        if self.operator and account in self.directory.entries:
            return self.directory.entries[account].name
        tag = self.tags.get(account, account)
        return f"name of {tag}" if self.operator else ""

    def load(self, node: Node, account: str) -> bool:
        """Say whether the account can be used on the node now; load it if so."""
        process = node.process
        if process is None:
            return False
        if self.operator:
            if not self.directory.admits(node, account):
                return False
            process.open_book(account, self.name_of(account))
        return account in process.books

    def _used(self, node: Node, account: str, when: float) -> None:
        process = node.process
        assert process is not None
        process.trails[account].use(when)

    def publish(
        self, when: float, node: Node, account: str, size: int, to: Node | None = None
    ) -> bool:
        """Publish one message, if that can be; with ``to`` a client receives it."""
        if not self.load(node, account) or node.process is None:
            return False
        book = node.process.books[account]
        book.add(RECEIVED, 0, 1, size)
        self._used(node, account, when)
        if to is None or to is node or not self.load(to, account):
            return True
        assert to.process is not None
        share = ROUTES if to.cluster == node.cluster else GATEWAYS
        book.add(SENT, share if node.process.splits else 0, 1, size)
        other = to.process.books[account]
        if to.process.splits:
            other.add(RECEIVED, share, 1, size)
        other.add(SENT, 0, 1, size)
        self._used(to, account, when)
        return True

    def mirror(
        self, when: float, node: Node, to: Node, account: str, every: float
    ) -> None:
        """Send a mirror's heartbeat from server to server: no use of anybody."""
        self.at(when + every, self.mirror, node, to, account, every)
        if node.process is None or to.process is None:
            return
        share = ROUTES if to.cluster == node.cluster else GATEWAYS
        books = [node.process.books.get(account), to.process.books.get(account)]
        if node.process.splits and to.process.splits and books[0] and books[1]:
            books[0].add(SENT, share, 1, 75)
            books[1].add(RECEIVED, share, 1, 75)

    def replay(self, when: float, node: Node, account: str, numbers: Numbers) -> None:
        """Use the account so that its totals become what they were before."""
        process = node.process
        if process is None or account not in process.books:
            return
        book = process.books[account]
        is_growth = all(
            new >= old for new, old in zip(numbers, book.numbers, strict=True)
        )
        if is_growth and edge(numbers) != edge(book.numbers):
            book.numbers, book.row = numbers, None
            self._used(node, account, when)

    def connect(  # noqa: PLR0913 - a connection has all these qualities
        self,
        when: float,
        node: Node,
        account: str,
        seconds: float,
        *,
        is_leaf: bool = False,
        is_login: bool = True,
    ) -> None:
        """Connect a client or a leaf server for a while, without a message."""
        if not self.load(node, account) or node.process is None:
            return
        link = Link(
            node.process, account, node.process.books[account], is_leaf, is_login
        )
        self._count(link, 1)
        link.process.trails[account].open()
        self.at(when + seconds, self._disconnect, link)

    def _count(self, link: Link, amount: int) -> None:
        if link.is_leaf:
            link.book.leafnodes += amount
        else:
            link.book.connections += amount
        link.book.row = None

    def _disconnect(self, when: float, link: Link) -> None:
        process, account, book = link.process, link.account, link.book
        if process.ended_at is not None or process.books.get(account) is not book:
            return
        self._count(link, -1)
        self._enter_ring(when, process, account if link.is_login else None)
        if book.connections + book.leafnodes == 0:
            process.trails[account].close(when)

    def send_at_once(self, when: float, node: Node, account: str, size: int) -> None:
        """Log in, publish in the same packet and go: ``$G`` gets the message."""
        if not self.load(node, account) or node.process is None:
            return
        node.process.books[GLOBAL].add(RECEIVED, 0, 1, size)
        self._used(node, GLOBAL, when)
        self._enter_ring(when, node.process, account)

    def rush(self, when: float, node: Node, account: str | None, amount: int) -> None:
        """Let many connections come and go at once; None: they fail to log in."""
        if node.process is None or (account and not self.load(node, account)):
            return
        self._enter_ring(when, node.process, account, amount)

    def _enter_ring(
        self, when: float, process: Process, account: str | None, amount: int = 1
    ) -> None:
        stamp = when + self.nodes[process.node].clock_offset
        process.closed += [Closing(account, when, stamp)] * amount

    # --- what servers answer -------------------------------------------------

    def peers(
        self, process: Process, when: float
    ) -> tuple[frozenset[str], frozenset[str]]:
        """Return the ids of peers by route, and those by gateway."""
        cluster = self.nodes[process.node].cluster
        routes, gateways = set[str](), set[str]()
        if not self.is_meshed:
            return frozenset(), frozenset()
        alive = [node.process for node in self.nodes if node.process is not None]
        dead = [peer for until, peer in self.lingering if until > when]
        for peer in (*alive, *dead):
            if peer is not process:
                is_near = self.nodes[peer.node].cluster == cluster
                (routes if is_near else gateways).add(peer.server_id)
        return frozenset(routes), frozenset(gateways)

    def sample(self, process: Process, when: float, load: int) -> Sample:
        """Return the truth of the moment in which accstatz is answered."""
        snaps = []
        for account, trail in process.trails.items():
            book = process.books.get(account)
            snaps.append(
                Snap(
                    account,
                    trail,
                    book.numbers if book is not None else (0,) * 12,
                    trail.is_open,
                    trail.segment,
                    trail.pending_at,
                )
            )
        return Sample(process, when, load, snaps)

    def ring_sample(self, process: Process, when: float) -> RingSample:
        """Return the truth of the moment in which connz is answered."""
        return RingSample(process, when, process.forgotten, len(process.closed))
