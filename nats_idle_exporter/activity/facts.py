"""Facts: what one good poll of one nats-server told, as the ledger takes them.

Facts are data without judgement. A failed poll makes no facts at all, so that
an outage can never be taken for silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from nats_idle_exporter.activity.stock import Stock


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


class Listed(NamedTuple):
    """One account as the inventory lists it.

    ``issued_at`` is when its newest JWT was issued, Unix seconds by whoever
    signed it; None when the inventory tells none.
    """

    name: str = ""
    issued_at: float | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """One answer of the inventory: accounts by id, used or not.

    ``is_complete`` says that no source failed to tell any part of it: only then
    may an account that is not listed be gone.
    """

    accounts: Mapping[str, Listed] = field(default_factory=dict)
    is_complete: bool = False


class Closed(NamedTuple):
    """One closed connection or leafnode link of an account, not told before.

    ``age_seconds`` is the server's own ``now`` minus its own stamp of the stop.
    Failed logins have no account, are no use, and make no such fact.
    """

    account: str
    age_seconds: float


class Ring(NamedTuple):
    """What a server's ring of closed connections told in one poll.

    The ring forgets its oldest entries when it is full, and strangers fill it:
    failed logins and port scans are in it too.
    """

    new: tuple[Closed, ...] = ()
    """What was not told by an earlier good poll of the same endpoint."""
    reaches_back: bool = True
    """Nothing that was closed since the last good poll was forgotten untold."""
    is_complete: bool = True
    """Nothing that was closed since the server's start was forgotten untold."""


class Consumer(NamedTuple):
    """One consumer of a stream: what it delivered, and what was acknowledged."""

    name: str
    delivered: int = 0
    acked: int = 0
    used_at: float | None = None
    """The newest of both stamps, Unix seconds by the servers' clocks."""


class Stream(NamedTuple):
    """One stream as one server tells it; of a replica it may be an old view."""

    account: str
    name: str
    """Within the account; it begins with the stream's domain where it has one."""
    last_seq: int = 0
    written_at: float | None = None
    """Unix seconds by a server's clock; None when it was never written."""
    is_copy: bool = False
    """What it stores was written elsewhere: a mirror, or sources alone."""
    has_consumers: bool = False
    consumers: tuple[Consumer, ...] = ()
    """Told only of accounts in ``JetStreamRound.consumers_of``."""


class JetStreamRound(NamedTuple):
    """One whole reading of a server's jsz, every page of it."""

    asked: Instant
    now_at: float = 0.0
    """Unix seconds by the server's clock."""
    enabled: frozenset[str] = frozenset()
    """Accounts that may own streams."""
    untouched: frozenset[str] = frozenset()
    """Of these, who made no JetStream API request since the server's start."""
    streams: tuple[Stream, ...] = ()
    consumers_of: frozenset[str] = frozenset()
    """Accounts whose consumers were asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """Who answered: one nats-server process, by varz.

    ``uptime_seconds`` is rounded down to whole seconds, as servers tell it.
    ``now_at``, ``start_at`` and ``loaded_at`` are Unix seconds on the server's
    own clock; the last is when it read its configuration, ``start_at`` unless it
    was told to since.
    ``release`` is the version as numbers, () when it cannot be read.
    """

    server_id: str
    server_name: str
    version: str
    release: tuple[int, ...]
    uptime_seconds: float
    now_at: float
    start_at: float
    loaded_at: float
    nats_cluster: str = ""
    system_account: str | None = None
    is_operator_mode: bool = False


class Peer(NamedTuple):
    """What is told of a server beside its ``server_id``; "" for what is not.

    ``ip`` is the other end of its route or gateway, as the server that told of it
    sees it: an address of the peer, or of what stands between. No port is of use, as
    the peer may have dialled.
    """

    server_name: str = ""
    nats_cluster: str = ""
    ip: str = ""


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
    peers: Mapping[str, Peer] = field(default_factory=dict)
    """What else was told of both, by ``server_id``; the proof does not look at it."""
    ring: Ring = field(default_factory=Ring)
    issued: Mapping[str, float] = field(default_factory=dict)
    """Account -> when its JWT was issued, Unix seconds by whoever signed it; only
    of the few accounts that were asked about in this poll."""
    jetstream: JetStreamRound | None = None
    stock: Stock | None = None
    """What JetStream stores, by the same round; the proof does not look at it."""
    leaf_accounts: frozenset[str] = field(default_factory=frozenset)
    """Accounts that the server's own links to other systems belong to; the proof does
    not look at it."""
