"""What is fuzzed of the inventory: files of operators, and what servers hold."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from nats_idle_exporter.config import parse_accounts_file
from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.monitoring.inventory import SourceError
from nats_idle_exporter.monitoring.inventory.accounts import (
    EntryError,
    InventoryAccount,
)
from nats_idle_exporter.monitoring.inventory.claims import LIST_SUBJECT, ClaimsSource
from nats_idle_exporter.monitoring.inventory.jwt import decode_account_jwt
from nats_idle_exporter.monitoring.inventory.natsconfig import read_nats_config
from tests.inventory.builders import HEADER, a_jwt, a_key, a_part, claims, outcome

CAPTURES = Path(__file__).parents[1] / "inventory" / "captures"
LONGEST_FOUND = 200
NATS_CONFIG = b"""
port: 4222; X: 5  # a comment
accounts {
  TEAM { users: [{user: a, password: $X}], limits {max_connections: 1k}
         imports: [{stream: {account: OTHER, subject: "a.\\x3e"}}] }
  OTHER: { exports = [{stream: a.>}] }
}
resolver_preload: { %s: %s }
""" % (a_key().encode(), a_jwt())
CLAIMS, MORE_CLAIMS = (
    json.dumps(claims(1, exp=9, nats=nats)).encode()
    for nats in (
        {"type": "account", "limits": {"conn": 1, "leaf": -1}, "tags": ["a"]},
        {
            "type": "account",
            "imports": [{"account": "A", "subject": "b.>", "type": "stream"}],
            "exports": [{"subject": "c"}],
        },
    )
)
ACCOUNTS = b"- TEAM\n- 'OTHER'\n"
NAMED_ACCOUNTS = b"TEAM: {name: a team}\nOTHER:\n"


class Target(NamedTuple):
    """One entrance: what it does with bytes, bytes to begin with, and its share."""

    run: Callable[[bytes], None]
    seeds: Sequence[bytes]
    share: int = 10


def read_jwt(data: bytes) -> None:
    """Read the bytes as an account's JWT, or as its claims; a refusal is one line."""
    is_claims = data.startswith(b"{")
    token = f"{a_part(HEADER)}.{a_part(data)}.c2ln".encode() if is_claims else data
    found = outcome(lambda: decode_account_jwt(token))
    if not isinstance(found, InventoryAccount):
        assert isinstance(found, EntryError)
        assert found.found.isprintable()
        assert len(found.found) <= LONGEST_FOUND


def read_configuration(data: bytes) -> None:
    """Read the bytes as a configuration file of nats-server, which lies nowhere."""
    number = os.memfd_create("nats.conf")
    try:
        os.write(number, data)
        with suppress(SourceError):
            told = read_nats_config(Path(f"/proc/self/fd/{number}"), {"X": "[1, $Y]"})
            assert told.accounts
    finally:
        os.close(number)


def read_accounts(data: bytes) -> None:
    """Read the bytes as a list of accounts that is kept by hand."""
    with suppress(ConfigError):
        assert parse_accounts_file(data.decode(errors="replace"))


class _Answers:
    """A connection on which every server says the same."""

    is_open = True

    def __init__(self, told: bytes) -> None:
        self._told = told

    async def gather(self, subject: str) -> list[bytes]:
        assert subject == LIST_SUBJECT
        return [self._told]

    async def ask(self, _subject: str) -> bytes | None:
        return self._told

    async def close(self) -> None:
        """Be one of those that can be closed."""


def read_claims(data: bytes) -> None:
    """Take the bytes for the answer to every question about a resolver."""

    async def connect() -> _Answers:
        return _Answers(data)

    with suppress(SourceError):
        told = asyncio.run(ClaimsSource("nats://a:4222", connect).read())
        assert told.accounts


INVENTORIES = {
    "jwt": Target(read_jwt, [a_jwt(), CLAIMS, MORE_CLAIMS]),
    "natsconf": Target(read_configuration, [NATS_CONFIG], 5),
    "accounts": Target(read_accounts, [ACCOUNTS, NAMED_ACCOUNTS], 5),
    "claims": Target(
        read_claims, [path.read_bytes() for path in sorted(CAPTURES.glob("list*"))], 2
    ),
}
"""By name."""
