"""Tests of reading a ring: what is new in it, how far to read, what that proves."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from nats_idle_exporter.activity import Closed, Ring
from nats_idle_exporter.monitoring.ring import (
    DEFAULT_LENGTH,
    MOST_PAGES,
    PAGE,
    SETTLE_SECONDS,
    RingMemory,
    RingSearch,
)
from nats_idle_exporter.monitoring.wire import ClosedEntry, ClosedPage, Varz
from tests.monitoring.fakes import facts

Hook = Callable[["Server", int], None]
LONG = 3 * PAGE


class Server:
    """A nats-server with a ring of so many entries, and a clock of its own.

    ``hook`` is called before each page, and may close more connections.
    """

    def __init__(self, size: int = 10 * PAGE, server_id: str = "N1") -> None:
        self.size = size
        self.server_id = server_id
        self.up = 3600.0
        self.clock = 1_000_000.0
        self.start_at = self.clock - self.up
        self.accepted = 0
        self.open = 0
        self.cid = 0
        self.entries: list[ClosedEntry] = []
        self.offsets: list[int] = []
        self.hook: Hook = lambda *_: None

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock += seconds
        self.up += seconds

    def step(self, seconds: float) -> None:
        """Set the clock forward, or back."""
        self.clock += seconds

    def close(
        self,
        account: str = "APP",
        *,
        is_client: bool = True,
        ago: float = 0.0,
        count: int = 1,
    ) -> None:
        """Let clients, or leaf links, come and go, stamped so long ago."""
        for _ in range(count):
            self.cid += 1
            self.accepted += is_client
            entry = ClosedEntry(self.cid, account, is_client, self.clock - ago)
            self.entries.append(entry)
        del self.entries[: -self.size]

    def page(self, limit: int, offset: int = 0) -> ClosedPage:
        """Answer as connz does: newest stop first."""
        by_stop = sorted(self.entries, key=lambda e: (-e.stop_at, -e.cid))
        chosen = tuple(by_stop[offset : offset + limit])
        return ClosedPage(self.clock, len(self.entries), chosen)

    def varz(self) -> Varz:
        """Answer as varz does."""
        server = replace(
            facts(self.server_id),
            now_at=self.clock,
            start_at=self.start_at,
            uptime_seconds=math.floor(self.up),
        )
        return Varz(server, self.accepted, self.open)

    def read(self, last: RingMemory | None = None) -> tuple[Ring, RingMemory]:
        """Read the ring as the client does; ``offsets`` holds what was asked."""
        varz = self.varz()
        self.hook(self, -1)
        search = RingSearch(varz, self.page(1), last)
        self.offsets = []
        while (offset := search.next_offset) is not None:
            self.hook(self, offset)
            self.offsets.append(offset)
            search.add(self.page(PAGE, offset))
        return search.ring(), search.memory()

    def after(self, last: RingMemory, seconds: float = 30.0) -> Ring:
        """Read anew, a poll later, what happened at its middle."""
        self.wait(seconds)
        return self.read(last)[0]


@pytest.fixture
def server() -> Server:
    """A server that runs for an hour, whose ring is empty."""
    return Server()


class TestNews:
    """What is told, and once."""

    def test_the_first_reading_tells_all(self, server: Server) -> None:
        """At first sight every entry is new, by the server's own clock."""
        server.close("A")
        server.wait(50)
        server.close("B")
        server.wait(7)

        ring, _ = server.read()

        assert ring == Ring((Closed("A", 57), Closed("B", 7)))

    def test_what_was_told_is_not_told_again(self, server: Server) -> None:
        """New is what was not read before, and nothing else."""
        server.close("A")
        _, last = server.read()
        server.wait(20)
        server.close("B")

        ring = server.after(last, 10)

        assert ring == Ring((Closed("B", 10),))
        assert server.after(server.read(last)[1]) == Ring()

    def test_a_memory_that_was_not_kept_tells_anew(self, server: Server) -> None:
        """Reading changes no memory: only what is kept counts."""
        server.close("A")
        _, last = server.read()
        server.close("B")
        server.read(last)

        ring = server.after(last)

        assert ring.new == (Closed("B", 30),)

    def test_only_the_newest_of_an_account(self, server: Server) -> None:
        """A thousand connections of one account are one fact, and the newest."""
        server.close("A", count=500)
        server.wait(5)
        server.close("A", count=500)
        server.wait(3)

        ring, _ = server.read()

        assert ring.new == (Closed("A", 3),)

    def test_nobody_is_not_told(self, server: Server) -> None:
        """An entry that belongs to no account makes no fact."""
        server.close("")

        ring, _ = server.read()

        assert ring == Ring()

    def test_leaf_links_are_told(self, server: Server) -> None:
        """A leaf link changes the ring alone, and is told."""
        _, last = server.read()
        server.close("BUS", is_client=False)

        assert server.after(last).new == (Closed("BUS", 30),)

    @pytest.mark.parametrize("ago", [-5.0, -math.inf])
    def test_a_stop_in_the_future_is_now(self, server: Server, ago: float) -> None:
        """No stamp makes an age below zero, and a missing one is now."""
        server.close("A", ago=ago)

        ring, _ = server.read()

        assert ring.new == (Closed("A", 0),)


class TestPages:
    """How far a ring is read."""

    @pytest.mark.parametrize("count", [0, 1, PAGE - 1, PAGE, LONG])
    def test_a_new_server_is_read_whole(self, server: Server, count: int) -> None:
        """At first sight no entry stays unread."""
        server.close("OLD", count=count)
        server.wait(60)

        ring, memory = server.read()

        assert ring == Ring((Closed("OLD", 60),) if count else ())
        assert len(memory.known) == count

    def test_pages_overlap_by_one(self, server: Server) -> None:
        """Each page begins with the last entry of the one before."""
        server.close(count=LONG)

        server.read()

        assert server.offsets == [0, PAGE - 1, 2 * PAGE - 2, 3 * PAGE - 3]

    def test_an_unchanged_ring_is_not_read(self, server: Server) -> None:
        """When nobody came or went, its newest entry is all that is asked."""
        server.close()
        server.wait(2 * SETTLE_SECONDS)
        _, last = server.read()

        ring = server.after(last)

        assert server.offsets == []
        assert ring == Ring()

    def test_one_page_is_enough_for_a_few(self, server: Server) -> None:
        """What was read long before the last poll needs no second reading."""
        server.close("OLD", count=LONG)
        server.wait(60)
        _, last = server.read()
        server.close("NEW")

        ring, memory = server.read(last)

        assert server.offsets == [0]
        assert ring == Ring((Closed("NEW", 0),))
        assert len(memory.known) == LONG + 1

    def test_pages_are_read_down_to_the_last_poll(self, server: Server) -> None:
        """More news than a page holds are all read."""
        server.close("OLD", count=LONG)
        server.wait(60)
        _, last = server.read()
        server.close("FIRST")
        server.wait(1)
        server.close("NEW", count=LONG)

        ring = server.after(last)

        assert {each.account for each in ring.new} == {"FIRST", "NEW"}
        assert len(server.offsets) == 4
        assert ring.reaches_back

    def test_changes_that_leave_the_newest_in_place(self, server: Server) -> None:
        """Any number that differs is a reason to read."""
        server.close(ago=-100)
        _, last = server.read()
        server.wait(300)
        _, last = server.read(last)

        for change in ("accepted", "open"):
            setattr(server, change, getattr(server, change) + 1)
            _, last = server.read(last)

            assert server.offsets == [0], change

    def test_entries_that_come_between_two_pages(self, server: Server) -> None:
        """Entries that move to later pages are read twice, and told once."""
        server.close("OLD", count=LONG)
        server.wait(60)

        def hook(server: Server, offset: int) -> None:
            if offset > 0:
                server.close("NEW", count=7)

        server.hook = hook
        _, memory = server.read()
        server.hook = lambda *_: None
        ring = server.after(memory)

        assert ring == Ring((Closed("NEW", 30),))

    @pytest.mark.parametrize("is_client", [True, False])
    @pytest.mark.parametrize("start", [PAGE - 1, LONG - 3])
    def test_a_gap_between_two_pages_proves_nothing(
        self, start: int, *, is_client: bool
    ) -> None:
        """When entries move to earlier pages, some may have been skipped."""
        server = Server(size=LONG)
        for number in range(LONG):
            server.close("OLD", ago=number / 1000, is_client=is_client)
        _, last = server.read()
        # New entries sort below the old ones now, and push the highest out.
        server.step(-3600)

        def hook(server: Server, offset: int) -> None:
            if offset == start:
                server.close("NEW", count=7, is_client=is_client)

        server.hook = hook
        ring, _ = server.read(last)

        assert not ring.reaches_back
        assert not ring.is_complete

    def test_a_ring_without_end(self) -> None:
        """Beyond a bound we give up, and say so."""
        server = Server(size=100 * PAGE)
        server.close(count=100 * PAGE)

        ring, memory = server.read()

        assert len(server.offsets) == MOST_PAGES
        assert (ring.reaches_back, ring.is_complete) == (False, False)
        assert len(memory.known) <= MOST_PAGES * PAGE

    def test_the_memory_is_bounded(self) -> None:
        """However many come and go, no more is kept than the ring holds."""
        server = Server(size=LONG)
        server.close(count=LONG)
        _, memory = server.read()
        for _ in range(12):
            server.wait(30)
            server.close(count=PAGE // 2)
            ring, memory = server.read(memory)

            assert ring == Ring((Closed("APP", 0),))
            assert len(memory.known) <= LONG + PAGE

    def test_the_memory_holds_all_that_the_ring_holds(self) -> None:
        """What is forgotten first is what the server forgot first."""
        server = Server(size=LONG)
        server.close(count=LONG)
        _, memory = server.read()
        for _ in range(4):
            server.wait(30)
            for number in range(LONG - 1):
                server.close(ago=1 - number / LONG)
            ring, memory = server.read(memory)

            assert ring.reaches_back
            assert memory.known.keys() >= {entry.cid for entry in server.entries}

    def test_what_is_not_known_is_read_however_old(self, server: Server) -> None:
        """A page ends the search only with an entry that was read before."""
        server.close("OLD", count=LONG)
        server.wait(600)
        _, last = server.read()
        server.close("LATE", ago=100, count=PAGE)
        server.close("LATER", ago=200, count=PAGE)

        ring, _ = server.read(last)

        assert ring.new == (Closed("LATE", 0), Closed("LATER", 0))


class TestProof:
    """Whether the ring reaches back, and whether it is complete."""

    def test_complete_from_the_start(self, server: Server) -> None:
        """While the server counts no more than are there, none was forgotten."""
        server.close(count=5)
        server.accepted += 2
        server.open = 2

        assert server.read()[0].is_complete

    def test_one_is_missing(self, server: Server) -> None:
        """One closed connection that is not there is one forgotten."""
        server.close(count=5)
        server.accepted += 1

        ring, _ = server.read()

        assert (ring.reaches_back, ring.is_complete) == (False, False)

    def test_leaf_links_do_not_fill_in(self, server: Server) -> None:
        """The server does not count leaf links, so they must not be counted."""
        server.close(count=5)
        server.accepted += 1
        server.close("BUS", is_client=False)

        assert not server.read()[0].is_complete

    def test_later_ones_do_not_fill_in(self) -> None:
        """Who leaves after the count was told takes nobody's place."""
        server = Server(size=5)
        server.close("PUSHED", count=1)
        server.close("OLD", count=4)

        def hook(server: Server, offset: int) -> None:
            if offset < 0:
                server.wait(0.1)
                server.close("NEW")

        server.hook = hook

        assert not server.read()[0].is_complete

    def test_leaf_links_may_be_all_that_is_lost(self) -> None:
        """Clients that are all there do not vouch for leaf links in a full ring."""
        server = Server(size=DEFAULT_LENGTH)
        server.close("LOST", is_client=False)
        server.close(count=DEFAULT_LENGTH)

        assert not server.read()[0].is_complete

    def test_a_ring_that_runs_full_while_it_is_read(self) -> None:
        """What is pushed out between two pages is not vouched for."""
        server = Server(size=DEFAULT_LENGTH)
        server.close("LOST", is_client=False, count=DEFAULT_LENGTH - 1)

        def hook(server: Server, offset: int) -> None:
            if offset == 0:
                server.close("NEW", is_client=False, count=2)

        server.hook = hook

        assert not server.read()[0].is_complete

    def test_what_was_read_may_be_forgotten(self) -> None:
        """A ring that runs over loses nothing as long as each poll joins the last."""
        server = Server(size=LONG)
        _, last = server.read()
        for _ in range(6):
            server.wait(30)
            server.close(count=PAGE)
            ring, last = server.read(last)

            assert (ring.reaches_back, ring.is_complete) == (True, True)

    def test_overflow(self) -> None:
        """When nothing is left of what was read, some may have been missed."""
        server = Server(size=LONG)
        server.close("OLD", count=LONG)
        _, last = server.read()
        server.close("LOST")
        server.close("NEW", count=LONG)

        ring, last = server.read(last)

        assert ring.new == (Closed("NEW", 0),)
        assert (ring.reaches_back, ring.is_complete) == (False, False)
        assert server.after(last) == Ring(is_complete=False)

    def test_overflow_of_a_ring_that_was_empty(self) -> None:
        """Without anything known only the count tells that some are missing."""
        server = Server(size=LONG)
        _, last = server.read()
        server.close("LOST")
        server.close("NEW", count=LONG)

        ring = server.after(last)

        assert (ring.reaches_back, ring.is_complete) == (False, False)

    def test_one_left_is_enough(self) -> None:
        """The oldest go first: one that is still there vouches for the others."""
        server = Server(size=LONG)
        server.close("OLD", count=LONG)
        server.accepted += 1
        _, last = server.read()
        server.close("NEW", count=LONG - 1)

        ring = server.after(last)

        assert (ring.reaches_back, ring.is_complete) == (True, False)


class TestClocks:
    """A server's clock that is wrong makes nothing older, and hides nothing."""

    def test_a_step_back_hides_nothing(self, server: Server) -> None:
        """New entries that sort below all known ones are found."""
        server.close("OLD", count=LONG)
        server.wait(60)
        _, last = server.read()
        server.step(-3600)
        server.close("NEW")

        ring, last = server.read(last)

        assert ring == Ring((Closed("NEW", 0),))

    def test_nor_do_the_polls_after_it(self, server: Server) -> None:
        """As long as known entries lie in the future, news lie below them."""
        server.close("OLD", count=LONG)
        _, last = server.read()
        server.step(-3600)
        _, last = server.read(last)
        server.close("NEW", is_client=False)

        assert server.after(last) == Ring((Closed("NEW", 30),))

    def test_a_full_ring_after_a_step_back(self) -> None:
        """A leaf link that changes neither the newest entry nor a number is found."""
        server = Server(size=100)
        server.close("OLD", count=100)
        _, last = server.read()
        server.step(-3600)
        _, last = server.read(last)
        server.close("NEW", is_client=False)

        assert server.after(last).new == (Closed("NEW", 30),)

    @pytest.mark.parametrize("late", [1.5, 9.0])
    def test_a_late_entry_is_found(self, server: Server, late: float) -> None:
        """What was stamped before the last reading, and put in after it, is new."""
        server.close("OLD", count=LONG)
        server.wait(60)
        server.close("KNOWN", count=2 * PAGE)
        _, last = server.read()
        server.close("NEW", ago=late, is_client=False)

        assert server.read(last)[0].new == (Closed("NEW", late),)

    @pytest.mark.parametrize("seconds", [-3600.0, -2.5, 2.5, 3600.0])
    def test_after_a_step_all_news_are_of_now(
        self, server: Server, seconds: float
    ) -> None:
        """A stamp from before a step cannot be computed with."""
        _, last = server.read()
        server.close("A")
        server.step(seconds)

        assert server.after(last).new == (Closed("A", 0),)

    def test_a_step_before_the_first_reading(self, server: Server) -> None:
        """A server that seems older than its uptime had its clock set."""
        server.close("A")
        server.step(3600)

        assert server.read()[0].new == (Closed("A", 0),)

    def test_a_stamp_that_cannot_be(self, server: Server) -> None:
        """What would have been read long ago is of now."""
        _, last = server.read()
        server.wait(30)
        server.close("A", ago=500)

        assert server.read(last)[0].new == (Closed("A", 0),)

    def test_a_stamp_from_before_the_start(self, server: Server) -> None:
        """What cannot be is of now, whatever else the account closed."""
        server.close("A")
        server.wait(100)
        server.close("A", ago=server.up + 60)

        assert server.read()[0].new == (Closed("A", 0),)

    @pytest.mark.parametrize("start", [-1, 0])
    @pytest.mark.parametrize(("seconds", "age"), [(-1000.0, 0.0), (1000.0, 20.0)])
    def test_a_step_within_a_poll(
        self, server: Server, start: int, seconds: float, age: float
    ) -> None:
        """The smaller of two clocks makes nothing older than it is."""
        server.close("A")
        server.wait(20)

        def hook(server: Server, offset: int) -> None:
            if offset == start:
                server.step(seconds)

        server.hook = hook

        assert server.read()[0].new == (Closed("A", age),)

    def test_a_step_back_within_a_poll_counts_nothing(self, server: Server) -> None:
        """Then the server's stamps do not tell what the count was of."""
        server.close(count=3)

        def hook(server: Server, offset: int) -> None:
            if offset < 0:
                server.step(-1.0)

        server.hook = hook

        assert not server.read()[0].is_complete
