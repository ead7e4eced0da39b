"""Tests of the poll loop: what reaches the ledger, when, and what is published."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping

import pytest
from structlog.testing import capture_logs

from nats_idle_exporter.activity import Listed, Listing, Ring, Source
from nats_idle_exporter.monitoring import followed
from nats_idle_exporter.monitoring.discovery import DiscoveryReader, KeepsDiscovery
from nats_idle_exporter.monitoring.failures import REASONS
from nats_idle_exporter.monitoring.inventory import (
    Inventory,
    InventoryAccount,
    SourceStatus,
)
from nats_idle_exporter.monitoring.inventory.following import KeepsInventory
from nats_idle_exporter.monitoring.polled import Pace, WatchedSystem
from nats_idle_exporter.monitoring.poller import Poller
from nats_idle_exporter.snapshot import EndpointStatus, Snapshot
from tests.discovery.scripted import Scripted
from tests.monitoring.conftest import MakesClient
from tests.monitoring.fakes import FakeLedger, FakeReader, hang, refuse
from tests.monitoring.scripted import ScriptedServer, answer, healthy, raw, running
from tests.monitoring.scripted import hang as hanging
from tests.support.clock import FakeClock

A, B, C = "http://a", "http://b", "http://c"
PACE = Pace(interval_seconds=30, jetstream_interval_seconds=300, concurrency=8)
HURRIED = PACE._replace(interval_seconds=0.2)
"""Short in real time: for polls that only the cycle's end can stop."""


class World:
    """A loop with fakes all around it, and one system unless told otherwise."""

    def __init__(
        self,
        *endpoints: str,
        pace: Pace = PACE,
        inventory: KeepsInventory | None = None,
        discovery: KeepsDiscovery | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.reader = FakeReader(self.clock)
        self.ledger = FakeLedger()
        self.published: list[Snapshot] = []
        system = self.system(*endpoints, inventory=inventory, discovery=discovery)
        self.poller = self.poll({"default": system}, pace)

    def system(
        self,
        *endpoints: str,
        ledger: FakeLedger | None = None,
        inventory: KeepsInventory | None = None,
        discovery: KeepsDiscovery | None = None,
    ) -> WatchedSystem:
        """Return a system to watch."""
        return WatchedSystem(
            ledger or self.ledger, self.reader, endpoints, inventory, discovery
        )

    def poll(self, systems: Mapping[str, WatchedSystem], pace: Pace = PACE) -> Poller:
        """Return a loop over systems."""
        return Poller(systems, self.clock, self.published.append, pace)

    async def arrange(
        self, systems: Mapping[str, WatchedSystem], pace: Pace = PACE
    ) -> None:
        """Have other systems watched."""
        async with self.poller.between_cycles:
            await self.poller.arrange(systems, pace)

    @property
    def statuses(self) -> dict[str, EndpointStatus]:
        """The last published statuses by endpoint."""
        return {each.endpoint: each for each in self.published[-1].endpoints}

    @property
    def order(self) -> list[str]:
        """The endpoints in the order their polls started."""
        return [url for url, _ in self.reader.calls]


class TestCycle:
    """One cycle."""

    async def test_good_readings_reach_the_ledger(self) -> None:
        """Every endpoint is polled once and its reading applied."""
        world = World(A, B)

        await world.poller.cycle()

        assert world.order == [A, B]
        assert sorted(world.ledger.endpoints) == [A, B]

    async def test_concludes_after_the_last_reading(self) -> None:
        """The ledger is concluded once per cycle, with the time and its shift."""
        world = World(A)
        world.clock.now()
        world.clock.step(100)

        await world.poller.cycle()

        ((now, shift),) = world.ledger.concluded
        assert now == world.clock.now()
        assert shift == world.clock.shift_seconds == 100

    async def test_publishes_what_was_concluded(self) -> None:
        """The snapshot holds the view of every system at one moment."""
        world = World()
        one, two = FakeLedger(), FakeLedger()
        systems = {
            "one": world.system(A, ledger=one),
            "two": world.system(B, ledger=two),
        }

        await world.poll(systems).cycle()

        (snapshot,) = world.published
        assert snapshot.systems == {"one": one.view, "two": two.view}
        told = [(each.system, each.endpoint) for each in snapshot.endpoints]
        assert told == [("one", A), ("two", B)]
        assert (one.endpoints, two.endpoints) == ([A], [B])
        assert snapshot.completed_at == world.clock.wall()

    async def test_durations_are_measured(self) -> None:
        """A poll's and the cycle's duration are seconds of our monotonic clock."""
        world = World(A)

        async def slow() -> None:
            world.clock.advance(3)

        world.reader.plays[A] = slow
        await world.poller.cycle()

        assert world.statuses[A].poll_duration_seconds == 3
        assert world.published[-1].cycle_duration_seconds == 3

    async def test_a_url_given_twice_is_one_endpoint(self) -> None:
        """The same URL is not polled twice at a time."""
        world = World(A, A)

        await world.poller.cycle()

        assert world.order == [A]

    async def test_two_urls_of_one_server_both_count(self) -> None:
        """Readings of one server by two endpoints are the ledger's to join."""
        world = World(A, B)
        world.reader.server_ids = {A: "N1", B: "N1"}

        await world.poller.cycle()

        assert sorted(world.ledger.endpoints) == [A, B]

    async def test_polls_run_together_up_to_the_cap(self) -> None:
        """No more polls run at a time than configured, and no fewer."""
        world = World(
            *(f"http://{n}" for n in range(9)), pace=PACE._replace(concurrency=4)
        )

        await world.poller.cycle()

        assert world.reader.most_at_once == 4
        assert len(world.ledger.applied) == 9

    async def test_overflows_of_the_ring_are_counted(self) -> None:
        """Each good poll that may have missed closed connections counts."""
        world = World(A, B)
        for reaches_back in (False, True, False):
            world.reader.rings = {A: Ring(reaches_back=reaches_back)}
            await world.poller.cycle()

        assert (world.statuses[A].ring_overflows, world.statuses[B].ring_overflows) == (
            2,
            0,
        )

    @pytest.mark.parametrize(
        "url", ["http://me:secret@a/x", "http://me:secret@a/x?s=secret"]
    )
    async def test_credentials_are_not_shown(self, url: str) -> None:
        """A URL is published without credentials, and polled with them."""
        world = World(url)

        await world.poller.cycle()

        assert world.order == [url]
        assert list(world.statuses) == ["http://a/x"]


class TestFailure:
    """Failed polls."""

    @pytest.mark.parametrize("reason", REASONS)
    async def test_a_failed_poll_changes_no_ledger(self, reason: str) -> None:
        """A failure is counted by its reason, and the others arrive."""
        world = World(A, B)
        world.reader.plays[A] = refuse(reason)

        await world.poller.cycle()

        status = world.statuses[A]
        assert world.ledger.endpoints == [B]
        assert status.errors == dict.fromkeys(REASONS, 0) | {reason: 1}
        assert not status.is_up
        assert status.last_error == f"{reason}: because"
        assert status.last_success_at is None
        assert status.polls == 1

    async def test_recovery_is_published(self) -> None:
        """After a good poll the endpoint is up, and its errors still counted."""
        world = World(A)
        world.reader.plays[A] = refuse("status")
        await world.poller.cycle()
        del world.reader.plays[A]
        world.clock.advance(30)

        await world.poller.cycle()

        status = world.statuses[A]
        assert status.is_up
        assert status.last_error == ""
        assert status.last_success_at == world.clock.wall()
        assert (status.polls, status.errors["status"]) == (2, 1)

    async def test_a_published_snapshot_never_changes(self) -> None:
        """Readers keep what they hold while the next cycle counts on."""
        world = World(A)
        world.reader.plays[A] = refuse("status")
        await world.poller.cycle()
        first = world.published[0]

        await world.poller.cycle()

        assert first.endpoints[0].errors["status"] == 1
        assert first.endpoints[0].polls == 1

    async def test_a_hanging_endpoint_delays_no_other(self) -> None:
        """Others are applied while one, which started first, still hangs."""
        world = World(A, B, C)

        async def until_others_arrived() -> None:
            for _ in (B, C):
                await world.ledger.arrived.acquire()

        world.reader.plays[A] = until_others_arrived
        await world.poller.cycle()

        assert world.order[0] == A
        assert world.ledger.endpoints == [B, C, A]

    async def test_the_cycles_end_cuts_what_still_hangs(self) -> None:
        """A poll that outlasts the cycle is cancelled and counted as timeout."""
        world = World(A, B, pace=HURRIED)
        world.reader.plays[A] = hang

        await world.poller.cycle()

        assert world.ledger.endpoints == [B]
        assert world.statuses[A].errors["timeout"] == 1
        assert world.reader.now_reading == []

    async def test_those_that_failed_start_last(self) -> None:
        """With one slot an endpoint that hangs takes none from healthy ones."""
        world = World(A, B, C, pace=PACE._replace(concurrency=1))
        world.reader.plays[A] = refuse("timeout")
        await world.poller.cycle()
        world.reader.calls.clear()

        await world.poller.cycle()

        assert world.order == [B, C, A]

    async def test_those_that_waited_longest_start_first(self) -> None:
        """Among endpoints that hang each gets its turn."""
        world = World(A, B, C, pace=HURRIED._replace(concurrency=1))
        world.reader.plays = dict.fromkeys((A, B, C), hang)

        for _ in range(4):
            await world.poller.cycle()

        assert world.order == [A, B, C, A]
        assert [each.errors["timeout"] for each in world.statuses.values()] == [4] * 3

    async def test_a_flaw_of_ours_ends_the_loop(self) -> None:
        """Only errors of endpoints are caught; anything else comes out."""
        world = World(A)

        async def play() -> None:
            raise ZeroDivisionError

        world.reader.plays[A] = play

        with pytest.raises(ExceptionGroup) as caught:
            await world.poller.run()

        assert caught.group_contains(ZeroDivisionError)
        assert world.published == []

    async def test_cancelling_ends_the_loop(self) -> None:
        """A cancelled loop leaves no poll behind."""
        world = World(A)
        started = asyncio.Event()

        async def start_and_hang() -> None:
            started.set()
            await hang()

        world.reader.plays[A] = start_and_hang
        task = asyncio.ensure_future(world.poller.run())
        await started.wait()
        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task

        assert world.reader.now_reading == []
        assert world.published == []


class Enough(BaseException):
    """Ends a loop that never ends."""


class TestSchedule:
    """Cycles start at start + k * interval."""

    @pytest.mark.parametrize(
        ("cycles", "ticks"),
        [
            ((0, 0, 0), (1, 2, 3)),
            ((0.1, 29, 12), (1, 2, 3)),
            ((31, 0, 0), (2, 3, 4)),
            ((150, 0, 1), (6, 7, 8)),
            ((30, 30, 0), (2, 4, 5)),
        ],
    )
    async def test_missed_ticks_are_skipped(
        self, cycles: tuple[float, ...], ticks: tuple[int, ...]
    ) -> None:
        """A cycle that took too long is followed by the next tick, not by two."""
        world = World(A)
        start = world.clock.monotonic()
        durations = iter(cycles)

        async def last() -> None:
            for seconds in durations:
                world.clock.advance(seconds)
                return
            raise Enough

        world.reader.plays[A] = last
        with pytest.raises(BaseExceptionGroup):
            await world.poller.run()

        assert world.clock.sleeps == [start + 30 * tick for tick in ticks]

    @pytest.mark.parametrize("interval", [0.1, 0.3, 1 / 3, 0.7])
    async def test_rounding_gives_no_tick_twice(self, interval: float) -> None:
        """Intervals that binary numbers cannot hold keep their pace."""
        world = World(A, pace=PACE._replace(interval_seconds=interval))
        left = iter(range(200))

        async def last() -> None:
            if next(left, None) is None:
                raise Enough

        world.reader.plays[A] = last
        with pytest.raises(BaseExceptionGroup):
            await world.poller.run()

        assert world.clock.sleeps == [5000 + interval * n for n in range(1, 201)]


class TestJetStream:
    """When jsz is due."""

    async def test_due_at_first_and_each_interval(self) -> None:
        """The first poll reads jsz, and then one per interval."""
        world = World(A)
        for _ in range(12):
            await world.poller.cycle()
            world.clock.advance(30)

        due = [
            n
            for n, (_, with_jetstream) in enumerate(world.reader.calls)
            if with_jetstream
        ]
        assert due == [0, 10]

    @pytest.mark.parametrize("jitter", [-1, 1])
    async def test_jitter_does_not_put_a_round_off(self, jitter: float) -> None:
        """An early tick is no reason to wait for one more."""
        world = World(A)
        await world.poller.cycle()
        world.clock.advance(300 + jitter)

        await world.poller.cycle()

        assert world.reader.calls[-1] == (A, True)

    async def test_asks_for_the_consumers_that_the_ledger_wants(self) -> None:
        """The wish of the last cycle goes to every endpoint of the system."""
        world = World(A, B)
        world.ledger.wanted = frozenset({"APP"})

        await world.poller.cycle()

        assert world.reader.consumers_of == [frozenset({"APP"})] * 2

    async def test_due_while_no_round_was_good(self) -> None:
        """A failed poll with jsz is followed by another with jsz."""
        world = World(A)
        world.reader.plays[A] = refuse("status")
        await world.poller.cycle()
        del world.reader.plays[A]

        await world.poller.cycle()

        assert world.reader.calls == [(A, True), (A, True)]


class Keeper:
    """An inventory that answers when a test lets it; each step lists one more.

    Without an interval, as the clock of the tests jumps over every sleep.
    """

    interval_seconds = 0.0

    def __init__(self) -> None:
        self.inventory = Inventory()
        self.lets = asyncio.Semaphore(0)
        self.stepped = asyncio.Semaphore(0)
        self.is_closed = False

    async def close(self) -> None:
        """Note that it was closed."""
        self.is_closed = True

    async def step(self, now: float) -> Inventory | None:  # noqa: ARG002 - the seam's
        """Answer once the test lets it."""
        await self.lets.acquire()
        self.list_one_more()
        self.stepped.release()
        return self.inventory

    def list_one_more(self) -> None:
        """Make a refresh."""
        number = self.inventory.refreshes + 1
        account = f"A{number}"
        self.inventory = Inventory(
            accounts={account: InventoryAccount(account=account)},
            statuses=(SourceStatus(label="s", accounts=1, is_complete=True),),
            refreshes=number,
        )


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


class TestOverTheWire:
    """The loop, the client and misbehaving servers together."""

    async def test_bad_servers_hurt_nobody_else(self, make_client: MakesClient) -> None:
        """Each bad server is counted for its reason, the good one is read."""
        bad = {
            "timeout": ScriptedServer({"/varz": hanging()}),
            "status": ScriptedServer({"/gatewayz": answer(b"", 500)}),
            "payload": ScriptedServer({"/jsz": answer(b"{}")}),
            "identity": ScriptedServer({"/routez": healthy("NOTHER")["/routez"]}),
            "unreachable": ScriptedServer({"/accstatz": raw(b"")}),
            "oversized": ScriptedServer({"/accstatz": answer(b" " * 200_000)}),
        }
        good = ScriptedServer()
        ledger, published, clock = FakeLedger(), list[Snapshot](), FakeClock()
        async with running(good, *bad.values()):
            urls = [server.url for server in (*bad.values(), good)]
            client = make_client(timeout_seconds=2)
            systems = {"default": WatchedSystem(ledger, client, urls)}
            await Poller(systems, clock, published.append, PACE).cycle()

        errors = {
            reason: next(e for e in published[0].endpoints if e.endpoint == server.url)
            for reason, server in bad.items()
        }
        assert ledger.endpoints == [good.url]
        assert dict.fromkeys(bad, 1) == {
            reason: status.errors[reason] for reason, status in errors.items()
        }

    async def test_an_identity_that_changes_each_poll(
        self, make_client: MakesClient
    ) -> None:
        """A load balancer's servers arrive one by one, each as itself."""
        ledger, clock = FakeLedger(), FakeClock()
        async with running(server := ScriptedServer()):
            systems = {"default": WatchedSystem(ledger, make_client(), [server.url])}
            poller = Poller(systems, clock, lambda _: None, PACE)
            for server_id in ("N1", "N2", "N1"):
                server.scripts |= healthy(server_id)
                await poller.cycle()

        assert [r.server.server_id for r in ledger.applied] == ["N1", "N2", "N1"]
        assert all(reading.jetstream for reading in ledger.applied)


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
