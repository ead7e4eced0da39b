"""Verdicts of the ledger: raised only by proof, cleared only by use."""

from __future__ import annotations

import pytest

from nats_idle_exporter.activity import (
    EvidenceKind,
    Instant,
    Reason,
    Row,
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
    a_row,
    at,
    used,
)

START = 10_000.0


@pytest.fixture
def server() -> Process:
    """One server that started long before it was first read."""
    return Process("SA", A, start=0.0)


@pytest.fixture
def idle(server: Process) -> Watcher:
    """A system whose account was raised after an hour of silence."""
    watcher = Watcher(A)
    watcher.watch_quietly(START, START + HOUR, server)
    assert watcher.account().verdict is Verdict.INACTIVE
    return watcher


class TestRaise:
    """Nothing but proof raises."""

    def test_first_sight_starts_the_clock(self, server: Process) -> None:
        """Old counters say nothing of when; quiet starts at the first poll."""
        watcher = Watcher(A)
        watcher.cycle(START, server.reading(START, [used(5)]))

        account = watcher.account()
        assert account.verdict is Verdict.UNKNOWN
        assert account.reason is Reason.WATCHED_TOO_SHORT
        assert account.last_evidence is None
        assert account.quiet_since_at == START
        assert not account.is_observed

    def test_raised_at_the_threshold_and_not_before(self, server: Process) -> None:
        """One poll short of the threshold is unknown, the next is inactive."""
        watcher = Watcher(A)
        watcher.watch_quietly(START, START + HOUR - POLL, server)

        assert watcher.account().verdict is Verdict.UNKNOWN

        end = START + HOUR
        watcher.cycle(end, server.reading(end))

        account = watcher.account()
        assert account.verdict is Verdict.INACTIVE
        assert account.reason is Reason.NONE
        assert account.is_observed
        assert account.idle_seconds == HOUR
        assert watcher.view.counts[Verdict.INACTIVE] == 1

    def test_proof_reaches_from_answer_to_question(self, server: Process) -> None:
        """Quiet is claimed from the first answer to the last question only."""
        watcher = Watcher(A)
        watcher.cycle(START, server.reading(START, answered=at(START + 8)))
        later = START + 100
        watcher.cycle(later, server.reading(later - 9, answered=at(later)))

        assert watcher.account().idle_seconds == 100 - 9 - 8

    def test_slow_time_counts(self, server: Process) -> None:
        """A clock that jumps forward proves nothing."""
        watcher = Watcher(A)
        watcher.cycle(START, server.reading(START))
        jumped = Instant(START + POLL, START + 2 * HOUR)
        watcher.ledger.apply(
            server.reading(START + POLL, asked=jumped, answered=jumped)
        )

        view = watcher.ledger.conclude(jumped)

        assert view.accounts[0].idle_seconds == POLL

    def test_outdated_watching_raises_nothing(self, server: Process) -> None:
        """A threshold that passes during an outage waits for the next reading."""
        watcher = Watcher(A)
        watcher.watch_quietly(START, START + HOUR - POLL, server)
        watcher.watch_quietly(START + HOUR, START + 2 * HOUR)

        account = watcher.account()
        assert account.verdict is Verdict.UNKNOWN
        assert account.reason is Reason.OUTDATED

        back = START + 2 * HOUR
        watcher.cycle(back, server.reading(back))

        assert watcher.account().verdict is Verdict.INACTIVE
        assert watcher.account().idle_seconds == 2 * HOUR


class TestClear:
    """Nothing but use clears."""

    def test_use_clears(self, idle: Watcher, server: Process) -> None:
        """One message clears, and is named as the evidence."""
        end = START + HOUR + POLL
        idle.cycle(end, server.reading(end, [used(1)]))

        account = idle.account()
        assert account.verdict is Verdict.ACTIVE
        assert account.is_observed
        assert account.last_evidence is not None
        assert account.last_evidence.kind is EvidenceKind.RECEIVED
        assert account.last_evidence.server_id == "SA"
        assert account.last_evidence.at == end

    def test_outage_clears_nothing(self, idle: Watcher) -> None:
        """A raised verdict is held through an outage, and said to be unobserved."""
        end = START + 3 * HOUR
        idle.watch_quietly(START + HOUR + POLL, end)

        account = idle.account()
        assert account.verdict is Verdict.INACTIVE
        assert not account.is_observed
        assert account.reason is Reason.OUTDATED
        assert account.idle_seconds == HOUR
        assert not idle.view.is_fresh

    def test_hole_clears_nothing_but_starts_the_proof_anew(self, idle: Watcher) -> None:
        """After a long hole the verdict is held unobserved until proven anew."""
        end = START + 3 * HOUR
        successor = Process("SA2", A, start=end - 40)
        idle.cycle(end, successor.reading(end))

        account = idle.account()
        assert account.verdict is Verdict.INACTIVE
        assert not account.is_observed
        assert account.reason is Reason.WATCHED_TOO_SHORT
        assert account.idle_seconds == pytest.approx(40.0)

        idle.watch_quietly(end + POLL, end + HOUR, successor)

        assert idle.account().is_observed

    def test_raised_threshold_clears_when_never_proven(self, server: Process) -> None:
        """A threshold above the longest idle time ever proven takes a 1 back."""
        idle = Watcher(A)
        idle.watch_quietly(START, START + HOUR, server)
        end = START + HOUR + POLL
        idle.ledger._rules = FixedRules(threshold_seconds=HOUR + POLL)
        idle.cycle(end, server.reading(end))

        assert idle.account().verdict is Verdict.INACTIVE

        idle.ledger._rules = FixedRules(threshold_seconds=2 * HOUR)
        idle.cycle(end + POLL, server.reading(end + POLL))

        assert idle.account().verdict is Verdict.UNKNOWN

    def test_exclusion_clears_for_good(self, server: Process) -> None:
        """An excluded account has no view, and needs new proof afterwards."""
        idle = Watcher(A)
        idle.watch_quietly(START, START + HOUR, server)
        idle.ledger._rules = FixedRules(excluded=frozenset({"TEAM"}))
        outage = START + 2 * HOUR
        view = idle.cycle(outage)

        assert view.accounts == ()
        assert view.counts[Verdict.EXCLUDED] == 1

        idle.ledger._rules = FixedRules()
        idle.cycle(outage + POLL)

        assert idle.account().verdict is Verdict.UNKNOWN


class TestActive:
    """Used within the threshold."""

    def test_active_until_the_proof_is_complete(self, server: Process) -> None:
        """An account goes from active to inactive without a moment of unknown."""
        watcher = Watcher(A)
        watcher.cycle(START, server.reading(START))
        watcher.watch_quietly(
            START + POLL, START + POLL + HOUR - POLL, server, rows=[used(1)]
        )

        assert watcher.account().verdict is Verdict.ACTIVE

        end = START + POLL + HOUR
        watcher.cycle(end, server.reading(end, [used(1)]))

        assert watcher.account().verdict is Verdict.INACTIVE

    def test_unknown_when_an_outage_outlasts_the_threshold(
        self, server: Process
    ) -> None:
        """Without readings a use that long ago proves neither side."""
        watcher = Watcher(A)
        watcher.cycle(START, server.reading(START, [a_row(connections=1)]))
        watcher.cycle(START + HOUR)

        assert watcher.account().verdict is Verdict.UNKNOWN


class TestExclusion:
    """Accounts that belong to no tenant have no series."""

    @pytest.mark.parametrize(
        ("facts", "rows", "expected"),
        [
            ({}, ["$SYS", "$G", "TEAM"], ["TEAM"]),
            ({"system_account": "OPS"}, ["OPS", "$G", "TEAM"], ["TEAM"]),
            ({"system_account": "OPS"}, ["OPS", "$SYS", "TEAM"], ["$SYS", "TEAM"]),
            ({}, ["$SYS", "$G"], ["$G"]),
            ({"system_account": None}, ["$G"], ["$G"]),
            ({"is_operator_mode": True}, ["$SYS", "$G"], []),
        ],
    )
    def test_excluded(
        self, facts: dict[str, object], rows: list[str], expected: list[str]
    ) -> None:
        """The servers say who the system account is; $G may be the only tenant."""
        watcher = Watcher(A)
        server = Process("SA", A, start=0.0, **facts)
        view = watcher.cycle(START, server.reading(START, map(a_row, rows)))

        assert [account.account for account in view.accounts] == expected
        assert view.counts[Verdict.EXCLUDED] == len(rows) - len(expected)


class TestNames:
    """The newest non-empty name, else the id."""

    def test_name_follows_the_news(self) -> None:
        """A renamed account takes the new name, an empty one changes nothing."""
        watcher = Watcher(A, B)
        one, two = Process("SA", A, start=0.0), Process("SB", B, start=0.0)

        def names(first: str, second: str, when: float) -> str:
            rows = [[Row("TEAM", first)], [Row("TEAM", second)]]
            watcher.cycle(when, one.reading(when, rows[0]), two.reading(when, rows[1]))
            return watcher.account().name

        assert names("", "", START) == "TEAM"
        assert names("old", "aged", START + 1) == "aged"
        assert names("new", "aged", START + 2) == "new"
        assert names("", "aged", START + 3) == "new"

    def test_name_of_a_restarted_server_is_news(self) -> None:
        """A process that starts has read the newest name."""
        watcher = Watcher(A)
        old = Process("SA", A, 0.0)
        watcher.cycle(START, old.reading(START, [Row("TEAM", "old")]))
        when = START + POLL
        new = Process("SB", A, start=when - 1)
        watcher.cycle(when, new.reading(when, [Row("TEAM", "new")]))

        assert watcher.account().name == "new"

    def test_id_is_no_name(self, server: Process) -> None:
        """A known name is never given up for the id."""
        watcher = Watcher(A)
        watcher.cycle(START, server.reading(START, [Row("TEAM", "team")]))
        watcher.cycle(START + 1, server.reading(START + 1, [Row("TEAM", "TEAM")]))

        assert watcher.account().name == "team"


class TestViewNumbers:
    """What the view counts and says."""

    def test_connections_are_summed_over_servers(self) -> None:
        """Connections and leafnodes of all servers that count are added up."""
        watcher = Watcher(A, B)
        one, two = Process("SA", A, start=0.0), Process("SB", B, start=0.0)
        row = a_row(connections=2, leafnodes=1)
        watcher.cycle(START, one.reading(START, [row]), two.reading(START, [row]))

        assert watcher.account().connections == 4
        assert watcher.account().leafnodes == 2
        assert [server.server_name for server in watcher.view.servers] == ["sa", "sb"]

    def test_published_times_are_shifted(self, server: Process) -> None:
        """The shift of a stepped wall clock is added to every published time."""
        watcher = Watcher(A)
        watcher.ledger.apply(server.reading(START, [a_row(connections=1)]))

        view = watcher.ledger.conclude(at(START), shift_seconds=5.0)

        account = view.accounts[0]
        assert account.quiet_since_at == START + 5
        assert account.last_evidence is not None
        assert account.last_evidence.at == START + 5
        assert view.watched_to_at == START + 5
