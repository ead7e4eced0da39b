"""JetStream as evidence: what streams and consumers show of an account."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from nats_idle_exporter.activity import (
    EvidenceKind,
    JetStreamRound,
    Reading,
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
    a_use,
    at,
)
from tests.activity.rounds import (
    BOOT,
    LATER,
    NEXT,
    RAISED,
    START,
    TEAM,
    a_stream,
    told,
    watch,
)


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

    def test_known_stream_is_in_doubt_when_all_servers_are_others(
        self, watcher: Watcher, server: Process
    ) -> None:
        """What other servers tell under its name may have been written at any time."""
        watch(watcher, server, a_stream(written_at=START - 60), end=START)
        watcher.ledger.watch([B], at(NEXT))
        other = Process("SB", B, BOOT)
        other.loaded_at = BOOT
        watcher.cycle(LATER, told(other, LATER, a_stream(), untouched=TEAM))

        assert watcher.account().quiet_since_at == LATER

    def test_stamp_dates_the_last_activity(
        self, watcher: Watcher, server: Process
    ) -> None:
        """The newest stamp tells when the stream was written, on our clock."""
        stream = a_stream(written_at=START - HOUR)
        watcher.cycle(START, told(server, START, stream))

        evidence = watcher.account().last_evidence
        assert evidence is not None
        assert evidence == a_use(
            EvidenceKind.JETSTREAM, "SA", START - HOUR + SLACK_SECONDS
        )

    def test_written_stream_is_raised_a_threshold_after_the_poll(
        self, idle: Watcher
    ) -> None:
        """An account with a stream that nobody uses becomes inactive."""
        assert idle.account().idle_seconds == RAISED - START
        assert idle.account().verdict is Verdict.INACTIVE


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

    @pytest.mark.parametrize(("young", "old"), [(A, B), (B, A)])
    def test_least_uptime_of_the_tellers_counts(self, young: str, old: str) -> None:
        """Of two tellers the younger one bounds the age, whoever came first."""
        watcher = Watcher(A, B)
        servers = Process("SA", young, START - HOUR), Process("SB", old, BOOT)
        watcher.cycle(START, *(told(each, START, a_stream()) for each in servers))

        assert self.evidence_at(watcher) == START - HOUR + SLACK_SECONDS

    @pytest.mark.parametrize(
        ("varz_at", "jetstream"),
        [(START - 60, None), (START, JetStreamRound(at(START), START - 60))],
        ids=["varz", "jsz"],
    )
    def test_least_age_by_any_clock_counts(
        self, server: Process, varz_at: float, jetstream: JetStreamRound | None
    ) -> None:
        """The clock that is ahead of the writer's makes nothing older."""
        watcher = Watcher(A, B)
        other = Process("SB", B, BOOT)
        behind = other.reading(varz_at, answered=at(START), jetstream=jetstream)
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

    @pytest.mark.parametrize(
        "new",
        [
            pytest.param(Stream("TEAM", "NEW", 1, LATER - 10), id="stamped"),
            pytest.param(Stream("TEAM", "NEW", 1, LATER - HOUR), id="by a wrong clock"),
            pytest.param(Stream("TEAM", "NEW", 1), id="without a stamp"),
        ],
    )
    def test_stream_that_appears_in_a_watched_system(
        self, idle: Watcher, server: Process, new: Stream
    ) -> None:
        """The last round lacked it, so it was used since, whatever clocks say."""
        idle.cycle(LATER, told(server, LATER, a_stream(), new))

        assert idle.account().verdict is Verdict.ACTIVE
        assert self.evidence_at(idle) == LATER

    def test_stream_that_only_a_successor_tells(self, idle: Watcher) -> None:
        """Who joins a watched system tells of nothing that is older than the watch."""
        successor = Process("SB", A, LATER - 5)
        new = Stream("TEAM", "NEW", 1, LATER - HOUR)
        idle.cycle(LATER, told(successor, LATER, a_stream(), new))

        assert self.evidence_at(idle) == LATER

    def test_unused_stream_that_appears_in_a_watched_system(
        self, idle: Watcher, server: Process
    ) -> None:
        """To create a stream, or a copy, is no use of it."""
        empty = Stream("TEAM", "NEW")
        mirror = Stream("TEAM", "COPY", 9, LATER, is_copy=True)
        idle.cycle(LATER, told(server, LATER, a_stream(), empty, mirror))

        assert idle.account().is_observed

    def test_stream_of_a_server_that_is_read_late(self, server: Process) -> None:
        """Until all were read once, what a server tells first may be old."""
        watcher = Watcher(A, B)
        watcher.cycle(START, told(server, START))
        other = Process("SB", B, BOOT)
        old = a_stream(written_at=NEXT - HOUR)
        watcher.cycle(NEXT, told(server, NEXT), told(other, NEXT, old))

        assert self.evidence_at(watcher) == NEXT - HOUR + SLACK_SECONDS

    def test_stream_that_appears_before_all_were_read(self, server: Process) -> None:
        """The server that tells it lacked it before, whoever is still unread."""
        watcher = Watcher(A, B)
        watcher.cycle(START, told(server, START))
        new = a_stream(written_at=NEXT - HOUR)
        watcher.cycle(NEXT, told(server, NEXT, new))

        assert self.evidence_at(watcher) == NEXT


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
        assert account.last_evidence == a_use(EvidenceKind.JETSTREAM, "SA", LATER + 5)

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
        used_at = LATER + POLL
        idle.cycle(used_at, told(server, used_at, written))
        assert idle.account().verdict is Verdict.ACTIVE

        idle.cycle(used_at + POLL, told(server, used_at + POLL, written))
        assert idle.account().idle_seconds == POLL

    def test_stream_that_is_made_anew_and_written_lacks_nothing(
        self, idle: Watcher, server: Process
    ) -> None:
        """It is used once, and its lower numbers hold nothing up."""
        for step in range(5):
            when = LATER + step * POLL
            idle.cycle(when, told(server, when, a_stream(1, written_at=LATER - 10)))
            assert idle.account().idle_seconds == step * POLL

    def test_stream_that_is_made_anew_is_told_by_one_server_after_another(self) -> None:
        """The old numbers beside the new stamp are no reason to wait later on."""
        watcher = Watcher(A, B)
        one, two = Process("SA", A, BOOT), Process("SB", B, BOOT)
        old, new = a_stream(), a_stream(1, written_at=START + 10)
        for step, (first, second) in enumerate(
            ((old, old), (old, new), (new, new), (new, new), (new, new))
        ):
            when = START + step * POLL
            watcher.cycle(when, told(one, when, first), told(two, when, second))

        assert watcher.account().quiet_since_at == START + POLL
        assert watcher.account().idle_seconds == 3 * POLL

    def test_clock_that_ran_ahead_hides_no_use(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Lower numbers are use when their stamp is younger than the last look."""
        ahead = a_stream(5, written_at=START + 10 * HOUR)
        watch(watcher, server, ahead)
        assert watcher.account().verdict is Verdict.INACTIVE

        new = a_stream(1, written_at=LATER - POLL / 2)
        watch(watcher, server, new, start=LATER, end=LATER + POLL)

        assert watcher.account().verdict is Verdict.ACTIVE
        assert watcher.account().idle_seconds == POLL

    def test_start_of_a_server_makes_no_stamp_younger(self, idle: Watcher) -> None:
        """Who starts with an older state of a stream shows no use of it."""
        successor = Process("SB", A, LATER - 5)
        idle.cycle(LATER, told(successor, LATER, a_stream(4, written_at=BOOT - 1)))

        assert idle.account().verdict is Verdict.INACTIVE

    def test_lower_numbers_that_are_believed_are_use_before_any_verdict(
        self, watcher: Watcher, server: Process
    ) -> None:
        """A stream that was made anew was used by then, by whatever stamp."""
        watch(watcher, server, a_stream(), end=START + HOUR - POLL)
        verdicts = []
        for step in range(5):
            when = START + HOUR + step * POLL
            stream = a_stream(1, written_at=BOOT - HOUR)
            watcher.cycle(when, told(server, when, stream))
            verdicts.append((watcher.account().verdict, watcher.account().idle_seconds))

        waiting = [(Verdict.UNKNOWN, HOUR - POLL)] * 3
        assert verdicts == [*waiting, (Verdict.ACTIVE, 0.0), (Verdict.ACTIVE, POLL)]

    def test_use_is_waited_for_that_only_the_stream_s_server_can_tell(self) -> None:
        """Another server's round does not stand for the one that shows the growth."""
        watcher = Watcher(A, B)
        one, two = Process("SA", A, BOOT), Process("SB", B, BOOT)
        new = a_stream(1, written_at=BOOT - HOUR)
        for step in range(4):
            when = START + step * POLL
            stream = new if step else a_stream()
            watcher.cycle(when, told(one, when, stream), told(two, when))
        waiting = watcher.account().idle_seconds
        late = START + 5 * POLL
        watcher.cycle(late, one.reading(late, jetstream=None), told(two, late))

        assert watcher.account().idle_seconds == waiting == 0.0

    def test_return_of_the_old_numbers_is_none(
        self, idle: Watcher, server: Process
    ) -> None:
        """A server that recovers shows an empty stream first, and then the old one."""
        for step, stream in enumerate((Stream("TEAM", "S"), a_stream(), a_stream(6))):
            when = LATER + step * POLL
            idle.cycle(when, told(server, when, stream))
            verdict = Verdict.ACTIVE if step == 2 else Verdict.INACTIVE
            assert idle.account().verdict is verdict

    def test_believed_decrease_is_no_use_by_its_old_stamp(
        self, idle: Watcher, server: Process
    ) -> None:
        """An empty stream that keeps its stamp was not used anew."""
        for step in range(4):
            when = LATER + step * POLL
            idle.cycle(when, told(server, when, a_stream(0)))

        assert idle.account().verdict is Verdict.INACTIVE

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
        assert evidence == a_use(EvidenceKind.JETSTREAM, "SA", self.when)

    def test_catching_up_in_one_cycle_is_dated_by_the_newest_stamp(self) -> None:
        """At first sight a stream is not used now because one replica lags."""
        watcher = Watcher(A, B)
        one, two = Process("SA", A, BOOT), Process("SB", B, BOOT)
        lagging, newest = (
            a_stream(1, written_at=START - HOUR),
            a_stream(2, written_at=START - HOUR / 2),
        )
        watcher.cycle(START, told(one, START, lagging), told(two, START, newest))

        evidence = watcher.account().last_evidence
        assert evidence is not None
        assert evidence.at == START - HOUR / 2 + SLACK_SECONDS

    @pytest.mark.parametrize("is_turned", [False, True])
    @pytest.mark.parametrize(
        ("first", "teller"), [(6, ("SA", 3)), (5, ("SB", 5))], ids=["both", "last"]
    )
    def test_order_of_readings_changes_nothing(
        self, first: int, teller: tuple[str, int], *, is_turned: bool
    ) -> None:
        """Growth is dated at the first reading that told all of it."""
        watcher, one, two = self.raised()
        old, new = (a_stream(seq, written_at=9000.0) for seq in (first, 6))
        readings = [
            told(one, self.when, old, answered=at(self.when + 3)),
            told(two, self.when, new, answered=at(self.when + 5)),
        ]
        watcher.cycle(self.when + 6, *(readings[::-1] if is_turned else readings))

        server_id, late = teller
        evidence = watcher.account().last_evidence
        assert evidence == a_use(EvidenceKind.JETSTREAM, server_id, self.when + late)

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
