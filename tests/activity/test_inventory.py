"""Accounts that no server has loaded, and who is gone by whose word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nats_idle_exporter.activity import (
    AccountView,
    Closed,
    EvidenceKind,
    Instant,
    Inventory,
    JetStreamRound,
    Listed,
    Listing,
    Reason,
    Ring,
    Row,
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
    used,
)

START = 1_000_000.0
BOOT = START - 24 * HOUR
OLD = BOOT - 24 * HOUR
"""When JWTs were issued that are older than all servers."""
EMPTY: list[Row] = []


def by_jwt(server_id: str = "SA", endpoint: str = A, start: float = BOOT) -> Process:
    """Return a server in operator mode that was never reloaded."""
    server = Process(server_id, endpoint, start, is_operator_mode=True)
    server.loaded_at = start
    return server


def by_file(start: float = BOOT) -> Process:
    """Return a server in configuration mode that was never reloaded."""
    server = Process("SA", A, start)
    server.loaded_at = start
    return server


def listing(
    *accounts: str, is_complete: bool = True, name: str = "", issued_at: Any = OLD
) -> Listing:
    """Return an answer that lists these accounts alike."""
    return Listing(dict.fromkeys(accounts, Listed(name, issued_at)), is_complete)


class Inventoried(Watcher):
    """A watcher whose inventory answers in every cycle, and one server."""

    def __init__(self, server: Process | None = None, **options: Any) -> None:
        super().__init__(A, **options)
        self.server = server or by_jwt()
        self.now = START - POLL

    def answer(
        self,
        told: Listing | None,
        rows: list[Row] | None = None,
        *,
        server: Process | None = None,
        **changes: Any,
    ) -> None:
        """Run the next cycle after an answer of the inventory."""
        self.ledger.list_accounts(told)
        self.quiet(rows, server=server, **changes)

    def quiet(
        self,
        rows: list[Row] | None = None,
        *,
        server: Process | None = None,
        **changes: Any,
    ) -> None:
        """Run the next cycle without a new answer."""
        self.now += POLL
        self.server = server or self.server
        self.cycle(self.now, self.server.reading(self.now, rows or EMPTY, **changes))

    @property
    def accounts(self) -> dict[str, AccountView]:
        """The last view of every account by id."""
        return {each.account: each for each in self.view.accounts}


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
        view = watcher.ledger.conclude(now)

        (other,) = (each for each in view.accounts if each.account == "B")
        expected = START + POLL - (POLL + 3 * HOUR - SLACK_SECONDS - HOUR)
        assert other.quiet_since_at == expected


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
        assert watcher.account().last_evidence == (
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

    def test_restart(self) -> None:
        """A restart at once forgets the loaded account, not its verdict."""
        watcher = Inventoried()
        watcher.answer(listing("TEAM"), [a_row()])
        watcher.quiet(server=by_jwt("SB", start=START + POLL / 2))

        assert watcher.account().verdict is Verdict.INACTIVE
        assert watcher.account().inventory is Inventory.INVENTORY_ONLY


class TestGone:
    """Who is forgotten, and who is not."""

    @pytest.fixture
    def watcher(self) -> Inventoried:
        """Two accounts that the inventory lists; a server loaded one."""
        watcher = Inventoried()
        watcher.answer(listing("TEAM", "OTHER"), [a_row()])
        return watcher

    def test_three_complete_answers(self, watcher: Inventoried) -> None:
        """An unloaded account is gone when three complete answers lack it."""
        watcher.answer(listing("TEAM"), [a_row()])
        watcher.answer(listing("TEAM"), [a_row()])
        assert watcher.accounts["OTHER"].inventory is Inventory.INVENTORY_ONLY
        watcher.answer(listing("TEAM"), [a_row()])

        assert watcher.accounts.keys() == {"TEAM"}

    def test_cycles_are_no_answers(self, watcher: Inventoried) -> None:
        """One answer that lasts for many cycles counts once."""
        watcher.answer(listing("TEAM"), [a_row()])
        for _ in range(5):
            watcher.quiet([a_row()])

        assert watcher.accounts.keys() == {"TEAM", "OTHER"}

    def test_incomplete_answers(self, watcher: Inventoried) -> None:
        """Answers that lack a part make nobody gone, and no zombie of anybody."""
        for _ in range(5):
            watcher.answer(listing(is_complete=False), [a_row()])

        assert watcher.accounts.keys() == {"TEAM", "OTHER"}

    def test_it_comes_back(self, watcher: Inventoried) -> None:
        """The misses before an account came back are forgotten."""
        for accounts in ((), (), ("TEAM", "OTHER"), (), ()):
            watcher.answer(listing(*accounts), [a_row()])

        assert watcher.accounts.keys() == {"TEAM", "OTHER"}

    def test_zombie(self, watcher: Inventoried) -> None:
        """While a server still lists a deleted account it stays; then it goes."""
        for _ in range(5):
            watcher.answer(listing("OTHER"), [a_row()])
        zombie = watcher.account()
        watcher.quiet(server=by_jwt("SB", start=watcher.now + POLL / 2))

        assert zombie.inventory is Inventory.SERVERS_ONLY
        assert zombie.verdict is Verdict.INACTIVE
        assert watcher.accounts.keys() == {"OTHER"}

    def test_what_came_back_proves_nothing_of_before(
        self, watcher: Inventoried
    ) -> None:
        """An account that was gone may have been used before; its JWT is old."""
        for _ in range(3):
            watcher.answer(listing(), [a_row()])
        gone_at = watcher.now
        watcher.answer(listing("OTHER"), [a_row()])

        assert watcher.accounts["OTHER"].quiet_since_at == gone_at

    def test_unlisted_account_of_servers(self) -> None:
        """Who no inventory ever listed is forgotten as without one."""
        watcher = Inventoried(forget_after=5 * POLL)
        watcher.answer(listing("OTHER"), [a_row()])
        assert watcher.account().inventory is Inventory.SERVERS_ONLY
        successor = by_jwt("SB", start=START + POLL / 2)
        for _ in range(4):
            watcher.answer(listing("OTHER"), server=successor)
        assert "TEAM" in watcher.accounts
        watcher.answer(listing("OTHER"))

        assert watcher.accounts.keys() == {"OTHER"}

    def test_failing_inventory_forgets_nobody(self) -> None:
        """While a source fails it is not known who else is listed."""
        watcher = Inventoried(forget_after=POLL)
        watcher.answer(listing(is_complete=False), [a_row()])
        for _ in range(5):
            watcher.answer(
                listing(is_complete=False), server=by_jwt("SB", start=START + 1)
            )

        assert watcher.accounts["TEAM"].inventory is Inventory.NONE

    def test_inventory_is_taken_out(self, watcher: Inventoried) -> None:
        """Without an inventory accounts of no server are forgotten as ever."""
        for _ in range(3):
            watcher.answer(None, [a_row()])

        assert watcher.accounts.keys() == {"TEAM"}
        assert watcher.account().inventory is Inventory.NONE

    def test_configuration_mode(self) -> None:
        """An account that the inventory lists stays without any server."""
        watcher = Inventoried(by_file())
        watcher.answer(listing("TEAM", issued_at=None), [a_row(), a_row("OTHER")])
        for _ in range(5):
            watcher.quiet()

        assert watcher.accounts.keys() == {"TEAM"}
        assert watcher.account().inventory is Inventory.INVENTORY_ONLY

    def test_configuration_mode_without_anybody(self) -> None:
        """Gone is who neither three cycles of servers nor three answers list."""
        watcher = Inventoried(by_file())
        watcher.answer(listing("TEAM", issued_at=None), [a_row()])
        for _ in range(3):
            watcher.answer(listing(), [a_row()])
        assert watcher.account().inventory is Inventory.SERVERS_ONLY
        watcher.quiet()
        watcher.quiet()
        assert "TEAM" in watcher.accounts
        watcher.quiet()

        assert not watcher.accounts

    def test_configuration_mode_with_a_failing_inventory(self) -> None:
        """Servers tell in this mode who is gone, whatever the inventory does."""
        watcher = Inventoried(by_file())
        watcher.answer(listing(is_complete=False), [a_row()])
        for _ in range(3):
            watcher.quiet()

        assert not watcher.accounts


class TestNames:
    """The newest name holds."""

    def test_never_loaded_account_has_its_jwts_name(self) -> None:
        """The JWT's name tag is the name, and a newer JWT's replaces it."""
        watcher = Inventoried()
        watcher.answer(listing("TEAM", name="crew"))
        assert watcher.account().name == "crew"
        watcher.answer(listing("TEAM", name="band", issued_at=START))
        assert watcher.account().name == "band"
        watcher.answer(listing("TEAM", name="older"))
        assert watcher.account().name == "band"
        watcher.answer(listing("TEAM", name="", issued_at=START + 1))

        assert watcher.account().name == "band"

    @pytest.mark.parametrize(
        ("told", "name"),
        [
            pytest.param(Listed("aged", OLD), "aged", id="JWT outranks"),
            pytest.param(Listed("a", None), "a", id="first by sorting"),
            pytest.param(Listed("z", None), "server", id="server's is first"),
            pytest.param(Listed("TEAM", OLD), "server", id="id is no name"),
            pytest.param(Listed(), "server", id="no name"),
        ],
    )
    def test_what_servers_tell_at_first(self, told: Listed, name: str) -> None:
        """The inventory and servers may disagree, also after a restart."""
        watcher, row = Inventoried(), a_row(name="server")
        watcher.answer(Listing({"TEAM": told}), [row])
        before = watcher.account().name
        watcher.quiet([row], server=by_jwt("SB", start=START + POLL / 2))

        assert (before, watcher.account().name) == (name, name)

    @pytest.mark.parametrize(
        ("told", "name"),
        [
            pytest.param(Listed("aged", OLD), "aged", id="JWT outranks"),
            pytest.param(Listed("a", None), "a", id="first by sorting"),
            pytest.param(Listed("z", None), "server", id="server's is first"),
        ],
    )
    def test_inventory_after_servers(self, told: Listed, name: str) -> None:
        """The order in which they tell makes no difference."""
        watcher, row = Inventoried(), a_row(name="server")
        watcher.quiet([row])
        watcher.answer(Listing({"TEAM": told}), [row])

        assert watcher.account().name == name

    def test_servers_hear_of_a_new_name_first(self) -> None:
        """A name that changes on a server is newer than the inventory's last."""
        watcher, told = Inventoried(), listing("TEAM", name="old")
        watcher.answer(told, [a_row(name="old")])
        watcher.answer(told, [a_row(name="new")])
        watcher.answer(told, [a_row(name="new")])

        assert watcher.account().name == "new"

    def test_name_of_a_file_changes(self) -> None:
        """A name without an age that changes is news."""
        watcher = Inventoried()
        for name in ("a", "b", "b"):
            watcher.answer(listing("TEAM", name=name, issued_at=None))

        assert watcher.account().name == "b"


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


class ExpectedLater(FixedRules):
    """Rules that expect use from a moment on."""

    expected_at = START + 2 * POLL

    def policy(self, account: str, name: str) -> Any:
        """Return the one policy, with that moment."""
        policy = super().policy(account, name)
        return policy._replace(expected_at=self.expected_at)


class TestExpectedStart:
    """Accounts that are made before they are needed."""

    def test_unknown_until_then(self) -> None:
        """Before its day an idle account is unknown, and from then on as any other."""
        watcher = Inventoried(rules=ExpectedLater())
        watcher.answer(listing("TEAM"))
        waiting = watcher.account()
        watcher.quiet()
        watcher.quiet()

        assert (waiting.verdict, waiting.reason) == (
            Verdict.UNKNOWN,
            Reason.EXPECTED_LATER,
        )
        assert not waiting.is_observed
        assert waiting.idle_seconds == START - BOOT
        assert watcher.account().verdict is Verdict.INACTIVE

    def test_used_before(self) -> None:
        """An account that is used earlier is active."""
        watcher = Inventoried(rules=ExpectedLater())
        watcher.answer(listing("TEAM"), [a_row(connections=1)])

        assert watcher.account().verdict is Verdict.ACTIVE

    def test_published_time_counts(self) -> None:
        """The moment is compared with the time that readers see."""
        watcher = Inventoried(rules=ExpectedLater())
        watcher.ledger.list_accounts(listing("TEAM"))
        watcher.ledger.apply(watcher.server.reading(START, EMPTY))
        view = watcher.ledger.conclude(at(START), shift_seconds=2 * POLL)

        assert [each.verdict for each in view.accounts] == [Verdict.INACTIVE]
