"""Ask the servers themselves which accounts their resolvers hold.

Only the full resolver answers: with the ids of all its accounts, every server
for itself, and with the JWT of one account. Neither question loads an account.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from heapq import nsmallest
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from nats_idle_exporter.monitoring.inventory.accounts import (
    MOST_ACCOUNTS,
    EntryError,
    InventoryAccount,
    Problem,
    SourceError,
    SourceList,
    is_account_key,
)
from nats_idle_exporter.monitoring.inventory.jwt import decode_jwt_of

LIST_SUBJECT: Final = "$SYS.REQ.CLAIMS.LIST"
LOOKUP_SUBJECT: Final = "$SYS.REQ.ACCOUNT.{}.CLAIMS.LOOKUP"

LOOKUPS_PER_READ: Final = 500
"""Accounts whose JWT is asked for at one read; every server answers each of them."""

LOOKUPS_AT_ONCE: Final = 25


class AsksServers(Protocol):
    """A connection of the system account."""

    @property
    def is_open(self) -> bool:
        """Return whether it can still be asked."""

    async def gather(self, subject: str) -> list[bytes]:
        """Return the answers of all servers; raise ``SourceError`` without any."""

    async def ask(self, subject: str) -> bytes | None:
        """Return the first answer, None when none came."""

    async def close(self) -> None:
        """End it."""


class _Server(Struct, frozen=True):
    id: str


class _Listed(Struct, frozen=True):
    server: _Server
    data: tuple[str, ...] | None = None


_LISTED: Final = msgspec.json.Decoder(_Listed)


class ClaimsSource:
    """The accounts that the servers' resolvers hold.

    One connection is kept: one per read would fill the servers' list of closed
    connections, which tells us who came and went.

    Args:
        label: what it is called, without credentials.
        connect: opens a connection; raises ``SourceError``.
    """

    def __init__(
        self, label: str, connect: Callable[[], Awaitable[AsksServers]]
    ) -> None:
        self.label = label
        self._connect = connect
        self._connection: AsksServers | None = None
        self._accounts: dict[str, InventoryAccount] = {}
        self._asked: dict[str, int] = {}
        self._turn = 0

    async def read(self) -> SourceList:
        """Return every account that any server lists.

        Their JWTs are read by and by; an account is listed by its id before.

        Raises:
            SourceError: no connection, no answer, or one that no server sends.
        """
        try:
            return await self._read()
        except asyncio.CancelledError:
            # What was asked last may still be answered: start afresh.
            await self.close()
            raise

    async def _read(self) -> SourceList:
        if self._connection is None or not self._connection.is_open:
            await self.close()
            self._connection = await self._connect()
        connection = self._connection
        replies = await connection.gather(LIST_SUBJECT)
        # With many accounts this takes long: scrapes must not wait.
        servers, due = await asyncio.to_thread(self._listed, replies)
        problems = await self._look_up(connection, due)
        return SourceList(
            accounts=dict(self._accounts),
            problems=tuple(problems),
            servers=servers,
            is_served=True,
        )

    async def close(self) -> None:
        """End the connection."""
        connection, self._connection = self._connection, None
        if connection:
            await connection.close()

    def _listed(self, replies: Iterable[bytes]) -> tuple[frozenset[str], list[str]]:
        """Take the lists in; return who answered, and whose JWTs to ask for."""
        servers, keys = self._decoded(replies)
        self._accounts = {
            key: self._accounts.get(key) or InventoryAccount(account=key)
            for key in keys
        }
        self._asked = asked = {key: self._asked.get(key, 0) for key in keys}
        # Those that were asked for longest ago.
        due = nsmallest(LOOKUPS_PER_READ, asked, key=lambda key: (asked[key], key))
        return servers, due

    def _decoded(self, replies: Iterable[bytes]) -> tuple[frozenset[str], set[str]]:
        servers: set[str] = set()
        keys: set[str] = set()
        for reply in replies:
            try:
                listed = _LISTED.decode(reply)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                raise SourceError(
                    self.label, expected="a list of accounts", found=str(error)
                ) from error
            servers.add(listed.server.id)
            keys.update(listed.data or ())
        if not keys:
            raise SourceError(
                self.label,
                expected="an answer from a server with the full resolver",
                found="none",
            )
        if len(keys) > MOST_ACCOUNTS:
            raise SourceError(
                self.label, expected=f"at most {MOST_ACCOUNTS} accounts", found="more"
            )
        if not all(map(is_account_key, keys)):
            raise SourceError(
                self.label, expected="public keys of accounts", found="something else"
            )
        return frozenset(servers), keys

    async def _look_up(
        self, connection: AsksServers, due: Sequence[str]
    ) -> list[Problem]:
        """Ask for these JWTs."""
        problems: list[Problem] = []
        for start in range(0, len(due), LOOKUPS_AT_ONCE):
            keys = due[start : start + LOOKUPS_AT_ONCE]
            async with asyncio.TaskGroup() as lookups:
                answers = [
                    lookups.create_task(connection.ask(LOOKUP_SUBJECT.format(key)))
                    for key in keys
                ]
            for key, answer in zip(keys, answers, strict=True):
                self._turn += 1
                self._asked[key] = self._turn
                problems += self._take(key, answer.result())
            if any(answer.result() is None for answer in answers):
                break  # Most likely not permitted: the others would wait in vain.
        return problems

    def _take(self, key: str, answer: bytes | None) -> list[Problem]:
        where = f"{self.label}: {key}"
        if answer is None:
            return [Problem(where, "an answer to the lookup", "none")]
        try:
            self._accounts[key] = decode_jwt_of(key, answer)
        except EntryError as error:
            return [error.at(where)]
        return []
