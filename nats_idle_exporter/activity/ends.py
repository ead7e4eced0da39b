"""Ends of servers: what is told of them, and how a successor proves one."""

from __future__ import annotations

from typing import NamedTuple

from nats_idle_exporter.activity.facts import Reading
from nats_idle_exporter.activity.servers import Server


class End(NamedTuple):
    """A server's end: ``at`` on the slow timeline, and the hole before it.

    ``server`` is None for a stranger, of which nothing was ever read.
    """

    server: Server | None
    at: float
    hole_seconds: float


class Displaced(NamedTuple):
    """Another process answered at a server's endpoint, by this first reading."""

    server_id: str
    by: Reading


class Start(NamedTuple):
    """When a successor started, at the latest, and the hole before it."""

    at: float
    hole_seconds: float


def succession(server: Server, by: Reading) -> Start | None:
    """Return the successor's start if that proves the server's end, else None.

    The start is the latest possible: uptimes are told in whole seconds. What
    the slow timeline lost since the last reading could lie after the start,
    so it is added; the hole is the longest of our clocks and the servers'.
    """
    up = by.server.uptime_seconds
    if by.answered.fast - up < server.asked.fast:
        return None
    lost = (by.answered.fast - server.answered.fast) - (
        by.answered.slow - server.answered.slow
    )
    at = min(by.answered.slow, max(server.asked.slow, by.answered.slow - up + lost))
    by_ours = by.answered.fast - up - server.asked.fast
    by_theirs = by.server.start_at - server.facts.now_at
    return Start(at, max(by_ours, by_theirs))
