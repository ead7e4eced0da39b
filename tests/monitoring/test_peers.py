"""Tests of what is remembered of servers that others name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nats_idle_exporter.activity import (
    Instant,
    Peer,
    Reading,
    ServerView,
    Unwatched,
    UnwatchedKind,
)
from nats_idle_exporter.monitoring.peers import Peers
from tests.monitoring.fakes import empty_view, facts

NOW = Instant(0.0, 0.0)


def told(server_id: str, cluster: str = "east", **peers: Peer) -> Reading:
    """Return a reading of a server that names others; its name is its id in lower."""
    server = facts(server_id)
    return Reading(
        endpoint=f"http://{server_id}",
        asked=NOW,
        answered=NOW,
        server=replace(server, server_name=server_id.lower(), nats_cluster=cluster),
        rows=(),
        peers=peers,
    )


def unread(*server_ids: str, read: tuple[str, ...] = ("NA",)) -> dict[str, Any]:
    """Return the parts of a view in which servers are not read, and others are."""
    return {
        "unwatched": tuple(Unwatched(UnwatchedKind.ROUTE, i) for i in server_ids),
        "servers": tuple(ServerView(f"http://{i}", i, "", "", "") for i in read),
    }


def test_who_is_not_read_is_known_by_its_peers() -> None:
    """Names come from whoever tells them, and only those that are asked for leave."""
    peers = Peers()
    peers.take(told("NA", NB=Peer("b", ip="10.0.0.2"), NC=Peer("c")))

    known = peers.conclude(empty_view(**unread("NB", "NX")))

    assert known == {"NB": Peer("b", "east", "10.0.0.2")}


def test_what_one_leaves_out_another_tells() -> None:
    """A gateway tells the cluster, a route of another server the name."""
    peers = Peers()
    peers.take(told("NA", NB=Peer("", "west", "10.0.0.2")))
    peers.take(told("ND", "west", NB=Peer("b", ip="10.9.9.9")))

    known = peers.conclude(empty_view(**unread("NB")))

    assert known == {"NB": Peer("b", "west", "10.0.0.2")}


def test_a_name_stays_as_it_was_told_first() -> None:
    """Two tellers that differ do not make it flap; its own word is above theirs."""
    peers = Peers()
    peers.take(told("NA", NB=Peer("b"), NC=Peer("c", ip="10.0.0.3")))
    peers.take(told("NC", NB=Peer("other")))

    known = peers.conclude(empty_view(**unread("NB", "NC")))

    assert known == {
        "NB": Peer("b", "east"),
        "NC": Peer("nc", "east", "10.0.0.3"),
    }


def test_who_was_read_once_is_known_by_its_own_word() -> None:
    """A server that is replaced at its endpoint keeps its name, through outages too."""
    peers = Peers()
    peers.take(told("NA"))
    assert peers.conclude(empty_view(**unread())) == {}
    assert peers.conclude(empty_view(**unread())) == {}

    known = peers.conclude(empty_view(**unread("NA", read=("NB",))))

    assert known == {"NA": Peer("na", "east")}


def test_who_is_gone_is_forgotten() -> None:
    """Nothing is kept of a server that is neither read nor holds verdicts back."""
    peers = Peers()
    peers.take(told("NA", NB=Peer("b")))
    peers.conclude(empty_view(**unread()))

    assert peers.conclude(empty_view(**unread("NB"))) == {}


def test_own_names_are_cut() -> None:
    """The words of a server about itself are strangers' too."""
    peers = Peers()
    peers.take(told("N" * 300, "c" * 300))

    [known] = peers.conclude(empty_view(**unread("N" * 300))).values()

    assert [len(word) for word in known] == [256, 256, 0]
