"""The routes of the JSON API; what they answer is made in threads, one at a time.

GET and HEAD, behind the guard like every page. A problem is JSON, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec
from aiohttp import hdrs, web

from nats_idle_exporter.api import watch
from nats_idle_exporter.api.book import Book, UnknownError
from nats_idle_exporter.api.model import Problem
from nats_idle_exporter.api.openapi import (
    ACCOUNT,
    ACCOUNTS,
    ENDPOINTS,
    OPENAPI,
    describe_api,
)
from nats_idle_exporter.api.query import QueryError, parse_query

# An empty segment is an account's id as good as any other.
SEGMENTS: Final = "{system:[^/]*}/{account:[^/]*}"
_JSON: Final = "application/json"
STARTING: Final = "the first cycle has not ended"


class Api:
    """Answer from what is published.

    Args:
        current: returns what is published now; None until a cycle ended.
        prefix: what stands before every path.
    """

    def __init__(self, current: Callable[[], Book | None], prefix: str) -> None:
        self._current = current
        self._prefix = prefix
        # However many ask, the poll loop must find a thread that is free.
        self._making = asyncio.Lock()
        self._description = msgspec.json.encode(describe_api(prefix))

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Serve the API's paths."""
        one = ACCOUNT.replace("{system}/{account}", SEGMENTS)
        router.add_get(self._prefix + ACCOUNTS, self.accounts)
        router.add_get(self._prefix + one, self.account)
        router.add_get(self._prefix + ENDPOINTS, self.endpoints)
        router.add_get(self._prefix + OPENAPI, self.description)

    async def accounts(self, request: web.Request) -> web.Response:
        """Answer which accounts there are."""
        try:
            query = parse_query(request.query.items())
        except QueryError as error:
            return _problem(400, str(error))
        return await self._answer(lambda book: book.accounts(query))

    async def account(self, request: web.Request) -> web.Response:
        """Answer what is known of one account."""
        system, account = request.match_info["system"], request.match_info["account"]
        return await self._answer(lambda book: book.detail(system, account))

    async def endpoints(self, _: web.Request) -> web.Response:
        """Answer what is watched."""
        return await self._answer(lambda book: watch.endpoints(book.snapshot))

    async def description(self, _: web.Request) -> web.Response:
        """Answer how the API can be asked."""
        return _json(200, self._description)

    async def _answer(self, make: Callable[[Book], msgspec.Struct]) -> web.Response:
        if (book := self._current()) is None:
            return _problem(503, STARTING)
        try:
            async with self._making:
                body = await asyncio.to_thread(lambda: msgspec.json.encode(make(book)))
        except UnknownError as error:
            return _problem(404, str(error))
        return _json(200, body)


def _problem(status: int, error: str) -> web.Response:
    return _json(status, msgspec.json.encode(Problem(error=error)))


def _json(status: int, body: bytes) -> web.Response:
    headers = {hdrs.CACHE_CONTROL: "no-cache"}
    return web.Response(status=status, body=body, content_type=_JSON, headers=headers)
