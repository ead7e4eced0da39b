"""Simulated nats-server processes: their books, counters and clocks."""

from __future__ import annotations

import math
from typing import NamedTuple

from nats_idle_exporter.activity import Row, Traffic

NEVER = -math.inf
ZEROS = (0,) * 12
SPLIT_SINCE = (2, 11, 5)
"""From here on servers tell the routes' and gateways' shares."""
KEEPS_SINCE = (2, 9, 17)
"""Before it every reload zeroes every account's counters."""

SENT, RECEIVED = 0, 2
ROUTES, GATEWAYS = 4, 8

Release = tuple[int, ...]
Numbers = tuple[int, ...]


class Book:
    """One account in one process: twelve raw counters and what is open now."""

    __slots__ = ("account", "connections", "leafnodes", "name", "numbers", "row")

    def __init__(self, account: str, name: str) -> None:
        self.account = account
        self.name = name
        self.numbers: Numbers = ZEROS
        self.connections = 0
        self.leafnodes = 0
        self.row: Row | None = None

    def add(self, field: int, share: int, messages: int, size: int) -> None:
        """Count traffic in the total and, if ``share`` is not 0, in that share."""
        numbers = list(self.numbers)
        for place in {field, field + share}:
            numbers[place] += messages
            numbers[place + 1] += messages * size
        self.numbers = tuple(numbers)
        self.row = None

    def told(self) -> Row:
        """Return the row as accstatz would tell it now."""
        if self.row is None:
            n = self.numbers
            self.row = Row(
                self.account,
                self.name,
                self.connections,
                self.leafnodes,
                Traffic(*n[0:4]),
                Traffic(*n[4:8]),
                Traffic(*n[8:12]),
            )
        return self.row


class Closing(NamedTuple):
    """One closed connection or leaf link, as the ring of its server keeps it."""

    account: str | None
    """None for a failed login: nobody's use."""
    at: float
    stamp: float
    """The same moment on the server's own clock."""


class Reset:
    """The moment an account's counters went to zero without a restart."""

    __slots__ = ("at", "load", "lost_at", "start")

    def __init__(self, at: float, load: int, lost_at: float) -> None:
        self.at = at
        self.load = load
        self.lost_at = lost_at
        """The last use that was not yet read, and is in no counter any more."""
        self.start: float | None = None


class Trail:
    """The truth of one account in one process that no reading showed yet."""

    __slots__ = (
        "baseline",
        "closed_at",
        "closed_segment",
        "closing_at",
        "counted_at",
        "is_open",
        "pending_at",
        "resets",
        "seen_segment",
        "segment",
        "wiped",
    )

    def __init__(self) -> None:
        self.baseline: Numbers = ZEROS
        self.pending_at = NEVER
        self.counted_at = NEVER
        """The last use that is in the counters, told or not."""
        self.resets: list[Reset] = []
        self.wiped: list[Reset] = []
        """Every reset there ever was, with the use that it wiped out."""
        self.is_open = False
        self.segment = 0
        self.seen_segment = 0
        self.closed_segment = 0
        self.closed_at = NEVER
        self.closing_at = NEVER

    def open(self) -> None:
        """Begin a time in which something is connected."""
        if not self.is_open:
            self.is_open = True
            self.segment += 1

    def close(self, at: float) -> None:
        """End it; only if a reading saw it can a later one tell its end."""
        if self.is_open:
            self.is_open = False
            self.closed_segment, self.closed_at = self.segment, at
            if self.seen_segment == self.segment:
                self.closing_at = at

    def use(self, at: float) -> None:
        """Count use."""
        self.pending_at = self.counted_at = at

    def reset(self, at: float, load: int) -> None:
        """Forget the counters; what was not read of them is lost."""
        self.resets.append(Reset(at, load, self.pending_at))
        self.wiped.append(Reset(at, load, self.counted_at))
        self.pending_at = self.counted_at = NEVER

    def forget(self) -> None:
        """Let nothing be told: whoever heard it is gone."""
        self.baseline, self.pending_at = ZEROS, self.counted_at
        self.resets = [Reset(each.at, each.load, each.lost_at) for each in self.wiped]
        self.seen_segment, self.closing_at = 0, NEVER


class Process:
    """One run of one nats-server."""

    def __init__(
        self, server_id: str, node: int, start_at: float, release: Release
    ) -> None:
        self.server_id = server_id
        self.node = node
        self.start_at = start_at
        self.release = release
        self.load = 0
        self.told_start_at = self.told_load_at = start_at
        self.books: dict[str, Book] = {}
        self.trails: dict[str, Trail] = {}
        self.ended_at: float | None = None
        self.last_sample_at = NEVER
        self.applied_load: int | None = None
        self.read_by: set[str] = set()
        self.known_at: float | None = None
        """When a reading of another server first listed it, unwatched."""
        self.is_let_go = False
        """The operator ended its watch, and nobody read it since."""
        self.closed: list[Closing] = []
        """Whatever was closed, in that order; the ring is the end of it."""
        self.ring_size = 0
        self.settled = 0
        """How many of the closed were told, or lost, by the last reading."""
        self.last_ring_at = NEVER
        self.recovered_at = start_at
        """From then on it tells its streams."""
        self.touched: set[str] = set()
        """Accounts whose JetStream API was asked since its start."""

    @property
    def splits(self) -> bool:
        """Say whether it tells the shares of routes and gateways."""
        return self.release >= SPLIT_SINCE

    @property
    def zeroes(self) -> bool:
        """Say whether a reload zeroes its counters."""
        return self.release < KEEPS_SINCE

    @property
    def forgotten(self) -> int:
        """Return how many closed connections the ring has no room for."""
        return max(0, len(self.closed) - self.ring_size)

    def open_book(self, account: str, name: str) -> Book:
        """Return the account's book, loading the account if need be."""
        book = self.books.get(account)
        if book is None:
            book = self.books[account] = Book(account, name)
            self.trails.setdefault(account, Trail())
        return book

    def reset(self, account: str, at: float) -> None:
        """Forget the account's counters; what was not read of them is lost."""
        self.trails[account].reset(at, self.load)

    def forget(self) -> None:
        """Let nothing be told: whoever heard it is gone."""
        self.last_sample_at = self.last_ring_at = NEVER
        self.applied_load = self.known_at = None
        self.read_by.clear()
        self.is_let_go = False
        self.settled = 0
        for trail in self.trails.values():
            trail.forget()


def edge(n: Numbers) -> Numbers:
    """Return the traffic of clients and leaf links alone."""
    return tuple(n[i] - n[i + ROUTES] - n[i + GATEWAYS] for i in range(4))
