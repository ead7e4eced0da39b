"""Rows: what outlives our process, as (kind, key, value) for any store.

A row that moves with every cycle is small, and there are few; of the many (one per
account, one per account and server) those are told that changed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, TypeVar

import msgspec

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
    """Rows that cannot be what was told; nothing of them may be used."""


class Kind(StrEnum):
    """What a row tells of; in brackets what its key is."""

    CLOCK = "clock"
    """[""] When the rows were told; there is one whenever there are others."""
    SYSTEM = "system"
    """[""] Endpoints, strangers, and how far the watch reaches."""
    PROOF = "proof"
    """[""] Before when nothing is proven, and the system's holes."""
    SERVER = "server"
    """[server_id]"""
    ACCOUNT = "account"
    """[account]"""
    COUNTERS = "counters"
    """[server_id, account] The last row of a server's accstatz."""
    ROUND = "round"
    """[server_id] What its last round of jsz told, but for streams."""
    TOLD = "told"
    """[server_id, account] The streams that round told."""
    ENABLED = "enabled"
    """[account] It may own streams."""
    ESTATE = "estate"
    """[account] How far its streams were read."""
    STREAM = "stream"
    """[account, stream] What is remembered of it, over all servers."""


Keyed = dict[tuple[str, str], bytes]
"""Rows by kind and key."""

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
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedRows(f"a row of the kind {kind}: {error}") from error
    assert isinstance(told, form)  # noqa: S101 - the decoder's promise, for mypy
    return told


def pair(one: str, other: str) -> str:
    """Return a key made of two names, of whatever characters they are."""
    return msgspec.json.encode((one, other)).decode()


def parts(key: str) -> tuple[str, str]:
    """Return the two names that a key is made of.

    Raises:
        DamagedRows: it is no such key.
    """
    try:
        return msgspec.json.decode(key, type=tuple[str, str])
    except msgspec.DecodeError as error:
        raise DamagedRows(f"a key of two names: {error}") from error


def tell(changes: Changes, before: Keyed, after: Keyed) -> None:
    """Add to the changes what makes the rows of before those of after."""
    if before is after:
        return
    for (kind, key), value in after.items():
        if before.get((kind, key)) != value:
            changes.puts.append((kind, key, value))
    changes.deletes.extend(before.keys() - after.keys())
