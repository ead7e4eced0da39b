"""The snapshot: what the poll loop publishes once per cycle for every reader.

Readers (metrics page, web pages) hold one snapshot and see one moment; nobody
changes it after it was published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nats_idle_exporter.activity import Peer, SystemView, Unwatched
from nats_idle_exporter.dossiers import Dossiers


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointStatus:
    """How polling one endpoint goes; times in seconds, instants Unix seconds.

    ``endpoint`` is the URL without credentials. ``errors`` holds every known
    reason, zero included. ``last_error`` is one line, "" when the last poll was
    good. ``ring_overflows`` counts good polls whose ring of closed connections may
    have forgotten some that nobody read.
    """

    system: str
    endpoint: str
    is_up: bool
    polls: int
    errors: Mapping[str, int]
    poll_duration_seconds: float
    last_success_at: float | None
    last_error: str
    ring_overflows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryStatus:
    """How reading one source of a system's inventory goes.

    ``source`` is without credentials. ``is_up`` says that it could be read at the
    last try; ``accounts`` and ``skipped``, entries that could not be used, are of
    the last time when it could. ``last_error`` is one line, "" for none.
    """

    system: str
    source: str
    is_up: bool
    accounts: int
    skipped: int
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryStatus:
    """How looking up one source of a system's endpoints goes.

    ``is_up`` says that the last lookup told them all; ``endpoints`` are as the last
    one that did. ``last_error`` is one line, "" for none.
    """

    system: str
    source: str
    is_up: bool
    endpoints: int
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything known at the end of one cycle.

    ``systems`` maps a system's name to its view, ``dossiers`` to what is known of
    whose its accounts are and whether they may go; both have the same systems.
    ``completed_at`` is Unix seconds on our wall clock.
    """

    systems: Mapping[str, SystemView]
    dossiers: Mapping[str, Dossiers]
    endpoints: tuple[EndpointStatus, ...]
    inventories: tuple[InventoryStatus, ...] = ()
    discoveries: tuple[DiscoveryStatus, ...] = ()
    cycle_duration_seconds: float
    completed_at: float
    peers: Mapping[str, Mapping[str, Peer]] = field(default_factory=dict)
    """System -> ``server_id`` -> what is known of servers that nobody reads."""

    def unwatched(self, system: str) -> tuple[tuple[Unwatched, Peer], ...]:
        """Return who holds verdicts back in a system, with what is known of each."""
        peers = self.peers.get(system, {})
        found = self.systems[system].unwatched
        return tuple((each, peers.get(each.who, Peer())) for each in found)


@dataclass(frozen=True, slots=True)
class StateStatus:
    """How saving the state goes; ``last_save_at`` is Unix seconds, 0 for never."""

    last_save_at: float = 0.0
    errors: int = 0
