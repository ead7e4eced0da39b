"""JetStream in the simulated world: leaders, recovery, and what jsz answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from nats_idle_exporter.activity import Instant, JetStreamRound
from tests.simulator.journals import Acks, Answer, Journal, Page
from tests.simulator.servers import NEVER, Process

if TYPE_CHECKING:
    from tests.simulator.world import Node, World


class Telling(NamedTuple):
    """The truth of one stream in one answer to jsz."""

    journal: Journal
    page: Page
    answer: Answer
    untold_at: float
    """When it was last used without a word, as far as this page shows it."""


class Shown(NamedTuple):
    """One answer to jsz, and its truth."""

    told: JetStreamRound
    tellings: list[Telling]


class JetStream:
    """The streams of a world; ``enabled`` are the accounts that may own some."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.enabled: set[str] = set()
        self.journals: list[Journal] = []
        self.recoveries: tuple[float, ...] = (0.0,)
        """How many seconds a server may take until it tells its streams."""

    # --- servers -------------------------------------------------------------

    def start(self, when: float, process: Process) -> None:
        """Let a server recover: until then it tells no stream."""
        if any(process.node in journal.places for journal in self.journals):
            process.recovered_at = when + self.world.rng.choice(self.recoveries)

    def kill(self, when: float, node: Node) -> None:
        """Lose what only this server held in memory."""
        for journal in self.journals:
            if journal.leader == node.index:
                journal.known_to[node.index], journal.leader = when, None
            is_held = journal.is_memory and node.index in journal.places
            if is_held and journal.is_there and not any(self._keepers(journal)):
                journal.empty(when)

    def leave(self, when: float) -> None:
        """Lose the streams of which no server will ever come back."""
        for journal in self.journals:
            nodes = (self.world.nodes[index] for index in journal.places)
            if journal.is_there and all(node.is_gone for node in nodes):
                journal.empty(when, is_there=False)
                journal.bury()

    def _keepers(self, journal: Journal) -> Iterator[Process]:
        """Yield the running servers that keep the stream."""
        for index in journal.places:
            process = self.world.nodes[index].process
            if process is not None and journal.account in process.books:
                yield process

    def _leader(self, when: float, journal: Journal) -> Node | None:
        """Return who leads the stream now; None while it cannot be used."""
        ready = [p.node for p in self._keepers(journal) if p.recovered_at <= when]
        if not journal.is_there or 2 * len(ready) <= len(journal.places):
            return None
        if journal.leader not in ready:
            self._elect(when, journal, self.world.rng.choice(ready))
        return self.world.nodes[journal.leader or 0]

    def _elect(self, when: float, journal: Journal, index: int) -> None:
        if journal.leader is not None:
            journal.known_to[journal.leader] = when
        journal.leader = index

    def move_leader(self, when: float, journal: Journal) -> None:
        """Let another server lead the stream."""
        if (leader := self._leader(when, journal)) is None:
            return
        ready = [p.node for p in self._keepers(journal) if p.recovered_at <= when]
        others = [index for index in ready if index != leader.index]
        if others:
            self._elect(when, journal, self.world.rng.choice(others))

    # --- use -----------------------------------------------------------------

    def create(self, when: float, journal: Journal) -> None:
        """Make the stream, through somebody's import: its owner's counters stand."""
        for index in journal.places:
            self.world.load(self.world.nodes[index], journal.account)
        self._touch(journal)
        journal.empty(when)

    def delete(self, when: float, journal: Journal) -> None:
        """Delete the stream, likewise."""
        if self._leader(when, journal) is not None:
            self._touch(journal)
            journal.empty(when, is_there=False)

    def add_reader(self, when: float, journal: Journal, name: str) -> None:
        """Create a consumer, or create it anew."""
        if self._leader(when, journal) is not None:
            self._touch(journal)
            journal.add_reader(when, name)

    def drop_reader(self, when: float, journal: Journal, name: str) -> None:
        """Delete a consumer."""
        if self._leader(when, journal) is not None:
            self._touch(journal)
            journal.drop_reader(when, name)

    def _touch(self, journal: Journal) -> None:
        """Count a request to the API, on any server that has the account."""
        running = [node.process for node in self.world.nodes if node.process]
        loaded = [p for p in running if journal.account in p.books]
        if loaded:
            self.world.rng.choice(loaded).touched.add(journal.account)

    def write(self, when: float, journal: Journal, by: str, node: Node) -> None:
        """Publish into the stream, as a client of this account on this node."""
        leader = self._leader(when, journal)
        if leader is None or not self.world.publish(when, node, by, 4):
            return
        stamp = when + leader.clock_offset
        journal.write(when, stamp)
        for copy in journal.copies:
            if self._leader(when, copy) is not None:
                copy.write(when, stamp)

    def read(
        self, when: float, journal: Journal, name: str, by: str, node: Node
    ) -> None:
        """Pull a message from the stream, perhaps acknowledge it."""
        leader = self._leader(when, journal)
        if leader is None or not self.world.publish(when, node, by, 0):
            return
        acks = self.world.rng.choice(list(Acks))
        journal.read(when, name, when + leader.clock_offset, acks)

    # --- what servers answer -------------------------------------------------

    def answer(
        self, process: Process, when: float, asked: Instant, wanted: frozenset[str]
    ) -> Shown:
        """Return what jsz tells now; consumers of the accounts wanted only."""
        enabled = frozenset(self.enabled & process.books.keys())
        tellings = list(self._tellings(process, when, wanted))
        streams = [each.journal.told(each.page, each.answer) for each in tellings]
        self.world.rng.shuffle(streams)
        told = JetStreamRound(
            asked,
            when + self.world.nodes[process.node].clock_offset,
            enabled,
            enabled - process.touched,
            tuple(streams),
            wanted,
        )
        return Shown(told, tellings)

    def _tellings(
        self, process: Process, when: float, wanted: frozenset[str]
    ) -> Iterator[Telling]:
        if when < process.recovered_at:
            return
        for journal in self.journals:
            index = process.node
            if index not in journal.places or journal.account not in process.books:
                continue
            leader = self._leader(when, journal)
            as_of, is_by_leader = when, bool(leader and leader.index == index)
            if not is_by_leader:
                lagging_at = when - journal.lags.get(index, 0.0)
                as_of = max(journal.known_to.get(index, NEVER), lagging_at)
            journal.known_to[index] = as_of
            if (page := journal.page(as_of)) is not None:
                is_wanted = journal.account in wanted
                answer = Answer(as_of, is_wanted, is_by_leader)
                yield Telling(journal, page, answer, journal.untold_at(answer))
