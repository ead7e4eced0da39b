"""Facts: what one good poll of one nats-server told, as the ledger takes them.

Facts are data without judgement. A failed poll makes no facts at all, so that
an outage can never be taken for silence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple


class Instant(NamedTuple):
    """One moment on two timelines, both in seconds (see ``timeline``).

    ``slow`` never runs ahead of the truth: idleness is measured on it.
    ``fast`` never lags behind the truth: gaps are measured on it.
    """

    slow: float
    fast: float


class Traffic(NamedTuple):
    """Messages and bytes of one account on one server, from the server's side."""

    sent_messages: int = 0
    sent_bytes: int = 0
    received_messages: int = 0
    received_bytes: int = 0


NO_TRAFFIC = Traffic()


class Row(NamedTuple):
    """One account as one server's accstatz lists it: raw, cumulative counters.

    ``routes`` and ``gateways`` are shares of ``total`` that other servers
    caused; servers before 2.11.5 do not tell them, then they are zero.
    """

    account: str
    name: str = ""
    connections: int = 0
    leafnodes: int = 0
    total: Traffic = NO_TRAFFIC
    routes: Traffic = NO_TRAFFIC
    gateways: Traffic = NO_TRAFFIC


class JetStreamRound(NamedTuple):
    """One whole reading of a server's jsz, every page of it."""

    asked: Instant
    enabled: frozenset[str] = frozenset()
    """Accounts that may own streams."""
    holding: frozenset[str] = frozenset()
    """Accounts that own at least one stream here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """Who answered: one nats-server process, by varz.

    ``uptime_seconds`` is rounded down to whole seconds, as servers tell it.
    ``now_at`` and ``start_at`` are Unix seconds on the server's own clock.
    ``config_load_time`` is compared, never computed with.
    ``release`` is the version as numbers, () when it cannot be read.
    """

    server_id: str
    server_name: str
    version: str
    release: tuple[int, ...]
    uptime_seconds: float
    now_at: float
    start_at: float
    config_load_time: str
    nats_cluster: str = ""
    system_account: str | None = None
    is_operator_mode: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One good poll: every body in it came from the same ``server_id``.

    ``asked`` is when the first request was sent, ``answered`` when the last
    body was complete: absence is claimed up to the first, use is dated at the
    second. ``jetstream`` is None when jsz was not due in this poll.
    """

    endpoint: str
    asked: Instant
    answered: Instant
    server: ServerFacts
    rows: Iterable[Row]
    routes: frozenset[str] = field(default_factory=frozenset)
    """``server_id`` of every peer by route."""
    gateways: frozenset[str] = field(default_factory=frozenset)
    """``server_id`` of every peer by gateway."""
    jetstream: JetStreamRound | None = None
