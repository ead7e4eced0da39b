"""The requests of one poll: all of them answered by one server, or none counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import aiohttp

from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.monitoring.access import PLAIN, Access
from nats_idle_exporter.monitoring.failures import IDENTITY, failure
from nats_idle_exporter.monitoring.fetch import address, fetch

T = TypeVar("T")


class Conversation:
    """Ask one endpoint question after question.

    Behind one URL there may be a load balancer, and a server may restart
    between two questions: half of one and half of another is no reading.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        max_body_bytes: int,
        access: Access = PLAIN,
    ) -> None:
        self._session = session
        self._access = access
        self._url = url
        self._max_body_bytes = max_body_bytes
        self._server_id = ""

    async def ask(self, path: str, decode: Callable[[bytearray], tuple[str, T]]) -> T:
        """Return what one body tells.

        Args:
            path: path and query, already escaped.
            decode: body -> the sender's ``server_id`` and what it tells.

        Raises:
            EndpointError: the question failed, or another server answered it.
        """
        where = address(self._url, path)
        body = await fetch(self._session, where, self._max_body_bytes, self._access)
        try:
            server_id, told = decode(body)
        except EndpointError as error:
            detail = f"{where.raw_path_qs}: {error.detail}"
            raise failure(error.reason, detail) from error
        self._server_id = self._server_id or server_id
        if server_id != self._server_id:
            raise failure(
                IDENTITY,
                f"{where.path} is of {server_id[:60]}, "
                f"the bodies before of {self._server_id[:60]}",
            )
        return told
