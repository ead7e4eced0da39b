"""One reading of a server's ring of closed connections: what in it is new.

Who comes and goes between two polls is in the ring only. New is what has a
``cid`` that was not read before. The ring forgets first what was put in first,
so one that was read before and is still there proves that nothing put in since
was forgotten. Pages are sorted by the server's stamps, and those may lie: a
clock may be stepped, and a server stamps an entry a moment before it puts it
in. So pages are read on until they are older than any new entry can be.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

from nats_idle_exporter.activity import Closed, Ring
from nats_idle_exporter.monitoring.wire import ClosedEntry, ClosedPage, Varz

PAGE: Final = 1024
"""Entries per page: the servers' own default."""
MOST_PAGES: Final = 64
"""A ring may be made longer; beyond this we give up."""
DEFAULT_LENGTH: Final = 10_000
"""Entries that every known server keeps unless it is told otherwise."""
STEP_SECONDS: Final = 2.0
"""An uptime has whole seconds: a clock that seems to move by less may stand."""
SETTLE_SECONDS: Final = 10.0
"""How far below the last reading a new entry may sort: by a step too small to be
noticed, or by the time from its stamp until it is put in."""


class Mark(NamedTuple):
    """Numbers that change when the ring does, and its newest entry."""

    accepted: int
    open: int
    total: int
    newest: ClosedEntry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RingMemory:
    """What one good poll leaves for the next of the same server.

    ``clock_at`` is the server's start by its present clock, so that it moves
    only when that clock is stepped. ``known`` holds cids, the newest last.
    """

    server_id: str
    clock_at: float
    read_at: float
    mark: Mark
    known: Mapping[int, None]
    is_complete: bool


class RingSearch:
    """Read a ring page by page, newest first, as far down as news can lie.

    Args:
        varz: of the same poll, asked before the ring.
        head: the ring's newest entry, asked before its pages.
        last: what the last good poll of this server left, None if there was none.
        tells_accounts: the pages do; else ``name`` has to be told who was new.
    """

    def __init__(
        self,
        varz: Varz,
        head: ClosedPage,
        last: RingMemory | None,
        *,
        tells_accounts: bool = True,
    ) -> None:
        server = varz.server
        self._varz = varz
        self._last = last
        self._tells_accounts = tells_accounts
        self._names: dict[int, str] = {}
        self._known = self._last.known if self._last else {}
        newest = head.entries[0] if head.entries else None
        self._mark = Mark(varz.accepted, varz.open, head.total, newest)
        self._clock_at = server.now_at - server.uptime_seconds
        before = self._last.clock_at if self._last else server.start_at
        self._is_stepped = abs(self._clock_at - before) > STEP_SECONDS
        self._settled_at = -math.inf
        if self._last and not self._is_stepped:
            self._settled_at = self._last.read_at - SETTLE_SECONDS
        # The least of all, so that a step within the poll makes nothing older.
        self._now_at = min(server.now_at, head.now_at)
        self._entries: dict[int, ClosedEntry] = {}
        self._oldest: int | None = None
        self._pages = self._offset = 0
        self._total = head.total
        self._is_torn = self._is_whole = False
        self._is_settled = self._is_unchanged()

    @property
    def next_offset(self) -> int | None:
        """The offset of the page to read next, None when there is nothing more."""
        is_over = self._is_torn or self._is_read or self._pages == MOST_PAGES
        return None if is_over else self._offset

    def add(self, page: ClosedPage) -> None:
        """Take in the page of ``PAGE`` entries at ``next_offset``.

        Pages overlap by one entry. Entries that are put in meanwhile push the
        others down, so that some are read twice; where the overlap is missing,
        some may have been skipped.
        """
        cids = [entry.cid for entry in page.entries]
        self._is_torn = self._oldest is not None and self._oldest not in cids
        self._entries.update(zip(cids, page.entries, strict=True))
        self._now_at = min(self._now_at, page.now_at)
        self._total = page.total
        self._pages += 1
        self._is_whole = len(cids) < PAGE
        if not self._is_whole:
            self._offset += len(cids) - 1
            self._oldest = cids[-1]
            is_known = self._oldest in self._known
            self._is_settled = is_known and self._is_older(page.entries[-1])

    @property
    def unnamed(self) -> list[int]:
        """The cids of what is new and whose account is yet to be told."""
        if self._tells_accounts:
            return []
        return [
            cid
            for cid, entry in self._entries.items()
            # Who never was in any account needs no name.
            if cid not in self._known and entry.account and cid not in self._names
        ]

    def name(self, page: ClosedPage) -> None:
        """Take in a page that tells accounts, of entries that were added."""
        self._names.update({entry.cid: entry.account for entry in page.entries})

    def ring(self) -> Ring:
        """Return what is new, and whether that is all there was."""
        is_named = not self.unnamed
        is_counted = is_named and self._is_counted()
        joins = is_named and self._joins_known()
        was_complete = self._last is not None and self._last.is_complete
        # What is known was told, unless an earlier reading was not told all names.
        is_told = self._tells_accounts or self._last is None or was_complete
        return Ring(
            new=self._news(),
            reaches_back=is_counted or joins,
            is_complete=(is_counted and is_told) or (joins and was_complete),
        )

    def memory(self) -> RingMemory:
        """Return what to remember once the whole poll was good."""
        return RingMemory(
            server_id=self._varz.server.server_id,
            # A step within the poll that is undone by the next one shows here.
            clock_at=min(
                self._clock_at, self._now_at - self._varz.server.uptime_seconds
            ),
            read_at=self._now_at,
            mark=self._mark,
            known=self._remembered(),
            is_complete=self.ring().is_complete,
        )

    @property
    def _is_read(self) -> bool:
        return not self._is_torn and (self._is_whole or self._is_settled)

    def _is_unchanged(self) -> bool:
        if self._last is None or self._mark != self._last.mark:
            return False
        # A step back hides new entries below the one that was the newest.
        newest = self._mark.newest
        return newest is None or self._is_older(newest)

    def _is_older(self, entry: ClosedEntry) -> bool:
        """Say whether by its stamp the last good poll must have read it."""
        return entry.stop_at < self._settled_at

    def _joins_known(self) -> bool:
        if not self._pages:
            return self._is_settled
        return self._is_read and any(cid in self._known for cid in self._entries)

    def _is_counted(self) -> bool:
        """Say whether every connection that was closed by the varz is here.

        Those that were closed since are left out: each may have pushed out an older
        one. And leaf links are counted nowhere: a ring as long as it gets by itself
        may have lost nothing but those.
        """
        asked_at = self._varz.server.now_at
        is_full = self._total >= DEFAULT_LENGTH
        if is_full or not self._is_read or self._now_at < asked_at:
            return False
        found = sum(
            entry.is_client and entry.stop_at <= asked_at
            for entry in self._entries.values()
        )
        return found >= self._varz.accepted - self._varz.open

    def _news(self) -> tuple[Closed, ...]:
        ages: dict[str, float] = {}
        for cid, entry in self._entries.items():
            account = self._account(entry)
            if account and cid not in self._known:
                age = self._age(entry)
                ages[account] = min(age, ages.get(account, age))
        return tuple(Closed(*each) for each in sorted(ages.items()))

    def _account(self, entry: ClosedEntry) -> str:
        if self._tells_accounts or not entry.account:
            return entry.account
        return self._names.get(entry.cid, "")

    def _age(self, entry: ClosedEntry) -> float:
        # A stamp that cannot be, or may have been made before a step, is now.
        age = self._now_at - entry.stop_at
        most = self._varz.server.uptime_seconds + STEP_SECONDS
        if self._is_stepped or self._is_older(entry) or age > most:
            return 0.0
        return max(0.0, age)

    def _remembered(self) -> Mapping[int, None]:
        found = dict.fromkeys(reversed(self._entries))
        kept = {**self._known, **found}
        # What lies deeper than the ring is long was forgotten by the server too.
        most = min(self._mark.total + PAGE, MOST_PAGES * PAGE)
        return dict.fromkeys(islice(kept, max(0, len(kept) - most), None))
