"""Streams that are lacking and may have been there in between, untold."""

from __future__ import annotations

import pytest

from nats_idle_exporter.activity import JetStreamRound, Stream
from nats_idle_exporter.activity.rows import Kind
from tests.activity.builders import POLL, A, B, FixedRules, Process, Watcher, a_row, at
from tests.activity.keeping import no_time
from tests.activity.rounds import LATER, START, a_stream, told, watch

OTHER = [a_row("OTHER")]
NEXT_ROUND = LATER + POLL
BELIEVED = LATER + 2 * POLL
"""The third round that lacks the stream."""


@pytest.fixture
def watcher(server: Process) -> Watcher:
    """An account with a stream, for whom a hole of one round is forgiven, not two."""
    watcher = Watcher(A, rules=FixedRules(gap_tolerance_seconds=1.5 * POLL))
    watch(watcher, server, a_stream())
    return watcher


class TestReturns:
    """The hole ends with the first round after the last time it may have been there."""

    def quiet_since(self, watcher: Watcher, server: Process) -> float:
        """Return since when the account is quiet, once the stream is given up."""
        for when in (NEXT_ROUND, BELIEVED):
            watcher.cycle(when, told(server, when))
        return watcher.account().quiet_since_at

    def test_lacking_all_along(self, watcher: Watcher, server: Process) -> None:
        """It was there until the first round that lacked it, at the longest."""
        watcher.cycle(LATER, told(server, LATER))

        assert self.quiet_since(watcher, server) == START

    def test_account_that_is_listed_again(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Its streams came back with it, and only the next round tells of them."""
        watcher.cycle(LATER, told(server, LATER, rows=OTHER))

        assert self.quiet_since(watcher, server) == NEXT_ROUND

    def test_account_that_is_listed_again_between_two_rounds(
        self, watcher: Watcher, server: Process
    ) -> None:
        """It is kept in mind until then, over a restart of ours too."""
        watcher.cycle(LATER, told(server, LATER, rows=OTHER))
        watcher.cycle(LATER + 10, server.reading(LATER + 10, jetstream=None))

        assert self.quiet_since(watcher, server) == NEXT_ROUND

    def test_account_that_may_have_come_and_gone(
        self, watcher: Watcher, server: Process
    ) -> None:
        """Two reloads between two readings look like one, with nobody new."""
        watcher.cycle(LATER, told(server, LATER))
        server.loaded_at = LATER + 10

        assert self.quiet_since(watcher, server) == NEXT_ROUND

    def test_account_whose_jetstream_is_switched_on_again(
        self, watcher: Watcher, server: Process
    ) -> None:
        """A JWT may do that: no reload and no row tells of it."""
        off = JetStreamRound(at(LATER))
        watcher.cycle(LATER, server.reading(LATER, jetstream=off))

        assert self.quiet_since(watcher, server) == NEXT_ROUND

    def test_server_that_came_and_left_between_two_rounds(
        self, server: Process
    ) -> None:
        """Who started with the stream may have told it, for as long as it is missed."""
        watcher = Watcher(A, rules=FixedRules(gap_tolerance_seconds=1.5 * POLL))
        watch(watcher, server, a_stream())
        watcher.cycle(LATER, told(server, LATER))
        guest = Process("SB", B, LATER + 1)
        guest.loaded_at = LATER + 1
        watcher.ledger.watch([A, B], at(LATER + 5))
        watcher.cycle(
            LATER + 10,
            server.reading(LATER + 10, jetstream=None),
            guest.reading(LATER + 10, jetstream=None),
        )
        watcher.ledger.watch([A], at(LATER + 10))

        assert self.quiet_since(watcher, server) == BELIEVED


class TestStarts:
    """A server that was just met may recover, and lose again, what no round tells."""

    def quiet_since(self, watcher: Watcher, *rounds: tuple[Stream, ...]) -> float:
        """Return since when the account is quiet after rounds of a server anew."""
        successor = Process("SB", A, LATER - 10)
        successor.loaded_at = LATER - 10
        for number, streams in enumerate(rounds):
            when = LATER + number * POLL
            watcher.cycle(when, told(successor, when, *streams))
        return watcher.account().quiet_since_at

    def test_what_never_comes_back(self, watcher: Watcher) -> None:
        """It may have been there between any two of the rounds that lacked it."""
        assert self.quiet_since(watcher, (), (), ()) == BELIEVED

    def test_what_came_back_before(self, watcher: Watcher) -> None:
        """Once all was told again the server has recovered."""
        there = (a_stream(),)

        assert self.quiet_since(watcher, (), there, (), (), ()) == START

    def test_older_rows_do_not_tell(self, watcher: Watcher) -> None:
        """A server may have been met just before a file was written."""
        watcher.forget_fields((Kind.ESTATE, "TEAM"), but=9)
        ledger = watcher.resumed(no_time(at(START)), *watcher.endpoints)

        assert ledger._memory.jetstream.estates["TEAM"].is_awaited


class TestSeveral:
    """What is lacking later was there until later."""

    OTHERS = (a_stream()._replace(name="S2"),)

    def quiet_since(self, server: Process, *rounds: tuple[Stream, ...]) -> float:
        """Return since when an account is quiet that no hole is forgiven."""
        watcher = Watcher(A, rules=FixedRules(gap_tolerance_seconds=0.0))
        watch(watcher, server, a_stream(), *self.OTHERS)
        for number, streams in enumerate(rounds):
            when = LATER + number * POLL
            watcher.cycle(when, told(server, when, *streams))
        return watcher.account().quiet_since_at

    def test_lacking_together(self, server: Process) -> None:
        """The first round that lacked both shows that neither was used since."""
        assert self.quiet_since(server, (), (), ()) == LATER

    @pytest.mark.parametrize(
        "between", [pytest.param((), id="gone"), pytest.param((a_stream(),), id="back")]
    )
    def test_lacking_after_another(
        self, server: Process, between: tuple[Stream, ...]
    ) -> None:
        """It was told while the other was lacking, and may have been used then."""
        rounds = (self.OTHERS, between, between, between)

        assert self.quiet_since(server, *rounds) == NEXT_ROUND
