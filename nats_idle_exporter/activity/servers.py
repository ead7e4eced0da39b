"""What is remembered of each server, endpoint and stranger of one system."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from nats_idle_exporter.activity.compare import KEEPS_COUNTERS_ON_RELOAD, is_present
from nats_idle_exporter.activity.facts import (
    Instant,
    JetStreamRound,
    Reading,
    Row,
    ServerFacts,
)
from nats_idle_exporter.activity.view import UnwatchedKind


@dataclass(slots=True)
class Server:
    """One nats-server process and its last good reading.

    ``home`` is the endpoint where it last answered. ``ended_at`` is set on the
    slow timeline once its end is known; its baselines outlive that.
    """

    home: str
    facts: ServerFacts
    asked: Instant
    answered: Instant
    rows: dict[str, Row] = field(default_factory=dict)
    live: dict[str, Row] = field(default_factory=dict)
    """The rows with connections or leafnodes."""
    routes: frozenset[str] = frozenset()
    gateways: frozenset[str] = frozenset()
    jetstream: JetStreamRound | None = None
    ended_at: float | None = None
    met: frozenset[str] = frozenset()
    """All of those that are remembered and that it ever named."""

    def take(self, reading: Reading, rows: dict[str, Row]) -> None:
        """Remember a newer reading of this process."""
        self.home = reading.endpoint
        self.facts = reading.server
        self.asked, self.answered = reading.asked, reading.answered
        self.rows = rows
        self.live = {account: row for account, row in rows.items() if is_present(row)}
        self.routes, self.gateways = reading.routes, reading.gateways
        self.met |= reading.routes | reading.gateways
        self._hear_round(reading.jetstream)
        self.ended_at = None

    def _hear_round(self, told: JetStreamRound | None) -> None:
        if told is not None:
            # Who was never touched matters at a first sight only.
            self.jetstream = told._replace(untouched=frozenset())

    def lay_down(self) -> None:
        """Let go of what only another reading of the same process would need.

        Should it be read again after all, whatever it counts is use.
        """
        self.rows = {}
        if self.ended_at is not None:
            self.jetstream = None

    def see_again(self, reading: Reading, rows: dict[str, Row]) -> None:
        """Add what another answer of the same cycle shows.

        Who is gone at the next reading was there until then, whichever answer
        showed it.
        """
        self._hear_round(reading.jetstream)
        for account, row in rows.items():
            if is_present(row):
                last = self.rows.get(account) or Row(account)
                self.rows[account] = self.live[account] = last._replace(
                    connections=max(last.connections, row.connections),
                    leafnodes=max(last.leafnodes, row.leafnodes),
                )


def wipes_on_reload(facts: ServerFacts) -> bool:
    """Say whether a reload restarts the counters; unreadable versions may."""
    return facts.release < KEEPS_COUNTERS_ON_RELOAD


@dataclass(slots=True)
class Watch:
    """One endpoint: who answered there last, and since when it is known.

    ``known_since`` counts as its last reading until it answers; None: never.
    """

    known_since: Instant | None
    server_id: str | None = None
    past: tuple[str, ...] = ()
    """Who was displaced here lately; who of them returns takes turns."""
    steady: int = 0
    """Readings since another server answered."""
    is_load_balanced: bool = False
    was_missed: bool = False
    """Some cycle ended in which it was known and had not answered yet."""


@dataclass(slots=True)
class Stranger:
    """A peer that a server named and that no endpoint leads to."""

    kind: UnwatchedKind
    known_since: Instant | None


def earliest(instants: Iterable[Instant | None]) -> Instant | None:
    """Return the earliest, on each timeline; None when there is none or one is None."""
    known = []
    for instant in instants:
        if instant is None:
            return None
        known.append(instant)
    if not known:
        return None
    return Instant(min(i.slow for i in known), min(i.fast for i in known))


def gap_seconds_since(reading: Reading, last: Server) -> float:
    """Return how long a server went unread: the longest of all clocks."""
    return max(
        reading.answered.fast - last.asked.fast,
        reading.server.now_at - last.facts.now_at,
        reading.server.uptime_seconds - last.facts.uptime_seconds,
    )
