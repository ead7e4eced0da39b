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
from tests.activity.builders import (
    HOUR,
    POLL,
    A,
    B,
    FixedRules,
    Process,
    Watcher,
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

    def test_consumers_are_wanted_once_and_when_the_verdict_is_near(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Between the first look and the threshold servers are left in peace."""
        wanted = []
        for step in range(int(HOUR / POLL) + 1):
            when = START + step * POLL
            asked = watcher.ledger.consumers_wanted()
            watcher.cycle(when, told(server, when, read_by(), consumers_of=asked))
            wanted.append(watcher.ledger.consumers_wanted())

        assert wanted == [TEAM, *[frozenset()] * 117, *[TEAM] * 3]
        assert watcher.account().verdict is Verdict.INACTIVE

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
        assert account.last_evidence == (EvidenceKind.JETSTREAM, "SA", LATER)

    def test_restart_of_a_server_is_no_use_of_a_consumer(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Servers forget consumers' stamps when they restart, not their numbers."""
        watch(watcher, server, read_by(used_at=BOOT))
        watch(watcher, server, read_by(), start=LATER, end=LATER + 5 * POLL)

        assert watcher.account().is_observed

    def test_consumer_without_a_stamp_starts_the_clock(
        self, watcher: Watcher, server: Process
    ) -> None:
        """A consumer that appears used and undated was used at any time."""
        watch(watcher, server, a_stream(), end=START + HOUR / 2)
        when = START + HOUR / 2 + POLL
        watcher.cycle(when, told(server, when, read_by(), consumers_of=TEAM))

        assert watcher.account().quiet_since_at == when

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

    def test_slow_rounds_ask_ahead_of_the_threshold(self, server: Process) -> None:
        """The look begins two rounds before the threshold."""
        ledger = Ledger([A], FixedRules(), Cadence(POLL, 10 * POLL, 1e6))
        said = []
        for step in range(0, 121, 10):
            when = START + step * POLL
            asked = ledger.consumers_wanted()
            ledger.apply(told(server, when, read_by(used_at=BOOT), consumers_of=asked))
            verdict = ledger.conclude(at(when)).accounts[0].verdict
            said.append((bool(ledger.consumers_wanted()), verdict))

        young = Verdict.UNKNOWN
        quiet = [(False, young)] * 9
        near = [(True, young)] * 2
        assert said == [(True, young), *quiet, *near, (True, Verdict.INACTIVE)]
