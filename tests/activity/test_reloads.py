"""The operator changes the rules, or what is watched, while we run."""

from __future__ import annotations

import pytest

from nats_idle_exporter.activity import (
    BriefConnections,
    Changes,
    Ledger,
    Ring,
    Verdict,
)
from tests.activity import rounds
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
from tests.activity.keeping import Rows, keep, no_time, plain, told

START = 10_000.0
OVERFLOWED = Ring(reaches_back=False)


def adopt(watcher: Watcher, rules: FixedRules) -> None:
    """Have a watcher's ledger judge by other rules."""
    watcher.rules = rules
    watcher.ledger.adopt(rules, watcher.cadence)


def raised() -> tuple[Watcher, Process]:
    """Return who watched one server until TEAM was idle for two hours."""
    watcher, server = Watcher(A), Process("SA", A, start=0.0)
    watcher.watch_quietly(START, START + 2 * HOUR, server)
    assert watcher.account().verdict is Verdict.INACTIVE
    return watcher, server


class TestRules:
    """Other thresholds, tolerances and exclusions."""

    @pytest.mark.parametrize(
        ("threshold", "verdict"),
        [
            (HOUR / 2, Verdict.INACTIVE),
            (HOUR, Verdict.INACTIVE),
            (2 * HOUR, Verdict.INACTIVE),
            (2 * HOUR + 2 * POLL, Verdict.UNKNOWN),
        ],
    )
    def test_raised_verdict(self, threshold: float, verdict: Verdict) -> None:
        """It falls only by a threshold above the longest idle time ever proven."""
        watcher, server = raised()
        adopt(watcher, FixedRules(threshold))
        when = START + 2 * HOUR + POLL
        watcher.cycle(when, server.reading(when))

        assert watcher.account().verdict is verdict

    def test_raised_verdict_without_a_reading(self) -> None:
        """A reload while no server answers neither clears a verdict nor raises one."""
        watcher, _ = raised()
        adopt(watcher, FixedRules(2 * HOUR))
        watcher.cycle(START + 9 * HOUR)
        held = watcher.account()
        watcher = Watcher(A)
        server = Process("SA", A, start=0.0)
        watcher.watch_quietly(START, START + HOUR / 2, server)
        adopt(watcher, FixedRules(HOUR / 4))
        watcher.cycle(START + 9 * HOUR)

        assert (held.verdict, held.is_observed) == (Verdict.INACTIVE, False)
        assert watcher.account().verdict is Verdict.UNKNOWN

    def test_lower_threshold_is_proven_by_the_time_before(self) -> None:
        """What was watched before the reload counts."""
        watcher, server = Watcher(A), Process("SA", A, start=0.0)
        watcher.watch_quietly(START, START + HOUR / 2, server)
        adopt(watcher, FixedRules(HOUR / 4))
        when = START + HOUR / 2 + POLL
        watcher.cycle(when, server.reading(when))

        assert watcher.account().verdict is Verdict.INACTIVE
        assert watcher.account().quiet_since_at == START

    def test_use_before_a_reload_is_use(self) -> None:
        """Under a longer threshold, old use makes an inactive account active again."""
        watcher, server = Watcher(A), Process("SA", A, start=0.0)
        watcher.cycle(START, server.reading(START))
        watcher.watch_quietly(START + POLL, START + 2 * HOUR, server, rows=[used(1)])
        assert watcher.account().verdict is Verdict.INACTIVE
        adopt(watcher, FixedRules(24 * HOUR))
        when = START + 2 * HOUR + POLL
        watcher.cycle(when, server.reading(when, [used(1)]))

        assert watcher.account().verdict is Verdict.ACTIVE

    def test_exclusion_and_back(self) -> None:
        """Who was excluded for a while is judged by all that was seen meanwhile."""
        watcher, server = raised()
        adopt(watcher, FixedRules(excluded=frozenset({"TEAM"})))
        when = START + 2 * HOUR + POLL
        excluded = watcher.cycle(when, server.reading(when, [used(1)]))
        adopt(watcher, FixedRules())
        watcher.cycle(when + POLL, server.reading(when + POLL, [used(1)]))

        assert excluded.accounts == ()
        assert excluded.counts[Verdict.EXCLUDED] == 1
        assert watcher.account().verdict is Verdict.ACTIVE

    def test_consumers_are_looked_at_before_a_lower_threshold_raises(self) -> None:
        """Streams alone prove nothing near a threshold, also one that came near."""
        watcher = Watcher(A, rules=FixedRules(24 * HOUR))
        server = Process("SA", A, start=rounds.BOOT)
        when = rounds.START
        while when < rounds.START + 2 * HOUR:
            watcher.cycle(when, rounds.told(server, when, rounds.UNASKED))
            when += POLL
        adopt(watcher, FixedRules(HOUR))
        watcher.cycle(when, rounds.told(server, when, rounds.UNASKED))

        assert watcher.account().verdict is Verdict.UNKNOWN
        assert watcher.ledger.consumers_wanted() == {"TEAM"}


class TestCadence:
    """Other intervals."""

    def test_how_old_readings_may_be(self) -> None:
        """Readings of the age of two intervals are fresh, by the interval now."""
        watcher, _ = raised()
        when = START + 3 * HOUR
        outdated = watcher.cycle(when)
        cadence = watcher.cadence._replace(poll_seconds=HOUR)
        watcher.ledger.adopt(watcher.rules, cadence)
        fresh = watcher.cycle(when + 1)

        assert (outdated.is_fresh, fresh.is_fresh) == (False, True)

    def test_brief_connections(self) -> None:
        """A ring that does not reach back is a hole, or none, from now on only."""
        watcher = Watcher(A, brief_connections=BriefConnections.BEST_EFFORT)
        server = Process("SA", A, start=0.0)
        watcher.cycle(START, server.reading(START))
        watcher.cycle(START + HOUR, server.reading(START + HOUR, ring=OVERFLOWED))
        before = watcher.account().quiet_since_at
        cadence = watcher.cadence._replace(brief_connections=BriefConnections.REQUIRE)
        watcher.ledger.adopt(watcher.rules, cadence)
        watcher.cycle(START + HOUR + POLL, server.reading(START + HOUR + POLL))
        between = watcher.account().quiet_since_at
        when = START + 2 * HOUR
        watcher.cycle(when, server.reading(when, ring=OVERFLOWED))

        assert before == between == START
        assert watcher.account().quiet_since_at == when

    def test_forget_after(self) -> None:
        """An account that nobody lists is forgotten by the new time."""
        watcher, server = Watcher(A), Process("SA", A, 0.0, is_operator_mode=True)
        watcher.cycle(START, server.reading(START))
        cadence = watcher.cadence._replace(forget_after_seconds=HOUR)
        watcher.ledger.adopt(watcher.rules, cadence)
        watcher.watch_quietly(START + POLL, START + HOUR, server, rows=[])

        assert watcher.view.accounts == ()


class TestEndpoints:
    """The list of endpoints, told again and again."""

    def test_the_same_list_changes_nothing(self) -> None:
        """In whatever order: no watch ends, and none begins."""
        watcher, _, _ = a_pair()
        before = plain(watcher.ledger._memory)
        watcher.ledger.watch([B, A], at(START + HOUR))

        assert plain(watcher.ledger._memory) == before

    def test_the_same_list_ends_nobody_whom_peers_name(self) -> None:
        """A server that was left out and still is a peer holds verdicts back."""
        watcher, _, two = a_pair()
        watcher.ledger.watch([B], at(START + 1))
        watcher.cycle(START + POLL, two.reading(START + POLL))
        before = {each.who for each in watcher.view.unwatched}
        watcher.ledger.watch([B], at(START + POLL + 1))
        watcher.cycle(START + 2 * POLL, two.reading(START + 2 * POLL))

        assert before == {each.who for each in watcher.view.unwatched} == {"SA"}

    def test_a_list_that_is_taken_back_in_time(self) -> None:
        """After a restart the last word before the first reading counts."""
        watcher, _, two = a_pair()
        ledger = watcher.resumed(no_time(at(START)))
        ledger.watch([B], at(START + 1))
        ledger.watch([A, B], at(START + 2))
        ledger.apply(two.reading(START + HOUR))
        view = ledger.conclude(at(START + HOUR))

        assert {each.who for each in view.unwatched} == {A}


class TestAbsent:
    """A system that is not configured for a while."""

    def test_resumed_as_it_was(self) -> None:
        """Who does not know the endpoints gets those of the rows."""
        watcher, _, _ = a_pair()
        clocks = no_time(at(START))
        ledger = Ledger.resume(
            None, watcher.rules, watcher.cadence, told(watcher.rows), clocks
        )

        assert plain(ledger._memory) == plain(watcher.ledger._memory)

    def test_goes_on_after_a_pause(self) -> None:
        """Nobody read it meanwhile: the servers' counters and starts tell the rest."""
        watcher, server = raised()
        when = START + 9 * HOUR
        watcher.cycle(when, server.reading(when, [a_row(), used(1, "APP")]))

        assert watcher.account().verdict is Verdict.INACTIVE
        assert watcher.account().idle_seconds == 9 * HOUR
        assert watcher.account("APP").last_evidence is not None

    def test_all_is_told_anew(self) -> None:
        """A store that dropped it knows all again; what goes is still told to go."""
        watcher, server = Watcher(A), Process("SA", A, start=rounds.BOOT)
        when, rows = rounds.START, [a_row(), a_row("GOES")]
        watcher.cycle(when, rounds.told(server, when, rounds.read_by(), rows=rows))
        watcher.watch_quietly(when + POLL, when + 2 * POLL, server)
        watcher.ledger.retell()
        when += 3 * POLL
        # No round of jsz: what is known of streams did not change, and is told.
        watcher.ledger.apply(server.reading(when, jetstream=None))
        watcher.ledger.conclude(at(when))
        changes = watcher.ledger.changes(no_time(at(when)))
        anew: Rows = {}
        keep(anew, changes)
        keep(watcher.rows, changes)

        assert ("account", "GOES") in changes.deletes
        assert anew == watcher.rows
        assert {kind for kind, _ in anew} >= {"counters", "stream", "estate", "round"}
        assert watcher.ledger.changes(no_time(at(when))) == Changes([], [])
