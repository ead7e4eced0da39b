"""Accounts that no server has loaded, and who is gone by whose word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nats_idle_exporter.activity import (
    Closed,
    EvidenceKind,
    Instant,
    Inventory,
    JetStreamRound,
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
    Watcher,
    a_row,
    a_use,
    at,
    used,
)
from tests.activity.inventoried import (
    BOOT,
    EMPTY,
    OLD,
    START,
    Inventoried,
    by_file,
    by_jwt,
    listing,
)


class TestFirstSight:
    """Accounts that the inventory lists at the first sight of a system."""

    @pytest.mark.parametrize(
        ("issued_at", "quiet_since_at"),
        [
            pytest.param(OLD, BOOT, id="older than the server"),
            pytest.param(START - 300, START - 300 + SLACK_SECONDS, id="young"),
            pytest.param(START + HOUR, START, id="of the future"),
            pytest.param(None, START, id="not told"),
        ],
    )
    def test_never_loaded_account(
        self, issued_at: float | None, quiet_since_at: float
    ) -> None:
        """Quiet goes back to the server's start or the JWT, whichever is later."""
        watcher = Inventoried()
        watcher.answer(listing("TEAM", issued_at=issued_at))

        account = watcher.account()
        assert account.quiet_since_at == quiet_since_at
        assert account.last_evidence is None
        assert account.inventory is Inventory.INVENTORY_ONLY
        is_long_enough = START - quiet_since_at >= HOUR
        assert (account.verdict is Verdict.INACTIVE) == is_long_enough

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"ring": Ring(is_complete=False)}, id="ring forgot"),
            pytest.param(
                {"ring": Ring((Closed("TEAM", HOUR),))}, id="closed connection"
            ),
            pytest.param({"jetstream": None}, id="jsz not read"),
            pytest.param(
                {"jetstream": JetStreamRound(at(START), enabled=frozenset({"TEAM"}))},
                id="may own streams",
            ),
        ],
    )
    def test_doubt_starts_the_clock_at_the_poll(self, changes: dict[str, Any]) -> None:
        """What leaves nothing proven of a row of zeros leaves nothing proven here."""
        watcher = Inventoried()
        watcher.answer(listing("TEAM"), **changes)

        assert watcher.account().quiet_since_at == START
        assert watcher.account().verdict is not Verdict.INACTIVE

    def test_newest_start_bounds_it(self) -> None:
        """An endpoint that answers later bounds who it does not list, too."""
        watcher, one, two = Watcher(A, B), by_jwt(), by_jwt("SB", B, START - 300)
        watcher.ledger.list_accounts(listing("TEAM"))
        watcher.cycle(START, one.reading(START, EMPTY))
        assert watcher.account().verdict is Verdict.UNKNOWN
        later = START + POLL
        watcher.cycle(later, one.reading(later, EMPTY), two.reading(later, EMPTY))

        assert watcher.account().quiet_since_at == START - 300

    def test_configuration_mode(self) -> None:
        """Who is not in the loaded configuration was not used since it was loaded."""
        watcher = Inventoried(by_file())
        watcher.answer(listing("TEAM", issued_at=None))

        assert watcher.account().quiet_since_at == BOOT
        assert watcher.account().verdict is Verdict.INACTIVE

    def test_operator_mode_shows_later(self) -> None:
        """A JWT's age is in doubt as soon as one server takes accounts from JWTs."""
        watcher, leaf, hub = Watcher(A, B), by_file(), by_jwt("SB", B)
        watcher.ledger.list_accounts(listing("TEAM", issued_at=None))
        watcher.cycle(START, leaf.reading(START, EMPTY))
        later = START + POLL
        watcher.cycle(later, leaf.reading(later, EMPTY), hub.reading(later, EMPTY))

        assert watcher.account().quiet_since_at == later

    def test_nothing_is_said_before_a_server_answers(self) -> None:
        """Without any reading the mode is unknown, so the list waits."""
        watcher = Watcher(A)
        watcher.ledger.list_accounts(listing("TEAM"))
        assert not watcher.cycle(START).accounts
        later = START + POLL
        watcher.cycle(later, by_jwt().reading(later, EMPTY))

        assert watcher.account().quiet_since_at == BOOT

    def test_step_of_a_servers_clock(self) -> None:
        """Ages by a clock that was set since the start count only once it is well."""
        watcher = Inventoried()
        reading = by_jwt().reading(START, EMPTY)
        stepped = replace(reading.server, start_at=OLD, loaded_at=OLD)
        watcher.ledger.list_accounts(listing("TEAM"))
        watcher.cycle(START, replace(reading, server=stepped))
        assert watcher.account().quiet_since_at == START
        watcher.now = START
        watcher.answer(listing("TEAM"))

        assert watcher.account().quiet_since_at == BOOT

    def test_clocks_of_servers_differ(self) -> None:
        """A server whose clock is ahead makes no JWT older than it is."""
        watcher, one, two = Watcher(A, B), by_jwt(), by_jwt("SB", B)
        ahead = two.reading(START, EMPTY)
        facts = replace(
            ahead.server,
            now_at=START + HOUR,
            start_at=BOOT + HOUR,
            loaded_at=BOOT + HOUR,
        )
        watcher.ledger.list_accounts(listing("TEAM", issued_at=START - 300))
        watcher.cycle(START, one.reading(START, EMPTY), replace(ahead, server=facts))

        assert watcher.account().quiet_since_at == START - 300 + SLACK_SECONDS

    @pytest.mark.parametrize("is_told_by_server", [False, True])
    def test_clocks_of_all_servers_are_ahead(self, *, is_told_by_server: bool) -> None:
        """Our own clock has its say on the age of a JWT, whoever tells it."""
        watcher, issued_at = Watcher(A), START - 300
        reading = by_jwt().reading(START, [a_row()] if is_told_by_server else EMPTY)
        facts = replace(
            reading.server,
            now_at=START + HOUR,
            start_at=BOOT + HOUR,
            loaded_at=BOOT + HOUR,
        )
        issued = {"TEAM": issued_at} if is_told_by_server else {}
        told = listing("TEAM", issued_at=issued_at)
        watcher.ledger.list_accounts(None if is_told_by_server else told)
        watcher.cycle(START, replace(reading, server=facts, issued=issued))

        assert watcher.account().quiet_since_at == issued_at + SLACK_SECONDS


class TestListedLater:
    """Accounts that the inventory lists on a watched system."""

    def test_operator_mode_proves_back(self) -> None:
        """Who was in no reading is quiet as long as the watch, if its JWT is old."""
        watcher = Inventoried()
        watcher.quiet()
        watcher.answer(listing("TEAM"))

        assert watcher.account().quiet_since_at == BOOT
        assert watcher.account().verdict is Verdict.INACTIVE

    def test_age_is_learned_later(self) -> None:
        """A JWT that is read after its account was listed counts from then on."""
        watcher = Inventoried()
        watcher.answer(listing("TEAM", issued_at=None))
        assert watcher.account().quiet_since_at == START
        watcher.answer(listing("TEAM"))

        assert watcher.account().quiet_since_at == BOOT

    def test_issued_anew(self) -> None:
        """A JWT that was issued anew makes its account no younger."""
        watcher = Inventoried()
        watcher.answer(listing("TEAM"))
        watcher.answer(listing("TEAM", issued_at=START))

        assert watcher.account().quiet_since_at == BOOT

    def test_configuration_mode_starts_now(self) -> None:
        """Who is written into a configuration was not there before."""
        watcher = Inventoried(by_file())
        watcher.quiet()
        watcher.answer(listing("TEAM", issued_at=None))

        assert watcher.account().quiet_since_at == START + POLL

    def test_answer_without_any_reading_waits(self) -> None:
        """During an outage of all servers a list changes nothing yet."""
        watcher = Inventoried()
        watcher.quiet()
        watcher.ledger.list_accounts(listing("TEAM"))
        assert not watcher.cycle(START + POLL).accounts
        watcher.now += POLL
        watcher.quiet()

        assert watcher.account().quiet_since_at == BOOT

    def test_clock_loss_makes_it_no_older(self) -> None:
        """What the slow timeline lost may lie after the JWT."""
        watcher = Inventoried()
        watcher.answer(listing("TEAM", issued_at=START - 2 * HOUR))
        now = Instant(START + POLL, START + POLL + HOUR)
        reading = watcher.server.reading(START + POLL + HOUR, EMPTY)
        reading = replace(reading, asked=now, answered=now)
        watcher.ledger.list_accounts(listing("TEAM", "B", issued_at=START - 2 * HOUR))
        watcher.ledger.apply(reading)
        view = watcher.ledger.conclude(now, HOUR)

        (other,) = (each for each in view.accounts if each.account == "B")
        expected = START + POLL - (POLL + 3 * HOUR - SLACK_SECONDS - HOUR)
        assert other.quiet_since_at - HOUR == expected


class TestUse:
    """Use of accounts that only the inventory listed."""

    def test_loaded_without_use(self) -> None:
        """A row of zeros that appears is no use."""
        watcher = Inventoried()
        watcher.answer(listing("TEAM"))
        watcher.quiet([a_row()])

        assert watcher.account().quiet_since_at == BOOT
        assert watcher.account().inventory is Inventory.BOTH

    def test_loaded_by_use(self) -> None:
        """A row that appears with counters is use since the last reading."""
        watcher = Inventoried()
        watcher.answer(listing("TEAM"))
        watcher.quiet([used(1)])

        assert watcher.account().verdict is Verdict.ACTIVE
        assert watcher.account().last_evidence == a_use(
            EvidenceKind.RECEIVED,
            "SA",
            START + POLL,
        )

    def test_loaded_in_the_cycle_that_lists_it(self) -> None:
        """The list and the first row of one cycle make one account."""
        watcher = Inventoried()
        watcher.quiet()
        watcher.answer(listing("TEAM"), [a_row()])

        assert watcher.account().quiet_since_at == BOOT

    def test_closed_connection(self) -> None:
        """Who came and went is in the ring, though no server lists the account."""
        watcher = Inventoried()
        watcher.answer(listing("TEAM"))
        watcher.quiet(ring=Ring((Closed("TEAM", 10.0),)))

        account = watcher.account()
        assert account.verdict is Verdict.ACTIVE
        assert account.last_evidence is not None
        assert account.last_evidence.kind is EvidenceKind.CLOSED_CONNECTION

    def test_closed_connection_before_it_was_listed(self) -> None:
        """Nothing is proven from before a stranger in the ring was listed."""
        watcher = Inventoried()
        watcher.quiet()
        watcher.quiet(ring=Ring((Closed("TEAM", 10.0),)))
        watcher.answer(listing("TEAM"))

        assert watcher.account().quiet_since_at == START + POLL

    def test_hole(self) -> None:
        """A server that was replaced unseen hides use of who was not loaded, too."""
        watcher = Inventoried()
        watcher.answer(listing("TEAM"))
        watcher.now += 2 * HOUR
        successor = by_jwt("SB", start=START + HOUR)
        watcher.quiet(server=successor)

        assert watcher.account().quiet_since_at == START + HOUR

    @pytest.mark.parametrize(
        ("release", "quiet_since_at"),
        [
            pytest.param((2, 9, 10), START + POLL, id="wipes"),
            pytest.param((2, 15, 1), BOOT, id="keeps"),
        ],
    )
    def test_reload_that_wipes_counters(
        self, release: tuple[int, ...], quiet_since_at: float
    ) -> None:
        """Who is in neither reading may have been added, used and removed again."""
        rules = FixedRules(gap_tolerance_seconds=0.0)
        watcher = Inventoried(by_file(), rules=rules)
        watcher.server.facts["release"] = release
        watcher.answer(listing("TEAM", issued_at=None))
        watcher.server.loaded_at = START + 1
        watcher.quiet()

        assert watcher.account().quiet_since_at == quiet_since_at

    def test_restart(self) -> None:
        """A restart at once forgets the loaded account, not its verdict."""
        watcher = Inventoried()
        watcher.answer(listing("TEAM"), [a_row()])
        watcher.quiet(server=by_jwt("SB", start=START + POLL / 2))

        assert watcher.account().verdict is Verdict.INACTIVE
        assert watcher.account().inventory is Inventory.INVENTORY_ONLY


class TestOthers:
    """What an inventory must not touch."""

    def test_system_account(self) -> None:
        """The system account is excluded, whoever lists it."""
        watcher = Inventoried()
        watcher.answer(listing("$SYS", "TEAM"))

        assert watcher.accounts.keys() == {"TEAM"}
        assert watcher.view.counts[Verdict.EXCLUDED] == 1

    def test_only_tenant(self) -> None:
        """An account that nobody configured takes no verdict from ``$G``."""
        watcher = Inventoried(by_file())
        watcher.answer(listing("MISTAKE", issued_at=None), [a_row("$G")])

        assert watcher.accounts["$G"].verdict is Verdict.INACTIVE

    def test_no_inventory(self) -> None:
        """Without an inventory nothing is said of it."""
        watcher = Inventoried()
        watcher.quiet([a_row()])

        assert watcher.account().inventory is Inventory.NONE
