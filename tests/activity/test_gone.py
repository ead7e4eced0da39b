"""Who is forgotten, by whose word, and what is known of those who come back."""

from __future__ import annotations

import pytest

from nats_idle_exporter.activity import Closed, Inventory, Ring, Verdict
from nats_idle_exporter.activity.forms import SavedProof
from nats_idle_exporter.activity.rows import Kind, decode, encode
from tests.activity.builders import POLL, a_row, at
from tests.activity.inventoried import (
    EMPTY,
    START,
    Inventoried,
    by_file,
    by_jwt,
    listing,
)


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
        watcher.answer(listing("TEAM", "OTHER"), [a_row()])
        for _ in range(5):
            watcher.answer(listing(is_complete=False), [a_row()])

        kinds = {account: view.inventory for account, view in watcher.accounts.items()}
        assert kinds == {"TEAM": Inventory.BOTH, "OTHER": Inventory.INVENTORY_ONLY}

    def test_loaded_while_an_answer_lacks_it(self, watcher: Inventoried) -> None:
        """Whom a complete answer never lacked is listed, and who loads it is seen."""
        told = listing(is_complete=False)
        watcher.answer(told, [a_row(), a_row("OTHER")])

        assert watcher.accounts["OTHER"].inventory is Inventory.BOTH

    def test_zombie_of_an_incomplete_answer(self, watcher: Inventoried) -> None:
        """Whom a complete answer lacked stays a zombie while others lack a part."""
        watcher.answer(listing("OTHER"), [a_row()])
        watcher.answer(listing(is_complete=False), [a_row()])

        assert watcher.account().inventory is Inventory.SERVERS_ONLY

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


class TestRestart:
    """What outlives a restart of ours."""

    def test_misses(self) -> None:
        """An account that was deleted while we restarted needs three answers in all."""
        watcher = Inventoried()
        watcher.answer(listing("TEAM", "OTHER"))
        watcher.answer(listing("OTHER"))
        watcher.answer(listing("OTHER"))
        watcher.restart()
        assert "TEAM" in watcher.accounts
        watcher.answer(listing("OTHER"))

        assert watcher.accounts.keys() == {"OTHER"}

    def test_verdict_waits_for_the_inventory(self) -> None:
        """Until the inventory answers again nobody is forgotten or called a zombie."""
        watcher = Inventoried(forget_after=POLL)
        watcher.answer(listing("TEAM", "OTHER"), [a_row()])
        watcher.restart()
        for _ in range(5):
            watcher.answer(listing(is_complete=False), [a_row()])

        kinds = {account: view.inventory for account, view in watcher.accounts.items()}
        assert kinds == {"TEAM": Inventory.BOTH, "OTHER": Inventory.INVENTORY_ONLY}
        assert watcher.view.counts[Verdict.INACTIVE] == 2

    def test_strays(self) -> None:
        """Use of an account that was listed by nobody then still bounds its quiet."""
        watcher = Inventoried()
        watcher.quiet()
        watcher.quiet(ring=Ring((Closed("TEAM", 10.0),)))
        watcher.restart()
        watcher.answer(listing("TEAM"))

        assert watcher.account().quiet_since_at == START + POLL

    def test_strays_that_were_not_kept(self) -> None:
        """Rows that do not tell of strays prove nothing of accounts to come."""
        watcher = Inventoried()
        watcher.quiet()
        where = (Kind.PROOF.value, "")
        proof = decode(Kind.PROOF, watcher.rows[where], SavedProof)
        old = (proof.proof_from, proof.unforgiven_until_at, proof.holes)
        watcher.rows[where] = encode(SavedProof(*old))
        watcher.restart()
        later = START + POLL
        watcher.ledger.list_accounts(listing("TEAM"))
        watcher.ledger.apply(watcher.server.reading(later, EMPTY))
        (account,) = watcher.ledger.conclude(at(later)).accounts

        assert account.quiet_since_at == START
