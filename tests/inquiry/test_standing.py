"""What a server and the inventory say of one account, put together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nats_idle_exporter.activity import Reserved, ServerFacts
from nats_idle_exporter.monitoring.inquiry.roles import (
    GLOBAL_ACCOUNT,
    RolesKnown,
    has_no_sentinel,
)
from nats_idle_exporter.monitoring.inquiry.standing import Standing, standing_of
from nats_idle_exporter.monitoring.inventory import (
    AccountImport,
    AccountLimits,
    InventoryAccount,
)
from nats_idle_exporter.removal.facts import UNLIMITED, Import, Limits, Role
from tests.inquiry.builders import a_jwt_of, an_answer
from tests.monitoring.fakes import facts

NOW = 5000.0
SHUT = AccountLimits(0, 0)


def by_both(server: Any, inventory: Any) -> Standing:
    """Return what follows from two JWTs of an account."""
    return standing_of(an_answer(claimed=server), inventory, NOW)


def test_nobody_told() -> None:
    """Then nothing is known."""
    assert standing_of(None, None, NOW) == Standing()
    assert standing_of(None, InventoryAccount(account="A"), NOW) == Standing()


def test_configuration_mode_without_an_inventory() -> None:
    """Servers tell imports and exports, and nothing of limits."""
    told = standing_of(an_answer("A", "B", exports=2), None, NOW)

    assert told.imports == (Import("B", "q", "service"),)
    assert told.exports == 2
    assert (told.limits, told.is_expired, told.jwt) == (None, False, None)


def test_configuration_mode_with_an_inventory() -> None:
    """The file tells limits; for what runs the servers' word counts."""
    listed = InventoryAccount(
        account="A",
        limits=SHUT,
        imports=(AccountImport("C", "x", "stream"),),
        exports=9,
    )

    told = standing_of(an_answer("A", "B", exports=2), listed, NOW)

    assert told.limits == Limits(0, 0)
    assert told.imports == (Import("B", "q", "service"),)
    assert (told.exports, told.is_expired) == (2, False)


class TestTwoJwts:
    """A server has one in memory, and the inventory lists one."""

    def test_the_newer_one_describes(self) -> None:
        """Tags, expiry, exports and imports are those of the newer JWT."""
        old = a_jwt_of(issued_at=1.0, tags=("old",), expires_at=9.0)
        imports = (AccountImport("X", "x", "stream"),)
        new = a_jwt_of(
            issued_at=2.0, tags=("new",), description="d", exports=3, imports=imports
        )

        for told in (by_both(old, new), standing_of(None, new, NOW)):
            assert told.jwt is not None
            assert (told.jwt.tags, told.jwt.issued_at) == (("new",), 2.0)
            assert (told.jwt.expires_at, told.jwt.description) == (None, "d")
            assert (told.exports, told.imports) == (3, (Import("X", "x", "stream"),))
        told = by_both(new, old)
        assert told.jwt is not None
        assert told.jwt.tags == ("new",)
        assert (told.exports, told.imports) == (0, ())

    @pytest.mark.parametrize("is_server_newer", [True, False])
    def test_both_have_to_shut_it(self, is_server_newer: bool) -> None:  # noqa: FBT001 - of a table
        """Neither a server's older copy nor a newer one at home is the whole truth."""
        first, second = (2.0, 1.0) if is_server_newer else (1.0, 2.0)
        shut = a_jwt_of(
            issued_at=first, limits=SHUT, are_users_revoked=True, expires_at=4.0
        )
        wide = a_jwt_of(issued_at=second, limits=AccountLimits(3, -1))
        some = a_jwt_of(issued_at=second, limits=AccountLimits(2, 0))

        assert by_both(shut, wide).limits == Limits(3, UNLIMITED)
        assert by_both(wide, shut).limits == Limits(3, UNLIMITED)
        assert by_both(shut, some).limits == Limits(2, 0)
        assert by_both(shut, shut).limits == Limits(0, 0)
        for mixed in (by_both(shut, wide), by_both(wide, shut)):
            assert mixed.is_expired is False
            assert mixed.jwt is not None
            assert not mixed.jwt.are_users_revoked
        both = by_both(shut, shut)
        assert both.is_expired
        assert both.jwt is not None
        assert both.jwt.are_users_revoked

    def test_a_server_says_that_it_is_over(self) -> None:
        """By its own clock; the inventory's copy must be over, too."""
        answer = an_answer(is_expired=True, claimed=a_jwt_of(expires_at=NOW + 60))

        assert standing_of(answer, None, NOW).is_expired
        assert standing_of(answer, a_jwt_of(), NOW).is_expired is False
        assert standing_of(None, a_jwt_of(expires_at=NOW), NOW).is_expired
        assert standing_of(None, a_jwt_of(expires_at=NOW + 1), NOW).is_expired is False

    def test_who_answers_for_logins(self) -> None:
        """One JWT that says so is enough."""
        asked = a_jwt_of(issued_at=1.0, answers_logins=True)

        assert by_both(asked, a_jwt_of(issued_at=2.0)).answers_logins
        assert by_both(a_jwt_of(issued_at=2.0), asked).answers_logins
        assert not by_both(a_jwt_of(), a_jwt_of()).answers_logins

    def test_what_is_refused(self) -> None:
        """Only a server can say so."""
        told = standing_of(an_answer(is_refused=True, claimed=a_jwt_of()), None, NOW)

        assert told.jwt is not None
        assert told.jwt.is_invalid

    def test_untold_imports(self) -> None:
        """A JWT that could not be read tells none, and a server may not know either."""
        assert standing_of(an_answer(imports=None), None, NOW).imports is None
        unread = InventoryAccount(account="A", limits=AccountLimits(-1, -1))
        assert standing_of(None, unread, NOW).imports is None

    def test_tiers(self) -> None:
        """What the newer JWT sets aside by replica count."""
        tiers = Reserved(5, None)
        new = a_jwt_of(issued_at=2.0, tiers=tiers)

        assert by_both(a_jwt_of(issued_at=1.0), new).tiers == tiers
        assert by_both(a_jwt_of(issued_at=3.0), new).tiers is None


def a_server(*release: int) -> ServerFacts:
    """Return a server of a release."""
    return replace(facts("N1"), release=release)


class TestRoles:
    """What the system needs accounts for."""

    @pytest.mark.parametrize("is_operator_mode", [True, False])
    def test_servers_tell_some(self, is_operator_mode: bool) -> None:  # noqa: FBT001 - of a table
        """The system's account, those of leafnode links, and the global one."""
        known = RolesKnown(
            system_accounts={"SYS"}, leaf_accounts={"LEAF"}, is_whole=True
        )

        def roles(account: str, **standing: bool) -> frozenset[Role]:
            told = Standing(**standing)  # type: ignore[arg-type]  # of tests
            return known.of(account, told, is_operator_mode=is_operator_mode)[0]

        assert roles("SYS") == roles("X", is_system=True) == {Role.SYSTEM}
        assert roles("LEAF") == {Role.LEAF_REMOTE}
        assert roles(GLOBAL_ACCOUNT) == {Role.GLOBAL}
        assert roles("X") == frozenset()
        assert roles("X", answers_logins=True) == {Role.AUTH_CALLOUT}

    def test_a_server_that_was_never_read(self) -> None:
        """It may need any account."""
        _, unknown = RolesKnown(configured={}).of(
            "A", Standing(), is_operator_mode=False
        )

        assert unknown == {Role.SYSTEM, Role.LEAF_REMOTE}

    def test_configuration_mode(self) -> None:
        """Only configurations tell who is the default, and who answers for logins."""
        silent = RolesKnown(is_whole=True, knows_no_default=True)
        told = RolesKnown(is_whole=True, configured={"A": frozenset({Role.DEFAULT})})

        claimed = Standing(is_claimed=True)
        has, unknown = silent.of("A", claimed, is_operator_mode=False)
        assert (set(has), set(unknown)) == (set(), {Role.DEFAULT, Role.AUTH_CALLOUT})
        has, unknown = told.of("A", Standing(), is_operator_mode=False)
        assert (set(has), set(unknown)) == ({Role.DEFAULT}, set())
        has, unknown = told.of("B", Standing(), is_operator_mode=False)
        assert (set(has), set(unknown)) == (set(), set())

    def test_operator_mode(self) -> None:
        """Who answers for logins stands in the JWT, if anybody told that."""
        known = RolesKnown(is_whole=True, knows_no_default=True)
        newer = RolesKnown(is_whole=True)
        configured = RolesKnown(is_whole=True, configured={})
        told = Standing(is_claimed=True)

        assert known.of("A", told, is_operator_mode=True)[1] == frozenset()
        assert known.of("A", Standing(), is_operator_mode=True)[1] == {
            Role.AUTH_CALLOUT
        }
        assert newer.of("A", told, is_operator_mode=True)[1] == {Role.DEFAULT}
        assert configured.of("A", told, is_operator_mode=True)[1] == frozenset()

    def test_a_server_of_unknown_release(self) -> None:
        """It may do what newer ones do."""
        assert has_no_sentinel([a_server(2, 9, 10), a_server(2, 10, 25)])
        assert not has_no_sentinel([a_server(2, 9, 10), a_server(2, 10, 26)])
        assert not has_no_sentinel([a_server()])
