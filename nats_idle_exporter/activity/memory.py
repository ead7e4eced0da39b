"""The memory of one system: all that outlives a cycle."""

from __future__ import annotations

from dataclasses import dataclass, field

from nats_idle_exporter.activity.fleet import Fleet
from nats_idle_exporter.activity.holes import NEVER, Holes
from nats_idle_exporter.activity.jetstream import JetStream
from nats_idle_exporter.activity.record import Record


@dataclass(slots=True)
class Memory:
    """Servers, accounts and the bounds of what can be proven.

    ``proof_from``, ``strays_at`` and ``concluded_at``, the end of the last cycle, are
    on the slow timeline; before the first nothing is proven, before the second
    nothing of accounts that have no record yet: there may have been use of them.
    ``shift_seconds`` was added to the times that were last published.
    """

    fleet: Fleet
    records: dict[str, Record] = field(default_factory=dict)
    holes: Holes = field(default_factory=Holes)
    proof_from: float = NEVER
    jetstream: JetStream = field(default_factory=JetStream)
    strays_at: float = NEVER
    concluded_at: float = NEVER
    shift_seconds: float = 0.0
