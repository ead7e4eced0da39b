"""Builders of facts for the tests of the heart; everything has a default."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from nats_idle_exporter.activity import (
    AccountView,
    BriefConnections,
    Cadence,
    Clocks,
    Evidence,
    EvidenceKind,
    Instant,
    JetStreamRound,
    Ledger,
    Policy,
    Reading,
    Row,
    ServerFacts,
    SystemView,
    Traffic,
)
from tests.activity.keeping import Rows, keep, no_time, plain, told

POLL = 30.0
HOUR = 3600.0
A, B, C = "http://a:8222", "http://b:8222", "http://c:8222"


class FixedRules(NamedTuple):
    """Rules that treat every account alike."""

    threshold_seconds: float = HOUR
    gap_tolerance_seconds: float = 5 * 60.0
    excluded: frozenset[str] = frozenset()

    def policy(self, account: str, name: str) -> Policy:  # noqa: ARG002
        """Return the one policy."""
        return Policy(self.threshold_seconds, self.gap_tolerance_seconds)

    def excludes(self, account: str, name: str) -> bool:
        """Exclude the listed ids and names."""
        return account in self.excluded or name in self.excluded


def at(seconds: float) -> Instant:
    """Return a moment at which all clocks agree."""
    return Instant(seconds, seconds)


def a_row(account: str = "TEAM", **changes: Any) -> Row:
    """Return a row of zeros; ``sent`` and ``received`` set messages and bytes."""
    for share in ("total", "routes", "gateways"):
        if isinstance(changes.get(share), tuple):
            changes[share] = Traffic(*changes[share])
    return Row(account, **changes)


def a_use(kind: EvidenceKind, server_id: str, at: float) -> Evidence:
    """Return evidence of use, told while no clock was put forward."""
    return Evidence(kind, server_id, at, at)


def used(messages: int, account: str = "TEAM") -> Row:
    """Return a row of an account that published so many messages of a byte."""
    return a_row(account, total=(0, 0, messages, messages))


class Process:
    """A nats-server process of the test: knows its start, makes readings."""

    def __init__(
        self, server_id: str, endpoint: str, start: float, **facts: Any
    ) -> None:
        self.server_id = server_id
        self.endpoint = endpoint
        self.start = start
        self.loaded_at: float | None = None
        """By default when it is first read, so that quiet starts there."""
        self.peers: frozenset[str] = frozenset()
        self.gateways: frozenset[str] = frozenset()
        self.facts: dict[str, Any] = {
            "server_name": server_id.lower(),
            "version": "2.15.1",
            "release": (2, 15, 1),
            "system_account": "$SYS",
            **facts,
        }

    def reading(
        self, when: float, rows: Iterable[Row] | None = None, **changes: Any
    ) -> Reading:
        """Return what this process tells at that moment."""
        if self.loaded_at is None:
            self.loaded_at = when
        facts = ServerFacts(
            server_id=self.server_id,
            uptime_seconds=float(int(when - self.start)),
            now_at=when,
            start_at=self.start,
            loaded_at=self.loaded_at,
            **self.facts,
        )
        values: dict[str, Any] = {
            "endpoint": self.endpoint,
            "asked": at(when),
            "answered": at(when),
            "server": facts,
            "rows": [a_row()] if rows is None else list(rows),
            "routes": self.peers,
            "gateways": self.gateways,
            "jetstream": JetStreamRound(at(when)),
        }
        return Reading(**{**values, **changes})


class Watcher:
    """A ledger with a shorthand for whole cycles."""

    def __init__(
        self,
        *endpoints: str,
        rules: FixedRules | None = None,
        forget_after: float = 1e6,
        brief_connections: BriefConnections = BriefConnections.REQUIRE,
    ) -> None:
        self.rules = rules or FixedRules()
        cadence = Cadence(POLL, POLL, forget_after, brief_connections)
        self.endpoints, self.cadence = endpoints, cadence
        self.ledger = Ledger(endpoints, self.rules, cadence)
        self.rows: Rows = {}
        self.view: SystemView = self.cycle(0.0)

    def cycle(self, when: float, *readings: Reading) -> SystemView:
        """Apply the readings, conclude at that moment, keep and return the view.

        Whatever the test is about: what is kept tells all that the ledger knows.
        """
        for reading in readings:
            self.ledger.apply(reading)
        self.view = self.ledger.conclude(at(when))
        keep(self.rows, self.ledger.changes(no_time(at(when))))
        assert plain(self.resumed(no_time(at(when)))._memory) == plain(
            self.ledger._memory
        )
        return self.view

    def resumed(self, clocks: Clocks, *endpoints: str) -> Ledger:
        """Return a new ledger made of what was kept."""
        return Ledger.resume(
            endpoints or None, self.rules, self.cadence, told(self.rows), clocks
        )

    def forget_fields(self, key: tuple[str, str], but: int) -> None:
        """Keep the first fields of a row only, as an older version did."""
        told_fields = msgspec.msgpack.decode(self.rows[key])
        self.rows[key] = msgspec.msgpack.encode(told_fields[:but])

    def watch_quietly(
        self,
        start: float,
        end: float,
        *processes: Process,
        rows: Iterable[Row] | None = None,
    ) -> SystemView:
        """Run a cycle each poll interval with unchanged rows; return the last view."""
        when = start
        while when <= end:
            self.cycle(when, *(process.reading(when, rows) for process in processes))
            when += POLL
        return self.view

    def account(self, account: str = "TEAM") -> AccountView:
        """Return the account's last view."""
        return next(a for a in self.view.accounts if a.account == account)


def a_pair(start: float = 10_000.0) -> tuple[Watcher, Process, Process]:
    """Return a cluster of two servers that were read once, at that moment."""
    one = Process("SA", A, start=0.0)
    two = Process("SB", B, start=0.0)
    one.peers, two.peers = frozenset({"SB"}), frozenset({"SA"})
    watcher = Watcher(A, B)
    watcher.cycle(start, one.reading(start), two.reading(start))
    return watcher, one, two
