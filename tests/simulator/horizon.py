"""How far the truth lets the watching reach, and what each cycle made known."""

from __future__ import annotations

import math
from collections.abc import Iterable

from nats_idle_exporter.activity import JetStreamRound
from tests.simulator.names import Names
from tests.simulator.servers import NEVER, Process
from tests.simulator.truth import Truth
from tests.simulator.watcher import Poll
from tests.simulator.world import Endpoint, Node, World


class Horizon:
    """Follow which servers count, and until when each was last read."""

    def __init__(self, world: World, truth: Truth, names: Names | None = None) -> None:
        self.world = world
        self.truth = truth
        self.names = names
        self.born_at = NEVER
        """The newest start of the processes that were read at first sight."""
        self.first_sight_at: float | None = None
        """When every endpoint of the beginning was read once."""
        self._led_to: set[int] = set()
        self._first_asked: dict[int, float] = {}

    # --- what a cycle tells --------------------------------------------------

    def take(self, polls: list[Poll]) -> None:
        """Take in the good polls of one cycle."""
        endpoints = self.world.endpoints.values()
        self._led_to = {index for each in endpoints for index in each.nodes}
        good = [poll for poll in polls if not poll.is_failed]
        is_first_sight = self.first_sight_at is None
        journals = self.world.jetstream.journals
        self.truth.take_losses(journals, is_first_sight=is_first_sight)
        good.sort(key=lambda poll: poll.sample.at if poll.sample else 0.0)
        for poll in good:
            self._read(poll)
        for poll in good:
            self._hear_peers(poll)
        is_listed = self.names is None or self.names.is_told
        if (
            self.first_sight_at is None
            and is_listed
            and all(endpoint.has_answered for endpoint in self.world.endpoints.values())
        ):
            read = self._first_asked
            counting = [at for node, at in read.items() if node in self._led_to]
            self.first_sight_at = max(counting or read.values())
        self._end_unlisted()

    def _read(self, poll: Poll) -> None:
        process, node, endpoint = poll.process, poll.node, poll.endpoint
        assert process is not None
        assert poll.sample is not None
        assert poll.ring_sample is not None
        if self.first_sight_at is None:
            self.born_at = max(self.born_at, self._bound(process, poll))
        self.truth.settle(poll.sample, poll.answered_at)
        self.truth.settle_ring(poll.ring_sample, poll.answered_at)
        if "clock" in self.world.seen:
            for closed in poll.ring.new:
                self.truth.tell_again(closed.account)
        self._end_predecessors(poll, process)
        node.last_asked_at = max(poll.asked_at, node.last_asked_at or 0.0)
        self._hear_streams(poll)
        node.told_peers = (poll.peers_at, poll.routes | poll.gateways)
        node.is_believed_ended = False
        endpoint.has_answered = True
        self._first_asked.setdefault(node.index, poll.asked_at)
        for index in endpoint.past - {node.index}:
            other = self.world.nodes[index]
            asked_at = other.last_asked_at
            if asked_at is not None and process.start_at > asked_at - 1.0:
                other.is_believed_ended = True
        endpoint.past.add(node.index)
        endpoint.last_process = process
        process.read_by.add(endpoint.url)
        process.is_let_go = False
        process.known_at = None

    def _bound(self, process: Process, poll: Poll) -> float:
        """Return since when a process may prove silence at first sight."""
        if self.names is None:
            return process.start_at
        # Who was there before a name was looked up is unknown.
        is_first = process.last_sample_at == NEVER
        return max(self.names.told_at, poll.asked_at if is_first else NEVER)

    def _end_predecessors(self, poll: Poll, process: Process) -> None:
        """See the end of those that ran here before this server."""
        node = poll.node
        before = [
            run
            for run in node.ended
            if run.start_at < process.start_at
            and (poll.endpoint.url in run.read_by or not run.read_by)
        ]
        if before:
            # What the operator watches again counts from then on.
            read = (run.last_sample_at for run in before)
            start_at, end_at = max(node.added_at, *read), _death_at(before)
            if NEVER < start_at < end_at:
                self.truth.end(before, start_at, end_at, poll.answered_at)
            node.ended = [run for run in node.ended if run not in before]

    def _hear_streams(self, poll: Poll) -> None:
        node, told = poll.node, poll.jetstream
        if told is None:
            return
        node.last_round = told
        node.last_round_at = max(poll.asked_at, node.last_round_at or 0.0)
        for account in told.consumers_of:
            node.consumers_at[account] = node.last_round_at
        told_journals = [telling.journal for telling in poll.tellings]
        for journal in self.world.jetstream.journals:
            is_kept = journal.is_there and node.index in journal.places
            if is_kept and journal not in told_journals:
                journal.miss(poll.asked_at, node.index)
        self.truth.settle_journals(poll.tellings, poll.answered_at)

    def _hear_peers(self, poll: Poll) -> None:
        for server_id in poll.routes | poll.gateways:
            peer = self.world.processes[server_id]
            node = self.world.nodes[peer.node]
            if peer.known_at is None and not self.is_watched(node):
                is_first = self.first_sight_at is None
                peer.known_at = NEVER if is_first else poll.asked_at

    def _end_unlisted(self) -> None:
        """See the end of unwatched servers that no peer lists any more."""
        for node in self.world.nodes:
            for run in list(node.ended):
                told = self._told_by_others(node)
                if (
                    told
                    and self._may_end_unlisted(node, run)
                    and all(
                        at >= (run.ended_at or 0.0) and run.server_id not in ids
                        for at, ids in told
                    )
                ):
                    node.ended.remove(run)
                    if run.read_by:
                        node.is_displaced, node.is_believed_ended = False, True
                        if node.is_dropped:
                            node.is_dropped = False
                            node.last_round = node.last_round_at = None
                            self.world.seen.add("shown end")
                    self._end_unwatched(run, max(at for at, _ in told))

    def _told_by_others(self, node: Node) -> list[tuple[float, frozenset[str]]]:
        return [
            other.told_peers
            for other in self.world.nodes
            if other is not node
            and not other.is_dropped
            and other.process is not None
            and other.told_peers is not None
            and self.is_watched(other)
        ]

    def _may_end_unlisted(self, node: Node, run: Process) -> bool:
        """Say whether no endpoint leads to the run, as far as was told."""
        if not run.read_by:
            return not self.is_watched(node)
        endpoints = self.world.endpoints.values()
        return all(endpoint.last_process is not run for endpoint in endpoints)

    def _end_unwatched(self, run: Process, told_at: float) -> None:
        if run.known_at is None and run.is_let_go:
            return
        start_at = run.known_at if run.known_at is not None else run.last_sample_at
        if start_at > NEVER:
            self.truth.end([run], start_at, _death_at([run]), told_at)

    def unwatch(self, node: Node, when: float) -> None:
        """Take in that the operator ended the watch of the node's servers."""
        runs = [*node.ended, *([node.process] if node.process else [])]
        read = [run.last_sample_at for run in runs if run.last_sample_at > NEVER]
        if read:
            end_at = when if node.process else _death_at(runs)
            self.truth.end(runs, max(read), end_at, when)
        for run in runs:
            run.known_at, run.is_let_go = None, True
            for account, trail in run.trails.items():
                if trail.is_open and trail.seen_segment == trail.segment:
                    self.truth.show(account, when, when)
                trail.closing_at = NEVER
        node.ended = []
        node.last_asked_at = node.told_peers = None
        node.last_round = node.last_round_at = None
        node.consumers_at.clear()
        node.is_displaced = node.is_believed_ended = False

    def drop(self, endpoint: Endpoint) -> None:
        """Take in that discovery leads there no more: nobody's watch ends with it.

        Who is found at another address too is not dropped.
        """
        self.world.seen.add("drop")
        led_to = {i for other in self.world.endpoints.values() for i in other.nodes}
        for index in set(endpoint.nodes) - led_to:
            node = self.world.nodes[index]
            if node.last_asked_at is not None and not node.is_believed_ended:
                node.is_dropped = True

    # --- how far it reaches --------------------------------------------------

    def is_watched(self, node: Node) -> bool:
        """Say whether an endpoint leads to the node's server, or it counts still."""
        if node.is_believed_ended:
            return False
        if node.is_displaced or node.is_dropped:
            return True
        return node.index in self._led_to

    def reach_at(self) -> float:
        """Return until when every server that counts was read."""
        return min(self._terms(), default=math.inf)

    def _terms(self) -> Iterable[float]:
        for node in self.world.nodes:
            runs = [*node.ended, *([node.process] if node.process else [])]
            if not runs:
                continue
            if not self.is_watched(node):
                yield from (run.known_at for run in runs if run.known_at is not None)
            elif node.last_asked_at is not None:
                yield node.last_asked_at
            else:
                for endpoint in self.world.endpoints.values():
                    if node.index in endpoint.nodes and not endpoint.has_answered:
                        yield endpoint.added_at

    def _rounds(self) -> Iterable[JetStreamRound]:
        """Yield the last answer to jsz of every node whose end is not shown."""
        nodes = (node for node in self.world.nodes if not node.is_believed_ended)
        return (node.last_round for node in nodes if node.last_round is not None)

    def enabled(self) -> set[str]:
        """Return who may own streams."""
        return {account for told in self._rounds() for account in told.enabled}

    def holding(self) -> set[str]:
        """Return who owns streams."""
        return {each.account for told in self._rounds() for each in told.streams}

    def consumed(self) -> set[str]:
        """Return who owns streams with consumers."""
        streams = (each for told in self._rounds() for each in told.streams)
        return {each.account for each in streams if each.has_consumers}

    def _watched(self) -> Iterable[Node]:
        return (node for node in self.world.nodes if self.is_watched(node))

    def round_at(self) -> float:
        """Return when every watched server's jsz was read."""
        rounds = (node.last_round_at for node in self._watched())
        return min((at for at in rounds if at is not None), default=math.inf)

    def consumers_at(self, account: str) -> float:
        """Return when every watched server's consumers of it were read."""
        return min(
            (
                node.consumers_at.get(account, NEVER)
                for node in self._watched()
                if node.last_round_at is not None
            ),
            default=math.inf,
        )


def _death_at(runs: list[Process]) -> float:
    """Return the true end: what the facts tell of it can only be later."""
    return max(run.ended_at or 0.0 for run in runs)
