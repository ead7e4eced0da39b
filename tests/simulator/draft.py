"""The draft of a history: what all parts of its plan share."""

from __future__ import annotations

from enum import StrEnum
from random import Random

from tests.simulator.servers import Release
from tests.simulator.world import Endpoint, Node, World

BEGAN_AT = 1_700_000_000.0
INTERVAL = 30.0
RELEASES: tuple[Release, ...] = (
    (2, 9, 10),
    (2, 9, 25),
    (2, 10, 25),
    (2, 11, 11),
    (2, 12, 8),
    (2, 15, 1),
)
MODERN = RELEASES[3:]


class Kind(StrEnum):
    """What a history is made to prove."""

    SLACK = "slack"
    """Anything goes; forgiven holes excuse what they hide."""
    STRICT = "strict"
    """Anything but new endpoints, tolerance 0: nothing is excused."""
    CALM = "calm"
    """Everything is read: silence must be raised in time."""
    ROLLING = "rolling"
    """Calm, with rolling restarts under a long threshold."""
    DISCOVERED = "discovered"
    """Anything goes, with endpoints found by a name."""
    SCALED = "scaled"
    """Calm, with servers that are replaced at other addresses, scaled up and down."""


FIXED = (Kind.SLACK, Kind.STRICT, Kind.CALM, Kind.ROLLING)
"""The operator lists every endpoint."""
FOUND = (Kind.DISCOVERED, Kind.SCALED)
LONG = (Kind.ROLLING, Kind.SCALED)


class Draft:
    """A history that is being planned."""

    def __init__(self, rng: Random, kind: Kind) -> None:
        self.rng = rng
        self.kind = kind
        self.is_calm = kind in (Kind.CALM, *LONG)
        self.world = World(rng, operator=rng.random() < 0.35)
        self.has_streams = rng.random() < 0.5
        if kind is Kind.SCALED:
            # Those that keep streams are never replaced.
            self.has_streams = False
        # Where holes are forgiven, they cover up nothing that streams could tell.
        is_short = rng.random() < (0.45 if self.has_streams else 0.75)
        self.length = rng.randint(8, 22) if is_short else rng.randint(30, 60)
        more = rng.uniform(1.3, 2.1)
        if kind is Kind.DISCOVERED:
            # What changes a list shows its end late: silence needs the time after it.
            more += 0.5
        if kind in LONG:
            self.length, more = 150, rng.uniform(1.2, 1.3)
        self.cycles = int(self.length * more) + 4
        self.end_at = BEGAN_AT + self.cycles * INTERVAL
        self.threshold = self.length * INTERVAL
        self.changes: dict[int, tuple[str, Endpoint]] = {}
        self.started_from = BEGAN_AT - 5000.0
        self.amount = 0
        """Servers in the beginning."""
        self.mirrored: str | None = None
        self.releases = RELEASES
        # Real rings hold 10,000: where everything is read, none overflows.
        self.world.ring_size = 10_000 if self.is_calm else rng.randint(8, 40)

    def _first(self) -> list[Node]:
        """Return those that are there from the beginning."""
        return self.world.nodes[: self.amount]

    def _node(self) -> Node:
        return self.rng.choice(self.world.nodes)

    def _cycle_of(self, at: float) -> int:
        return int((at - BEGAN_AT) / INTERVAL)
