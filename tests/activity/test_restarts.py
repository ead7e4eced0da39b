"""Our own restart: how long nobody watched, and what may be claimed after it."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from nats_idle_exporter.activity import (
    NO_TRAFFIC,
    AccountView,
    Changes,
    Clocks,
    DamagedRows,
    Instant,
    Ledger,
    Reading,
    SystemView,
    Unwatched,
    UnwatchedKind,
    Verdict,
)
from nats_idle_exporter.activity.forms import SavedCounters
from nats_idle_exporter.activity.rows import encode
from tests.activity.builders import (
    HOUR,
    POLL,
    A,
    B,
    FixedRules,
    Process,
    Watcher,
    a_pair,
    a_row,
    at,
    used,
)
from tests.activity.keeping import no_time, told
from tests.activity.rounds import BOOT, read_by, watch

START = 10_000.0
STOP = START + 2 * HOUR
DOWN = 600.0
"""How long we were down, in truth."""
ZEROS = encode(SavedCounters("", 0, 0, NO_TRAFFIC, NO_TRAFFIC, NO_TRAFFIC))


def stopped() -> tuple[Watcher, Process]:
    """Return who watched one server for two hours, and was stopped then."""
    watcher, server = Watcher(A), Process("SA", A, start=0.0)
    watcher.watch_quietly(START, STOP, server)
    return watcher, server


def after(
    wall: float = DOWN, *, since_boot: float = DOWN, is_same_boot: bool = True
) -> Clocks:
    """Return the clocks of a new process: what they say of the time since the stop.

    Its own timelines begin at 0.
    """
    return Clocks(at(0.0), wall, since_boot, "boot" if is_same_boot else "other")


def stamped(reading: Reading, now: float) -> Reading:
    """Return a reading as the new process stamps it."""
    return replace(reading, asked=at(now), answered=at(now), jetstream=None)


def cycle(ledger: Ledger, now: float, *readings: Reading) -> SystemView:
    """Run a cycle of the new process; its wall clock goes with its timelines."""
    for reading in readings:
        ledger.apply(stamped(reading, now))
    return ledger.conclude(at(now), shift_seconds=STOP + DOWN)


def team(view: SystemView) -> AccountView:
    """Return the view of the account TEAM."""
    return next(account for account in view.accounts if account.account == "TEAM")


class TestIdleness:
    """Of the time in which nobody watched only what is certain counts as idle."""

    def idle(self, clocks: Clocks, uptime_lost: float = 0.0) -> float:
        """Return the idle time after a restart that took ``DOWN`` seconds."""
        watcher, server = stopped()
        server.start += uptime_lost
        ledger = watcher.resumed(clocks)
        view = cycle(ledger, 0.0, server.reading(STOP + DOWN))
        return team(view).idle_seconds - 2 * HOUR

    def test_all_clocks_agree(self) -> None:
        """The time counts, but for what uptimes in whole seconds may hide."""
        assert self.idle(after()) == DOWN - 1.0

    def test_wall_clock_was_set_forward(self) -> None:
        """The servers' uptimes do not grow with our wall clock."""
        idle = self.idle(after(wall=DOWN + 86_400.0, is_same_boot=False))

        assert idle == DOWN - 1.0

    def test_wall_clock_was_set_back(self) -> None:
        """Less is counted when our wall clock tells less."""
        assert self.idle(after(wall=100.0)) == 100.0
        assert self.idle(after(wall=-86_400.0)) == 0.0

    def test_clock_since_boot(self) -> None:
        """The clock since boot counts within one boot only."""
        assert self.idle(after(since_boot=50.0)) == 50.0
        assert self.idle(after(since_boot=50.0, is_same_boot=False)) == DOWN - 1.0

    def test_server_stood_still(self) -> None:
        """A server that was suspended was not watched longer than it ran."""
        assert self.idle(after(), uptime_lost=200.0) == DOWN - 201.0

    def test_least_of_all_servers(self) -> None:
        """The server whose uptime grew least decides."""
        watcher, one, two = a_pair()
        two.start += 200.0
        ledger = watcher.resumed(after())
        view = cycle(ledger, 0.0, one.reading(START + DOWN), two.reading(START + DOWN))

        assert team(view).idle_seconds == DOWN - 201.0

    def test_time_before_and_after_is_taken_off(self) -> None:
        """Uptimes grow while we run, too: that is counted by our clocks already."""
        watcher, server = stopped()
        watcher.cycle(STOP + 20)
        ledger = watcher.resumed(after())
        cycle(ledger, 7.0)
        view = cycle(ledger, 10.0, server.reading(STOP + 20 + DOWN + 10))

        assert team(view).idle_seconds == 2 * HOUR + 20 + DOWN + 10 - 1.0

    def test_no_old_server_is_read_at_first(self) -> None:
        """What a new server shows is dated at once, so later credit is refused."""
        watcher, one, _ = a_pair()
        successor = Process("SB2", B, start=START + 100)
        successor.peers, one.peers = frozenset({"SA"}), frozenset({"SB2"})
        ledger = watcher.resumed(after())
        cycle(ledger, 0.0, successor.reading(START + DOWN, [used(1)]))
        now = 30.0
        view = cycle(
            ledger,
            now,
            one.reading(START + DOWN + now),
            successor.reading(START + DOWN + now, [used(1)]),
        )

        assert team(view).idle_seconds == 30.0


class TestHoles:
    """A hole over a restart is as long as any clock says."""

    @pytest.mark.parametrize(
        ("clocks", "server_step"),
        [
            (after(), 0.0),
            (after(wall=-1e6), 0.0),
            (after(since_boot=0.0), 0.0),
            (after(wall=0.0, is_same_boot=False), DOWN),
        ],
        ids=["all", "since boot", "wall", "servers"],
    )
    def test_longest_clock_counts(self, clocks: Clocks, server_step: float) -> None:
        """One clock that tells it is enough for a hole not to be forgiven."""
        rules = FixedRules(
            threshold_seconds=100 * HOUR, gap_tolerance_seconds=DOWN - 200
        )
        watcher, server = Watcher(A, rules=rules), Process("SA", A, start=0.0)
        watcher.watch_quietly(START, START + HOUR, server)
        successor = Process("SA2", A, start=START + HOUR + DOWN - 100)
        ledger = watcher.resumed(clocks)
        began = successor.reading(START + HOUR + DOWN)
        if not server_step:
            # The server's clock was set back, and tells nothing.
            facts = replace(began.server, start_at=0.0, now_at=100.0, loaded_at=0.0)
            began = replace(began, server=facts)
        view = cycle(ledger, 100.0, began)

        # The new server's start, at the earliest, ends it.
        assert team(view).idle_seconds <= 100.0

    def test_gap_by_uptime(self) -> None:
        """Growth of a server's uptime tells how long it went unread, too."""
        rules = FixedRules(threshold_seconds=100 * HOUR, gap_tolerance_seconds=DOWN / 2)
        watcher, server = Watcher(A, rules=rules), Process("SA", A, start=0.0)
        watcher.watch_quietly(START, START + HOUR, server)
        ledger = watcher.resumed(after(wall=0.0, since_boot=0.0))
        reading = server.reading(START + HOUR + DOWN)
        lost = reading.ring._replace(reaches_back=False)
        facts = replace(reading.server, now_at=START + HOUR)
        view = cycle(ledger, 0.0, replace(reading, server=facts, ring=lost))

        assert team(view).idle_seconds == 0.0


class TestVerdicts:
    """What was raised stays raised, and use is seen."""

    def test_raised_and_observed_at_once(self) -> None:
        """The first cycle backs the verdict that was saved."""
        watcher, server = stopped()
        ledger = watcher.resumed(after())
        view = cycle(ledger, 0.0, server.reading(STOP + DOWN))

        assert team(view).verdict is Verdict.INACTIVE
        assert team(view).is_observed

    def test_held_while_nothing_is_read(self) -> None:
        """Until servers answer the verdict is held, and nothing backs it."""
        watcher, _ = stopped()
        ledger = watcher.resumed(after())
        view = cycle(ledger, 0.0)

        assert team(view).verdict is Verdict.INACTIVE
        assert not team(view).is_observed
        assert view.unwatched == (Unwatched(UnwatchedKind.ENDPOINT, A),)

    def test_use_while_we_were_down(self) -> None:
        """Counters that moved since they were saved are use at the first reading."""
        watcher, server = stopped()
        ledger = watcher.resumed(after())
        view = cycle(ledger, 0.0, server.reading(STOP + DOWN, [used(1)]))

        assert team(view).verdict is Verdict.ACTIVE
        assert team(view).idle_seconds == 0.0

    def test_threshold_was_raised_meanwhile(self) -> None:
        """The longest proven idle time decides, though it was never told as such."""
        watcher, server = stopped()
        for hours, verdict in ((1.9, Verdict.INACTIVE), (3.0, Verdict.UNKNOWN)):
            watcher.rules = FixedRules(threshold_seconds=hours * HOUR)
            ledger = watcher.resumed(after())
            view = cycle(ledger, 0.0, server.reading(STOP + DOWN))

            assert team(view).verdict is verdict

    def test_tolerance_was_lowered_meanwhile(self) -> None:
        """Holes that are forgiven no more take no verdict back."""
        rules = FixedRules(gap_tolerance_seconds=100.0)
        watcher, server = Watcher(A, rules=rules), Process("SA", A, start=0.0)
        watcher.watch_quietly(START, STOP, server)
        successor = Process("SA2", A, start=STOP + 50)
        watcher.cycle(STOP + 60, successor.reading(STOP + 60))
        watcher.rules = FixedRules(gap_tolerance_seconds=0.0)
        ledger = watcher.resumed(after())
        view = cycle(ledger, 0.0, successor.reading(STOP + 60 + DOWN))

        assert team(view).verdict is Verdict.INACTIVE
        assert not team(view).is_observed


class TestEndpoints:
    """The operator's list may change while we are down."""

    def test_endpoint_was_taken_out(self) -> None:
        """Its watch ends with the restart, however long that took."""
        watcher, one, _ = a_pair()
        one.peers = frozenset()
        ledger = watcher.resumed(after(), A)
        view = cycle(ledger, 0.0, one.reading(START + DOWN))
        later = cycle(ledger, 30.0, one.reading(START + DOWN + 30))

        # The hole ends when the new process began, not when the old one was ended.
        assert view.unwatched == later.unwatched == ()
        assert team(view).idle_seconds == 0.0
        assert team(later).idle_seconds == 30.0

    def test_endpoint_was_added(self) -> None:
        """Until it answers it counts as last read when it was not yet known."""
        watcher, server = stopped()
        ledger = watcher.resumed(after(), A, B)
        view = cycle(ledger, 0.0, server.reading(STOP + DOWN))

        assert view.unwatched == (Unwatched(UnwatchedKind.ENDPOINT, B),)
        assert team(view).idle_seconds == 2 * HOUR

    def test_all_endpoints_were_replaced(self) -> None:
        """Nobody is left to carry the watch on: the next reading starts anew."""
        watcher, _ = stopped()
        ledger = watcher.resumed(after(), B)
        other = Process("SB", B, start=STOP)
        view = cycle(ledger, 0.0, other.reading(STOP + DOWN, [used(1)]))

        assert view.watched_to_at is not None
        assert team(view).idle_seconds == 0.0

    def test_servers_are_told(self) -> None:
        """The ledger says which servers it knows, also after a restart."""
        watcher, _, _ = a_pair()

        assert watcher.resumed(after()).servers() == {"SA", "SB"}


class TestPublishedTimes:
    """No published time goes back or jumps because we were restarted."""

    def test_they_stay(self) -> None:
        """Neither before nor after it is known how long we were down."""
        watcher, server = stopped()
        before = watcher.cycle(STOP, server.reading(STOP, [used(1)]))
        ledger = watcher.resumed(after())
        blind = cycle(ledger, 0.0)
        seeing = cycle(ledger, 30.0, server.reading(STOP + 30 + DOWN, [used(1)]))

        expected = team(before).last_evidence
        assert team(blind).last_evidence == team(seeing).last_evidence == expected
        assert team(seeing).quiet_since_at == team(before).quiet_since_at
        assert blind.watched_to_at == before.watched_to_at

    def test_they_follow_a_wall_clock_that_was_set_forward(self) -> None:
        """New times are those of the wall clock again, and none goes back."""
        watcher, server = stopped()
        ledger = watcher.resumed(after(wall=DOWN + 1e6))
        for now in (0.0, 30.0):
            ledger.apply(stamped(server.reading(STOP + DOWN + now), now))
            view = ledger.conclude(at(now), shift_seconds=STOP + DOWN + 1e6)

            assert view.watched_to_at == STOP + DOWN + 1e6 + now

    def test_they_do_not_follow_it_back(self) -> None:
        """What was published stays in the past of what is published next."""
        watcher, server = stopped()
        ledger = watcher.resumed(after(wall=-1e6))
        ledger.apply(stamped(server.reading(STOP + DOWN), 0.0))
        view = ledger.conclude(at(0.0), shift_seconds=STOP - 1e6)

        assert view.watched_to_at == STOP


class TestRows:
    """What is told to a store."""

    def test_only_what_changed(self) -> None:
        """A cycle tells the few rows that move, and the accounts that changed."""
        names = [f"A{number}" for number in range(200)]
        watcher, server = Watcher(A), Process("SA", A, start=0.0)
        for when in (START, START + POLL, START + 2 * HOUR):
            watcher.cycle(when, server.reading(when, map(a_row, names)))
        watcher.ledger.apply(
            server.reading(STOP + POLL, [used(1, "A0"), *map(a_row, names[1:])])
        )
        view = watcher.ledger.conclude(at(STOP + POLL))
        changes = watcher.ledger.changes(no_time(at(STOP + POLL)))

        assert view.counts[Verdict.INACTIVE] == 199
        kinds = sorted(kind for kind, _, _ in changes.puts)
        assert kinds == ["account", "clock", "counters", "server", "system"]
        assert changes.deletes == []

    def test_nothing_before_the_first_cycle(self) -> None:
        """A ledger that knows nothing tells nothing."""
        ledger = Ledger([A], FixedRules(), Watcher(A).cadence)

        assert ledger.changes(no_time(at(0.0))) == Changes([], [])

    def test_nothing_while_nothing_is_read(self) -> None:
        """The saved clocks stay, so that a second restart spans the first."""
        watcher, server = stopped()
        first = watcher.resumed(after(wall=DOWN / 2, since_boot=DOWN / 2))
        cycle(first, 0.0)
        changes = first.changes(after())
        second = watcher.resumed(after())
        view = cycle(second, 0.0, server.reading(STOP + DOWN))

        assert changes == Changes([], [])
        assert team(view).idle_seconds == 2 * HOUR + DOWN - 1.0

    def test_no_rows_are_a_new_ledger(self) -> None:
        """Without rows it begins as any other does."""
        server = Process("SA", A, start=0.0)
        ledger = Ledger.resume([A], FixedRules(), Watcher(A).cadence, [], after())
        ledger.apply(server.reading(START))
        view = ledger.conclude(at(START), shift_seconds=5.0)

        assert view.watched_to_at == START + 5.0

    @pytest.mark.parametrize(
        ("kind", "key", "value"),
        [
            ("account", "TEAM", b""),
            ("account", "TEAM", b"\x91\x01"),
            ("account", "TEAM", None),
            ("clock", "", None),
            ("clock", "again", b""),
            ("system", "", b"\xc1"),
            ("server", "SA", None),
            ("counters", "no pair", ZEROS),
            ("counters", '["SX","TEAM"]', ZEROS),
            ("counters", '["SA","TEAM"]', b"\x96\xa1\xff\x00\x00\x00\x00\x00"),
            ("round", "SA", None),
            ("round", "SX", b"\x92\x90\x90"),
            ("music", "", b""),
        ],
    )
    def test_damaged_rows(self, kind: str, key: str, value: bytes | None) -> None:
        """Rows that are missing, strange or undecodable are all refused."""
        watcher, _ = stopped()
        rows = dict(watcher.rows)
        rows.pop((kind, key), None)
        if value is not None:
            rows[kind, key] = value
        if (kind, key) == ("account", "TEAM") and value is None:
            # An account that nobody used is met anew: no damage.
            Ledger.resume([A], watcher.rules, watcher.cadence, told(rows), after())
            return

        with pytest.raises(DamagedRows):
            Ledger.resume([A], watcher.rules, watcher.cadence, told(rows), after())

    @pytest.mark.parametrize("thing", ["stream", "consumer"])
    @pytest.mark.parametrize("changed", ["mark", "lost"])
    def test_marks_of_something_else(self, thing: str, changed: str) -> None:
        """Numbers that are too many or too few would end the next cycle."""
        watcher, server = Watcher(A), Process("SA", A, start=BOOT)
        watch(watcher, server, read_by())
        rows = dict(watcher.rows)
        key = next(key for key in rows if key[0] == "stream")
        row = msgspec.msgpack.decode(rows[key])
        trace = row[0] if thing == "stream" else row[2][0]
        trace[1 if changed == "mark" else 2] = [[1, 2, 3], 0.0]
        rows[key] = msgspec.msgpack.encode(row)

        with pytest.raises(DamagedRows):
            Ledger.resume([A], watcher.rules, watcher.cadence, told(rows), after())


def test_instants_of_both_timelines_are_carried() -> None:
    """Gaps run on the fast timeline, idleness on the slow one."""
    watcher, server = stopped()
    ledger = watcher.resumed(after(wall=2 * DOWN))
    ledger.apply(stamped(server.reading(STOP + DOWN), 0.0))
    fresh = ledger.conclude(Instant(60.0, 60.0), STOP)
    outdated = ledger.conclude(Instant(60.0, 1000.0), STOP)

    assert fresh.is_fresh
    assert not outdated.is_fresh
