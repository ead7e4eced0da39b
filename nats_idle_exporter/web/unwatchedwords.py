"""A server that nobody reads, as the API tells it -> words for people."""

from __future__ import annotations

from nats_idle_exporter.activity import UnwatchedKind
from nats_idle_exporter.api.model import Unwatched

KNOWN = {
    UnwatchedKind.ENDPOINT: "endpoint that does not answer",
    UnwatchedKind.ROUTE: "server known by route, not polled",
    UnwatchedKind.GATEWAY: "server known by gateway, not polled",
    UnwatchedKind.DISPLACED: "server replaced at its endpoint, end not shown",
}
"""How a server is known that is not read, by kind."""


def who(each: Unwatched) -> str:
    """Return by what people know it: its name, else its id or its URL."""
    return each.server_name or each.who


def how(each: Unwatched) -> str:
    """Return how it is known, and what helps to find it."""
    facts = {
        "id": each.who if each.server_name not in ("", each.who) else "",
        "seen at": each.ip,
        "cluster": each.nats_cluster,
    }
    told = (f"{what} {fact}" for what, fact in facts.items() if fact)
    return "; ".join(filter(None, (KNOWN[each.kind], ", ".join(told))))
