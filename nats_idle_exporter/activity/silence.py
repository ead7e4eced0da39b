"""Silence: what it shows that the peers of a server name it no more.

In a cluster every server names every other one. That one is not named any more
shows its end only where it would be named if it lived: by a server that it was
tied to, or by what became of those. Two servers are tied if one of them ever named
the other, or if one started after the last reading of the other, under its name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from nats_idle_exporter.activity.servers import Server

SETTLED_SECONDS: Final = 10.0
"""A server that is up for so long has found its peers, if they are there."""


def is_silenced(
    server_id: str,
    dropped_at: float,
    answering: Mapping[str, Server],
    counted: Mapping[str, Server],
    remembered: Mapping[str, Server],
) -> bool:
    """Say whether the peers of a server that nobody reads show its end.

    Args:
        server_id: the server's.
        dropped_at: when its endpoint was taken from it, on the fast timeline.
        answering: the servers that endpoints lead to.
        counted: all whose end is not shown.
        remembered: all, with those that ended lately.
    """
    server = remembered[server_id]
    since = {
        i: each
        for i, each in counted.items()
        if each.asked.slow > server.asked.slow and each.asked.fast >= dropped_at
    }
    if not answering or not answering.keys() <= since.keys():
        return False
    if any(server_id in each.routes | each.gateways for each in since.values()):
        return False
    if any(i in server.met or server_id in s.met for i, s in answering.items()):
        return True
    kin = _kin(server_id, remembered)
    return any(
        i in kin and each.facts.uptime_seconds >= SETTLED_SECONDS
        for i, each in answering.items()
    )


def _kin(server_id: str, servers: Mapping[str, Server]) -> set[str]:
    """Return the server, those tied to it, and those tied to them in turn."""
    ties = _ties(servers)
    kin, open_ids = {server_id}, [server_id]
    while open_ids:
        new = ties[open_ids.pop()] - kin
        kin |= new
        open_ids.extend(new)
    return kin


def _ties(servers: Mapping[str, Server]) -> defaultdict[str, set[str]]:
    ties: defaultdict[str, set[str]] = defaultdict(set)
    namesakes: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for server_id, server in servers.items():
        for peer in server.met & servers.keys():
            _tie(ties, server_id, peer)
        facts = server.facts
        # Who was given no name has its id as one.
        if facts.server_name not in {"", server_id}:
            namesakes[facts.nats_cluster, facts.server_name].append(server_id)
    for group in namesakes.values():
        for one in group:
            for other in group:
                if _is_replaced(servers[one], servers[other]):
                    _tie(ties, one, other)
    return ties


def _tie(ties: defaultdict[str, set[str]], one: str, other: str) -> None:
    ties[one].add(other)
    ties[other].add(one)


def _is_replaced(server: Server, by: Server) -> bool:
    """Say whether one started after the last reading of the other."""
    return by.answered.fast - by.facts.uptime_seconds >= server.asked.fast
