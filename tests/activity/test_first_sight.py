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

    def test_account_of_a_young_jwt(self) -> None:
        """In operator mode accounts come without a reload: quiet starts now."""
        watcher = Watcher(A)
        server = a_server()
        server.facts["is_operator_mode"] = True
        watcher.cycle(START, server.reading(START))

        assert watcher.account().quiet_since_at == START

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
