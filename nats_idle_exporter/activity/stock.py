"""What readings carry beside the proof: what JetStream stores, and for whom.

The ledger never looks at any of it. It is told by the same bodies, and whoever asks
whether an account may go needs it.
"""

from __future__ import annotations

from typing import NamedTuple


class Origin(NamedTuple):
    """Where a stream copies from, when that is beyond its own account's JetStream.

    ``api`` is the prefix under which its account reaches the other JetStream's API.
    """

    api: str
    is_mirror: bool


class StoredStream(NamedTuple):
    """One stream as one server tells it; of a replica it may be an old view."""

    account: str
    name: str
    """Within the account; it begins with the stream's domain where it has one."""
    messages: int = 0
    bytes: int = 0
    consumers: int = 0
    origins: tuple[Origin, ...] = ()


class Reserved(NamedTuple):
    """What a server sets aside for an account, in bytes.

    None is without a bound: it may use what there is, and nothing is set aside. Two
    zeros may hide limits by replica count, which servers do not tell here.
    """

    memory_bytes: int | None
    storage_bytes: int | None


class Stock(NamedTuple):
    """One whole round of one server's jsz.

    ``reserved`` holds every account that may own streams there.
    """

    streams: tuple[StoredStream, ...] = ()
    reserved: tuple[tuple[str, Reserved], ...] = ()
