"""Passwords of users: compared by bcrypt, off the loop, and never kept.

What is kept of a right password is a digest under a key that lives and dies with
the process. An unknown user costs the same work as a wrong password.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import secrets
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import bcrypt

from nats_idle_exporter.config.webchecks import bcrypt_cost
from nats_idle_exporter.secret import Secret

LONGEST: Final = 72
"""Bytes of a password that bcrypt can take; a longer one is nobody's."""
MAX_WAITING: Final = 8
"""Passwords that may wait for their turn: each takes a core for a while."""

_NOBODY = "4Wd6GQS3CS9pQ3MP0tHk1.F3zfyRAOr5WVn3Nz1ePrqGxHUM0NTre"
"""Salt and hash of a password that nobody knows."""


class BusyError(Exception):
    """Too many passwords wait to be compared already."""


class Credentials(NamedTuple):
    """Whom somebody claims to be."""

    user: str
    password: str


def parse_basic(header: str | None) -> Credentials | None:
    """Return what an ``Authorization`` header says; None when it is not Basic.

    >>> parse_basic("Basic bWU6YTpi")
    Credentials(user='me', password='a:b')
    """
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    user, colon, password = text.partition(":")
    return Credentials(user, password) if colon else None


class Passwords:
    """The users of one version of the file; use from one event loop.

    Args:
        hashes: the bcrypt hash of each user's password; at least one.
    """

    def __init__(self, hashes: Mapping[str, Secret]) -> None:
        self._hashes = {user: each.reveal().encode() for user, each in hashes.items()}
        self._costs = [bcrypt_cost(each) for each in hashes.values()]
        self._key = secrets.token_bytes(32)
        # The right password of each user, so that it cannot grow: those that try
        # wrong ones push nobody out.
        self._accepted: dict[str, bytes] = {}
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def accept(self, claim: Credentials) -> bool:
        """Say whether a user has that password.

        Raises:
            BusyError: too many others wait for an answer.
        """
        if self._is_remembered(claim):
            return True
        if self._waiting >= MAX_WAITING:
            raise BusyError
        self._waiting += 1
        try:
            async with self._turn:
                return self._is_remembered(claim) or await self._compare(claim)
        finally:
            self._waiting -= 1

    def _is_remembered(self, claim: Credentials) -> bool:
        known = self._accepted.get(claim.user)
        return known is not None and secrets.compare_digest(known, self._digest(claim))

    async def _compare(self, claim: Credentials) -> bool:
        hashed = self._hashes.get(claim.user)
        is_right = await asyncio.to_thread(
            _matches, claim.password.encode(), hashed or self._nobody(claim.user)
        )
        if hashed is None or not is_right:
            return False
        self._accepted[claim.user] = self._digest(claim)
        return True

    def _nobody(self, user: str) -> bytes:
        """Return a hash for an unknown user, at a cost that known users have.

        Always the same for a user: that it differs would tell as much as the time.
        """
        choice = int.from_bytes(self._digest([user]))
        cost = self._costs[choice % len(self._costs)]
        return f"$2b${cost:02}${_NOBODY}".encode()

    def _digest(self, parts: Iterable[str]) -> bytes:
        digest = hashlib.blake2b(key=self._key)
        for part in parts:
            text = part.encode()
            digest.update(len(text).to_bytes(8))
            digest.update(text)
        return digest.digest()


def _matches(password: bytes, hashed: bytes) -> bool:
    """Compare for the same time, whatever the password."""
    try:
        is_equal = bcrypt.checkpw(password[:LONGEST], hashed)
    except ValueError:
        # A hash of the right form that holds no salt: nobody's.
        return False
    return is_equal and len(password) <= LONGEST
