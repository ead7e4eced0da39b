"""The first poll of a system: what servers prove of the time before it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nats_idle_exporter.activity import (
    BriefConnections,
    Closed,
    Instant,
    JetStreamRound,
    Reading,
    Ring,
    Row,
    Verdict,
)
from nats_idle_exporter.activity.stamps import SLACK_SECONDS
from tests.activity.builders import HOUR, A, B, Process, Watcher, a_row, at, used

START = 1_000_000.0
BOOT = START - 24 * HOUR
INCOMPLETE = Ring(is_complete=False)


def a_server(server_id: str = "SA", endpoint: str = A, start: float = BOOT) -> Process:
    """Return a server that was never reloaded."""
    server = Process(server_id, endpoint, start)
    server.loaded_at = start
    return server


def first_sight(row: Row, **changes: Any) -> Watcher:
    """Return a watcher after one cycle with that row."""
    watcher = Watcher(A)
    watcher.cycle(START, a_server().reading(START, [row], **changes))
    return watcher


class TestFirstSight:
    """Quiet that is proven back to a server's start."""

    def test_never_used_account_is_inactive_at_once(self) -> None:
        """Zero counters and an empty ring prove quiet since the start."""
        account = first_sight(a_row()).account()

        assert account.verdict is Verdict.INACTIVE
        assert account.is_observed
        assert account.quiet_since_at == BOOT
        assert account.last_evidence is None

    @pytest.mark.parametrize(
        ("row", "changes"),
        [
            pytest.param(used(1), {}, id="counters"),
            pytest.param(
                a_row(total=(5, 5, 0, 0), routes=(5, 5, 0, 0)), {}, id="route traffic"
            ),
            pytest.param(
                a_row(), {"ring": Ring((Closed("TEAM", HOUR),))}, id="closed connection"
            ),
            pytest.param(a_row(), {"ring": INCOMPLETE}, id="ring forgot"),
            pytest.param(
                a_row(),
                {"jetstream": JetStreamRound(at(START), enabled=frozenset({"TEAM"}))},
                id="may own streams",
            ),
            pytest.param(a_row(), {"jetstream": None}, id="jsz not read"),
        ],
    )
    def test_doubt_starts_the_clock_at_the_first_poll(
        self, row: Row, changes: dict[str, Any]
    ) -> None:
        """Whatever may hide use of any age leaves nothing proven before the poll."""
        account = first_sight(row, **changes).account()

        assert account.verdict is not Verdict.INACTIVE
        assert account.quiet_since_at == START

    def test_best_effort_forgives_the_ring(self) -> None:
        """With best_effort a ring that forgot entries hides nothing."""
        watcher = Watcher(A, brief_connections=BriefConnections.BEST_EFFORT)
        watcher.cycle(START, a_server().reading(START, ring=INCOMPLETE))

        assert watcher.account().quiet_since_at == BOOT

    def test_reload_bounds_the_proof(self) -> None:
        """An account may have been added by the reload five minutes ago."""
        watcher = Watcher(A)
        server = a_server()
        server.loaded_at = START - 300
        watcher.cycle(START, server.reading(START))

        assert watcher.account().quiet_since_at == START - 300 + SLACK_SECONDS
        assert watcher.account().verdict is Verdict.UNKNOWN

    def test_newest_bound_of_all_servers_holds(self) -> None:
        """A server that started an hour ago proves nothing before."""
        watcher = Watcher(A, B)
        young = a_server("SB", B, START - HOUR / 2)
        watcher.cycle(START, a_server().reading(START), young.reading(START, []))

        assert watcher.account().quiet_since_at == START - HOUR / 2

    def test_counters_on_any_server_are_doubt(self) -> None:
        """Zero here and used there: quiet starts at the poll."""
        watcher = Watcher(A, B)
        watcher.cycle(
            START,
            a_server().reading(START),
            a_server("SB", B).reading(START, [used(1)]),
        )

        assert watcher.account().quiet_since_at == START

    def test_endpoint_that_answers_later(self) -> None:
        """Until every endpoint answered nothing is proven; then its bound counts."""
        watcher = Watcher(A, B)
        one, two = a_server(), a_server("SB", B, START - HOUR)
        watcher.cycle(START, one.reading(START))

        assert watcher.account().verdict is Verdict.UNKNOWN

        later = START + 60
        watcher.cycle(later, one.reading(later), two.reading(later))

        assert watcher.account().verdict is Verdict.INACTIVE
        assert watcher.account().quiet_since_at == START - HOUR

    def test_account_that_is_listed_later_on_the_same_server(self) -> None:
        """An account that appears between two polls starts quiet at the second."""
        watcher = Watcher(A, B)
        server = a_server()
        watcher.cycle(START, server.reading(START, []))
        later = START + 60
        watcher.cycle(
            later, server.reading(later), a_server("SB", B).reading(later, [])
        )

        assert watcher.account().quiet_since_at == later


def by_jwt(server_id: str = "SA", endpoint: str = A, start: float = BOOT) -> Process:
    """Return a server in operator mode that was never reloaded."""
    server = a_server(server_id, endpoint, start)
    server.facts["is_operator_mode"] = True
    return server


def issued(at_: float) -> dict[str, Any]:
    """Return what a reading tells of a JWT that was issued then."""
    return {"issued": {"TEAM": at_}}


class TestAgeOfJwt:
    """In operator mode accounts come without a reload; their JWTs tell since when."""

    @pytest.mark.parametrize(
        ("issued_at", "quiet_since_at"),
        [
            pytest.param(None, START, id="not told"),
            pytest.param(BOOT - HOUR, BOOT, id="older than the server"),
            pytest.param(START - 300, START - 300 + SLACK_SECONDS, id="young"),
            pytest.param(START + HOUR, START, id="of the future"),
        ],
    )
    def test_bounds_the_proof(
        self, issued_at: float | None, quiet_since_at: float
    ) -> None:
        """Quiet goes back to the server's start or the JWT, whichever is later."""
        watcher = Watcher(A)
        told = {} if issued_at is None else issued(issued_at)
        watcher.cycle(START, by_jwt().reading(START, **told))

        account = watcher.account()
        assert account.quiet_since_at == quiet_since_at
        is_long_enough = START - quiet_since_at >= HOUR
        assert (account.verdict is Verdict.INACTIVE) == is_long_enough

    @pytest.mark.parametrize(
        ("row", "changes"),
        [
            pytest.param(used(1), {}, id="counters"),
            pytest.param(a_row(), {"ring": INCOMPLETE}, id="ring forgot"),
        ],
    )
    def test_excuses_no_doubt(self, row: Row, changes: dict[str, Any]) -> None:
        """An old JWT says nothing of when the account was used."""
        watcher = Watcher(A)
        told = {**changes, **issued(BOOT)}
        watcher.cycle(START, by_jwt().reading(START, [row], **told))

        assert watcher.account().quiet_since_at == START

    def test_learned_later(self) -> None:
        """The age counts whenever it is told, as long as nothing was used since."""
        watcher, server, later = Watcher(A), by_jwt(), START + 60
        watcher.cycle(START, server.reading(START))
        assert watcher.account().verdict is Verdict.UNKNOWN

        watcher.cycle(later, server.reading(later, **issued(BOOT - HOUR)))

        assert watcher.account().verdict is Verdict.INACTIVE
        assert watcher.account().quiet_since_at == BOOT

    def test_used_before_it_was_learned(self) -> None:
        """Use between the first poll and the answer is not forgotten."""
        watcher, server = Watcher(A), by_jwt()
        watcher.cycle(START, server.reading(START))
        watcher.cycle(START + 30, server.reading(START + 30, [used(1)]))
        told = server.reading(START + 60, [used(1)], **issued(BOOT - HOUR))
        watcher.cycle(START + 60, told)

        assert watcher.account().verdict is Verdict.ACTIVE
        assert watcher.account().quiet_since_at == START + 30

    def test_hole_before_it_was_learned(self) -> None:
        """A server that was replaced unseen leaves its hole in the proof."""
        watcher, later = Watcher(A), START + 2 * HOUR
        watcher.cycle(START, by_jwt().reading(START))
        successor = by_jwt("SB", start=START + HOUR)
        watcher.cycle(later, successor.reading(later, **issued(BOOT - HOUR)))

        assert watcher.account().quiet_since_at == START + HOUR

    def test_reload_bounds_the_proof_too(self) -> None:
        """What a server counted before its last reload is not known."""
        watcher, server = Watcher(A), by_jwt()
        server.loaded_at = START - 300
        watcher.cycle(START, server.reading(START, **issued(BOOT)))

        assert watcher.account().quiet_since_at == START - 300 + SLACK_SECONDS

    def test_of_several_the_oldest_counts(self) -> None:
        """A JWT that was issued anew makes its account no younger."""
        watcher, server = Watcher(A, B), by_jwt()
        two, later = by_jwt("SB", B), START + 60
        watcher.cycle(
            START,
            server.reading(START, **issued(START - HOUR)),
            two.reading(START, **issued(START - 2 * HOUR)),
        )
        watcher.cycle(
            later, server.reading(later, **issued(START + 50)), two.reading(later)
        )

        since = START - 2 * HOUR + SLACK_SECONDS
        assert watcher.account().quiet_since_at == since

    def test_step_of_the_servers_clock(self) -> None:
        """An age by a clock that was set since the start counts as none."""
        watcher, server = Watcher(A), by_jwt()
        reading = server.reading(START, **issued(BOOT - HOUR))
        set_at = BOOT - HOUR
        stepped = replace(reading.server, start_at=set_at, loaded_at=set_at)
        watcher.cycle(START, replace(reading, server=stepped))

        assert watcher.account().quiet_since_at == START

    def test_account_that_is_listed_later(self) -> None:
        """Who appears on a watched server was loaded for a reason: quiet starts."""
        watcher, server, later = Watcher(A), by_jwt(), START + 60
        told = issued(BOOT)
        watcher.cycle(START, server.reading(START, [], **told))
        assert watcher.view.accounts == ()

        watcher.cycle(later, server.reading(later, **told))

        assert watcher.account().quiet_since_at == later


class TestClocks:
    """No clock error may prove more than there was."""

    def reading_with(self, server: Process, **facts: Any) -> Reading:
        """Return a reading whose facts of time are changed."""
        reading = server.reading(START)
        return replace(reading, server=replace(reading.server, **facts))

    def test_step_of_a_reloaded_server(self) -> None:
        """A stamp of a clock that was set since counts as now."""
        watcher = Watcher(A)
        server = a_server()
        server.loaded_at = START - 5 * HOUR
        watcher.cycle(START, self.reading_with(server, start_at=BOOT - HOUR))

        assert watcher.account().quiet_since_at == START

    def test_step_of_a_server_that_was_never_reloaded(self) -> None:
        """Uptime is no stamp: it is counted by a clock that nobody sets."""
        watcher = Watcher(A)
        reading = self.reading_with(
            a_server(), start_at=BOOT - HOUR, loaded_at=BOOT - HOUR
        )
        watcher.cycle(START, reading)

        assert watcher.account().quiet_since_at == BOOT

    def test_time_that_the_slow_timeline_lost(self) -> None:
        """What our clocks lost before the first poll is not counted as quiet."""
        watcher = Watcher(A)
        now = Instant(START, START + HOUR)
        watcher.ledger.apply(a_server().reading(START, asked=now, answered=now))
        watcher.view = watcher.ledger.conclude(now)

        assert watcher.account().quiet_since_at == BOOT + HOUR
