"""Tests of the poll loop: what reaches the ledger, when, and what is published."""

from __future__ import annotations

import asyncio

import pytest

from nats_idle_exporter.activity import Ring
from nats_idle_exporter.monitoring.failures import REASONS
from nats_idle_exporter.monitoring.polled import WatchedSystem
from nats_idle_exporter.monitoring.poller import Poller
from nats_idle_exporter.snapshot import Snapshot
from tests.monitoring.conftest import MakesClient
from tests.monitoring.fakes import FakeLedger, hang, refuse
from tests.monitoring.looping import HURRIED, PACE, A, B, C, Enough, World
from tests.monitoring.scripted import ScriptedServer, answer, healthy, raw, running
from tests.monitoring.scripted import hang as hanging
from tests.support.clock import FakeClock


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
