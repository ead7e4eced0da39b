"""Accounts that a server loads between two rounds of jsz: they may own streams."""

from __future__ import annotations

import pytest

from nats_idle_exporter.activity import (
    EvidenceKind,
    JetStreamRound,
    Reason,
    Stream,
    Verdict,
)
from tests.activity.builders import HOUR, POLL, a_row, at
from tests.activity.inventoried import (
    BOOT,
    START,
    Inventoried,
    listing,
)

TEAM = frozenset({"TEAM"})
LATER = START + POLL


def used_stream(asked_at: float) -> JetStreamRound:
    """Return a round that tells a stream, written just before."""
    stream = Stream("TEAM", "S", 1, written_at=asked_at - 5.0)
    return JetStreamRound(at(asked_at), asked_at, TEAM, streams=(stream,))


class TestBetweenRounds:
    """An account is proven idle as far as somebody told of its streams."""

    @pytest.fixture
    def watcher(self) -> Inventoried:
        """An account that no server has loaded, then one has; jsz is not due."""
        watcher = Inventoried()
        watcher.answer(listing("TEAM"))
        watcher.quiet([a_row()], jetstream=None)
        return watcher

    def test_idle_until_the_last_round(self, watcher: Inventoried) -> None:
        """Since the last round others may have written its streams."""
        watcher.quiet([a_row()], jetstream=None)

        assert watcher.account().idle_seconds == START - BOOT

    def test_idle_again_after_a_round(self, watcher: Inventoried) -> None:
        """A round that tells of no streams catches up."""
        watcher.quiet([a_row()])

        assert watcher.account().idle_seconds == watcher.now - BOOT

    def test_later_polls_need_no_round(self, watcher: Inventoried) -> None:
        """Who owned no stream when it was loaded is judged by counters again."""
        watcher.quiet([a_row()])
        watcher.quiet([a_row()])
        watcher.quiet([a_row()], jetstream=None)

        assert watcher.account().idle_seconds == watcher.now - BOOT

    def test_it_is_kept_over_our_restart(self, watcher: Inventoried) -> None:
        """A restart of ours is no round."""
        watcher.restart()
        watcher.quiet([a_row()], jetstream=None)

        assert watcher.account().idle_seconds == START - BOOT

    def test_rounds_that_stay_away_leave_nothing_observed(
        self, watcher: Inventoried
    ) -> None:
        """Without a round for long the verdict is held, and no more."""
        for _ in range(3):
            watcher.quiet([a_row()], jetstream=None)

        account = watcher.account()
        assert account.verdict is Verdict.INACTIVE
        assert account.reason is Reason.JETSTREAM_OUTDATED
        assert not account.is_observed

    def test_use_shows_in_the_next_round(self, watcher: Inventoried) -> None:
        """What others wrote meanwhile is use."""
        watcher.quiet([a_row()], jetstream=used_stream(watcher.now + POLL))

        account = watcher.account()
        assert account.verdict is Verdict.ACTIVE
        assert account.last_evidence is not None
        assert account.last_evidence.kind is EvidenceKind.JETSTREAM


def test_streams_that_were_told_of_before_the_account() -> None:
    """Nothing is proven from before an account was known, but its streams were."""
    watcher = Inventoried()
    watcher.quiet()
    watcher.quiet(jetstream=used_stream(LATER))
    watcher.answer(listing("TEAM"), [a_row()])

    assert watcher.account().quiet_since_at == LATER + POLL
    assert watcher.account().idle_seconds < HOUR
