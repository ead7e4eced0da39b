"""Asking a server for its ring of closed connections.

In operator mode, servers from 2.11 on look up the account of every entry of the
ring whenever they are asked for accounts, however short the page. An account
whose JWT is gone from a full resolver costs them two seconds per entry: a few of
those, and no such page comes in time. So there pages are asked for without
accounts, and then only what is new is asked for with them, entry by entry.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from nats_idle_exporter.monitoring import wire
from nats_idle_exporter.monitoring.conversation import Conversation
from nats_idle_exporter.monitoring.ring import PAGE, RingMemory, RingSearch

CLOSED: Final = "/connz?state=closed&sort=stop"
"""Never filtered: of an account that was removed a filter hides all entries."""
WITH_ACCOUNTS: Final = "&auth=1"
LOOKS_UP: Final = (2, 11)
"""From this release on servers look up the accounts of closed connections."""
MOST_ASKED: Final = 50
"""New entries asked about one by one; of more, whole pages are cheaper."""


async def search_ring(
    conversation: Conversation,
    varz: wire.Varz,
    last: RingMemory | None,
    patience_seconds: float,
) -> RingSearch:
    """Read a server's ring as far down as news can lie.

    Args:
        conversation: with the server.
        varz: of the same poll.
        last: what the last good poll of this server left.
        patience_seconds: how long it may take to look up the accounts of new
            entries; who is not told by then may have been anybody.
    """
    is_slow = varz.server.is_operator_mode and varz.server.release >= LOOKS_UP
    path = CLOSED if is_slow else CLOSED + WITH_ACCOUNTS
    head = await conversation.ask(f"{path}&limit=1", wire.decode_closed)
    search = RingSearch(varz, head, last, tells_accounts=not is_slow)
    while (offset := search.next_offset) is not None:
        search.add(await _page(conversation, path, offset))
    if search.unnamed:
        # Who is not told in time is a hole, of one poll's length: what is known
        # now is not new in the next one.
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_seconds):
                await _look_up(conversation, search)
    return search


async def _page(conversation: Conversation, path: str, offset: int) -> wire.ClosedPage:
    query = f"{path}&limit={PAGE}&offset={offset}"
    return await conversation.ask(query, wire.decode_closed)


async def _look_up(conversation: Conversation, search: RingSearch) -> None:
    path = CLOSED + WITH_ACCOUNTS
    if len(search.unnamed) <= MOST_ASKED:
        for cid in search.unnamed:
            of_one = f"{path}&cid={cid}"
            search.name(await conversation.ask(of_one, wire.decode_closed))
        return
    page, offset = await _page(conversation, path, 0), 0
    search.name(page)
    while search.unnamed and len(page.entries) == PAGE:
        offset += PAGE
        page = await _page(conversation, path, offset)
        search.name(page)
