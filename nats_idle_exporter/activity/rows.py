"""Rows: what outlives our process, as (kind, key, value) for any store.

A row that moves with every cycle is small and there are few; of the many (one per
account, one per account and server) only those are told that changed. A new
field goes to the end of its row, with a default, so that older rows can be read.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, TypeVar

import msgspec

from nats_idle_exporter.activity.facts import Instant, Row, ServerFacts, Traffic
from nats_idle_exporter.activity.holes import Hole
from nats_idle_exporter.activity.view import EvidenceKind, UnwatchedKind

T = TypeVar("T")

SavedRow = tuple[str, str, bytes]
"""Kind, key within the kind, value."""


class Changes(NamedTuple):
    """What a store must do to know all that we know."""

    puts: list[SavedRow]
    """To insert, or to replace what has the same kind and key."""
    deletes: list[tuple[str, str]]
    """Kind and key; to ignore when there is no such row."""


class DamagedRows(ValueError):  # noqa: N818 - it says what they are
    """Rows that cannot be what a ledger told; nothing of them may be used."""


class Kind(StrEnum):
    """What a row tells of; its key is given in brackets."""

    CLOCK = "clock"
    """[""] When the rows were told; there is one whenever there are others."""
    SYSTEM = "system"
    """[""] Endpoints, strangers, and how far the watch reaches."""
    PROOF = "proof"
    """[""] Before when nothing is proven, and the system's holes."""
    SERVER = "server"
    """[server_id]"""
    ROUND = "round"
    """[server_id] What its last jsz told."""
    ACCOUNT = "account"
    """[account]"""
    COUNTERS = "counters"
    """[JSON of server_id and account] The last row of its accstatz."""


class SavedClock(msgspec.Struct, frozen=True, array_like=True):
    """Our clocks when the rows were told; see ``bridge``."""

    now: Instant
    shift_seconds: float
    wall_at: float
    monotonic_at: float
    boot_id: str
    concluded_at: float
    """The end of the last cycle, on the slow timeline."""


class SavedWatch(msgspec.Struct, frozen=True, array_like=True):
    """One endpoint."""

    endpoint: str
    known_since: Instant | None
    server_id: str | None
    past: tuple[str, ...]
    steady: int
    is_load_balanced: bool


class SavedStranger(msgspec.Struct, frozen=True, array_like=True):
    """One peer that no endpoint leads to."""

    server_id: str
    kind: UnwatchedKind
    known_since: Instant | None


class SavedSystem(msgspec.Struct, frozen=True, array_like=True):
    """What is one for all accounts and moves with every cycle."""

    watched_to: Instant | None
    watches: tuple[SavedWatch, ...]
    strangers: tuple[SavedStranger, ...]
    jetstream_to: Instant | None
    round_counted: Instant | None


class SavedProof(msgspec.Struct, frozen=True, array_like=True):
    """What bounds the proof of all accounts."""

    proof_from: float
    unforgiven_until_at: float
    holes: tuple[Hole, ...]


class SavedServer(msgspec.Struct, frozen=True, array_like=True):
    """One process; ``live`` only when its baselines were let go of."""

    home: str
    facts: ServerFacts
    asked: Instant
    answered: Instant
    routes: tuple[str, ...]
    gateways: tuple[str, ...]
    ended_at: float | None
    live: tuple[Row, ...]
    round_asked: Instant | None


class SavedRound(msgspec.Struct, frozen=True, array_like=True):
    """The part of a round of jsz that rarely changes."""

    enabled: tuple[str, ...]
    holding: tuple[str, ...]


class SavedUse(msgspec.Struct, frozen=True, array_like=True):
    """The newest evidence of use."""

    kind: EvidenceKind
    server_id: str
    at: float


class SavedSticky(msgspec.Struct, frozen=True, array_like=True):
    """A fact of jsz."""

    holds: bool
    misses: int


class SavedAccount(msgspec.Struct, frozen=True, array_like=True):
    """One account; ``listed_at`` is None for those that the last cycle listed."""

    watched_since: float
    name: str
    last_use: SavedUse | None
    unforgiven_until_at: float
    holes: tuple[Hole, ...]
    is_raised: bool
    has_jetstream: SavedSticky
    holds_streams: SavedSticky
    listed_at: float | None
    listing_misses: int
    longest_idle_seconds: float = 0.0


class SavedCounters(msgspec.Struct, frozen=True, array_like=True):
    """One account on one server."""

    name: str
    connections: int
    leafnodes: int
    total: Traffic
    routes: Traffic
    gateways: Traffic


_encode = msgspec.msgpack.Encoder().encode
_DECODERS: dict[type, msgspec.msgpack.Decoder[object]] = {}


def encode(value: msgspec.Struct) -> bytes:
    """Return the value of a row; equal values give equal bytes."""
    return _encode(value)


def decode(kind: str, value: bytes, form: type[T]) -> T:
    """Return what the value of a row tells.

    Raises:
        DamagedRows: it is not of that form.
    """
    decoder = _DECODERS.get(form)
    if decoder is None:
        decoder = _DECODERS[form] = msgspec.msgpack.Decoder(form)
    try:
        told = decoder.decode(value)
    except msgspec.DecodeError as error:
        raise DamagedRows(f"a row of the kind {kind}: {error}") from error
    assert isinstance(told, form)  # noqa: S101 - the decoder's promise, for mypy
    return told


def counters_key(server_id: str, account: str) -> str:
    """Return the key of an account's counters on a server."""
    return msgspec.json.encode((server_id, account)).decode()


def split_counters_key(key: str) -> tuple[str, str]:
    """Return the ``server_id`` and the account.

    Raises:
        DamagedRows: it is no such key.
    """
    try:
        return msgspec.json.decode(key, type=tuple[str, str])
    except msgspec.DecodeError as error:
        raise DamagedRows(f"a key of the kind {Kind.COUNTERS}: {error}") from error
