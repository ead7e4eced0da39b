"""A report from what a running daemon knows, read by its API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import msgspec

from nats_idle_exporter.api.model import Account, AccountDetail, Accounts, Endpoints
from nats_idle_exporter.api.openapi import ACCOUNTS, ENDPOINTS
from nats_idle_exporter.api.query import LONGEST_PART
from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.monitoring.access import Accesses
from nats_idle_exporter.monitoring.fetch import address, fetch
from nats_idle_exporter.report.model import ObservationError
from nats_idle_exporter.text import one_line
from nats_idle_exporter.urls import without_credentials

TIMEOUT_SECONDS: Final = 60.0
"""For one answer; a part of very many accounts takes the daemon seconds."""
MAX_BODY_BYTES: Final = 134_217_728

_Answer = TypeVar("_Answer")


class UnreadableError(ValueError):
    """An answer that no daemon of this version gives; the text is one line."""


class Daemon:
    """One daemon, asked over one session.

    Args:
        session: sends the requests; the caller closes it.
        url: where the daemon serves, its route prefix included.
        accesses: how it is asked: credentials, TLS, proxy.
        tell: takes a line about the progress.
    """

    limits: tuple[str, ...] = ()

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        accesses: Accesses,
        tell: Callable[[str], None],
    ) -> None:
        self._session = session
        self._url = url
        self._accesses = accesses
        self._tell = tell

    @property
    def source(self) -> str:
        """Return where the daemon is."""
        return f"the daemon at {without_credentials(self._url)}"

    async def watch(self) -> Endpoints:
        """Return what it watches.

        Raises:
            ObservationError: it does not say.
        """
        return await self._ask(ENDPOINTS, Endpoints)

    async def accounts(self, account: str | None = None) -> list[Account]:
        """Return all accounts, or those with this id or name.

        Raises:
            ObservationError: it does not say.
        """
        found: list[Account] = []
        asked = {"limit": str(LONGEST_PART)}
        if account is not None:
            asked["account"] = account
        while True:
            part = await self._ask(f"{ACCOUNTS}?{urlencode(asked)}", Accounts)
            found += part.accounts
            if part.next_cursor in {None, asked.get("cursor")}:
                return found
            self._tell(f"{len(found):,} accounts read")
            asked["cursor"] = part.next_cursor or ""

    async def detail(self, system: str, account: str) -> AccountDetail:
        """Return all that it knows of one account.

        Raises:
            ObservationError: it does not say.
        """
        place = "/".join(quote(each, safe="") for each in (system, account))
        return await self._ask(f"{ACCOUNTS}/{place}", AccountDetail)

    async def _ask(self, path: str, shape: type[_Answer]) -> _Answer:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                body = await fetch(
                    self._session,
                    address(self._url, path),
                    MAX_BODY_BYTES,
                    self._accesses.current(self._url),
                )
            return read_answer(body, shape)
        except EndpointError as error:
            raise ObservationError(f"{self.source}: {error.detail}") from error
        except TimeoutError as error:
            why = f"no answer within {TIMEOUT_SECONDS:.0f}s"
            raise ObservationError(f"{self.source}: {why}") from error
        except UnreadableError as error:
            why = f"an answer that this version cannot read: {error}"
            raise ObservationError(f"{self.source}: {why}") from error


def read_answer(body: bytes | bytearray, shape: type[_Answer]) -> _Answer:
    """Return what a daemon answered.

    Raises:
        UnreadableError: it is nothing of this shape.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    # A RecursionError is a nesting bomb, a UnicodeDecodeError comes bare.
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise UnreadableError(one_line(str(error))) from error
