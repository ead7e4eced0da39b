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

    ``proof_from`` is on the slow timeline: before it nothing is proven.
    """

    fleet: Fleet
    records: dict[str, Record] = field(default_factory=dict)
    holes: Holes = field(default_factory=Holes)
    proof_from: float = NEVER
    jetstream: JetStream = field(default_factory=JetStream)
