"""What the servers of one system say together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from nats_idle_exporter.activity.servers import Server


def is_operator_mode(servers: Iterable[Server]) -> bool:
    """Say whether any server takes its accounts from JWTs."""
    return any(server.facts.is_operator_mode for server in servers)


def system_accounts(servers: Iterable[Server]) -> set[str]:
    """Return the system accounts, by the servers' own word."""
    names = (server.facts.system_account for server in servers)
    return {name for name in names if name}


def present(servers: Iterable[Server]) -> tuple[Counter[str], Counter[str]]:
    """Return connections and leafnodes per account, summed over servers."""
    connections: Counter[str] = Counter()
    leafnodes: Counter[str] = Counter()
    for server in servers:
        for account, row in server.live.items():
            connections[account] += row.connections
            leafnodes[account] += row.leafnodes
    return connections, leafnodes
