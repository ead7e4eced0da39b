"""Consumers as evidence: nobody is raised before they were looked at."""

from __future__ import annotations

import pytest

from nats_idle_exporter.activity import (
    Cadence,
    Consumer,
    EvidenceKind,
    Ledger,
    Reason,
    Stream,
    Verdict,
)
from nats_idle_exporter.activity.stamps import SLACK_SECONDS
from nats_idle_exporter.activity.verdict import MOST_EARLY_LOOKS
from tests.activity.builders import (
    HOUR,
    POLL,
    A,
    B,
    FixedRules,
    Process,
    Watcher,
    a_row,
    a_use,
    at,
)
from tests.activity.rounds import (
    BOOT,
    LATER,
    NEXT,
    START,
    TEAM,
    UNASKED,
    a_stream,
    read_by,
    told,
    watch,
)


class TestConsumers:
    """Nobody is raised before the consumers were looked at."""

    def test_candidate_waits_for_its_consumers(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Idle time grows without a look, up to where the verdict is near."""
        for step in range(int(HOUR / POLL) + 3):
            when = START + step * POLL
            watcher.cycle(when, told(server, when, UNASKED))

        account = watcher.account()
        assert account.verdict is Verdict.UNKNOWN
        assert account.reason is Reason.JETSTREAM_OUTDATED
        assert account.idle_seconds == HOUR - 2 * POLL

        end = START + HOUR + 10 * POLL
        watcher.cycle(end, told(server, end, UNASKED, consumers_of=TEAM))

        assert watcher.account().verdict is Verdict.INACTIVE
        assert watcher.account().is_observed
        assert watcher.account().idle_seconds == HOUR + 10 * POLL

    @pytest.mark.parametrize("early", [0.0, 2.0])
    def test_quiet_accounts_are_looked_at_in_each_round(
        self, watcher: Watcher, server: Process, early: float
    ) -> None:
        """Who is in use by other signs is left in peace after the first look."""
        wanted = []
        for step in range(6):
            when = START + step * (POLL - early)
            asked = watcher.ledger.consumers_wanted()
            stream = read_by()._replace(last_seq=5 + min(step, 3))
            watcher.cycle(when, told(server, when, stream, consumers_of=asked))
            wanted.append(watcher.ledger.consumers_wanted())

        nobody = frozenset[str]()
        assert wanted == [TEAM, nobody, nobody, nobody, TEAM, TEAM]

    def test_use_of_consumers_alone_delays_by_no_more_than_a_round(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Use through imports that ends is dated soon, not when a verdict is near."""
        used_at = START + HOUR / 2
        watch(watcher, server, read_by(), end=used_at - POLL)
        watch(watcher, server, read_by(4), start=used_at, end=used_at + HOUR)

        assert watcher.account().verdict is Verdict.INACTIVE

    def test_early_looks_are_few(self, watcher: Watcher, server: Process) -> None:
        """Never looked at comes first; of many no more than fifty are asked early."""
        names = [f"A{n:02}" for n in range(MOST_EARLY_LOOKS + 5)]
        rows = [a_row(name) for name in names]
        streams = [UNASKED._replace(account=name) for name in names]
        wanted = []
        for step in range(4):
            when = START + step * POLL
            asked = watcher.ledger.consumers_wanted()
            watcher.cycle(
                when, told(server, when, *streams, consumers_of=asked, rows=rows)
            )
            wanted.append(watcher.ledger.consumers_wanted())

        first, rest = names[:MOST_EARLY_LOOKS], names[MOST_EARLY_LOOKS:]
        filled = {*rest, *first[: MOST_EARLY_LOOKS - len(rest)]}
        assert wanted == [{*first}, filled, {*first}, {*first}]

    def test_verdicts_that_are_near_are_never_left_out(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Early looks give way; nobody waits for a verdict because of them."""
        names = [f"A{n:02}" for n in range(MOST_EARLY_LOOKS + 5)]
        rows = [a_row(name) for name in names]
        streams = [UNASKED._replace(account=name) for name in names]
        for when in (START, START + HOUR - POLL):
            watcher.cycle(when, told(server, when, *streams, rows=rows))

        assert watcher.ledger.consumers_wanted() == {*names}

    def test_no_consumers_are_wanted_without_any(
        self, watcher: Watcher, server: Process
    ) -> None:
        """A stream that nobody consumes costs no question."""
        watch(watcher, server, a_stream())

        assert watcher.account().verdict is Verdict.INACTIVE
        assert watcher.ledger.consumers_wanted() == frozenset()

    def test_look_at_nothing_is_none(self, watcher: Watcher, server: Process) -> None:
        """Consumers of an account without streams do not count as looked at."""
        watcher.cycle(START, told(server, START, consumers_of=TEAM))
        watcher.cycle(NEXT, told(server, NEXT, UNASKED))

        assert watcher.ledger.consumers_wanted() == TEAM

    def test_no_consumers_are_wanted_of_excluded_accounts(
        self, server: Process
    ) -> None:
        """Who is never judged needs no look."""
        watcher = Watcher(A, rules=FixedRules(excluded=TEAM))
        watcher.cycle(START, told(server, START, UNASKED))

        assert watcher.ledger.consumers_wanted() == frozenset()

    @pytest.mark.parametrize(
        "stream",
        [
            pytest.param(read_by(4), id="delivered"),
            pytest.param(
                read_by()._replace(consumers=(Consumer("C", 3, 4),)), id="acked"
            ),
            pytest.param(read_by(used_at=BOOT + 1), id="a newer stamp"),
        ],
    )
    def test_growth_of_a_consumer_is_use(
        self, watcher: Watcher, server: Process, stream: Stream
    ) -> None:
        """Who pulls or acknowledges through an import uses the stream's owner."""
        watch(watcher, server, read_by(used_at=BOOT))
        assert watcher.account().verdict is Verdict.INACTIVE
        watcher.cycle(LATER, told(server, LATER, stream, consumers_of=TEAM))

        account = watcher.account()
        assert account.verdict is Verdict.ACTIVE
        assert account.last_evidence == a_use(EvidenceKind.JETSTREAM, "SA", LATER)

    def test_restart_of_a_server_is_no_use_of_a_consumer(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Servers forget consumers' stamps when they restart, not their numbers."""
        watch(watcher, server, read_by(used_at=BOOT))
        watch(watcher, server, read_by(), start=LATER, end=LATER + 5 * POLL)

        assert watcher.account().is_observed

    def test_recovery_of_a_consumer_is_no_use(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Numbers that come back as they were are the old ones, without a stamp too."""
        watch(watcher, server, read_by(used_at=BOOT))
        watch(watcher, server, read_by(0), start=LATER, end=LATER)
        watch(watcher, server, read_by(), start=LATER + POLL, end=LATER + POLL)

        assert watcher.account().is_observed
        assert watcher.account().idle_seconds == HOUR + 2 * POLL

    def test_raised_account_is_looked_into_whatever_its_proof(
        self, watcher: Watcher, server: Process
    ) -> None:
        """After a hole a held verdict still falls by what consumers show."""
        watch(watcher, server, read_by(used_at=BOOT))
        late = LATER + HOUR
        successor = Process("SB", A, late - 5)
        watcher.cycle(late, told(successor, late, UNASKED))

        assert watcher.account().verdict is Verdict.INACTIVE
        assert watcher.account().idle_seconds < 2 * POLL
        assert watcher.ledger.consumers_wanted() == TEAM

    @pytest.mark.parametrize("used_at", [None, BOOT], ids=["unknown", "stamped"])
    def test_the_first_look_starts_the_clock(
        self, watcher: Watcher, server: Process, used_at: float | None
    ) -> None:
        """One that was used is no new use, and its stamp may be a clock's lie."""
        looked_at = read_by(used_at=used_at)
        watcher.cycle(START, told(server, START, UNASKED))
        watcher.cycle(NEXT, told(server, NEXT, looked_at, consumers_of=TEAM))

        account = watcher.account()
        assert account.quiet_since_at == NEXT
        assert account.last_evidence is not None
        assert account.last_evidence.at < START

    @pytest.mark.parametrize("used_at", [START - HOUR, None], ids=["glitch", "unknown"])
    @pytest.mark.parametrize(
        "first",
        [
            pytest.param((), id="no stream before"),
            pytest.param((a_stream(),), id="no consumer before"),
            pytest.param((read_by(name="D", used_at=BOOT),), id="another before"),
        ],
    )
    def test_consumer_that_appears_was_used_since_the_last_look(
        self,
        watcher: Watcher,
        server: Process,
        first: tuple[Stream, ...],
        used_at: float | None,
    ) -> None:
        """What looks lacked before was used since, whatever clocks say."""
        watch(watcher, server, *first, end=START + 5 * POLL)
        when, late = START + 6 * POLL, START + 7 * POLL
        both = (*(c for s in first for c in s.consumers), Consumer("C", 3, 3, used_at))
        fresh = Stream("TEAM", "NEW", has_consumers=True)
        watcher.cycle(when, told(server, when, *first, fresh))
        watcher.cycle(
            late,
            told(
                server, late, *first, fresh._replace(consumers=both), consumers_of=TEAM
            ),
        )

        assert watcher.account().last_evidence is not None
        assert watcher.account().idle_seconds == 0.0
        assert watcher.account().verdict is Verdict.ACTIVE

    @pytest.mark.parametrize("is_turned", [False, True])
    def test_stamp_dates_only_what_its_teller_told(
        self, server: Process, *, is_turned: bool
    ) -> None:
        """Beyond what the leader told a consumer was used since, without a stamp."""
        watcher = Watcher(A, B)
        other = Process("SB", B, BOOT)
        unasked = told(server, START, UNASKED), told(other, START, UNASKED)
        watcher.cycle(START, *unasked)
        leader = told(server, NEXT, read_by(7, used_at=START - HOUR), consumers_of=TEAM)
        late = NEXT + 5
        follower = told(other, NEXT, read_by(8), consumers_of=TEAM, answered=at(late))
        watcher.cycle(late, *((follower, leader) if is_turned else (leader, follower)))

        evidence = watcher.account().last_evidence
        assert evidence == a_use(EvidenceKind.JETSTREAM, "SB", late)

    @pytest.mark.parametrize("is_turned", [False, True])
    def test_stamp_dates_what_any_of_its_tellers_told(
        self, server: Process, *, is_turned: bool
    ) -> None:
        """Who tells the same stamp tells of the same moment, in whatever order."""
        watcher = Watcher(A, B)
        other = Process("SB", B, BOOT)
        watcher.cycle(START, told(server, START, UNASKED), told(other, START, UNASKED))
        used_at = NEXT - HOUR
        more, less = read_by(4, used_at=used_at), read_by(3, used_at=used_at)
        one, two = (more, less) if is_turned else (less, more)
        watcher.cycle(
            NEXT,
            told(server, NEXT, one, consumers_of=TEAM),
            told(other, NEXT, two, consumers_of=TEAM),
        )

        evidence = watcher.account().last_evidence
        assert evidence is not None
        assert evidence.at == used_at + SLACK_SECONDS

    @pytest.mark.parametrize("delivered", [3, 2])
    def test_follower_that_lags_leaves_the_stamp_its_word(
        self, server: Process, delivered: int
    ) -> None:
        """A stamp dates all that is told where nobody tells more."""
        watcher = Watcher(A, B)
        other = Process("SB", B, BOOT)
        unasked = told(server, START, UNASKED), told(other, START, UNASKED)
        watcher.cycle(START, *unasked)
        leader = told(server, NEXT, read_by(used_at=NEXT - HOUR), consumers_of=TEAM)
        follower = told(other, NEXT, read_by(delivered), consumers_of=TEAM)
        watcher.cycle(NEXT, leader, follower)

        evidence = watcher.account().last_evidence
        assert evidence is not None
        assert evidence.at == NEXT - HOUR + SLACK_SECONDS

    @pytest.mark.parametrize(
        ("stream", "used_at"),
        [
            pytest.param(read_by(used_at=BOOT), None, id="what was known"),
            pytest.param(
                read_by(used_at=LATER - 20), LATER - 20 + SLACK_SECONDS, id="news"
            ),
            pytest.param(read_by(4, used_at=BOOT), LATER, id="more"),
        ],
    )
    def test_first_stamp_dates_what_was_told_without_one(
        self, watcher: Watcher, server: Process, stream: Stream, used_at: float | None
    ) -> None:
        """A leader that tells later than its followers shows no use by its stamp."""
        watch(watcher, server, read_by())
        watcher.cycle(LATER, told(server, LATER, stream, consumers_of=TEAM))

        evidence = watcher.account().last_evidence
        assert evidence is not None
        assert evidence.at == (used_at or BOOT + SLACK_SECONDS)
        is_held = watcher.account().verdict is Verdict.INACTIVE
        assert is_held is (used_at is None)

    def test_stamp_after_growth_that_was_told_without_one(
        self, watcher: Watcher, server: Process
    ) -> None:
        """The growth was use when it was told; its stamp comes later, and is none."""
        watch(watcher, server, read_by(used_at=BOOT))
        last = LATER + POLL
        for when, used_at in ((LATER, None), (last, LATER - 20)):
            read = read_by(4, used_at=used_at)
            watcher.cycle(when, told(server, when, read, consumers_of=TEAM))

        assert watcher.account().idle_seconds == last - LATER

        late = last + POLL
        read = read_by(4, used_at=late - SLACK_SECONDS)
        watcher.cycle(late, told(server, late, read, consumers_of=TEAM))

        assert watcher.account().idle_seconds == 0.0

    def test_stamp_of_lower_numbers_is_use(
        self, watcher: Watcher, server: Process
    ) -> None:
        """A consumer that was made anew was used by then, however old its stamp."""
        watch(watcher, server, read_by())
        watch(watcher, server, read_by(1), start=LATER, end=LATER)
        when = LATER + POLL
        stamped = read_by(1, used_at=BOOT)
        watcher.cycle(when, told(server, when, stamped, consumers_of=TEAM))

        assert watcher.account().last_evidence is not None
        assert watcher.account().idle_seconds == 0.0

    def test_consumers_of_a_copy_are_use(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Reading a mirror uses the mirror's owner."""
        mirror = read_by()._replace(is_copy=True)
        watch(watcher, server, mirror)
        read = read_by(4)._replace(is_copy=True)
        watcher.cycle(LATER, told(server, LATER, read, consumers_of=TEAM))

        assert watcher.account().verdict is Verdict.ACTIVE

    def test_every_server_must_tell_the_consumers(self, server: Process) -> None:
        """A look at one server of two is none."""
        watcher = Watcher(A, B)
        other = Process("SB", B, BOOT)
        for step in range(int(HOUR / POLL) + 3):
            when = START + step * POLL
            watcher.cycle(
                when,
                told(server, when, read_by(), consumers_of=TEAM),
                told(other, when),
            )

        assert watcher.account().verdict is Verdict.UNKNOWN

    def test_raised_account_is_not_observed_without_a_look(
        self, watcher: Watcher, server: Process
    ) -> None:
        """A verdict is held, and unproven, while consumers are not told."""
        watch(watcher, server, read_by(used_at=BOOT))
        for step in range(5):
            when = LATER + step * POLL
            watcher.cycle(when, told(server, when, UNASKED))

        account = watcher.account()
        assert account.verdict is Verdict.INACTIVE
        assert account.reason is Reason.JETSTREAM_OUTDATED
        assert not account.is_observed

    def test_missing_consumer_is_waited_for(
        self, watcher: Watcher, server: Process
    ) -> None:
        """A recovering server lists a stream before its consumers."""
        watch(watcher, server, read_by(used_at=BOOT))
        watch(watcher, server, a_stream(), start=LATER, end=LATER + POLL)
        assert watcher.account().idle_seconds == HOUR

        watch(watcher, server, read_by(), start=LATER + 2 * POLL, end=LATER + 2 * POLL)

        assert watcher.account().is_observed
        assert watcher.account().idle_seconds == HOUR + 3 * POLL

    def test_gone_consumer_is_believed_after_three_rounds(
        self, watcher: Watcher, server: Process
    ) -> None:
        """A consumer that was deleted holds nothing up for long."""
        watch(watcher, server, read_by())
        watch(watcher, server, a_stream(), start=LATER, end=LATER + 3 * POLL)

        assert watcher.account().is_observed
        assert watcher.ledger.consumers_wanted() == frozenset()

    def test_consumer_that_began_anew_counts_from_there(
        self, watcher: Watcher, server: Process
    ) -> None:
        """After a decrease the lower numbers are where growth begins."""
        watch(watcher, server, read_by(3))
        watch(watcher, server, read_by(0), start=LATER, end=LATER + 3 * POLL)
        assert watcher.account().is_observed

        when = LATER + 4 * POLL
        watcher.cycle(when, told(server, when, read_by(1), consumers_of=TEAM))

        assert watcher.account().verdict is Verdict.ACTIVE

    def test_clock_that_ran_ahead_hides_no_use(
        self, watcher: Watcher, server: Process
    ) -> None:
        """A consumer that is made anew has lower numbers, and a stamp of its own."""
        watch(watcher, server, read_by(3, used_at=START + 10 * HOUR))
        new = read_by(1, used_at=LATER - POLL / 2)
        watch(watcher, server, new, start=LATER, end=LATER)

        assert watcher.account().verdict is Verdict.ACTIVE

    def test_nothing_is_claimed_while_a_look_lacks_something(
        self, watcher: Watcher, server: Process
    ) -> None:
        """A consumer that tells less may have been made anew, and used since."""
        watch(watcher, server, read_by(3, used_at=BOOT), end=START + HOUR / 2)
        when = START + HOUR / 2 + POLL
        watch(watcher, server, read_by(1), start=when, end=when)
        assert watcher.account().idle_seconds == START + HOUR / 2 - NEXT

        when += POLL
        busy = read_by(1)._replace(last_seq=6)
        watcher.cycle(when, told(server, when, busy, consumers_of=TEAM))

        assert watcher.account().idle_seconds == 0.0
        assert watcher.ledger.consumers_wanted() == TEAM

    def test_consumer_that_began_anew_and_was_used(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Lower numbers that are believed, and are not zero, were reached since."""
        watch(watcher, server, read_by(3, used_at=BOOT))
        watch(watcher, server, read_by(1), start=LATER, end=LATER + 2 * POLL)
        assert watcher.account().verdict is Verdict.INACTIVE

        watch(watcher, server, read_by(1), start=LATER + 3 * POLL, end=LATER + 4 * POLL)

        account = watcher.account()
        assert account.verdict is Verdict.ACTIVE
        assert account.idle_seconds == POLL

    def test_account_in_a_crowd_is_asked_ahead_of_the_threshold(
        self, server: Process
    ) -> None:
        """However many are quiet, the look begins two rounds before the threshold."""
        ledger = Ledger([A], FixedRules(), Cadence(POLL, 10 * POLL, 1e6))
        crowd = [f"A{n:02}" for n in range(MOST_EARLY_LOOKS)]
        rows = [a_row(name) for name in (*crowd, "TEAM")]
        stream = read_by(used_at=BOOT)
        streams = [stream._replace(account=row.account) for row in rows]
        said = []
        for step in range(0, 121, 10):
            when = START + step * POLL
            asked = ledger.consumers_wanted()
            ledger.apply(told(server, when, *streams, consumers_of=asked, rows=rows))
            accounts = ledger.conclude(at(when)).accounts
            verdict = next(a.verdict for a in accounts if a.account == "TEAM")
            said.append(("TEAM" in ledger.consumers_wanted(), verdict))

        young = Verdict.UNKNOWN
        quiet = [(False, young)] * 8
        near = [(True, young)] * 2
        assert said[2:] == [*quiet, *near, (True, Verdict.INACTIVE)]
