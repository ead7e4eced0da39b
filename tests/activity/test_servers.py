"""Servers that restart, join, leave, hide or are never read."""

from __future__ import annotations

import pytest

from nats_idle_exporter.activity import (
    EvidenceKind,
    Instant,
    Row,
    Unwatched,
    UnwatchedKind,
    Verdict,
)
from nats_idle_exporter.activity.fleet import MOST_REMEMBERED, TURNS
from tests.activity.builders import (
    HOUR,
    POLL,
    A,
    B,
    C,
    FixedRules,
    Process,
    Watcher,
    a_pair,
    a_row,
    at,
    used,
)

START = 10_000.0


class TestRestart:
    """A successor behind the same endpoint."""

    def test_equal_counters_after_a_restart_are_use(self) -> None:
        """Counters of a new process start at zero: equal values are new traffic."""
        watcher = Watcher(A)
        old = Process("SA", A, start=0.0)
        watcher.cycle(START, old.reading(START, [used(4)]))
        when = START + POLL
        new = Process("SA2", A, start=when - 10)
        watcher.cycle(when, new.reading(when, [used(4)]))

        assert watcher.account().verdict is Verdict.ACTIVE

    def test_short_hole_is_forgiven(self) -> None:
        """A restart between two polls does not start the proof anew."""
        watcher = Watcher(A)
        watcher.cycle(START, Process("SA", A, start=0.0).reading(START))
        when = START + POLL
        new = Process("SA2", A, start=when - 10)
        watcher.cycle(when, new.reading(when))

        assert watcher.account().quiet_since_at == START

    def test_long_hole_moves_the_proof_to_its_end(self) -> None:
        """What happened between the last reading and the restart is unknown."""
        watcher = Watcher(A)
        watcher.cycle(START, Process("SA", A, start=0.0).reading(START))
        when = START + 400
        new = Process("SA2", A, start=when - 10)
        watcher.cycle(when, new.reading(when))

        assert watcher.account().quiet_since_at == when - 10

    def test_server_clocks_can_only_lengthen_a_hole(self) -> None:
        """A pause that stopped all our clocks shows in the servers' clocks."""
        watcher = Watcher(A)
        old = Process("SA", A, start=0.0)
        watcher.cycle(START, old.reading(START))
        when = START + POLL
        new = Process("SA2", A, start=when + 9 * HOUR)
        reading = new.reading(when + 10 * HOUR, answered=at(when), asked=at(when))
        watcher.cycle(when, reading)
        later = when + POLL
        watcher.cycle(
            later,
            new.reading(later + 10 * HOUR, answered=at(later), asked=at(later)),
        )

        assert watcher.account().quiet_since_at >= START
        assert watcher.account().idle_seconds <= POLL

    def test_time_lost_by_the_slow_clock_is_added_to_the_end(self) -> None:
        """A start that fell into time the slow timeline lost is dated late."""
        watcher = Watcher(A)
        watcher.cycle(START, Process("SA", A, start=0.0).reading(START))
        now = Instant(START + 1000, START + 3000)
        new = Process("SA2", A, start=START + 2500)
        reading = new.reading(START + 3000, asked=now, answered=now)
        watcher.ledger.apply(reading)

        view = watcher.ledger.conclude(now)

        assert view.accounts[0].quiet_since_at == START + 1000

    def test_connection_lasts_until_the_end(self) -> None:
        """Who was connected at the last reading was there until the restart."""
        watcher = Watcher(A)
        old = Process("SA", A, start=0.0)
        rows = [a_row(connections=1), a_row("LEAF", leafnodes=1)]
        watcher.cycle(START, old.reading(START, rows))
        when = START + 100
        new = Process("SA2", A, start=when - 10)
        watcher.cycle(when, new.reading(when, [a_row(), a_row("LEAF")]))

        evidence = watcher.account().last_evidence
        assert evidence is not None
        assert evidence.at == when - 10
        assert evidence.kind is EvidenceKind.CONNECTION
        leaf = watcher.account("LEAF").last_evidence
        assert leaf is not None
        assert leaf.kind is EvidenceKind.LEAFNODE

    @pytest.mark.parametrize(
        ("release", "expected"),
        [((2, 9, 17), START), ((2, 9, 16), START + POLL), ((), START + POLL)],
    )
    def test_old_release_proves_nothing_before_its_first_reading(
        self, release: tuple[int, ...], expected: float
    ) -> None:
        """A reload may have wiped what an old server counted since its start."""
        watcher = Watcher(A, rules=FixedRules(gap_tolerance_seconds=15.0))
        watcher.cycle(START, Process("SA", A, 0.0, release=release).reading(START))
        when = START + POLL
        new = Process("SA2", A, start=START + 10, release=release)
        watcher.cycle(when, new.reading(when))

        assert watcher.account().quiet_since_at == expected


class TestReload:
    """The same process with another configuration."""

    @pytest.mark.parametrize(
        ("release", "verdict"),
        [((2, 9, 16), Verdict.ACTIVE), ((2, 15, 1), Verdict.UNKNOWN)],
    )
    def test_equal_counters_after_a_reload(
        self, release: tuple[int, ...], verdict: Verdict
    ) -> None:
        """Before 2.9.17 a reload restarts the counters: equal values are use."""
        watcher = Watcher(A)
        server = Process("SA", A, 0.0, release=release)
        watcher.cycle(START, server.reading(START, [used(4)]))
        server.loaded_at = START + 1
        watcher.cycle(START + POLL, server.reading(START + POLL, [used(4)]))

        assert watcher.account().verdict is verdict

    def test_reload_inside_an_outage_is_a_hole_for_used_accounts(self) -> None:
        """Removed and added again, it may count the same: only zeros stay proven."""
        watcher = Watcher(A)
        server = Process("SA", A, 0.0)
        rows = [used(4), a_row("UNUSED")]
        watcher.cycle(START, server.reading(START, rows))
        server.loaded_at = START + 1
        when = START + HOUR
        watcher.cycle(when, server.reading(when, rows))

        assert watcher.account().quiet_since_at == when
        assert watcher.account("UNUSED").quiet_since_at == START

    def test_row_that_vanishes_is_a_reset(self) -> None:
        """Removed within an outage, an account lost what was counted before."""
        watcher = Watcher(A)
        server = Process("SA", A, 0.0, is_operator_mode=True)
        watcher.cycle(START, server.reading(START, [used(4), a_row("X")]))
        when = START + HOUR
        watcher.cycle(when, server.reading(when, [a_row("X")]))

        assert watcher.account().quiet_since_at == when

    def test_row_that_appears_with_counters_is_use(self) -> None:
        """Not listed is a row of zeros, so counters that appear are use."""
        watcher = Watcher(A)
        server = Process("SA", A, 0.0)
        watcher.cycle(START, server.reading(START, []))
        when = START + POLL
        watcher.cycle(when, server.reading(when, [used(1), a_row("NEW")]))

        assert watcher.account().verdict is Verdict.ACTIVE
        assert watcher.account("NEW").quiet_since_at == when


class TestJoining:
    """Servers that are read for the first time in a watched system."""

    def join(self, start: float, rows: list[Row]) -> Watcher:
        """Add endpoint C, whose server started then, to a pair; read all."""
        watcher, one, two = a_pair()
        watcher.ledger.watch([A, B, C], at(START))
        when = START + HOUR
        third = Process("SC", C, start=start)
        readings = [s.reading(when) for s in (one, two)]
        watcher.cycle(when, *readings, third.reading(when, rows))
        return watcher

    def test_young_server_breaks_nothing(self) -> None:
        """A server that started after our last complete view proves itself."""
        watcher = self.join(START + 10, [a_row()])

        assert watcher.account().quiet_since_at == START
        assert watcher.account().verdict is Verdict.INACTIVE

    def test_older_server_moves_the_proof(self) -> None:
        """A server that was there unread proves nothing before its first reading."""
        watcher = self.join(START - HOUR, [a_row()])

        assert watcher.account().quiet_since_at == START + HOUR

    def test_counters_of_a_joining_server_are_use(self) -> None:
        """What it counted is use at the latest now."""
        watcher = self.join(START + 10, [used(1)])

        assert watcher.account().verdict is Verdict.ACTIVE

    def test_endpoint_that_never_answers_holds_back(self) -> None:
        """A new endpoint counts as last read when it was added."""
        watcher, one, two = a_pair()
        watcher.ledger.watch([A, B, C], at(START))
        when = START + HOUR
        watcher.cycle(when, one.reading(when), two.reading(when))

        assert watcher.account().verdict is Verdict.UNKNOWN
        assert watcher.view.unwatched == (Unwatched(UnwatchedKind.ENDPOINT, C),)
        assert watcher.view.watched_to_at == START

    def test_endpoint_that_never_answered_at_first_sight(self) -> None:
        """Until every endpoint has answered once, nothing is watched."""
        watcher = Watcher(A, B)
        one, two = Process("SA", A, 0.0), Process("SB", B, 0.0)
        watcher.watch_quietly(START, START + 2 * HOUR, one)

        assert watcher.view.watched_to_at is None
        assert watcher.account().verdict is Verdict.UNKNOWN

        when = START + 3 * HOUR
        watcher.cycle(when, one.reading(when), two.reading(when, [used(1)]))

        assert watcher.account().quiet_since_at == when
        assert watcher.account().last_evidence is None


class TestStrangers:
    """Peers that servers name and nobody polls."""

    @pytest.mark.parametrize("kind", [UnwatchedKind.ROUTE, UnwatchedKind.GATEWAY])
    def test_unpolled_peer_holds_everything_back(self, kind: UnwatchedKind) -> None:
        """With a peer unread, five thresholds of silence prove nothing."""
        watcher = Watcher(A)
        server = Process("SA", A, 0.0)
        peers = frozenset({"SX"})
        if kind is UnwatchedKind.ROUTE:
            server.peers = peers
        else:
            server.gateways = peers
        watcher.watch_quietly(START, START + 5 * HOUR, server)

        assert watcher.account().verdict is Verdict.UNKNOWN
        assert watcher.view.unwatched == (Unwatched(kind, "SX"),)

    def test_peer_that_appears_freezes_the_proof(self) -> None:
        """A peer of a watched system counts as read up to the view before it."""
        watcher, one, two = a_pair()
        one.peers |= {"SX"}
        when = START + HOUR
        watcher.cycle(when, one.reading(when), two.reading(when))

        assert watcher.view.watched_to_at == START

    def test_peer_that_leaves_unread_leaves_a_hole(self) -> None:
        """What a peer did while it was unread is never known."""
        watcher, one, two = a_pair()
        one.peers |= {"SX"}
        watcher.cycle(
            START + POLL, one.reading(START + POLL), two.reading(START + POLL)
        )
        one.peers -= {"SX"}
        when = START + HOUR
        watcher.cycle(when, one.reading(when), two.reading(when))

        assert not watcher.view.unwatched
        assert watcher.account().quiet_since_at == when

    def test_peer_known_from_first_sight_that_leaves(self) -> None:
        """A peer that was never read leaves a hole that nothing forgives."""
        watcher = Watcher(A, rules=FixedRules(threshold_seconds=100 * HOUR))
        server = Process("SA", A, 0.0)
        server.peers = frozenset({"SX"})
        watcher.cycle(START, server.reading(START))
        server.peers = frozenset()
        when = START + 1
        watcher.cycle(when, server.reading(when))

        assert watcher.account().quiet_since_at == when

    def test_peer_that_is_polled_at_last_leaves_no_hole(self) -> None:
        """A young peer that gets an endpoint proves itself by its counters."""
        watcher, one, two = a_pair()
        one.peers |= {"SC"}
        watcher.cycle(
            START + POLL, one.reading(START + POLL), two.reading(START + POLL)
        )
        watcher.ledger.watch([A, B, C], at(START + POLL))
        when = START + HOUR
        third = Process("SC", C, start=START + 5)
        watcher.cycle(when, *(s.reading(when) for s in (one, two, third)))

        assert not watcher.view.unwatched
        assert watcher.account().quiet_since_at == START

    def test_unread_server_keeps_its_peers_known(self) -> None:
        """A peer stays known while the server that named it is not read again."""
        watcher, one, two = a_pair()
        one.peers |= {"SX"}
        watcher.cycle(
            START + POLL, one.reading(START + POLL), two.reading(START + POLL)
        )
        watcher.cycle(START + HOUR, two.reading(START + HOUR))

        assert Unwatched(UnwatchedKind.ROUTE, "SX") in watcher.view.unwatched


class TestDisplaced:
    """Servers at whose endpoint another one answers."""

    @pytest.mark.parametrize("is_clustered", [True, False])
    def test_older_process_at_the_endpoint_proves_no_end(
        self, *, is_clustered: bool
    ) -> None:
        """A displaced server may be alive and used: it holds back, named or not."""
        watcher, _, two = a_pair()
        other = Process("SC", A, start=0.0)
        if is_clustered:
            other.peers, two.peers = frozenset({"SA", "SB"}), frozenset({"SA", "SC"})
        else:
            two.peers = frozenset()
        watcher.watch_quietly(START + POLL, START + 2 * HOUR, other, two)

        assert watcher.view.unwatched == (Unwatched(UnwatchedKind.DISPLACED, "SA"),)
        assert watcher.view.watched_to_at == START
        assert watcher.account().verdict is Verdict.UNKNOWN

    def test_removed_server_that_peers_name_ends_with_their_silence(self) -> None:
        """Taken out of the configuration, a peer still counts while it is named."""
        watcher, _, two = a_pair()
        watcher.ledger.watch([B], at(START + 1))
        watcher.cycle(START + HOUR, two.reading(START + HOUR))

        assert watcher.view.unwatched == (Unwatched(UnwatchedKind.DISPLACED, "SA"),)
        assert watcher.view.watched_to_at == START

        two.peers = frozenset()
        gone = START + 2 * HOUR
        watcher.cycle(gone, two.reading(gone))

        assert not watcher.view.unwatched
        assert watcher.account().quiet_since_at == gone

    def test_server_named_after_its_end_did_not_end(self) -> None:
        """Peers that name a server after its supposed end bring it back."""
        watcher, _, two = a_pair()
        when = START + 100
        successor = Process("SC", A, start=when - 50)
        watcher.cycle(when, successor.reading(when), two.reading(when))

        assert watcher.view.unwatched == (Unwatched(UnwatchedKind.DISPLACED, "SA"),)

    def test_server_named_before_its_end_has_ended(self) -> None:
        """A peer that was read before the restart names the old process."""
        watcher, _, two = a_pair()
        when = START + POLL
        successor = Process("SC", A, start=when - 1)
        earlier = two.reading(when, asked=at(when - 5), answered=at(when - 5))
        watcher.cycle(when, successor.reading(when), earlier)

        assert not watcher.view.unwatched

    def test_load_balancer_is_reported_and_holds_back(self) -> None:
        """Ids that alternate behind one URL: the unread one holds back."""
        watcher = Watcher(A)
        one, two = Process("SA", A, 0.0), Process("SB", A, 0.0)
        for step, server in enumerate([one, two, one, two]):
            watcher.cycle(START + step, server.reading(START + step))

        assert watcher.view.load_balanced == (A,)

        watcher.watch_quietly(START + 10, START + 3 * HOUR, two)

        assert watcher.account().verdict is Verdict.UNKNOWN
        assert watcher.view.unwatched == (Unwatched(UnwatchedKind.DISPLACED, "SA"),)

    def test_returning_server_is_compared_with_its_last_reading(self) -> None:
        """Baselines outlive the watch: old counters are not new traffic."""
        watcher, one, two = a_pair()
        rows = [used(7)]
        watcher.cycle(START + 1, one.reading(START + 1, rows), two.reading(START + 1))
        used_at = START + 1
        watcher.ledger.watch([B], at(START + 2))
        two.peers = frozenset()
        watcher.cycle(START + POLL, two.reading(START + POLL))
        watcher.ledger.watch([A, B], at(START + POLL))
        when = START + 2 * POLL
        watcher.cycle(when, one.reading(when, rows), two.reading(when))

        evidence = watcher.account().last_evidence
        assert evidence is not None
        assert evidence.at == used_at

    @pytest.mark.parametrize("is_load_balanced", [False, True])
    def test_crash_loop_keeps_little(self, *, is_load_balanced: bool) -> None:
        """However often a server restarts, memory does not grow."""
        watcher = Watcher(A)
        if is_load_balanced:
            one, two = Process("SX", A, 0.0), Process("SY", A, 0.0)
            for step, server in enumerate([one, two, one]):
                watcher.cycle(START - 10 + step, server.reading(START - 10 + step))
        for step in range(3 * MOST_REMEMBERED):
            when = START + step * POLL
            process = Process(f"S{step}", A, start=when - 1)
            watcher.cycle(when, process.reading(when))

        servers = watcher.ledger._memory.fleet.servers
        assert len(servers) <= MOST_REMEMBERED + 2
        assert sum(bool(server.rows) for server in servers.values()) <= TURNS + 2
        if is_load_balanced:
            assert watcher.view.watched_to_at == START - 9

    def test_forgotten_process_that_returns(self) -> None:
        """A process whose baselines were dropped proves nothing by its counters."""
        watcher = Watcher(A)
        old = Process("S0", A, start=0.0)
        watcher.cycle(START, old.reading(START, [used(3)]))
        for step in range(1, 4):
            when = START + step * POLL
            process = Process(f"S{step}", A, start=when - 1)
            watcher.cycle(when, process.reading(when))
        when = START + 5 * POLL
        watcher.cycle(when, old.reading(when, [used(3)]))

        assert watcher.account().verdict is Verdict.ACTIVE

    def test_load_balancer_over_two_urls_is_reported(self) -> None:
        """Servers that swap their URLs are all read, and the URLs reported."""
        watcher = Watcher(A, B)
        one, two = Process("SA", A, 0.0), Process("SB", B, 0.0)
        for step in range(4):
            when = START + step
            urls = (A, B) if step % 2 else (B, A)
            watcher.cycle(
                when,
                one.reading(when, endpoint=urls[0]),
                two.reading(when, endpoint=urls[1]),
            )

        assert watcher.view.load_balanced == (A, B)
        assert not watcher.view.unwatched

        watcher.watch_quietly(START + 10, START + 10 + TURNS * POLL, one, two)

        assert not watcher.view.load_balanced

    def test_stale_naming_of_a_server_that_ended_twice_ago(self) -> None:
        """What an unread server last named is older than the ends seen since."""
        watcher, one, two = a_pair()
        for step in (1, 2, 3):
            when = START + step * POLL
            two = Process(f"SB{step}", B, start=when - 1)
            watcher.cycle(when, two.reading(when))
        back = START + HOUR
        one.peers = frozenset()
        watcher.cycle(back, one.reading(back), two.reading(back))

        assert watcher.account().quiet_since_at == START
