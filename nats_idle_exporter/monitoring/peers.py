"""Who the servers are that others name: names and addresses beside the ids.

The proof goes by ids alone. This is for people, who have to find a server that nobody
reads. The words are strangers', and cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from nats_idle_exporter.activity import Peer, Reading, SystemView
from nats_idle_exporter.monitoring import bodies
from nats_idle_exporter.text import shorten

LONGEST_WORD: Final = 256
"""Characters of a name or an address; a longer one says who no better."""


class Peers:
    """What is known of the servers of one system, read ones and others."""

    def __init__(self) -> None:
        self._known: dict[str, Peer] = {}

    def take(self, reading: Reading) -> None:
        """Take in what a server told of itself and of its peers."""
        server = reading.server
        here = Peer(nats_cluster=_cut(server.nats_cluster))
        itself = here._replace(server_name=_cut(server.server_name))
        known = self._known
        known[server.server_id] = _filled(itself, known.get(server.server_id, itself))
        for server_id, peer in reading.peers.items():
            # What was told first stays, so that no name flaps between two tellers.
            last = known.setdefault(server_id, peer)
            if "" in last:
                # A route never leaves the cluster; by gateway the other's is told.
                known[server_id] = _filled(_filled(last, peer), here)

    def conclude(self, view: SystemView) -> Mapping[str, Peer]:
        """Return what is known of servers that nobody reads, by ``server_id``.

        Forget the others, but those that are read: they may be replaced unseen.
        """
        unwatched = {each.who for each in view.unwatched}
        kept = unwatched | {each.server_id for each in view.servers}
        self._known = {i: peer for i, peer in self._known.items() if i in kept}
        return {i: peer for i, peer in self._known.items() if i in unwatched}


def peers_by_route(routez: bodies.Routez) -> dict[str, Peer]:
    """Return every peer by route; several routes lead to each."""
    return _others(
        routez.server_id,
        (
            (each.remote_id, Peer(_cut(each.remote_name), ip=_cut(each.ip)))
            for each in routez.routes or ()
        ),
    )


def peers_by_gateway(gatewayz: bodies.Gatewayz) -> dict[str, Peer]:
    """Return every peer by gateway; of these no server's name is told."""
    return _others(
        gatewayz.server_id,
        (
            (each.connection.name, Peer("", _cut(cluster), _cut(each.connection.ip)))
            for cluster, each in _gateways(gatewayz)
            if each and each.connection
        ),
    )


def _gateways(
    gatewayz: bodies.Gatewayz,
) -> Iterator[tuple[str, bodies.Gateway | None]]:
    yield from (gatewayz.outbound_gateways or {}).items()
    for cluster, inbound in (gatewayz.inbound_gateways or {}).items():
        yield from ((cluster, each) for each in inbound or ())


def _others(server_id: str, told: Iterable[tuple[str, Peer]]) -> dict[str, Peer]:
    return merged(each for each in told if each[0] not in ("", server_id))


def merged(told: Iterable[tuple[str, Peer]]) -> dict[str, Peer]:
    """Return each peer once; of what is told twice, the first counts."""
    known: dict[str, Peer] = {}
    for server_id, peer in told:
        known[server_id] = _filled(known.get(server_id, peer), peer)
    return known


def _filled(peer: Peer, other: Peer) -> Peer:
    """Return a peer, with what is not known of it from elsewhere."""
    pairs = zip(peer, other, strict=True)
    return Peer(*(ours or theirs for ours, theirs in pairs))


def _cut(text: str) -> str:
    return shorten(text, LONGEST_WORD)
