"""The memory of one system: all that outlives a cycle."""

from __future__ import annotations

from dataclasses import dataclass, field

from nats_idle_exporter.activity.facts import Instant
from nats_idle_exporter.activity.fleet import Fleet
from nats_idle_exporter.activity.holes import NEVER, Holes
from nats_idle_exporter.activity.record import Record


@dataclass(slots=True)
class Memory:
    """Servers, accounts and the bounds of what can be proven.

    ``proof_from`` and ``concluded_at``, the end of the last cycle, are on the slow
    timeline; before the first nothing is proven. ``jetstream_to`` is how far whole
    rounds of jsz reach, ``round_counted`` when the last of them was over.
    ``shift_seconds`` was added to the times that were last published.
    """

    fleet: Fleet
    records: dict[str, Record] = field(default_factory=dict)
    holes: Holes = field(default_factory=Holes)
    proof_from: float = NEVER
    jetstream_to: Instant | None = None
    round_counted: Instant | None = None
    concluded_at: float = NEVER
    shift_seconds: float = 0.0
