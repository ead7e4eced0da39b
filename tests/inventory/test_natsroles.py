"""What configurations of nats-server need accounts for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nats_idle_exporter.monitoring.inventory import Inventory, SourceStatus
from nats_idle_exporter.monitoring.inventory.accounts import EntryError
from nats_idle_exporter.monitoring.inventory.jwt import decode_account_of_user
from nats_idle_exporter.monitoring.inventory.natsconfig import read_nats_config
from nats_idle_exporter.monitoring.inventory.union import unite_roles
from nats_idle_exporter.removal.facts import Role
from tests.inventory.builders import HEADER, a_key, a_part, complaint

if TYPE_CHECKING:
    from pathlib import Path

    from nats_idle_exporter.monitoring.inventory import SourceList
    from nats_idle_exporter.monitoring.inventory.accounts import Roles

ACCOUNTS = """
accounts {
  A { users: [{user: ann, password: x}, {nkey: UNKEY}] }
  B { Users = [{Username: bob, password: x}] }
  C = 5
}
authorization { user: glen, password: x, users: [{user: gus, password: x}] }
"""


def listed(folder: Path, text: str) -> SourceList:
    """Return what a configuration with this text tells."""
    (folder / "nats.conf").write_text(text)
    return read_nats_config(folder / "nats.conf", {})


def a_users_jwt(**claims: object) -> str:
    """Return a user's JWT with these claims."""
    return f"{a_part(HEADER)}.{a_part(claims)}.c2ln"


def plain(roles: Roles | None) -> dict[str, set[Role]]:
    """Return roles as what a test can write down."""
    assert roles is not None
    return {account: set(those) for account, those in roles.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", {}, id="none"),
        pytest.param("no_auth_user: ann", {"A": {Role.DEFAULT}}, id="clients"),
        pytest.param("No_Auth_User = UNKEY", {"A": {Role.DEFAULT}}, id="a key"),
        pytest.param("no_auth_user: bob", {"B": {Role.DEFAULT}}, id="other case"),
        pytest.param("no_auth_user: glen", {"$G": {Role.DEFAULT}}, id="lone user"),
        pytest.param("no_auth_user: gus", {"$G": {Role.DEFAULT}}, id="plain user"),
        pytest.param(
            "mqtt {no_auth_user: ann}\nwebsocket {no_auth_user: bob}",
            {"A": {Role.DEFAULT}, "B": {Role.DEFAULT}},
            id="mqtt and websockets",
        ),
        pytest.param(
            "leafnodes {authorization {user: l, password: x, account: A}}",
            {"A": {Role.DEFAULT}},
            id="leafnode links",
        ),
        pytest.param(
            "leafnodes {authorization {users: [{user: l, account: B}, {user: m}]}}",
            {"B": {Role.DEFAULT}},
            id="users of leafnode links",
        ),
        pytest.param(
            "leafnodes {remotes: [{url: x, account: A}, {url: y}, {local: B}]}",
            {r: {Role.LEAF_REMOTE} for r in ("A", "B", "$G")},
            id="own leafnode links",
        ),
    ],
)
def test_roles(tmp_path: Path, text: str, expected: dict[str, set[Role]]) -> None:
    """Every way in which a file gives an account a role."""
    found = listed(tmp_path, ACCOUNTS + text)

    assert plain(found.roles) == expected
    assert not found.problems


@pytest.mark.parametrize(
    ("callout", "expected"),
    [
        ("account: B, auth_users: [ann]", {"A", "B"}),
        ("auth_users: [bob]", {"$G", "B"}),
    ],
)
def test_who_answers_for_logins(
    tmp_path: Path, callout: str, expected: set[str]
) -> None:
    """The account of the callout, by default the global one, and those of its users."""
    text = ACCOUNTS.replace(
        "gus, password: x}]", "gus, password: x}], auth_callout {%s}"
    )

    roles = plain(listed(tmp_path, text % callout).roles)

    assert roles == {account: {Role.AUTH_CALLOUT} for account in expected}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("no_auth_user: nobody", "a user as no_auth_user, found one that is not"),
        ("no_auth_user: 7", "a text as no_auth_user"),
        ("mqtt: 1", "a map as mqtt"),
        ("leafnodes {remotes: 5}", "a list as remotes"),
        ("default_sentinel: secret", "a user's JWT"),
        ("authorization {auth_callout {auth_users: [[]]}}", "users as auth_users"),
        ("authorization {auth_callout {auth_users: [x]}}", "a user as auth_users"),
    ],
)
def test_what_cannot_be_read_makes_all_unknown(
    tmp_path: Path, text: str, problem: str
) -> None:
    """Who looks as if nothing needed it would look safe to remove."""
    found = listed(tmp_path, ACCOUNTS + text)

    assert found.roles is None
    (told,) = found.problems
    assert problem in str(told)
    assert "secret" not in str(told)
    assert set(found.accounts) == {"A", "B"}


class TestOperatorMode:
    """A file that names an operator."""

    def test_a_file_without_accounts(self, tmp_path: Path) -> None:
        """It tells roles, and nobody is gone because it lists nobody."""
        token = a_users_jwt(iss=a_key(3))

        found = listed(tmp_path, f"operator: x\ndefault_sentinel: {token}")

        assert plain(found.roles) == {a_key(3): {Role.DEFAULT}}
        assert found.accounts == {}
        alone = SourceStatus(label="conf", is_complete=True)
        folder = SourceStatus(label="dir", accounts=4, is_complete=True)
        assert not Inventory(statuses=(alone,)).is_complete
        assert Inventory(statuses=(alone, folder)).is_complete

    def test_neither_accounts_nor_an_operator(self, tmp_path: Path) -> None:
        """Such a file is most likely the wrong one."""
        said = complaint(lambda: listed(tmp_path, "no_auth_user: x"))

        assert "expected accounts or resolver_preload, found neither" in said


def test_the_account_of_a_user() -> None:
    """A signing key is no account; then the JWT names it."""
    signed = a_users_jwt(iss="ASIGNER", nats={"issuer_account": a_key(1)})

    assert decode_account_of_user(signed.encode()) == a_key(1)
    assert decode_account_of_user(a_users_jwt(iss=a_key(2)).encode()) == a_key(2)


@pytest.mark.parametrize(
    "token",
    ["", "a.b", "x" * 2_000_000, a_users_jwt(iss="OX"), f"{a_part('')}.{a_part(5)}.a"],
)
def test_no_users_jwt(token: str) -> None:
    """What is none is refused without being shown."""
    with pytest.raises(EntryError):
        decode_account_of_user(token.encode())


def test_roles_of_many_files() -> None:
    """They add up; files that tell none take none away."""
    one, two = {"A": frozenset({Role.DEFAULT})}, {"A": frozenset({Role.LEAF_REMOTE})}

    assert plain(unite_roles([one, None, two])) == {
        "A": {Role.DEFAULT, Role.LEAF_REMOTE}
    }
    assert unite_roles([{}]) == {}
    assert unite_roles([None]) is None
