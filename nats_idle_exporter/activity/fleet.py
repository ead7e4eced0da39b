"""The fleet: which servers of a system count, and when each one ends.

A server counts from its first reading, or from the moment another server
names it, until its end is shown. What counts and is not read holds every
verdict of the system back. Ends are shown in three ways only:

* succession: a process that started after the last reading answers at the
  same endpoint, so the old one is gone, at the latest since that start;
* the operator takes the endpoint out of the configuration;
* silence of the peers, for those that no endpoint leads to: no server that was
  read since names it any more (see ``silence``).

A hole runs from a server's last reading to its end. An end is taken back when
a peer names the server after it. A server that was displaced by an older
process may be alive and in use: it counts until it answers again, or until the
operator acts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nats_idle_exporter.activity.ends import Displaced, End, succession
from nats_idle_exporter.activity.facts import Instant, Reading, Row
from nats_idle_exporter.activity.roster import Roster
from nats_idle_exporter.activity.servers import Server, Stranger, Watch, earliest
from nats_idle_exporter.activity.silence import is_silenced
from nats_idle_exporter.activity.view import UnwatchedKind

TURNS = 8
"""Servers behind one endpoint that are recognised when they take turns."""
MOST_REMEMBERED = 64
"""Servers kept per endpoint that do not answer there any more."""


class Fleet:
    """The servers, endpoints and strangers of one system."""

    def __init__(self, entries: Iterable[str]) -> None:
        self.roster = Roster(entries)
        self.servers: dict[str, Server] = {}
        self.strangers: dict[str, Stranger] = {}
        self.watched_to: Instant | None = None
        """The last complete view; None until there was one."""
        self._displaced: list[Displaced] = []

    # -- who counts

    @property
    def watches(self) -> dict[str, Watch]:
        """Return the endpoints that are read."""
        return self.roster.watches

    @property
    def bound(self) -> dict[str, Server]:
        """Return the servers that answered last at some endpoint."""
        ids = {watch.server_id for watch in self.watches.values()}
        return {i: server for i, server in self.servers.items() if i in ids}

    def counted(self) -> Iterator[tuple[str, Server]]:
        """Yield every server whose end is not shown, with its ``server_id``."""
        return ((i, s) for i, s in self.servers.items() if s.ended_at is None)

    def oldest(self) -> Instant | None:
        """Return up to when everything that counts was read; None if not ever."""
        instants = [
            *self.roster.waiting(),
            *(server.asked for _, server in self.counted()),
            *(stranger.known_since for stranger in self.strangers.values()),
        ]
        return earliest(instants)

    def jetstream_span(self) -> tuple[Instant | None, Instant | None]:
        """Return when the oldest and the newest of their last jsz were asked.

        (None, None) while some server that counts never told any.
        """
        rounds = [server.jetstream for _, server in self.counted()]
        asked = [each.asked for each in rounds if each is not None]
        if not asked or len(asked) < len(rounds):
            return None, None
        return earliest(asked), max(asked)

    def witnesses(self) -> list[Server]:
        """Return those whose word on accounts holds: who counts, else who did.

        Between the end of all old endpoints and the first answer of a new one,
        the system account is still no tenant.
        """
        counted = [server for _, server in self.counted()]
        return counted or list(self.servers.values())

    def is_complete(self, read: Iterable[str]) -> bool:
        """Say whether those read are all that count, strangers included."""
        counted = {server_id for server_id, _ in self.counted()}
        is_known = self.roster.is_answered and not self.strangers
        return is_known and counted <= set(read)

    # -- the list of endpoints

    def let_go(self, now: Instant) -> list[End]:
        """End at once the watch of those that the operator took out."""
        self.roster.left.clear()
        bound = self.bound
        ends = [
            self._end(server, now.slow, now.fast - server.asked.fast)
            for server_id, server in list(self.counted())
            if not self.roster.is_led_to(server.home) and server_id not in bound
        ]
        if not any(self.counted()):
            # Nobody is left who could carry the complete view on.
            self.watched_to = None
            self.roster.start_anew()
        return ends

    def arrange(self, entries: Iterable[str]) -> None:
        """Replace the operator's list; ``let_go`` of whom it lacks is to follow."""
        self.roster.arrange(entries, self.watched_to)

    def discover(self, source: str, endpoints: Iterable[str], now: Instant) -> None:
        """Replace what a source found; nobody's watch ends with it."""
        self.roster.discover(source, endpoints, now, self.watched_to)

    # -- a cycle

    def bind(self, reading: Reading) -> Server | None:
        """Note who answers at the reading's endpoint; return whom it displaced."""
        watch = self.watches[reading.endpoint]
        server_id, previous = reading.server.server_id, watch.server_id
        watch.server_id = server_id
        watch.steady = watch.steady + 1 if previous == server_id else 0
        if previous is None or previous == server_id:
            return None
        watch.is_load_balanced |= server_id in watch.past
        watch.past = (*watch.past[1 - TURNS :], previous)
        self._displaced.append(Displaced(previous, reading))
        return self.servers.get(previous)

    def take(self, reading: Reading, rows: dict[str, Row]) -> None:
        """Remember the reading as its server's last."""
        server_id = reading.server.server_id
        if server_id not in self.servers:
            self.servers[server_id] = Server(
                reading.endpoint, reading.server, reading.asked, reading.answered
            )
        self.servers[server_id].take(reading, rows)

    def settle(self) -> list[End]:
        """Find who ended, after all readings of a cycle were bound and taken."""
        ends = [*self._successions()]
        self._take_ends_back()
        ends += self._silenced()
        ends += self._strangers(self._listed())
        ends += self._hidden()
        self._tidy()
        for watch in self.watches.values():
            watch.was_missed = watch.server_id is None
        oldest = self.oldest()
        if oldest is not None:
            last = self.watched_to or oldest
            self.watched_to = Instant(
                max(last.slow, oldest.slow), max(last.fast, oldest.fast)
            )
        return ends

    def forget(self, before_at: float) -> None:
        """Drop the baselines of servers that ended before that moment.

        As long as none counts, these are the last whose word on accounts holds.
        """
        if not any(self.counted()):
            return
        self.servers = {
            server_id: server
            for server_id, server in self.servers.items()
            if server.ended_at is None or server.ended_at >= before_at
        }

    def _successions(self) -> Iterator[End]:
        displaced, self._displaced = self._displaced, []
        bound = self.bound
        for server_id, by in displaced:
            server = self.servers.get(server_id)
            if server is None or server_id in bound or server.ended_at is not None:
                continue
            if self.watches[by.endpoint].is_load_balanced:
                continue
            if (start := succession(server, by)) is not None:
                yield self._end(server, start.at, start.hole_seconds)

    def _take_ends_back(self) -> None:
        """Let servers count again that a peer named after their supposed end."""
        for _, server in list(self.counted()):
            for peer in server.routes | server.gateways:
                known = self.servers.get(peer)
                if known is None or known.ended_at is None:
                    continue
                if server.asked.slow > known.ended_at:
                    known.ended_at = None

    def _listed(self) -> dict[str, UnwatchedKind]:
        """Return the peers that servers name and nobody reads."""
        bound = self.bound
        counted = [server for _, server in self.counted()]
        # A peer of both kinds is one by route, whoever told it first.
        named = [(UnwatchedKind.GATEWAY, each.gateways) for each in counted]
        named += [(UnwatchedKind.ROUTE, each.routes) for each in counted]
        listed = {}
        for kind, peers in named:
            for peer in peers - bound.keys():
                known = self.servers.get(peer)
                if known is None or known.ended_at is None:
                    listed[peer] = kind
        return listed

    def _silenced(self) -> Iterator[End]:
        """Find the ends of those that no endpoint leads to, by their peers."""
        bound = self.bound
        unbound = [
            (server_id, server)
            for server_id, server in self.counted()
            if server_id not in bound and server.home not in self.watches
        ]
        # Whoever was read later has to end first: till then its word counts.
        unbound.sort(key=lambda item: item[1].asked, reverse=True)
        for server_id, server in unbound:
            at = self.roster.dropped_at(server.home)
            counted = dict(self.counted())
            if is_silenced(server_id, at, bound, counted, self.servers):
                yield self._end_unseen(server, server.asked, bound.values())

    def _hidden(self) -> Iterator[End]:
        """End what was dropped before it ever answered: it may have been a server."""
        bound, dropped = self.bound.values(), self.roster.dropped
        for endpoint, each in list(dropped.items()):
            if (
                each.watch.server_id is None
                and bound
                and all(server.asked.fast >= each.at.fast for server in bound)
            ):
                del dropped[endpoint]
                yield self._end_unseen(None, each.watch.known_since, bound)

    def _strangers(self, listed: dict[str, UnwatchedKind]) -> list[End]:
        gone = self.strangers.keys() - listed.keys() - self.servers.keys()
        bound = self.bound.values()
        ends = [
            self._end_unseen(None, self.strangers[peer].known_since, bound)
            for peer in sorted(gone)
        ]
        self.strangers = {
            peer: self.strangers.get(peer) or Stranger(kind, self.watched_to)
            for peer, kind in sorted(listed.items())
            if peer not in self.servers
        }
        return ends

    def _end_unseen(
        self, server: Server | None, last: Instant | None, others: Iterable[Server]
    ) -> End:
        """End somebody by the others' readings; nothing tells when it was."""
        slow = max((other.answered.slow for other in others), default=float("-inf"))
        fast = max((other.answered.fast for other in others), default=float("-inf"))
        seconds = float("inf") if last is None else fast - last.fast
        if server is None:
            return End(None, slow, seconds)
        return self._end(server, slow, seconds)

    def _end(self, server: Server, at: float, hole_seconds: float) -> End:
        server.ended_at = at
        return End(server, at, hole_seconds)

    def _tidy(self) -> None:
        """Bound what is kept of servers that answer nowhere any more.

        Of those that count, the oldest at each endpoint holds the verdicts
        back for all others, so it is never dropped.
        """
        bound = self.bound
        self.roster.settle_dropped({i: s for i, s in self.counted() if i not in bound})
        for server in self.servers.values():
            server.met = server.met.intersection(self.servers)
        unbound = [(i, s) for i, s in self.servers.items() if i not in bound]
        unbound.sort(key=lambda item: (item[1].ended_at is None, item[1].asked))
        for endpoint in {server.home for _, server in unbound}:
            ended = [i for i, s in unbound if s.home == endpoint and s.ended_at]
            counted = [i for i, s in unbound if s.home == endpoint and not s.ended_at]
            for server_id in ended[:-1] + counted[:-TURNS]:
                self.servers[server_id].lay_down()
            for server_id in ended[:-MOST_REMEMBERED] + counted[1:-MOST_REMEMBERED]:
                del self.servers[server_id]
        waiting = {server.home for _, server in unbound if server.ended_at is None}
        for endpoint, watch in self.watches.items():
            watch.is_load_balanced &= endpoint in waiting or watch.steady < TURNS
