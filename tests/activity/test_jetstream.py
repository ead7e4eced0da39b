"""JetStream as evidence: what streams and consumers show of an account."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from nats_idle_exporter.activity import (
    EvidenceKind,
    JetStreamRound,
    Reading,
    Reason,
    Stream,
    Verdict,
)
from nats_idle_exporter.activity.stamps import SLACK_SECONDS
from tests.activity.builders import (
    HOUR,
    POLL,
    A,
    B,
    Process,
    Watcher,
    a_pair,
    at,
    used,
)
from tests.activity.rounds import (
    BOOT,
    LATER,
    NEXT,
    START,
    TEAM,
    a_stream,
    told,
    watch,
)


@pytest.fixture
def server() -> Process:
    """One server that started a day before it was first read."""
    server = Process("SA", A, start=BOOT)
    server.loaded_at = BOOT
    return server


@pytest.fixture
def watcher() -> Watcher:
    """A system of one server, not read yet."""
    return Watcher(A)


@pytest.fixture
def idle(watcher: Watcher, server: Process) -> Watcher:
    """A system whose account owns a written stream and was raised."""
    watch(watcher, server, a_stream())
    assert watcher.account().verdict is Verdict.INACTIVE
    assert watcher.account().is_observed
    return watcher


class TestFirstSight:
    """What a stream says of the time before the first poll."""

    def test_untouched_account_is_quiet_since_the_start(
        self, watcher: Watcher, server: Process
    ) -> None:
        """No API request and nothing written anywhere proves what zeros prove."""
        never = Stream("TEAM", "S")
        watcher.cycle(START, told(server, START, never, untouched=TEAM))

        assert watcher.account().quiet_since_at == BOOT
        assert watcher.account().verdict is Verdict.INACTIVE

    @pytest.mark.parametrize(
        ("streams", "untouched"),
        [
            pytest.param((), frozenset[str](), id="API requests"),
            pytest.param((a_stream(written_at=None),), TEAM, id="messages"),
            pytest.param((a_stream(0),), TEAM, id="a stamp"),
        ],
    )
    def test_doubt_starts_the_clock_at_the_poll(
        self,
        watcher: Watcher,
        server: Process,
        streams: Iterable[Stream],
        untouched: frozenset[str],
    ) -> None:
        """Whatever may hide use of any age leaves nothing proven before the poll."""
        watcher.cycle(START, told(server, START, *streams, untouched=untouched))

        assert watcher.account().quiet_since_at == START

    def test_doubt_on_any_server_counts(self, server: Process) -> None:
        """Untouched here and touched there is touched."""
        watcher = Watcher(A, B)
        other = Process("SB", B, BOOT)
        other.loaded_at = BOOT
        watcher.cycle(START, told(server, START, untouched=TEAM), told(other, START))

        assert watcher.account().quiet_since_at == START

    def test_stamp_dates_the_last_activity(
        self, watcher: Watcher, server: Process
    ) -> None:
        """The newest stamp tells when the stream was written, on our clock."""
        stream = a_stream(written_at=START - HOUR)
        watcher.cycle(START, told(server, START, stream))

        evidence = watcher.account().last_evidence
        assert evidence is not None
        assert evidence == (EvidenceKind.JETSTREAM, "SA", START - HOUR + SLACK_SECONDS)

    def test_written_stream_is_raised_a_threshold_after_the_poll(
        self, idle: Watcher
    ) -> None:
        """An account with a stream that nobody uses becomes inactive."""
        assert idle.account().idle_seconds == HOUR


class TestStamps:
    """Stamps of what is told for the first time."""

    def evidence_at(self, watcher: Watcher) -> float:
        """Return when the account was last used."""
        evidence = watcher.account().last_evidence
        assert evidence is not None
        return evidence.at

    def test_stamp_from_before_the_start_counts_as_the_start(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Of the clock before its start a server vouches for nothing."""
        stream = a_stream(written_at=BOOT - 100 * HOUR)
        watcher.cycle(START, told(server, START, stream))

        assert self.evidence_at(watcher) == BOOT + SLACK_SECONDS

    def test_least_uptime_of_the_tellers_counts(self, server: Process) -> None:
        """Of two tellers the younger one bounds the age."""
        watcher = Watcher(A, B)
        young = Process("SB", B, START - HOUR)
        watcher.cycle(
            START,
            told(server, START, a_stream()),
            told(young, START, a_stream()),
        )

        assert self.evidence_at(watcher) == START - HOUR + SLACK_SECONDS

    @pytest.mark.parametrize("jetstream", [None, JetStreamRound(at(START), START - 60)])
    def test_least_age_by_any_clock_counts(
        self, server: Process, jetstream: JetStreamRound | None
    ) -> None:
        """The clock that is ahead of the writer's makes nothing older."""
        watcher = Watcher(A, B)
        other = Process("SB", B, BOOT)
        behind = other.reading(START - 60, answered=at(START), jetstream=jetstream)
        stream = a_stream(written_at=START - HOUR)
        watcher.cycle(START, told(server, START, stream), behind)

        assert self.evidence_at(watcher) == START - HOUR + 60 + SLACK_SECONDS

    def test_step_of_any_clock_counts_as_now(self, server: Process) -> None:
        """After a step nobody knows how old a stamp is."""
        watcher = Watcher(A)
        stepped = Process("SA", A, BOOT)
        stepped.facts["start_at"] = BOOT - HOUR
        reading = told(server, START, a_stream())
        facts = {n: getattr(reading.server, n) for n in type(reading.server).__slots__}
        changed = type(reading.server)(**(facts | {"start_at": BOOT - HOUR}))
        fields = {n: getattr(reading, n) for n in Reading.__slots__}
        watcher.cycle(START, Reading(**(fields | {"server": changed})))

        assert self.evidence_at(watcher) == START

    def test_stamp_of_the_future_counts_as_now(
        self, watcher: Watcher, server: Process
    ) -> None:
        """A clock that is behind the writer's makes nothing younger than now."""
        watcher.cycle(START, told(server, START, a_stream(written_at=START + HOUR)))

        assert self.evidence_at(watcher) == START

    def test_stream_that_appears_in_a_watched_system(
        self, idle: Watcher, server: Process
    ) -> None:
        """A new stream is used when its stamp says so; that clears a raise."""
        new = Stream("TEAM", "NEW", 1, LATER - 10)
        idle.cycle(LATER, told(server, LATER, a_stream(), new))

        assert idle.account().verdict is Verdict.ACTIVE
        assert self.evidence_at(idle) == LATER - 10 + SLACK_SECONDS

    def test_number_without_a_stamp_starts_the_clock(
        self, idle: Watcher, server: Process
    ) -> None:
        """What was used at a time that nobody remembers leaves nothing proven."""
        new = Stream("TEAM", "NEW", 1)
        idle.cycle(LATER, told(server, LATER, a_stream(), new))

        account = idle.account()
        assert account.verdict is Verdict.INACTIVE
        assert not account.is_observed
        assert account.quiet_since_at == LATER


class TestGrowth:
    """What is use of a stream that was told before."""

    @pytest.mark.parametrize(
        "stream",
        [
            pytest.param(a_stream(6), id="more messages"),
            pytest.param(a_stream(written_at=BOOT + 1), id="a newer stamp"),
            pytest.param(a_stream(1, written_at=BOOT + 1), id="recreated and written"),
        ],
    )
    def test_growth_clears(
        self, idle: Watcher, server: Process, stream: Stream
    ) -> None:
        """Growth is use, dated at the reading that told it, whatever its stamp."""
        idle.cycle(LATER + 5, told(server, LATER, stream, answered=at(LATER + 5)))

        account = idle.account()
        assert account.verdict is Verdict.ACTIVE
        assert account.last_evidence == (EvidenceKind.JETSTREAM, "SA", LATER + 5)

    @pytest.mark.parametrize(
        "stream",
        [
            pytest.param(a_stream(), id="nothing new"),
            pytest.param(a_stream(4, written_at=BOOT - 1), id="a decrease"),
            pytest.param(a_stream(written_at=BOOT - 1), id="an older stamp"),
            pytest.param(a_stream(9, written_at=BOOT + 9, is_copy=True), id="a copy"),
        ],
    )
    def test_anything_else_is_none(
        self, idle: Watcher, server: Process, stream: Stream
    ) -> None:
        """What is not more and not newer clears nothing."""
        idle.cycle(LATER, told(server, LATER, stream))

        assert idle.account().verdict is Verdict.INACTIVE

    def test_writing_into_a_copy_is_no_use(
        self, watcher: Watcher, server: Process
    ) -> None:
        """A mirror grows with its origin, of whoever that is."""
        when, seq = START, 0
        while when <= START + HOUR:
            mirror = a_stream(seq, written_at=when, is_copy=True)
            watcher.cycle(when, told(server, when, mirror))
            when, seq = when + POLL, seq + 1

        assert watcher.account().verdict is Verdict.INACTIVE

    def test_growth_after_a_decrease_is_use(
        self, idle: Watcher, server: Process
    ) -> None:
        """A stream that was wiped counts from its new numbers, by any clock."""
        wiped = Stream("TEAM", "S")
        idle.cycle(LATER, told(server, LATER, wiped))
        assert idle.account().verdict is Verdict.INACTIVE

        written = Stream("TEAM", "S", 1, BOOT - HOUR)
        idle.cycle(LATER + POLL, told(server, LATER + POLL, written))

        assert idle.account().verdict is Verdict.ACTIVE

    def test_return_of_the_old_numbers_is_none(
        self, idle: Watcher, server: Process
    ) -> None:
        """A server that recovers shows an empty stream first, and then the old one."""
        for step, stream in enumerate((Stream("TEAM", "S"), a_stream(), a_stream(6))):
            when = LATER + step * POLL
            idle.cycle(when, told(server, when, stream))
            verdict = Verdict.ACTIVE if step == 2 else Verdict.INACTIVE
            assert idle.account().verdict is verdict

    def test_decrease_is_believed_after_three_rounds(
        self, idle: Watcher, server: Process
    ) -> None:
        """From then on the old numbers are growth like any."""
        for step in range(3):
            when = LATER + step * POLL
            idle.cycle(when, told(server, when, Stream("TEAM", "S")))
        when = LATER + 3 * POLL
        idle.cycle(when, told(server, when, a_stream()))

        assert idle.account().verdict is Verdict.ACTIVE

    def test_use_of_accounts_that_no_server_lists_is_left_out(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Streams of an account without a row make no account."""
        for when, seq in ((START, 1), (NEXT, 2)):
            stream = Stream("OTHER", "S", seq, when)
            watcher.cycle(when, told(server, when, stream))

        assert [account.account for account in watcher.view.accounts] == ["TEAM"]


class TestServers:
    """Streams are followed per system, not per server."""

    def raised(self) -> tuple[Watcher, Process, Process]:
        """Return a raised account whose stream two servers told."""
        watcher, one, two = a_pair()
        when = 10_000.0 + POLL
        while not watcher.view.accounts or (
            watcher.account().verdict is not Verdict.INACTIVE
        ):
            watcher.cycle(
                when,
                told(one, when, a_stream(written_at=9000.0)),
                told(two, when, a_stream(written_at=9000.0)),
            )
            when += POLL
            assert when < 10_000.0 + 2 * HOUR
        self.when = when
        return watcher, one, two

    def test_lagging_replica_changes_nothing(self) -> None:
        """An old view beside the new one is no decrease, and later no growth."""
        watcher, one, two = self.raised()
        new, old = a_stream(written_at=9000.0), a_stream(3, written_at=8000.0)
        for step, (first, second) in enumerate(((new, old), (old, new), (new, new))):
            when = self.when + step * POLL
            watcher.cycle(when, told(one, when, first), told(two, when, second))

            assert watcher.account().is_observed

    def test_leader_that_moves_is_no_use(self) -> None:
        """The stream is told by one server, then by the other."""
        watcher, one, two = self.raised()
        stream = a_stream(written_at=9000.0)
        for step, (first, second) in enumerate((((stream,), ()), ((), (stream,)))):
            when = self.when + step * POLL
            watcher.cycle(when, told(one, when, *first), told(two, when, *second))

            assert watcher.account().is_observed

    def test_growth_is_seen_beside_an_older_round(self) -> None:
        """Servers need not tell in the same cycle; the newest round decides."""
        watcher, one, two = self.raised()
        mute = two.reading(self.when, jetstream=None)
        grown = a_stream(6, written_at=9000.0)
        watcher.cycle(self.when, told(one, self.when, grown), mute)

        evidence = watcher.account().last_evidence
        assert evidence == (EvidenceKind.JETSTREAM, "SA", self.when)

    def test_catching_up_in_one_cycle_is_dated_by_the_newest_stamp(self) -> None:
        """A stream that is new is not used now because one replica lags."""
        watcher, one, two = self.raised()
        lagging = Stream("TEAM", "NEW", 1, self.when - HOUR)
        newest = Stream("TEAM", "NEW", 2, self.when - HOUR / 2)
        watcher.cycle(
            self.when, told(one, self.when, lagging), told(two, self.when, newest)
        )

        evidence = watcher.account().last_evidence
        assert evidence is not None
        assert evidence.at == self.when - HOUR / 2 + SLACK_SECONDS

    @pytest.mark.parametrize("is_turned", [False, True])
    def test_order_of_readings_changes_nothing(self, *, is_turned: bool) -> None:
        """Growth is dated at the first reading that told all of it."""
        watcher, one, two = self.raised()
        readings = [
            told(one, self.when, a_stream(6), answered=at(self.when + 3)),
            told(two, self.when, a_stream(6), answered=at(self.when + 5)),
        ]
        watcher.cycle(self.when + 6, *(readings[::-1] if is_turned else readings))

        evidence = watcher.account().last_evidence
        assert evidence == (EvidenceKind.JETSTREAM, "SA", self.when + 3)

    def test_second_answer_of_a_server_counts(self, server: Process) -> None:
        """Of two URLs of one server either may show the growth."""
        watcher = Watcher(A, B)
        watcher.cycle(START, told(server, START, a_stream()))
        watcher.cycle(
            NEXT,
            told(server, NEXT, a_stream()),
            told(server, NEXT, a_stream(6), endpoint=B),
        )

        assert watcher.account().last_evidence is not None
        assert watcher.account().last_evidence.at == NEXT  # type: ignore[union-attr]


class TestMisses:
    """A round that lacks a stream is no reading for its account."""

    def test_missing_stream_stops_the_reach_for_three_rounds(
        self, idle: Watcher, server: Process
    ) -> None:
        """Proof goes on when the stream is believed to be gone."""
        reaches = []
        for step in range(4):
            when = LATER + step * POLL
            idle.cycle(when, told(server, when))
            reaches.append(idle.account().idle_seconds)

        assert reaches[:2] == [HOUR, HOUR]
        assert reaches[2] > HOUR
        assert reaches[3] == reaches[2] + POLL
        assert idle.account().verdict is Verdict.INACTIVE

    def test_stream_that_returns_was_read_all_along(
        self, idle: Watcher, server: Process
    ) -> None:
        """Numbers that did not grow prove the time of the missing rounds."""
        for step, streams in enumerate(((), (), (a_stream(),))):
            when = LATER + step * POLL
            idle.cycle(when, told(server, when, *streams))

        assert idle.account().is_observed
        assert idle.account().idle_seconds == HOUR + 3 * POLL

    def test_gone_stream_leaves_a_hole(self, watcher: Watcher, server: Process) -> None:
        """Between two rounds it may have been written and deleted."""
        watch(watcher, server, a_stream(), end=START + HOUR / 2)
        first = START + HOUR / 2 + 10 * 60
        for when in (first, first + POLL, first + 2 * POLL):
            watcher.cycle(when, told(server, when))

        assert watcher.account().quiet_since_at == first

    def test_short_hole_is_forgiven(self, watcher: Watcher, server: Process) -> None:
        """Within the tolerance the deletion of a stream costs nothing."""
        watch(watcher, server, a_stream(), end=START + HOUR / 2)
        first = START + HOUR / 2 + POLL
        for when in (first, first + POLL, first + 2 * POLL):
            watcher.cycle(when, told(server, when))

        assert watcher.account().quiet_since_at == START

    def test_outdated_while_a_stream_is_missing(self, server: Process) -> None:
        """Who waits for a missing stream is told so, and is not raised."""
        watcher = Watcher(A, B)
        other = Process("SB", B, BOOT)
        end = START + HOUR - 5 * POLL
        when = START
        while when <= end:
            watcher.cycle(when, told(server, when, a_stream()), told(other, when))
            when += POLL
        # The other server's round does not come anew: no round is whole.
        stale = JetStreamRound(at(end), end, TEAM)
        while when <= START + 2 * HOUR:
            watcher.cycle(
                when, told(server, when), other.reading(when, jetstream=stale)
            )
            when += POLL

        account = watcher.account()
        assert account.verdict is Verdict.UNKNOWN
        assert account.reason is Reason.JETSTREAM_OUTDATED

    def test_one_server_cannot_complete_three_rounds(self) -> None:
        """A round is whole when every server told anew, however jsz is staggered."""
        watcher, one, two = a_pair(START)
        watcher.cycle(NEXT, told(one, NEXT, a_stream()), told(two, NEXT))
        for step in range(2, 6):
            when = START + step * POLL
            watcher.cycle(when, told(one, when, jsz_asked=NEXT + 1), told(two, when))

        assert watcher.account().quiet_since_at == START
        assert watcher.account().idle_seconds == POLL

    def test_missing_from_the_latest_of_all_stops_the_reach_at_once(self) -> None:
        """A stream that moves between two servers' rounds was read by neither."""
        watcher, one, two = a_pair(START)
        second = START + 2 * POLL
        watcher.cycle(NEXT, told(one, NEXT, a_stream()), told(two, NEXT))
        watcher.cycle(second, told(one, second), two.reading(second, jetstream=None))

        assert watcher.account().idle_seconds == POLL

        third = START + 3 * POLL
        watcher.cycle(
            third, one.reading(third, jetstream=None), told(two, third, a_stream())
        )

        assert watcher.account().idle_seconds == 2 * POLL

    def test_several_streams_are_waited_for(
        self, idle: Watcher, server: Process
    ) -> None:
        """One that is believed to be gone does not stand for another."""
        other = Stream("TEAM", "T", 1, BOOT)
        idle.cycle(LATER, told(server, LATER, a_stream(), other))
        for step, streams in enumerate(((a_stream(),), (), (), ()), 1):
            when = LATER + step * POLL
            idle.cycle(when, told(server, when, *streams))
        before = idle.account().idle_seconds

        last = LATER + 5 * POLL
        idle.cycle(last, told(server, last))

        assert idle.account().idle_seconds > before


class TestRounds:
    """How far rounds of jsz reach."""

    def test_proof_reaches_to_the_last_round(
        self, watcher: Watcher, server: Process
    ) -> None:
        """A stream may be written, or come, after the last round."""
        watcher.cycle(START, told(server, START))
        end = START + HOUR
        watcher.cycle(end, server.reading(end, jetstream=None))

        account = watcher.account()
        assert account.verdict is Verdict.UNKNOWN
        assert account.reason is Reason.JETSTREAM_OUTDATED
        assert account.idle_seconds == 0.0

    def test_missing_round_clears_nothing(self, idle: Watcher, server: Process) -> None:
        """A raised verdict is held, without being observed."""
        end = START + 2 * HOUR
        idle.cycle(end, server.reading(end, jetstream=None))

        account = idle.account()
        assert account.verdict is Verdict.INACTIVE
        assert account.reason is Reason.JETSTREAM_OUTDATED
        assert not account.is_observed

    def test_server_that_told_none_yet_stops_everybody(self, server: Process) -> None:
        """Evidence is taken from a server whose peer tells nothing."""
        watcher = Watcher(A, B)
        mute = Process("SB", B, BOOT)
        for when, seq in ((START, 5), (NEXT, 6)):
            watcher.cycle(
                when,
                told(server, when, a_stream(seq)),
                mute.reading(when, jetstream=None),
            )

        assert watcher.account().last_evidence is not None
        assert watcher.account().idle_seconds == 0.0

    def test_account_keeps_jetstream_through_an_empty_answer(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Not listed is believed after three whole rounds only."""
        watcher.cycle(START, told(server, START))
        verdicts = []
        for step in (1, 2, 3):
            when = START + step * HOUR
            watcher.cycle(when, server.reading(when))
            late = when + 10 * POLL
            watcher.cycle(late, server.reading(late, jetstream=None))
            verdicts.append(watcher.account().reason)

        assert verdicts == [Reason.JETSTREAM_OUTDATED] * 2 + [Reason.NONE]

    def test_half_a_round_frees_nobody_of_jetstream(self) -> None:
        """Only whole rounds count towards believing that JetStream was disabled."""
        watcher, one, two = a_pair(START)
        watcher.cycle(NEXT, told(one, NEXT), two.reading(NEXT))
        for step in range(2, 7):
            when = START + step * POLL
            mute = two.reading(when, jetstream=None)
            watcher.cycle(when, one.reading(when), mute)

        assert watcher.account().idle_seconds == POLL

    def test_jetstream_enabled_later_clears_nothing(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Old use does not become new because the proof reaches less far."""
        watcher.cycle(START, server.reading(START))
        watcher.cycle(NEXT, server.reading(NEXT, [used(1)]))
        end = NEXT + HOUR
        watcher.cycle(end, server.reading(end, [used(1)]))
        assert watcher.account().verdict is Verdict.INACTIVE

        late = end + POLL
        watcher.cycle(late, told(server, late, rows=[used(1)], jsz_asked=end - POLL))

        assert watcher.account().verdict is Verdict.INACTIVE
