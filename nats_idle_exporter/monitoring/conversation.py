"""The requests of one poll: all of them answered by one server, or none counts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import aiohttp

from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.monitoring.access import PLAIN, Access
from nats_idle_exporter.monitoring.failures import IDENTITY, PAYLOAD, failure
from nats_idle_exporter.monitoring.fetch import address, fetch

T = TypeVar("T")
BEGINNING: Final = 16_384
"""Bytes in which every server tells the moment of its answer, before any list."""
LONG: Final = 131_072
"""Bytes of a body that take more time to decode than a thread costs."""
_NOW: Final = re.compile(rb'"now": ?"([^"]{1,64})"')


class Conversation:
    """Ask one endpoint question after question.

    Behind one URL there may be a load balancer, and a server may restart
    between two questions: half of one and half of another is no reading. There may
    be a cache too: what was true at the last poll would hide all use since.

    Args:
        session: what to ask with.
        url: the endpoint.
        max_body_bytes: of one body.
        access: how the endpoint is asked.
        last_moments: what ``moments`` of its last good poll was.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        max_body_bytes: int,
        access: Access = PLAIN,
        last_moments: Mapping[str, bytes] | None = None,
    ) -> None:
        self._session = session
        self._access = access
        self._url = url
        self._max_body_bytes = max_body_bytes
        self._last_moments = last_moments or {}
        self.moments: dict[str, bytes] = {}
        """By path, when the server says that it answered, in its own words."""
        self._server_id = ""

    async def ask(self, path: str, decode: Callable[[bytearray], tuple[str, T]]) -> T:
        """Return what one body tells.

        Args:
            path: path and query, already escaped.
            decode: body -> the sender's ``server_id`` and what it tells.

        Raises:
            EndpointError: the question failed, another server answered it, or the
                answer is an old one.
        """
        where = address(self._url, path)
        body = await fetch(self._session, where, self._max_body_bytes, self._access)
        try:
            server_id, told = await _decoded(body, decode)
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
        self._require_news(path, body)
        return told

    def _require_news(self, path: str, body: bytearray) -> None:
        found = _NOW.search(body, 0, BEGINNING)
        if found is None:
            return
        # It counts nanoseconds: no server answers twice at the same.
        if self._last_moments.get(path) == found[1]:
            what = "the answer of the last poll once more; is there a cache?"
            raise failure(PAYLOAD, f"{path}: {what}")
        self.moments[path] = bytes(found[1])


async def _decoded(body: bytearray, decode: Callable[[bytearray], T]) -> T:
    """Return what a body tells; scrapes and probes need not wait for a long one."""
    if len(body) < LONG:
        return decode(body)
    return await asyncio.to_thread(decode, body)
