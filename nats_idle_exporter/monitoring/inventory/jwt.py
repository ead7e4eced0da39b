"""Read account JWTs: what they claim, not whether it is signed.

A list of accounts needs no signature check: the servers make it. What is read
here is shown, never trusted.
"""

from __future__ import annotations

import binascii
import re
import sys
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from nats_idle_exporter.activity import Reserved
from nats_idle_exporter.monitoring.inventory.accounts import (
    AccountImport,
    AccountLimits,
    EntryError,
    InventoryAccount,
    is_account_key,
)
from nats_idle_exporter.text import one_line, shorten

LONGEST_JWT: Final = 1_048_576
"""Bytes; a server's own default for the largest message that may carry one."""

_FORM: Final = re.compile(rb"([\w-]+)\.([\w-]+)\.[\w-]+", re.ASCII)
_ALGORITHMS: Final = ("ed25519-nkey", "ed25519")
"""Those of JWTs of version 2 and 1."""

_TO_BASE64: Final = bytes.maketrans(b"-_", b"+/")
_T = TypeVar("_T")

# Up to the year 9999, which every library can still write as a date.
_Stamp = Annotated[float, Meta(ge=0, le=253_402_300_799)]


class _Header(Struct, frozen=True):
    typ: str
    alg: str


class _Tier(Struct, frozen=True):
    memory_bytes: int = field(default=0, name="mem_storage")
    storage_bytes: int = field(default=0, name="disk_storage")


class _Limits(Struct, frozen=True):
    # Zeros are left out when a JWT is written: absent is none, not unlimited.
    connections: int = field(default=0, name="conn")
    leafnodes: int = field(default=0, name="leaf")
    tiers: dict[str, _Tier] | None = field(default=None, name="tiered_limits")


class _Authorization(Struct, frozen=True):
    auth_users: tuple[msgspec.Raw, ...] | None = None


class _Import(Struct, frozen=True):
    account: str
    subject: str
    kind: str = field(name="type")


class _Nats(Struct, frozen=True):
    kind: str = field(default="", name="type")
    limits: _Limits = _Limits()
    imports: tuple[_Import, ...] | None = None
    exports: tuple[msgspec.Raw, ...] | None = None
    tags: tuple[str, ...] | None = None
    description: str = ""
    revocations: dict[str, msgspec.Raw] | None = None
    authorization: _Authorization = _Authorization()


class Claims(Struct, frozen=True):
    """What an account's JWT says, as it is written, and as servers show it."""

    subject: str = field(name="sub")
    nats: _Nats
    issuer: str = field(default="", name="iss")
    name: str = ""
    issued_at: _Stamp | None = field(default=None, name="iat")
    expires_at: _Stamp | None = field(default=None, name="exp")
    # Where version 1 told what version 2 tells within ``nats``.
    kind: str = field(default="", name="type")


class _UserNats(Struct, frozen=True):
    issuer_account: str = ""


class _UserClaims(Struct, frozen=True):
    issuer: str = field(name="iss")
    nats: _UserNats = _UserNats()


_USER_CLAIMS: Final = msgspec.json.Decoder(_UserClaims)
_HEADER: Final = msgspec.json.Decoder(_Header)
_CLAIMS: Final = msgspec.json.Decoder(Claims)


def decode_account_jwt(token: bytes) -> InventoryAccount:
    """Return what an account's JWT claims; space around the JWT is ignored.

    Raises:
        EntryError: it is no account JWT, or larger than ``LONGEST_JWT``.
    """
    if len(token) > LONGEST_JWT:
        raise EntryError(
            expected=f"a JWT of at most {LONGEST_JWT} bytes", found=f"{len(token)}"
        )
    form = _FORM.fullmatch(token.strip())
    if form is None:
        raise EntryError(
            expected="a JWT of three parts in base64url",
            found="something else" if token.strip() else "nothing",
        )
    header = _part(form[1], _HEADER, "header")
    if header.typ.upper() != "JWT" or header.alg not in _ALGORITHMS:
        raise EntryError(
            expected='a header with typ "JWT" and alg "ed25519-nkey"',
            found=f'"{header.typ[:20]}" and "{header.alg[:20]}"',
        )
    return account_of(_part(form[2], _CLAIMS, "claims"))


def decode_account_of_user(token: bytes) -> str:
    """Return the id of the account that a user's JWT is of.

    Raises:
        EntryError: it is no user's JWT.
    """
    form = _FORM.fullmatch(token.strip())
    if form is None or len(token) > LONGEST_JWT:
        raise EntryError(expected="a user's JWT", found="something else")
    claims = _part(form[2], _USER_CLAIMS, "claims")
    # A signing key is no account's id.
    account = claims.nats.issuer_account or claims.issuer
    if not is_account_key(account):
        raise EntryError(expected="a user's JWT", found="one of no account")
    return account


def decode_jwt_of(key: str, token: bytes) -> InventoryAccount:
    """Return what the JWT of the account with this id claims.

    Raises:
        EntryError: it is no account JWT, or another account's.
    """
    account = decode_account_jwt(token)
    check_key(account, key)
    return account


def check_key(account: InventoryAccount, key: str) -> None:
    """Refuse an account that has another id.

    Raises:
        EntryError: it has.
    """
    if account.account != key:
        raise EntryError(
            expected=f"the JWT of {shorten(one_line(key))}",
            found=f"that of {account.account}",
        )


def _part(text: bytes, decoder: msgspec.json.Decoder[_T], what: str) -> _T:
    padded = text.translate(_TO_BASE64) + b"=" * (-len(text) % 4)
    try:
        return decoder.decode(binascii.a2b_base64(padded))
    # A RecursionError is a nesting bomb, a UnicodeDecodeError msgspec raises bare.
    except (binascii.Error, UnicodeDecodeError, RecursionError) as error:
        raise EntryError(
            expected=f"{what} in JSON, in base64url", found=_reason(error)
        ) from error
    except msgspec.MsgspecError as error:
        raise EntryError(
            expected=f"{what} of an account's JWT", found=str(error)
        ) from error


def _reason(error: Exception) -> str:
    return "very deep nesting" if isinstance(error, RecursionError) else str(error)


def account_of(claims: Claims) -> InventoryAccount:
    """Return what the claims say.

    Raises:
        EntryError: they are no account's.
    """
    nats = claims.nats
    kind = nats.kind or claims.kind
    if kind != "account":
        raise EntryError(expected='the type "account"', found=f'"{kind}"')
    if not is_account_key(claims.subject):
        raise EntryError(
            expected="the public key of an account as sub", found="something else"
        )
    return InventoryAccount(
        # Ids are long, and stand in many places: one copy of each is enough.
        account=sys.intern(claims.subject),
        name=claims.name,
        issued_at=claims.issued_at,
        expires_at=claims.expires_at or None,
        issuer=sys.intern(claims.issuer),
        limits=AccountLimits(nats.limits.connections, nats.limits.leafnodes),
        are_users_revoked="*" in (nats.revocations or ()),
        answers_logins=bool(nats.authorization.auth_users),
        tiers=_tiers(nats.limits.tiers),
        tags=nats.tags or (),
        description=nats.description,
        imports=tuple(
            AccountImport(each.account, each.subject, each.kind)
            for each in nats.imports or ()
        ),
        exports=len(nats.exports or ()),
    )


def _tiers(tiers: dict[str, _Tier] | None) -> Reserved | None:
    if not tiers:
        return None
    return Reserved(
        _bounded([each.memory_bytes for each in tiers.values()]),
        _bounded([each.storage_bytes for each in tiers.values()]),
    )


def _bounded(counts: list[int]) -> int | None:
    """Return the sum of what has a bound; None when nothing has."""
    bounded = [count for count in counts if count >= 0]
    return sum(bounded) if bounded else None
