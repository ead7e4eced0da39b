"""Make the keys and JWTs of an operator, as ``nsc`` would."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from typing import TYPE_CHECKING, Any

import nkeys  # type: ignore[import-untyped]  # it ships no types

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNLIMITED = dict.fromkeys(
    ("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1
) | {"wildcards": True}


class Identity:
    """One key pair with its name: an operator, an account or a user."""

    def __init__(self, prefix: int, name: str) -> None:
        self.name = name
        self.seed: str = nkeys.encode_seed(os.urandom(32), prefix).decode()
        self._pair = nkeys.from_seed(self.seed.encode())
        self.public_key: str = self._pair.public_key.decode()

    def __repr__(self) -> str:
        return f"<Identity {self.name} {self.public_key}>"

    def sign(self, subject: Identity, claims: Mapping[str, Any], **extra: int) -> str:
        """Return a JWT about `subject`; `extra` are claims like ``iat`` and ``exp``."""
        body = {
            "iat": int(time.time()),
            "iss": self.public_key,
            "name": subject.name,
            "sub": subject.public_key,
            "nats": {"version": 2, **claims},
            **extra,
        }
        body["jti"] = hashlib.sha256(json.dumps(body).encode()).hexdigest()
        header = {"typ": "JWT", "alg": "ed25519-nkey"}
        text = (
            f"{_part(json.dumps(header).encode())}.{_part(json.dumps(body).encode())}"
        )
        return f"{text}.{_part(self._pair.sign(text.encode()))}"


class Operator:
    """An operator with its system account ``SYS``.

    ``accounts`` holds each account's newest JWT by public key.
    """

    def __init__(self, name: str = "OPERATOR") -> None:
        self.identity = Identity(nkeys.PREFIX_BYTE_OPERATOR, name)
        self.accounts: dict[str, str] = {}
        self.system_account = self.add_account("SYS")
        self.jwt = self.identity.sign(
            self.identity,
            {"type": "operator", "system_account": self.system_account.public_key},
        )

    def add_account(
        self, name: str, *, claims: Mapping[str, Any] | None = None, **extra: int
    ) -> Identity:
        """Add an account with a fresh key; `claims` go into its ``nats`` section."""
        account = Identity(nkeys.PREFIX_BYTE_ACCOUNT, name)
        self.sign_account(account, claims=claims, **extra)
        return account

    def sign_account(
        self,
        account: Identity,
        *,
        claims: Mapping[str, Any] | None = None,
        **extra: int,
    ) -> str:
        """Return a new JWT of an account, and remember it."""
        nats = {"type": "account", "limits": _UNLIMITED, **(claims or {})}
        token = self.identity.sign(account, nats, **extra)
        self.accounts[account.public_key] = token
        return token


def credentials(
    account: Identity,
    name: str = "user",
    *,
    pub: Mapping[str, Any] | None = None,
    sub: Mapping[str, Any] | None = None,
    **extra: int,
) -> str:
    """Return the text of a ``.creds`` file of a new user of the account.

    `pub` and `sub` are permissions like ``{"allow": ["a.>"]}``; all by default.
    `extra` are claims like ``iat``.
    """
    user = Identity(nkeys.PREFIX_BYTE_USER, name)
    limits = {"subs": -1, "data": -1, "payload": -1, "pub": pub or {}, "sub": sub or {}}
    token = account.sign(user, {"type": "user", **limits}, **extra)
    return (
        f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
    )


def _part(body: bytes) -> str:
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()
