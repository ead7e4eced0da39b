"""The forms of rows: what each kind tells, and in which order.

A new field goes to the end, with a default, so that older rows can still be read.
"""

from __future__ import annotations

import msgspec

from nats_idle_exporter.activity.facts import (
    Consumer,
    Instant,
    Listed,
    Row,
    ServerFacts,
    Traffic,
)
from nats_idle_exporter.activity.holes import Hole
from nats_idle_exporter.activity.traces import Mark
from nats_idle_exporter.activity.view import EvidenceKind, Inventory, UnwatchedKind


# Nothing in them leads back to them, so the garbage collector may leave them alone.
class Form(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The value of a row, or a part of one: its fields in their order."""


class SavedClock(Form, frozen=True):
    """Our clocks when the rows were told; see ``bridge``."""

    now: Instant
    shift_seconds: float
    wall_at: float
    monotonic_at: float
    boot_id: str
    concluded_at: float
    """The end of the last cycle, on the slow timeline."""


class SavedWatch(Form, frozen=True):
    """One endpoint."""

    endpoint: str
    known_since: Instant | None
    server_id: str | None
    past: tuple[str, ...]
    steady: int
    is_load_balanced: bool


class SavedStranger(Form, frozen=True):
    """One peer that no endpoint leads to."""

    server_id: str
    kind: UnwatchedKind
    known_since: Instant | None


class SavedSource(Form, frozen=True):
    """What one source of endpoints found last."""

    name: str
    known_since: Instant | None
    endpoints: tuple[str, ...] | None


class SavedDropped(Form, frozen=True):
    """One endpoint that no source finds any more."""

    watch: SavedWatch
    sources: tuple[str, ...]
    at: Instant


class SavedSystem(Form, frozen=True):
    """What is one for all accounts and moves with the cycles."""

    watched_to: Instant | None
    watches: tuple[SavedWatch, ...]
    strangers: tuple[SavedStranger, ...]
    jetstream_reach: Instant | None
    jetstream_oldest: Instant | None
    jetstream_counted_to: Instant | None
    fixed: tuple[str, ...] | None = None
    """None in rows of a time when the operator listed every endpoint."""
    sources: tuple[SavedSource, ...] = ()
    dropped: tuple[SavedDropped, ...] = ()


class SavedProof(Form, frozen=True):
    """What bounds the proof of all accounts."""

    proof_from: float
    unforgiven_until_at: float
    holes: tuple[Hole, ...]
    strays_at: float | None = None
    """None in rows of a time when it was not told: the end of the last cycle."""


class SavedRoundClock(Form, frozen=True):
    """The part of a round of jsz that moves with each."""

    asked: Instant
    now_at: float


class SavedServer(Form, frozen=True):
    """One process; ``live`` is told only when its counters were let go of."""

    home: str
    facts: ServerFacts
    asked: Instant
    answered: Instant
    routes: tuple[str, ...]
    gateways: tuple[str, ...]
    ended_at: float | None
    live: tuple[Row, ...]
    round: SavedRoundClock | None
    met: tuple[str, ...] = ()


class SavedUse(Form, frozen=True):
    """The newest evidence of use."""

    kind: EvidenceKind
    server_id: str
    at: float


class SavedAccount(Form, frozen=True):
    """One account.

    ``listed_at`` is None when the last cycle found it listed. While
    ``is_at_longest`` the longest idle time is at least the one told: it is as long
    as the account is idle now.
    """

    watched_since: float
    issued_at: float
    name: str
    last_use: SavedUse | None
    unforgiven_until_at: float
    holes: tuple[Hole, ...]
    is_raised: bool
    is_at_longest: bool
    longest_idle_seconds: float
    listed_at: float | None
    listing_misses: int
    listed: Listed | None = None
    inventory_misses: int = 0
    inventory: Inventory = Inventory.NONE


class SavedCounters(Form, frozen=True):
    """One account on one server."""

    name: str
    connections: int
    leafnodes: int
    total: Traffic
    routes: Traffic
    gateways: Traffic


class SavedRound(Form, frozen=True):
    """One server's last round of jsz, but for its clock and the streams."""

    enabled: tuple[str, ...]
    consumers_of: tuple[str, ...]


class SavedStream(Form, frozen=True):
    """One stream as one server told it."""

    name: str
    last_seq: int
    written_at: float | None
    is_copy: bool
    has_consumers: bool
    consumers: tuple[Consumer, ...]


class SavedTold(Form, frozen=True):
    """The streams of one account as one server told them."""

    streams: tuple[SavedStream, ...]


class SavedEnabled(Form, frozen=True):
    """One account that may own streams."""

    misses: int


class SavedEstate(Form, frozen=True):
    """How far one account's streams were read.

    ``is_current`` says that they were as far as the rounds of all servers reach,
    ``are_consumers_current`` the same of the consumers; then no instant is told.
    """

    is_current: bool
    reach: Instant | None
    are_consumers_current: bool
    consumers_reach: Instant | None
    is_lacking: bool
    lacking_since: Instant | None
    is_looked_into: bool
    is_lacking_consumers: bool
    had_no_consumers: bool
    is_awaited: bool = True
    """In rows of a time when it was not told a server may just have been met."""


class SavedTrace(Form, frozen=True):
    """One consumer, or what a stream has in common with it."""

    name: str
    mark: Mark
    lost: Mark | None
    misses: int


class SavedStreamTrace(Form, frozen=True):
    """One stream and those of its consumers that were asked for."""

    trace: SavedTrace
    has_consumers: bool
    consumers: tuple[SavedTrace, ...]
    is_gone: bool = False
