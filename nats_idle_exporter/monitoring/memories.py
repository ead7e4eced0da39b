"""What the client remembers of servers, as rows that outlive the process.

A ring that was read before the process ended need not be read again, and what was
in it is no news: a closed connection that is told twice would be use at the second
telling, if the server's clock was set in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from nats_idle_exporter.activity import DamagedRows, SavedRow
from nats_idle_exporter.activity.rows import Keyed, decode, encode
from nats_idle_exporter.monitoring.ring import Mark, RingMemory

MET: Final = "met"
"""[URL] Who answered there last."""
RING: Final = "ring"
"""[server_id] Its ring, but for the cids."""
CIDS: Final = "cids"
"""[server_id] The cids of its ring that were read, the newest last."""
KINDS: Final = frozenset({MET, RING, CIDS})
"""None of them is a kind of the ledger's rows, so that both can lie side by side."""


class _SavedMet(msgspec.Struct, frozen=True, array_like=True):
    server_id: str


class _SavedRing(msgspec.Struct, frozen=True, array_like=True):
    clock_at: float
    read_at: float
    mark: Mark
    is_complete: bool


class _SavedCids(msgspec.Struct, frozen=True, array_like=True):
    cids: tuple[int, ...]


def memory_rows(met: Mapping[str, str], rings: Mapping[str, RingMemory]) -> Keyed:
    """Return the rows of what is remembered.

    Args:
        met: the server that answered last, by URL.
        rings: by ``server_id``.
    """
    rows: Keyed = {
        (MET, url): encode(_SavedMet(server_id)) for url, server_id in met.items()
    }
    for server_id, ring in rings.items():
        rows[RING, server_id] = encode(
            _SavedRing(ring.clock_at, ring.read_at, ring.mark, ring.is_complete)
        )
        # Most of the bytes, and most cycles change none of them.
        rows[CIDS, server_id] = encode(_SavedCids(tuple(ring.known)))
    return rows


def read_memories(
    rows: Iterable[SavedRow],
) -> tuple[dict[str, str], dict[str, RingMemory]]:
    """Return what the rows tell: ``met`` and ``rings``, the longest unread first.

    Raises:
        DamagedRows: they are not what was told.
    """
    values: dict[str, dict[str, bytes]] = {MET: {}, RING: {}, CIDS: {}}
    for kind, key, value in rows:
        if kind not in values:
            raise DamagedRows("a row of an unknown kind")
        values[kind][key] = value
    if values[RING].keys() != values[CIDS].keys():
        raise DamagedRows("half of a ring")
    met = {u: decode(MET, v, _SavedMet).server_id for u, v in values[MET].items()}
    rings = [
        _ring(server_id, value, values[CIDS][server_id])
        for server_id, value in values[RING].items()
    ]
    rings.sort(key=lambda ring: ring.read_at)
    return met, {ring.server_id: ring for ring in rings}


def _ring(server_id: str, value: bytes, cids: bytes) -> RingMemory:
    saved = decode(RING, value, _SavedRing)
    return RingMemory(
        server_id=server_id,
        clock_at=saved.clock_at,
        read_at=saved.read_at,
        mark=saved.mark,
        known=dict.fromkeys(decode(CIDS, cids, _SavedCids).cids),
        is_complete=saved.is_complete,
    )
