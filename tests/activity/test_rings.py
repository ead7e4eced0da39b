"""Closed connections: use that left no trace in any counter."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nats_idle_exporter.activity import (
    BriefConnections,
    Closed,
    EvidenceKind,
    Instant,
    Reason,
    Ring,
    Verdict,
)
from nats_idle_exporter.activity.stamps import SLACK_SECONDS
from tests.activity.builders import (
    HOUR,
    POLL,
    A,
    B,
    FixedRules,
    Process,
    Watcher,
    a_row,
    at,
)

START = 10_000.0
LEFT = Ring((Closed("TEAM", 10.0),))
OVERFLOWED = Ring(reaches_back=False, is_complete=False)
LATEST = SLACK_SECONDS
"""How much later than its stamp a stop is dated."""


@pytest.fixture
def server() -> Process:
    """One server that started long before it was first read."""
    return Process("SA", A, start=0.0)


def evidence_at(watcher: Watcher) -> float:
    """Return when the newest evidence is dated; it must be a closed connection."""
    evidence = watcher.account().last_evidence
    assert evidence is not None
    assert evidence.kind is EvidenceKind.CLOSED_CONNECTION
    assert evidence.server_id == "SA"
    return evidence.at


class TestEvidence:
    """An entry of the ring is use at its stop."""

    def test_silent_connection_is_use(self, server: Process) -> None:
        """Who came and left without a message is dated by the stop."""
        watcher = Watcher(A)
        watcher.watch_quietly(START, START + HOUR, server)
        end = START + HOUR + POLL
        watcher.cycle(end, server.reading(end, ring=LEFT))

        assert watcher.account().verdict is Verdict.ACTIVE
        assert evidence_at(watcher) == end - 10 + LATEST

    def test_old_stop_clears_nothing(self, server: Process) -> None:
        """A stop that was told late, before the threshold, is not use within it."""
        watcher = Watcher(A)
        watcher.watch_quietly(START, START + HOUR, server)
        end = START + HOUR + POLL
        old = Ring((Closed("TEAM", 2 * HOUR),))
        watcher.cycle(end, server.reading(end, ring=old))

        assert watcher.account().verdict is Verdict.INACTIVE

    def test_first_sight_dates_the_last_use(self, server: Process) -> None:
        """At first sight an entry tells when, and quiet still starts at the poll."""
        watcher = Watcher(A)
        watcher.cycle(START, server.reading(START, ring=LEFT))

        assert evidence_at(watcher) == START - 10 + LATEST
        assert watcher.account().quiet_since_at == START

    def test_account_that_nobody_lists_has_no_view(self, server: Process) -> None:
        """Removed accounts stay in the rings, and are no accounts."""
        watcher = Watcher(A)
        gone = Ring((Closed("GONE", 1.0),))
        view = watcher.cycle(START, server.reading(START, ring=gone))

        assert [account.account for account in view.accounts] == ["TEAM"]

    def test_account_that_another_server_lists(self, server: Process) -> None:
        """The entry counts whichever reading of the cycle lists the account."""
        watcher = Watcher(A, B)
        other = Process("SB", B, 0.0)
        watcher.cycle(
            START,
            server.reading(START - 1, [], ring=LEFT),
            other.reading(START, [a_row()]),
        )

        assert evidence_at(watcher) == START - 1 - 10 + LATEST

    def test_second_url_tells_old_entries_again(self, server: Process) -> None:
        """What one URL told before, another may tell again: the same moment."""
        watcher = Watcher(A, B)
        watcher.cycle(START, server.reading(START, ring=LEFT))
        later = START + POLL
        again = Ring((Closed("TEAM", 10.0 + POLL),))
        watcher.cycle(
            later,
            server.reading(later),
            server.reading(later, endpoint=B, ring=again),
        )

        assert evidence_at(watcher) == START - 10 + LATEST


class TestClocks:
    """No clock error may date a stop too early."""

    def test_step_between_two_readings(self, server: Process) -> None:
        """An age across a step of the server's clock counts as now."""
        watcher = Watcher(A)
        watcher.cycle(START, server.reading(START))
        end = START + HOUR
        facts = replace(server.reading(end).server, now_at=end + HOUR)
        told = Ring((Closed("TEAM", HOUR),))
        watcher.cycle(end, server.reading(end, server=facts, ring=told))

        assert evidence_at(watcher) == end

    def test_step_before_the_first_reading(self, server: Process) -> None:
        """A start stamp that does not fit the uptime shows a step."""
        watcher = Watcher(A)
        facts = replace(server.reading(START).server, start_at=HOUR)
        watcher.cycle(START, server.reading(START, server=facts, ring=LEFT))

        assert evidence_at(watcher) == START

    def test_age_beyond_the_uptime(self) -> None:
        """No connection was closed before the server started: a stamp that lies."""
        watcher = Watcher(A)
        young = Process("SA", A, start=START - 60)
        ancient = Ring((Closed("TEAM", HOUR),))
        watcher.cycle(START, young.reading(START, ring=ancient))

        assert evidence_at(watcher) == START

    def test_time_that_the_slow_timeline_lost(self, server: Process) -> None:
        """A stop in time that our slow timeline lost is dated after the loss."""
        watcher = Watcher(A)
        watcher.cycle(START, server.reading(START))
        now = Instant(START + 100, START + 600)
        told = Ring((Closed("TEAM", 550.0),))
        watcher.ledger.apply(
            server.reading(START + 600, asked=now, answered=now, ring=told)
        )
        watcher.view = watcher.ledger.conclude(now)

        assert evidence_at(watcher) == START + 100 - (550 - LATEST - 500)


class TestOverflow:
    """A ring that forgot entries untold."""

    def overflow(self, brief: BriefConnections, start: float, gap: float) -> Watcher:
        """Let a server's ring overflow within a gap of so many seconds."""
        watcher = Watcher(A, brief_connections=brief)
        server = Process("SA", A, start)
        watcher.cycle(START, server.reading(START))
        watcher.cycle(START + gap, server.reading(START + gap, ring=OVERFLOWED))
        return watcher

    @pytest.mark.parametrize(
        ("brief", "gap", "expected"),
        [
            (BriefConnections.REQUIRE, 60.0, START),
            (BriefConnections.REQUIRE, 600.0, START + 600.0),
            (BriefConnections.BEST_EFFORT, 600.0, START),
        ],
    )
    def test_overflow_is_a_hole(
        self, brief: BriefConnections, gap: float, expected: float
    ) -> None:
        """Somebody may have come and gone untold since the last reading."""
        watcher = self.overflow(brief, 0.0, gap)

        assert watcher.account().quiet_since_at == expected

    def test_overflow_between_two_answers_of_one_server(self, server: Process) -> None:
        """What was forgotten before the second answer is in no other hole."""
        watcher = Watcher(A, B, rules=FixedRules(gap_tolerance_seconds=0.0))
        watcher.cycle(START, server.reading(START), server.reading(START, endpoint=B))
        later = START + POLL
        watcher.cycle(
            later + 5,
            server.reading(later),
            server.reading(later + 5, endpoint=B, ring=OVERFLOWED),
        )

        assert watcher.account().quiet_since_at == later + 5

    def test_overflow_clears_nothing(self, server: Process) -> None:
        """A hole is no use: a raised verdict is held, unobserved."""
        watcher = Watcher(A)
        watcher.watch_quietly(START, START + HOUR, server)
        end = START + 2 * HOUR
        watcher.cycle(end, server.reading(end, ring=OVERFLOWED))

        assert watcher.account().verdict is Verdict.INACTIVE
        assert not watcher.account().is_observed
        assert watcher.account().reason is Reason.WATCHED_TOO_SHORT

    @pytest.mark.parametrize(
        ("ring", "expected"), [(Ring(), START), (OVERFLOWED, START + HOUR)]
    )
    def test_joining_server_must_tell_its_whole_life(
        self, ring: Ring, expected: float
    ) -> None:
        """A ring that is not complete hides some who came and went since the start."""
        watcher = Watcher(A)
        watcher.cycle(START, Process("SA", A, 0.0).reading(START))
        watcher.ledger.watch([A, B], at(START))
        end = START + HOUR
        joined = Process("SB", B, start=START + 1)
        watcher.cycle(
            end, Process("SA", A, 0.0).reading(end), joined.reading(end, ring=ring)
        )

        assert watcher.account().quiet_since_at == expected
