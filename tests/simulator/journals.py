"""Simulated streams: what is written and read, and how much of it was told.

A journal is one stream. Its servers agree on what happened, but each tells only
what it knows so far. Whoever uses a journal through an import leaves no trace
in the counters of its owner.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from operator import attrgetter
from typing import NamedTuple

from nats_idle_exporter.activity import Consumer, Stream
from tests.simulator.servers import NEVER

_by_time = attrgetter("at")


MISSES_UNTIL_GONE = 3
"""So often a stream may be missing before it may be taken for deleted."""


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

    def mark(self, *, is_by_leader: bool) -> tuple[float, float, float]:
        """Return the numbers that a server tells of it."""
        is_stamped = is_by_leader and self.stamp is not None
        return (
            self.delivered,
            self.acked,
            (self.stamp or NEVER) if is_stamped else NEVER,
        )

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


class Answer(NamedTuple):
    """How a server told a page: as it was at that moment."""

    as_of: float
    with_readers: bool
    is_by_leader: bool


class Heard(NamedTuple):
    """What an answer shows: the newest use, and whether it may look like more."""

    used_at: float
    is_doubtful: bool


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
    looked_at: float = NEVER
    """When its consumers were last told."""
    emptied_at: float = NEVER
    dropped_at: float = NEVER
    """When a consumer was deleted last."""
    _reads_told_at: dict[str, float] = field(default_factory=dict)
    _marks: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """The most that was told of it, and of each consumer."""
    first_told_at: float = math.inf
    told_at: float = NEVER
    _missed: list[tuple[float, int]] = field(default_factory=list)
    """When which of its nodes did not tell it, since it was last told."""
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
        self._missed.clear()

    def bury(self) -> None:
        """Forget what was lost: no server is left that a new heart could ask."""
        self.unseen.clear()
        self._past.clear()

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
        self.dropped_at = when
        for place, page in enumerate(self.pages):
            if page.reader == name and page.at > self._reads_told_at.get(name, NEVER):
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

    def told(self, page: Page, answer: Answer) -> Stream:
        """Return what a server tells of it."""
        consumers = (r.told(is_by_leader=answer.is_by_leader) for r in page.readers)
        return Stream(
            self.account,
            self.name,
            page.last_seq,
            page.stamp,
            self.is_copy,
            bool(page.readers),
            tuple(consumers) if answer.with_readers else (),
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
            if page.at <= self.emptied_at:
                return
            told_at = self._reads_told_at.get(page.reader, NEVER)
            if page.reader and page.at > told_at:
                yield page.at

    def miss(self, asked_at: float, node: int) -> None:
        """Note that one of its nodes did not tell it."""
        if asked_at > self.told_at:
            insort(self._missed, (asked_at, node))

    def missed_after(self, when: float) -> float | None:
        """Return when it was missed first after that moment, None if it never was."""
        return next((at for at, _ in self._missed if at >= when), None)

    def seemed_gone_at(self, when: float) -> float | None:
        """Return since when it seemed to be deleted at that moment, None if not."""
        counts = Counter(node for at, node in self._missed if at < when)
        if max(counts.values(), default=0) < MISSES_UNTIL_GONE:
            return None
        return self._missed[0][0]

    def untold_at(self, answer: Answer) -> float:
        """Return the newest use that such an answer would show."""
        uses = list(self.untold_writes())
        if answer.with_readers:
            uses += self.untold_reads()
        return max((at for at in uses if at <= answer.as_of), default=NEVER)

    def hear(self, page: Page, answer: Answer) -> Heard:
        """Note that a reading told this page; return what it shows.

        What began anew with less may as well be what a server that lags tells:
        then its use counts as untold until more is told.
        """
        as_of = answer.as_of
        writes = [at for at in self.untold_writes() if at <= as_of]
        stamp = NEVER if page.stamp is None else page.stamp
        is_doubtful = not self._is_more("", (page.last_seq, stamp)) and bool(writes)
        if is_doubtful:
            writes = []
        else:
            self.writes_told_at = max(self.writes_told_at, as_of)
        for reader in page.readers if answer.with_readers else ():
            reads = list(self._untold_reads_of(reader.name, as_of))
            mark = reader.mark(is_by_leader=answer.is_by_leader)
            if self._is_more(reader.name, mark) or not reads:
                self._reads_told_at[reader.name] = as_of
                writes += reads
            else:
                is_doubtful = True
        if answer.with_readers:
            self.looked_at = max(self.looked_at, as_of)
        self.told_at = max(self.told_at, as_of)
        self.first_told_at = min(self.first_told_at, as_of)
        self._missed.clear()
        self.told_seq = page.last_seq
        return Heard(max(writes, default=NEVER), is_doubtful)

    def _untold_reads_of(self, name: str, as_of: float) -> Iterator[float]:
        told_at = self._reads_told_at.get(name, NEVER)
        for page in reversed(self.pages):
            if page.at <= max(told_at, self.emptied_at):
                return
            if page.reader == name and page.at <= as_of:
                yield page.at

    def _is_more(self, name: str, mark: tuple[float, ...]) -> bool:
        """Say whether any number is more than was ever told; note them all."""
        most = self._marks.get(name, (NEVER,) * len(mark))
        self._marks[name] = tuple(map(max, most, mark))
        return any(now > before for now, before in zip(mark, most, strict=True))

    def forget(self) -> None:
        """Forget what was told: whoever heard it is gone."""
        self.writes_told_at = self.emptied_at
        self.looked_at = self.told_at = NEVER
        self.told_seq, self.first_told_at = 0, math.inf
        self._missed.clear()
        self._reads_told_at.clear()
        self._marks.clear()
        self.losses.clear()
        # All that was lost so far is now from before the first sight.
        self.unseen = list(self._past)

    def _lose(self, when: float) -> None:
        """Account for use that is wiped out before any reading told it.

        Only of a stream that was told with messages can its loss be told, and not
        after it seemed gone: what comes back after that is as good as new.
        """
        if self.told_seq:
            end_at = self.seemed_gone_at(when) or when
            written = (at for at in self.untold_writes() if at <= end_at)
            read = (at for at in self.untold_reads() if at <= end_at)
            read_since = max(self.looked_at, self.first_told_at)
            self._note_loss(self.told_at, end_at, written, is_read=False)
            self._note_loss(read_since, end_at, read, is_read=True)
        used = (page.at for page in self.pages if page.is_write or page.reader)
        past = Loss(self.account, NEVER, when, max(used, default=NEVER), is_read=False)
        self._past.append(past)
        if not self.told_seq:
            self.unseen.append(past)
        self.writes_told_at = self.emptied_at = when
        self.told_seq = 0

    def _note_loss(
        self, start_at: float, end_at: float, uses: Iterator[float], *, is_read: bool
    ) -> None:
        used_at = max(uses, default=NEVER)
        if used_at > start_at:
            self.losses.append(Loss(self.account, start_at, end_at, used_at, is_read))


def _moved(reader: Reader, stamp: float, acks: Acks) -> Reader:
    delivered, acked = reader.delivered, reader.acked
    if acks is not Acks.ONLY or delivered == acked:
        delivered += 1
    if acks is not Acks.NONE:
        acked = delivered
    return reader._replace(delivered=delivered, acked=acked, stamp=stamp)
