"""The fleet: which servers of a system count, and when each one ends.

A server counts from its first reading, or from the moment another server
names it, until its end is shown. What counts and is not read holds every
verdict of the system back. Ends are shown in three ways only:

* succession: a process that started after the last reading answers at the
  same endpoint, so the old one is gone, at the latest since that start;
* silence of the peers: another process answers at its endpoint, and no
  server that was read since names it any more;
* the operator takes the endpoint out of the configuration.

A hole runs from a server's last reading to its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nats_idle_exporter.activity.ends import Displaced, End, succession
from nats_idle_exporter.activity.facts import Instant, Reading, Row
from nats_idle_exporter.activity.servers import Server, Stranger, Watch, earliest
from nats_idle_exporter.activity.view import UnwatchedKind


class Fleet:
    """The servers, endpoints and strangers of one system."""

    def __init__(self, endpoints: Iterable[str]) -> None:
        self.watches = {endpoint: Watch(None) for endpoint in endpoints}
        self.servers: dict[str, Server] = {}
        self.strangers: dict[str, Stranger] = {}
        self.watched_to: Instant | None = None
        """The last complete view; None until there was one."""
        self._displaced: list[Displaced] = []

    # -- who counts

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
            *(w.known_since for w in self.watches.values() if w.server_id is None),
            *(server.asked for _, server in self.counted()),
            *(stranger.known_since for stranger in self.strangers.values()),
        ]
        return earliest(instants)

    def oldest_jetstream(self) -> Instant | None:
        """Return up to when jsz of everything that counts was read, likewise."""
        return earliest(s.jetstream and s.jetstream.asked for _, s in self.counted())

    def is_complete(self, read: Iterable[str]) -> bool:
        """Say whether those read are all that count, strangers included."""
        counted = {server_id for server_id, _ in self.counted()}
        is_answered = all(watch.server_id for watch in self.watches.values())
        return is_answered and not self.strangers and counted <= set(read)

    # -- the operator's list

    def watch(self, endpoints: Iterable[str], now: Instant) -> list[End]:
        """Replace the list of endpoints; return whose watch ends with it."""
        wanted = dict.fromkeys(endpoints)
        removed = self.watches.keys() - wanted
        self.watches = {
            endpoint: self.watches.get(endpoint) or Watch(self.watched_to)
            for endpoint in wanted
        }
        bound = self.bound
        ends = [
            self._end(server, now.slow, now.fast - server.asked.fast)
            for server_id, server in list(self.counted())
            if server.home in removed and server_id not in bound
        ]
        if not any(self.counted()):
            self._start_anew()
        return ends

    def _start_anew(self) -> None:
        """Forget everything read: nobody is left who could carry the proof on."""
        self.servers.clear()
        self.watched_to = None
        for watch in self.watches.values():
            watch.known_since = None

    # -- a cycle

    def bind(self, reading: Reading) -> Server | None:
        """Note who answers at the reading's endpoint; return whom it displaced."""
        watch = self.watches[reading.endpoint]
        server_id, previous = reading.server.server_id, watch.server_id
        watch.server_id = server_id
        if previous is None or previous == server_id:
            return None
        known = self.servers.get(server_id)
        watch.is_load_balanced |= known is not None and known.home == reading.endpoint
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
        listed = self._listed()
        ends += self._silenced(listed)
        ends += self._strangers(listed)
        oldest = self.oldest()
        if oldest is not None:
            last = self.watched_to or oldest
            self.watched_to = Instant(
                max(last.slow, oldest.slow), max(last.fast, oldest.fast)
            )
        return ends

    def forget(self, before_at: float) -> None:
        """Drop the baselines of servers that ended before that moment."""
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

    def _listed(self) -> dict[str, UnwatchedKind]:
        """Return the peers that servers name and nobody reads.

        A peer named after its supposed end did not end.
        """
        bound = self.bound
        listed = {}
        for _, server in list(self.counted()):
            kinds = (
                (UnwatchedKind.GATEWAY, server.gateways),
                (UnwatchedKind.ROUTE, server.routes),
            )
            for kind, peers in kinds:
                for peer in peers - bound.keys():
                    known = self.servers.get(peer)
                    if known is None or known.ended_at is None:
                        listed[peer] = kind
                    elif server.asked.slow > known.ended_at:
                        known.ended_at = None
                        listed[peer] = kind
        return listed

    def _silenced(self, listed: dict[str, UnwatchedKind]) -> list[End]:
        bound = self.bound
        return [
            self._end_unseen(server, server.asked, bound.values())
            for server_id, server in list(self.counted())
            if server_id not in bound
            and server_id not in listed
            and self._may_end_by_silence(server, bound.values())
        ]

    def _may_end_by_silence(self, server: Server, others: Iterable[Server]) -> bool:
        """Ask for newer readings of all; and peers must be able to name it.

        Behind a load balancer a server without peers may answer again.
        """
        watch = self.watches.get(server.home)
        is_hidden = watch is not None and watch.is_load_balanced
        return (server.was_clustered or not is_hidden) and all(
            other.asked.slow > server.asked.slow for other in others
        )

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
        """Mark the end; of those that ended at one endpoint the last is kept."""
        for server_id, other in list(self.servers.items()):
            if other.home == server.home and other.ended_at is not None:
                del self.servers[server_id]
        server.ended_at = at
        return End(server, at, hole_seconds)
