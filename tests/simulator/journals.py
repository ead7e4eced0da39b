"""Simulated streams: what is written and read, and how much of it was told.

A journal is one stream. Its servers agree on what happened, but each tells only
what it knows so far. Whoever uses a journal through an import leaves no trace
in the counters of its owner.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from operator import attrgetter
from typing import NamedTuple

from nats_idle_exporter.activity import Consumer, Stream
from tests.simulator.servers import NEVER

_by_time = attrgetter("at")


class Acks(Enum):
    """What a client that reads acknowledges."""

    NONE = 0
    ALL = 1
    ONLY = 2
    """Nothing is delivered if something can be acknowledged."""


class Reader(NamedTuple):
    """One consumer; the stamp is by the clock of the leader at that time."""

    name: str
    delivered: int = 0
    acked: int = 0
    stamp: float | None = None

    def told(self, *, is_by_leader: bool) -> Consumer:
        """Return what a server tells of it; followers know no stamps."""
        stamp = self.stamp if is_by_leader else None
        return Consumer(self.name, self.delivered, self.acked, stamp)


class Page(NamedTuple):
    """A journal after something happened to it.

    ``is_write`` and ``reader`` say whether that was use, and whose.
    """

    at: float
    last_seq: int = 0
    stamp: float | None = None
    readers: tuple[Reader, ...] = ()
    is_there: bool = True
    is_write: bool = False
    reader: str = ""

    def then(self, when: float, readers: tuple[Reader, ...]) -> Page:
        """Return the next page, with other consumers and nothing used."""
        return Page(when, self.last_seq, self.stamp, readers)


class Loss(NamedTuple):
    """Use that no reading told, and that none can tell any more.

    The time starts with the last reading that would have told it.
    """

    account: str
    start_at: float
    end_at: float
    used_at: float
    is_read: bool


@dataclass(slots=True, eq=False)
class Journal:
    """One stream of one account, and how much of it was told so far.

    ``places`` are the nodes that keep it, ``lags`` by how many seconds each
    follows the leader. A copy holds what was written elsewhere.
    """

    account: str
    name: str
    places: tuple[int, ...]
    is_memory: bool = False
    is_copy: bool = False
    lags: dict[int, float] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)
    copies: list[Journal] = field(default_factory=list)
    leader: int | None = None
    known_to: dict[int, float] = field(default_factory=dict)
    """Until when each node knows what happened, whatever its lag."""
    writes_told_at: float = NEVER
    reads_told_at: float = NEVER
    first_told_at: float = math.inf
    told_at: float = NEVER
    missed_at: float | None = None
    """When one of its nodes first did not tell it, since it was last told."""
    told_seq: int = 0
    losses: list[Loss] = field(default_factory=list)
    unseen: list[Loss] = field(default_factory=list)
    """What was lost before anything of it was told."""
    _past: list[Loss] = field(default_factory=list)

    @property
    def is_there(self) -> bool:
        """Say whether it exists now."""
        return bool(self.pages) and self.pages[-1].is_there

    def empty(self, when: float, *, is_there: bool = True) -> None:
        """Create it, delete it, or lose all that was in it."""
        self._lose(when)
        self.pages.append(Page(when, is_there=is_there))
        self.known_to = dict.fromkeys(self.places, when)

    def write(self, when: float, stamp: float) -> None:
        """Store one message."""
        last = self.pages[-1]
        page = Page(when, last.last_seq + 1, stamp, last.readers)
        self.pages.append(page._replace(is_write=not self.is_copy))

    def add_reader(self, when: float, name: str) -> None:
        """Create a consumer; one of that name starts anew."""
        self.drop_reader(when, name)
        last = self.pages[-1]
        self.pages.append(last.then(when, (*last.readers, Reader(name))))

    def drop_reader(self, when: float, name: str) -> None:
        """Delete a consumer: what it read untold leaves no trace."""
        for place, page in enumerate(self.pages):
            if page.reader == name and page.at > self.reads_told_at:
                self.pages[place] = page._replace(reader="")
        last = self.pages[-1]
        kept = tuple(each for each in last.readers if each.name != name)
        self.pages.append(last.then(when, kept))

    def read(self, when: float, name: str, stamp: float, acks: Acks) -> None:
        """Deliver one message, or acknowledge all that was delivered, or both."""
        last = self.pages[-1]
        if not any(each.name == name for each in last.readers):
            return
        readers = tuple(
            _moved(each, stamp, acks) if each.name == name else each
            for each in last.readers
        )
        self.pages.append(last.then(when, readers)._replace(reader=name))

    def page(self, as_of: float) -> Page | None:
        """Return how it looked at that moment, None while it was not there."""
        place = bisect_right(self.pages, as_of, key=_by_time)
        page = self.pages[place - 1] if place else None
        return page if page and page.is_there else None

    def told(self, page: Page, node: int, *, with_consumers: bool) -> Stream:
        """Return what one of its nodes tells of it."""
        is_by_leader = node == self.leader
        consumers = (r.told(is_by_leader=is_by_leader) for r in page.readers)
        return Stream(
            self.account,
            self.name,
            page.last_seq,
            page.stamp,
            self.is_copy,
            bool(page.readers),
            tuple(consumers) if with_consumers else (),
        )

    # --- the truth of it -----------------------------------------------------

    def untold_writes(self) -> Iterator[float]:
        """Yield when it was written to, newest first, as long as no reading told."""
        for page in reversed(self.pages):
            if page.at <= self.writes_told_at:
                return
            if page.is_write:
                yield page.at

    def untold_reads(self) -> Iterator[float]:
        """Yield when it was read from, likewise."""
        for page in reversed(self.pages):
            if page.at <= self.reads_told_at:
                return
            if page.reader:
                yield page.at

    def hear(self, page: Page, as_of: float, *, with_readers: bool) -> float:
        """Note that a reading told this page; return the newest use it shows."""
        writes = [at for at in self.untold_writes() if at <= as_of]
        self.writes_told_at = max(self.writes_told_at, as_of)
        reads = []
        if with_readers:
            reads = [at for at in self.untold_reads() if at <= as_of]
            self.reads_told_at = max(self.reads_told_at, as_of)
        self.told_at = max(self.told_at, as_of)
        self.missed_at = None
        self.first_told_at = min(self.first_told_at, as_of)
        self.told_seq = page.last_seq
        return max(*writes, *reads, NEVER, NEVER)

    def forget(self) -> None:
        """Forget what was told: whoever heard it is gone."""
        self.writes_told_at = self.reads_told_at = self.told_at = NEVER
        self.told_seq, self.first_told_at, self.missed_at = 0, math.inf, None
        self.losses.clear()
        # All that was lost so far is now from before the first sight.
        self.unseen = list(self._past)

    def _lose(self, when: float) -> None:
        """Account for use that is wiped out before any reading told it.

        Only of a stream that was told with messages can its loss be told.
        """
        written_at = max(self.untold_writes(), default=NEVER)
        read_at = max(self.untold_reads(), default=NEVER)
        if self.told_seq:
            read_since = max(self.reads_told_at, self.first_told_at)
            self._note_loss(self.told_at, when, written_at, is_read=False)
            self._note_loss(read_since, when, read_at, is_read=True)
        used = (page.at for page in self.pages if page.is_write or page.reader)
        past = Loss(self.account, NEVER, when, max(used, default=NEVER), is_read=False)
        self._past.append(past)
        if not self.told_seq:
            self.unseen.append(past)
        self.writes_told_at = self.reads_told_at = when
        self.told_seq = 0

    def _note_loss(
        self, start_at: float, when: float, used_at: float, *, is_read: bool
    ) -> None:
        if used_at > start_at:
            self.losses.append(Loss(self.account, start_at, when, used_at, is_read))


def _moved(reader: Reader, stamp: float, acks: Acks) -> Reader:
    delivered, acked = reader.delivered, reader.acked
    if acks is not Acks.ONLY or delivered == acked:
        delivered += 1
    if acks is not Acks.NONE:
        acked = delivered
    return reader._replace(delivered=delivered, acked=acked, stamp=stamp)
