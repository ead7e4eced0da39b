"""Tests of what the poll loop watches: inventories, reloads, discovery."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter

import pytest
from structlog.testing import capture_logs

from nats_idle_exporter.activity import Listed, Listing, Source
from nats_idle_exporter.monitoring import followed
from nats_idle_exporter.monitoring.discovery import DiscoveryReader
from nats_idle_exporter.monitoring.inventory import (
    Inventory,
    SourceStatus,
)
from nats_idle_exporter.monitoring.polled import Pace
from nats_idle_exporter.snapshot import Snapshot
from tests.discovery.scripted import Scripted
from tests.monitoring.fakes import FakeLedger
from tests.monitoring.looping import A, B, C, Enough, Keeper, World


class TestInventory:
    """Accounts that are listed beside the servers."""

    async def test_ledger_hears_each_refresh_once(self) -> None:
        """A cycle without a new refresh tells the ledger nothing."""
        keeper = Keeper()
        world = World(A, inventory=keeper)
        await world.poller.cycle()
        keeper.list_one_more()
        await world.poller.cycle()
        await world.poller.cycle()

        first, second = world.ledger.listings
        assert first == Listing()
        assert second == Listing({"A1": Listed()}, is_complete=True)
        (status,) = world.published[-1].inventories
        assert (status.system, status.source, status.accounts) == ("default", "s", 1)

    async def test_without_one(self) -> None:
        """A system without an inventory hears and shows of none."""
        world = World(A)
        await world.poller.cycle()

        assert world.ledger.listings == []
        assert world.published[-1].inventories == ()

    async def test_first_cycle_has_the_first_list(self) -> None:
        """An inventory that answers at once is part of the first cycle."""
        keeper = Keeper()
        keeper.lets.release()
        world = World(A, inventory=keeper)
        loop = asyncio.create_task(world.poller.run())
        await world.ledger.arrived.acquire()
        while not world.published:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)
        loop.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await loop

        assert world.published[0].inventories[0].accounts == 1
        assert Listing({"A1": Listed()}, is_complete=True) in world.ledger.listings

    async def test_slow_source_delays_no_cycle(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Cycles go on while an inventory hangs, and the log says so."""
        monkeypatch.setattr(followed, "FIRST_ANSWER_SECONDS", 0.05)
        keeper = Keeper()
        world = World(A, inventory=keeper)
        with capture_logs() as lines:
            loop = asyncio.create_task(world.poller.run())
            for _ in range(3):
                await world.ledger.arrived.acquire()
            cycles = len(world.published)
            keeper.lets.release()
            await keeper.stepped.acquire()
            loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await loop

        assert cycles >= 2
        assert [line["event"] for line in lines] == [
            "first cycle does not wait for a slow source"
        ]

    async def test_names_in_operator_mode_are_told(self) -> None:
        """Ids that no account can have are warned of, once as long as they stay."""
        keeper = Keeper()
        world = World(A, inventory=keeper)
        world.reader.is_operator_mode = True
        with capture_logs() as lines:
            for _ in range(2):
                keeper.list_one_more()
                await world.poller.cycle()

        told = [line["event"] for line in lines]
        assert told == ["inventory lists names, where only public keys are ids"]
        assert world.ledger.listings[-1] == Listing({}, is_complete=True)


class TestArrange:
    """Other systems and endpoints, while the loop runs."""

    async def test_endpoints_come_and_go(self) -> None:
        """The ledger hears of it; those that stay go on counting."""
        world = World(A, B)
        await world.poller.cycle()
        await world.arrange({"default": world.system(B, C)})
        await world.poller.cycle()

        assert world.ledger.watched == [[A, B], [B, C]]
        polls = {url: status.polls for url, status in world.statuses.items()}
        assert polls == {B: 2, C: 1}
        assert (B, False) in world.reader.calls, "a round of jsz is not due again"

    async def test_systems_come_and_go(self) -> None:
        """What is published after the next cycle is of the new systems only."""
        world, other = World(A), FakeLedger()
        await world.poller.cycle()
        await world.arrange({"other": world.system(B, ledger=other)})
        await world.poller.cycle()

        assert world.published[-1].systems == {"other": other.view}
        assert list(world.statuses) == [B]
        assert other.watched == [[B]]

    async def test_waits_for_the_end_of_a_cycle(self) -> None:
        """A cycle under way ends as it began, kept and published."""
        world, lets, kept = World(A), asyncio.Event(), list[Snapshot]()

        async def keep(snapshot: Snapshot) -> None:
            assert world.ledger.watched == [[A]]
            kept.append(snapshot)

        async def wait() -> None:
            await lets.wait()

        world.poller.keep = keep
        world.reader.plays[A] = wait
        cycle = asyncio.create_task(world.poller.cycle())
        arranging = asyncio.create_task(world.arrange({"default": world.system(B)}))
        while not world.reader.now_reading:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)
        lets.set()
        await asyncio.gather(cycle, arranging)

        assert kept == world.published
        assert list(world.statuses) == [A]
        assert world.ledger.endpoints == [A]
        assert world.ledger.watched == [[A], [B]]

    async def test_another_pace(self) -> None:
        """The next cycle has the new interval, and no more polls than it allows."""
        world = World(A, B, C)
        start, durations = world.clock.monotonic(), iter((0, 0))
        await world.poller.cycle()
        world.reader.most_at_once = 0

        async def last() -> None:
            if next(durations, None) is None:
                raise Enough

        world.reader.plays[A] = last
        pace = Pace(100, 100, concurrency=1)
        await world.arrange({"default": world.system(A, B, C)}, pace)
        with pytest.raises(BaseExceptionGroup):
            await world.poller.run()

        assert world.clock.sleeps == [start + 100, start + 200]
        assert world.reader.most_at_once == 1
        assert world.reader.calls.count((B, True)) == 3

    async def test_inventory_that_comes_and_goes(self) -> None:
        """It is followed from then on, until it goes; then it is closed."""
        world, keeper = World(A), Keeper()
        keeper.lets.release()
        loop = asyncio.create_task(world.poller.run())
        await world.ledger.arrived.acquire()
        await world.arrange({"default": world.system(A, inventory=keeper)})
        await keeper.stepped.acquire()
        while not world.published[-1].inventories:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
        await world.arrange({"default": world.system(A)})
        closed = keeper.is_closed
        cycles = len(world.published)
        while len(world.published) == cycles:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
        loop.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await loop

        assert closed
        assert world.published[-1].inventories == ()
        assert world.ledger.listings[0] == Listing()
        assert world.ledger.listings[-1] is None

    async def test_inventory_that_stays(self) -> None:
        """The same reader is neither stopped nor told anew."""
        keeper = Keeper()
        world = World(A, B, inventory=keeper)
        keeper.list_one_more()
        await world.poller.cycle()
        await world.arrange({"default": world.system(B, inventory=keeper)})
        await world.poller.cycle()

        assert not keeper.is_closed
        assert len(world.ledger.listings) == 2
        assert world.published[-1].inventories[0].accounts == 1

    async def test_inventory_of_a_system_that_goes(self) -> None:
        """It is closed, and the ledger knows of none any more."""
        keeper = Keeper()
        world = World(A, inventory=keeper)
        await world.arrange({})
        await world.poller.cycle()

        assert keeper.is_closed
        assert world.ledger.listings == [Listing(), None]
        assert world.published[-1].systems == {}

    async def test_answers_of_endpoints_that_went_are_not_waited_for(self) -> None:
        """Only servers under watch have to tell what a source asks them for."""
        keeper = Keeper()
        world = World(A, B, inventory=keeper)
        world.reader.is_operator_mode = True
        status = SourceStatus(
            label="s", accounts=1, is_complete=True, servers=frozenset({f"N-{B}"})
        )
        completeness = []
        for endpoints in ((A, B), (B,)):
            await world.arrange({"default": world.system(*endpoints, inventory=keeper)})
            refreshes = keeper.inventory.refreshes + 1
            keeper.inventory = Inventory(statuses=(status,), refreshes=refreshes)
            await world.poller.cycle()
            listing = world.ledger.listings[-1]
            assert listing is not None
            completeness.append(listing.is_complete)

        assert completeness == [False, True]

    async def test_all_inventories_are_closed_in_the_end(self) -> None:
        """Whatever ends the loop."""
        keeper = Keeper()
        world = World(A, inventory=keeper)
        keeper.lets.release()

        async def play() -> None:
            raise ZeroDivisionError

        world.reader.plays[A] = play
        with pytest.raises(ExceptionGroup):
            await world.poller.run()

        assert keeper.is_closed


class TestDiscovery:
    """Endpoints that are found, and change."""

    async def test_what_is_found_is_polled_from_the_next_cycle_on(self) -> None:
        """Endpoints come and go with it; those that stay keep what they counted."""
        source = Scripted()
        looks = DiscoveryReader("default", [source], 30.0)
        world = World(A, Source(source.label), discovery=looks)
        for told in ([], [B], [B, C], [C]):
            source.told = told
            await looks.step(0.0)
            await world.poller.cycle()

        polled = Counter(url for url, _ in world.reader.calls)
        assert polled == {A: 4, B: 2, C: 2}
        assert [s.polls for s in world.published[-1].endpoints] == [4, 2]
        assert world.reader.watched == (A, C)
        assert world.published[-1].discoveries == looks.statuses()

    async def test_other_sources_by_a_reload(self) -> None:
        """They are followed from then on, with what the ledger knows of them."""
        source = Scripted()
        world = World(A)
        world.ledger.found[source.label] = (B,)
        looks = DiscoveryReader("default", [source], 30.0)
        system = world.system(A, Source(source.label), discovery=looks)
        await world.arrange({"default": system})
        await world.poller.cycle()

        assert looks.lead(B) is not None
        assert [url for url, _ in world.reader.calls] == [A, B]

        await world.arrange({})
        await world.poller.cycle()

        assert world.published[-1].discoveries == ()
