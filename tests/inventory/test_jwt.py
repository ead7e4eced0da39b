"""Account JWTs: what they tell, and every way in which they tell nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nats_idle_exporter.activity import Reserved
from nats_idle_exporter.monitoring.inventory import (
    AccountImport,
    AccountLimits,
    InventoryAccount,
)
from nats_idle_exporter.monitoring.inventory.accounts import EntryError
from nats_idle_exporter.monitoring.inventory.jwt import (
    LONGEST_JWT,
    decode_account_jwt,
    decode_jwt_of,
)
from tests.inventory.builders import BIG, HEADER, a_jwt, a_key, a_part, claims, outcome

CAPTURES = Path(__file__).parent / "captures"
NATS: dict[str, Any] = {"type": "account", "version": 2}
DEEP = b'{"sub":' + b"[" * 100_000

BROKEN = {
    "empty": (b"", "a JWT of three parts in base64url, found nothing"),
    "spaces": (b" \n", "found nothing"),
    "two parts": (b"a.b", "three parts in base64url, found something else"),
    "four parts": (b"a.b.c.d", "three parts"),
    "padding": (b"YQ==.YQ==.YQ==", "three parts"),
    "plain base64": (b"a+/b.YQ.YQ", "three parts"),
    "not ascii": ("ä.b.c".encode(), "three parts"),
    "impossible length": (b"YWJjZ.YQ.YQ", "header in JSON, in base64url, found"),
    "header no json": (f"{a_part(b'{')}.e30.e30".encode(), "header of an account's"),
    "header not utf-8": (
        f"{a_part(bytes([34, 255, 34]))}.e30.e30".encode(),
        "header",
    ),
    "header a list": (f"{a_part([])}.e30.e30".encode(), "header of an account's JWT"),
    "no alg": (a_jwt(header={"typ": "JWT"}), "missing required field `alg`"),
    "other typ": (a_jwt(header={**HEADER, "typ": "JWE"}), 'typ "JWT" and alg'),
    "alg none": (a_jwt(header={**HEADER, "alg": "none"}), 'found "JWT" and "none"'),
    "claims no json": (f"{a_part(HEADER)}.eyI.c2ln".encode(), "claims of an account's"),
    "claims nested": (f"{a_part(HEADER)}.{a_part(DEEP)}.c2ln".encode(), "claims"),
    "no subject": (
        f"{a_part(HEADER)}.{a_part({'nats': NATS})}.c2ln".encode(),
        "missing required field `sub`",
    ),
    "a user": (a_jwt(nats={"type": "user"}), 'the type "account", found "user"'),
    "no type": (a_jwt(nats={}), 'the type "account", found ""'),
    "an operator's key": (a_jwt(sub="O" + a_key()[1:]), "public key of an account"),
    "a short key": (
        a_jwt(sub="AAAA"),
        "the public key of an account as sub, found something else",
    ),
    "a path as key": (a_jwt(sub="../../etc/passwd"), "public key of an account"),
    "text as iat": (a_jwt(iat="now"), "claims of an account's JWT"),
    "iat before time": (a_jwt(iat=-1), "claims of an account's JWT"),
    "exp after time": (a_jwt(exp=1e300), "claims of an account's JWT"),
    "a number as name": (a_jwt(name=7), "claims of an account's JWT"),
    "half a character": (a_jwt(name="\ud800"), "claims of an account's JWT"),
    "text as limit": (a_jwt(nats={**NATS, "limits": {"conn": "x"}}), "claims"),
    "limits a list": (a_jwt(nats={**NATS, "limits": []}), "claims"),
    "import of nobody": (a_jwt(nats={**NATS, "imports": [{}]}), "claims"),
    "10 MB": (b"a" * BIG, f"a JWT of at most {LONGEST_JWT} bytes, found {BIG}"),
}


@pytest.mark.parametrize(("token", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_jwt_is_refused_in_one_line(token: bytes, words: str) -> None:
    """Whatever is wrong is told as expected and found, on one short line."""
    with pytest.raises(EntryError) as caught:
        decode_account_jwt(token)

    said = str(caught.value.at("f"))
    assert words in said
    assert said.isprintable()
    assert len(said) < 400


def test_every_claim_arrives() -> None:
    """All that an inventory shows is read."""
    nats = {
        **NATS,
        "limits": {"conn": 10, "leaf": 2, "subs": -1},
        "imports": [
            {"account": "AX", "subject": "a.>", "type": "stream", "name": "n"},
            {"account": "AY", "subject": "b", "type": "service", "to": "c"},
        ],
        "exports": [{"subject": "x", "type": "stream"}, {"anything": [1]}],
        "tags": ["owner:me", "b"],
        "description": "text",
    }

    account = decode_account_jwt(a_jwt(3, exp=2000, nats=nats) + b"\n")

    assert account == InventoryAccount(
        account=a_key(3),
        name="N3",
        issued_at=1000.0,
        expires_at=2000.0,
        issuer="OISSUER",
        limits=AccountLimits(10, 2),
        tags=("owner:me", "b"),
        description="text",
        imports=(
            AccountImport("AX", "a.>", "stream"),
            AccountImport("AY", "b", "service"),
        ),
        exports=2,
    )


@pytest.mark.parametrize(
    ("limits", "is_disabled"),
    [
        ({}, True),
        ({"conn": 0, "leaf": 0}, True),
        ({"conn": 1}, False),
        ({"leaf": -1}, False),
        ({"conn": -1, "leaf": -1}, False),
    ],
)
def test_absent_limits_are_zero(limits: dict[str, int], *, is_disabled: bool) -> None:
    """Zeros are left out of a JWT: without limits nobody may connect."""
    account = decode_account_jwt(a_jwt(nats={**NATS, "limits": limits}))

    assert account.limits is not None
    assert account.limits.is_disabled is is_disabled


def test_version_1_is_read() -> None:
    """The older form tells its type and its algorithm elsewhere."""
    token = a_jwt(
        header={"typ": "jwt", "alg": "ed25519"}, type="account", nats={"limits": {}}
    )

    assert decode_account_jwt(token).account == a_key()


def test_lists_may_be_null() -> None:
    """What Go writes for an empty list is an empty list; an exp of 0 is none."""
    nulls = {"imports": None, "exports": None, "tags": None}

    account = decode_account_jwt(a_jwt(exp=0, nats={**NATS, **nulls}))

    assert (account.imports, account.exports, account.tags) == ((), 0, ())
    assert account.expires_at is None


def test_another_accounts_jwt_is_refused() -> None:
    """A JWT in a place that another account's id names is not taken."""
    with pytest.raises(
        EntryError, match=f"JWT of {a_key(1)}, found that of {a_key(2)}"
    ):
        decode_jwt_of(a_key(1), a_jwt(2))


@pytest.mark.parametrize("version", ["2.9.10", "2.10.25", "2.12.8", "2.15.1"])
def test_what_servers_answer_is_read(version: str) -> None:
    """The answer of a real server to a lookup is an account's JWT."""
    account = decode_account_jwt((CAPTURES / f"lookup_{version}.txt").read_bytes())

    assert account.name == "FNEVER"
    assert account.issued_at is not None
    assert account.limits == AccountLimits(-1, -1)
    assert account.issuer.startswith("O")


@given(token=st.binary(max_size=200))
def test_any_bytes_are_taken(token: bytes) -> None:
    """No bytes at all cause another error."""
    found = outcome(lambda: decode_account_jwt(token))

    assert isinstance(found, EntryError)
    assert str(found.at("f")).isprintable()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(
    changes=st.dictionaries(
        st.sampled_from(["sub", "iss", "iat", "exp", "name", "nats", "type"]), JSON
    ),
    inside=st.dictionaries(
        st.sampled_from(["type", "limits", "imports", "exports", "tags"]), JSON
    ),
)
def test_any_claims_are_taken(changes: dict[str, Any], inside: dict[str, Any]) -> None:
    """Claims of any type are an account or a refusal on one line."""
    token = a_jwt(**{"nats": {**NATS, **inside}, **changes})

    found = outcome(lambda: decode_account_jwt(token))

    if isinstance(found, InventoryAccount):
        assert found.account == a_key()
    else:
        assert isinstance(found, EntryError)
        assert str(found.at("f")).isprintable()


@given(name=st.text(), tags=st.lists(st.text()), iat=st.integers(0, 2**32))
def test_words_arrive_as_they_are(name: str, tags: list[str], iat: int) -> None:
    """Names are strangers' words: kept exactly, control characters too."""
    changes: dict[str, Any] = {"name": name, "iat": iat, "nats": {**NATS, "tags": tags}}

    account = decode_account_jwt(a_jwt(**changes))

    assert (account.name, list(account.tags), account.issued_at) == (name, tags, iat)
    assert claims(**changes)["sub"] == account.account


@pytest.mark.parametrize(
    ("tiers", "expected"),
    [
        (None, None),
        ({}, None),
        ({"R1": {"mem_storage": 5, "disk_storage": -1}}, Reserved(5, None)),
        (
            {"R1": {"mem_storage": 5}, "R3": {"mem_storage": -1, "disk_storage": 7}},
            Reserved(5, 7),
        ),
    ],
)
def test_limits_by_replica_count(tiers: Any, expected: Reserved | None) -> None:
    """What has a bound is added up; what is left out is zero."""
    limits = {"conn": -1, "tiered_limits": tiers}

    assert decode_account_jwt(a_jwt(nats={**NATS, "limits": limits})).tiers == expected


def test_revocations_and_logins() -> None:
    """All users may be revoked at once, and an account may answer for logins."""
    some = {"revocations": {"U1": 5}, "authorization": {"auth_users": []}}
    every = {"revocations": {"*": 5}, "authorization": {"auth_users": ["U"]}}

    first = decode_account_jwt(a_jwt(nats={**NATS, **some}))
    second = decode_account_jwt(a_jwt(nats={**NATS, **every}))

    assert (first.are_users_revoked, first.answers_logins) == (False, False)
    assert (second.are_users_revoked, second.answers_logins) == (True, True)
