"""The operator's list of endpoints, and accounts that no server lists any more."""

from __future__ import annotations

from nats_idle_exporter.activity import (
    Verdict,
)
from tests.activity.builders import (
    HOUR,
    POLL,
    A,
    B,
    C,
    Process,
    Watcher,
    a_pair,
    a_row,
    at,
    used,
)

START = 10_000.0


class TestEndpoints:
    """The operator's list of endpoints."""

    def test_two_urls_of_one_server_count_once(self) -> None:
        """The server's connections are not doubled, and the URLs are reported."""
        watcher = Watcher(A, B)
        server = Process("SA", A, 0.0)
        row = [a_row(connections=1)]
        first = server.reading(START, row)
        second = server.reading(START + 1, row, endpoint=B)
        watcher.cycle(START + 1, second, first)

        assert watcher.view.duplicates == {"SA": (A, B)}
        assert watcher.account().connections == 1

    def test_use_that_only_the_later_answer_shows(self) -> None:
        """Of two answers of one server the later one may show use first."""
        watcher = Watcher(A, B)
        server = Process("SA", A, 0.0)
        watcher.cycle(START, server.reading(START))
        when = START + POLL
        second = server.reading(when + 1, [used(1)], endpoint=B)
        watcher.cycle(when + 1, second, server.reading(when))

        evidence = watcher.account().last_evidence
        assert evidence is not None
        assert evidence.at == when + 1

    def test_connection_that_only_the_later_answer_shows(self) -> None:
        """Whichever answer showed it: gone now, it was there until now."""
        watcher = Watcher(A, B)
        server = Process("SA", A, 0.0)
        watcher.cycle(START, server.reading(START))
        when = START + POLL
        rows = [a_row(connections=1), a_row("NEW", leafnodes=1)]
        second = server.reading(when + 1, rows, endpoint=B)
        watcher.cycle(when + 1, second, server.reading(when))
        later = when + POLL
        watcher.cycle(later, server.reading(later))

        for account in ("TEAM", "NEW"):
            evidence = watcher.account(account).last_evidence
            assert evidence is not None
            assert evidence.at == later

    def test_restart_behind_two_urls(self) -> None:
        """A successor seen by one URL does not end what the other still reads."""
        watcher = Watcher(A, B)
        server, other = Process("SA", A, 0.0), Process("SB", A, start=START + 5)
        watcher.cycle(START, server.reading(START), server.reading(START, endpoint=B))
        when = START + POLL
        watcher.cycle(when, other.reading(when), server.reading(when, endpoint=B))

        assert not watcher.view.unwatched
        assert {s.server_id for s in watcher.view.servers} == {"SA", "SB"}

    def test_removed_endpoint_ends_the_watch_at_once(self) -> None:
        """Without its endpoint a server holds nothing back, read or unread."""
        watcher, one, two = a_pair()
        rows = [a_row(connections=1)]
        watcher.cycle(START + 1, one.reading(START + 1, rows), two.reading(START + 1))
        watcher.ledger.watch([B], at(START + 2))
        two.peers = frozenset()
        when = START + 2 * HOUR
        watcher.cycle(when, two.reading(when))

        account = watcher.account()
        assert account.verdict is Verdict.INACTIVE
        assert account.quiet_since_at == START + 2
        assert account.connections == 0

    def test_removed_endpoint_leaves_the_hole_of_its_outage(self) -> None:
        """What a server did between its last reading and the removal is unknown."""
        watcher, _, two = a_pair()
        when = START + HOUR
        watcher.cycle(when, two.reading(when))
        watcher.ledger.watch([B], at(when + 1))
        two.peers = frozenset()
        watcher.cycle(when + POLL, two.reading(when + POLL))

        assert watcher.account().quiet_since_at == when + 1

    def test_reading_of_a_removed_endpoint_is_dropped(self) -> None:
        """A poll under way while its endpoint is removed changes nothing."""
        watcher, one, two = a_pair()
        watcher.ledger.watch([B], at(START))
        watcher.cycle(
            START + 1, one.reading(START + 1, [used(9)]), two.reading(START + 1)
        )

        assert watcher.account().last_evidence is None

    def test_renamed_endpoint_of_the_only_server(self) -> None:
        """Baselines outlive the watch: use in between is seen, quiet starts anew."""
        watcher = Watcher(A)
        server = Process("SA", A, 0.0)
        rows = [used(3), a_row("IDLE"), a_row("$SYS")]
        watcher.cycle(START, server.reading(START, rows))
        watcher.ledger.watch([B], at(START + POLL))
        view = watcher.cycle(START + 2 * POLL)

        assert [account.account for account in view.accounts] == ["IDLE", "TEAM"]

        when = START + 3 * POLL
        rows[0] = used(4)
        watcher.cycle(when, server.reading(when, rows, endpoint=B))

        assert watcher.account().verdict is Verdict.ACTIVE
        assert watcher.account("IDLE").quiet_since_at == when

    def test_no_endpoint_at_all(self) -> None:
        """Without any endpoint nothing is watched, and nothing breaks."""
        watcher, _, _ = a_pair()
        watcher.ledger.watch([], at(START + 1))
        view = watcher.cycle(START + HOUR)

        assert view.watched_to_at is None
        assert watcher.account().verdict is Verdict.UNKNOWN

    def test_server_with_two_urls_that_loses_both(self) -> None:
        """Whichever URL it answered at last, without any its watch ends."""
        watcher = Watcher(A, B)
        server = Process("SA", A, 0.0)
        watcher.cycle(START, server.reading(START), server.reading(START, endpoint=B))
        watcher.ledger.watch([B], at(START + 1))
        watcher.ledger.watch([C], at(START + 2))
        when = START + HOUR
        other = Process("SC", C, start=START + 5)
        watcher.cycle(when, other.reading(when))

        assert watcher.account().quiet_since_at == when

    def test_replacing_all_endpoints_starts_anew(self) -> None:
        """If no server is left, the next reading is a first sight."""
        watcher, _, _ = a_pair()
        watcher.ledger.watch([C], at(START + HOUR))
        third = Process("SC", C, start=0.0)
        when = START + 2 * HOUR
        watcher.cycle(when, third.reading(when, [used(3)]))

        assert watcher.account().quiet_since_at == when
        assert watcher.account().last_evidence is None

    def test_new_endpoint_that_answers_late_and_younger(self) -> None:
        """Who was there before nobody knows: until its server's start is a hole."""
        watcher = Watcher(A)
        one = Process("SA", A, start=0.0)
        watcher.watch_quietly(START, START + HOUR / 2, one)
        since = START + HOUR / 2 + 1
        watcher.ledger.watch([A, B], at(since))
        end = since + 2 * HOUR
        watcher.watch_quietly(since + 1, end, one)
        two = Process("SB", B, start=end)
        when = end + 20
        watcher.cycle(when, one.reading(when), two.reading(when))

        assert watcher.view.watched_to_at == when
        assert watcher.account().verdict is Verdict.UNKNOWN
        assert watcher.account().quiet_since_at == when

    def test_new_endpoint_that_answers_late_and_older(self) -> None:
        """It joins as any other: what its server did before is unknown."""
        watcher = Watcher(A)
        one, two = Process("SA", A, start=0.0), Process("SB", B, start=0.0)
        watcher.watch_quietly(START, START + 2 * HOUR, one)
        assert watcher.account().verdict is Verdict.INACTIVE
        since = START + 2 * HOUR + 1
        watcher.ledger.watch([A, B], at(since))
        watcher.watch_quietly(since + 1, since + HOUR, one)
        when = since + HOUR + 20
        watcher.cycle(when, one.reading(when), two.reading(when))

        assert watcher.view.watched_to_at == when
        assert not watcher.account().is_observed
        assert watcher.account().quiet_since_at == when

    def test_new_endpoint_that_answers_a_moment_later(self) -> None:
        """A hole as short as that is forgiven."""
        watcher = Watcher(A)
        one, two = Process("SA", A, start=0.0), Process("SB", B, start=START + HOUR)
        watcher.watch_quietly(START, START + HOUR, one)
        watcher.ledger.watch([A, B], at(START + HOUR + 1))
        when = START + HOUR + 2 * POLL
        watcher.cycle(when, one.reading(when), two.reading(when))

        assert watcher.account().quiet_since_at == START


class TestGone:
    """Accounts that no server lists any more."""

    def test_config_mode_forgets_after_three_complete_cycles(self) -> None:
        """Cycles in which a server was not read do not count."""
        watcher, one, two = a_pair()
        seen = []
        for step, is_complete in enumerate([True, False, True, True], start=1):
            when = START + step
            readings = [one.reading(when, [])]
            readings += [two.reading(when, [])] if is_complete else []
            watcher.cycle(when, *readings)
            seen.append(len(watcher.view.accounts))

        assert seen == [1, 1, 1, 0]

    def test_listed_again_starts_counting_anew(self) -> None:
        """One listing by any server is enough to stay."""
        watcher, one, two = a_pair()
        for step, rows in enumerate([[], [], [a_row()], [], []], start=1):
            when = START + step
            watcher.cycle(when, one.reading(when, rows), two.reading(when, []))

        assert len(watcher.view.accounts) == 1

    def test_account_of_a_returning_endpoint_is_met_again(self) -> None:
        """An account that was forgotten meanwhile has a view again, idle or not."""
        watcher, _, two = a_pair()
        one = Process("SA", A, start=0.0)
        rows = [a_row(), a_row("ELSEWHERE")]
        watcher.cycle(START + 1, one.reading(START + 1, rows), two.reading(START + 1))
        watcher.ledger.watch([B], at(START + 2))
        two.peers = frozenset()
        watcher.watch_quietly(START + POLL, START + 5 * POLL, two)

        assert len(watcher.view.accounts) == 1

        watcher.ledger.watch([A, B], at(START + 5 * POLL))
        when = START + 6 * POLL
        watcher.cycle(when, one.reading(when, rows), two.reading(when))

        assert watcher.account("ELSEWHERE").quiet_since_at == when

    def test_last_word_on_accounts_is_not_forgotten(self) -> None:
        """However long no server answers, the system account is no tenant."""
        watcher = Watcher(A, B, forget_after=HOUR)
        one = Process("SA", A, 0.0)
        rows = [a_row(), a_row("$SYS")]
        watcher.cycle(START, one.reading(START, rows))
        watcher.ledger.watch([B], at(START + 1))
        for hours in (1, 2):
            watcher.cycle(START + hours * HOUR + 2)

        assert [account.account for account in watcher.view.accounts] == ["TEAM"]

    def test_operator_mode_waits_for_forget_after(self) -> None:
        """Servers unload idle accounts at every restart: absence means nothing."""
        watcher = Watcher(A, forget_after=HOUR)
        server = Process("SA", A, 0.0, is_operator_mode=True)
        watcher.cycle(START, server.reading(START))
        watcher.watch_quietly(START + POLL, START + HOUR - POLL, server, rows=[])

        assert len(watcher.view.accounts) == 1

        watcher.cycle(START + HOUR, server.reading(START + HOUR, []))

        assert not watcher.view.accounts

    def test_raised_account_survives_a_restart_in_operator_mode(self) -> None:
        """After a restart nobody lists it, and it stays inactive and observed."""
        watcher = Watcher(A)
        server = Process("SA", A, 0.0, is_operator_mode=True)
        watcher.watch_quietly(START, START + HOUR, server)
        when = START + HOUR + POLL
        successor = Process("SB", A, start=when - 5, is_operator_mode=True)
        watcher.watch_quietly(when, when + HOUR, successor, rows=[])

        assert watcher.account().verdict is Verdict.INACTIVE
        assert watcher.account().is_observed
        assert watcher.account().quiet_since_at == START

    def test_end_of_a_server_that_knew_forgotten_accounts(self) -> None:
        """A server that peers bring back and then end may know forgotten accounts."""
        watcher, one, two = a_pair()
        rows = [a_row(connections=1), a_row("X")]
        watcher.cycle(
            START + 1, one.reading(START + 1, rows), two.reading(START + 1, [])
        )
        watcher.ledger.watch([B], at(START + 2))
        for step, names in enumerate([[], [], [], [], ["SA"], []], start=1):
            two.peers = frozenset(names)
            when = START + step * POLL
            watcher.cycle(when, two.reading(when, [a_row("X")]))

        assert [account.account for account in watcher.view.accounts] == ["X"]
