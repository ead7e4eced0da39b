"""One round of jsz: the pages of all accounts, and the consumers of a few.

Consumers are the dearest thing to ask a server for, so they are asked account
by account. Where that would be many requests the pages are asked with all
consumers instead: the number of requests stays bounded either way.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import quote

from nats_idle_exporter.activity import Instant, JetStreamRound, Stock
from nats_idle_exporter.monitoring import wire
from nats_idle_exporter.monitoring.conversation import Conversation
from nats_idle_exporter.monitoring.failures import PAYLOAD, failure

PAGE: Final = 1024
"""Accounts per page of jsz: the servers' own default."""
CONSUMER_REQUESTS: Final = 50
"""Accounts of one round whose consumers are asked for one by one."""


class JetStreamTold(NamedTuple):
    """One round: for the proof, what is stored, and name tags by account id."""

    round: JetStreamRound
    stock: Stock
    names: dict[str, str]


async def read_jetstream(
    conversation: Conversation, asked: Instant, consumers_of: frozenset[str]
) -> JetStreamTold:
    """Read one round.

    Args:
        conversation: with the server; it answered before.
        asked: when the round begins.
        consumers_of: the accounts whose consumers are wanted.

    Raises:
        EndpointError: some of it failed, so nothing of it may be used.
    """
    pages = await _pages(conversation, with_all=len(consumers_of) > CONSUMER_REQUESTS)
    names = {account: tag for page in pages for account, tag in page.names.items()}
    streams = {(s.account, s.name): s for page in pages for s in page.streams}
    stored = {(s.account, s.name): s for page in pages for s in page.stock.streams}
    if len(consumers_of) <= CONSUMER_REQUESTS:
        # Who is on no page may own nothing here, so no consumer either.
        for account in sorted(consumers_of & names.keys()):
            # What it tells of the streams is newer, too.
            page = await _with_consumers(conversation, account)
            streams |= {(s.account, s.name): s for s in page.streams}
            stored |= {(s.account, s.name): s for s in page.stock.streams}
    told = JetStreamRound(
        asked,
        # The first page's: ages by it are no longer than the true ones.
        pages[0].now_at,
        frozenset(names),
        frozenset().union(*(page.untouched for page in pages)),
        tuple(streams.values()),
        consumers_of,
    )
    reserved = tuple(each for page in pages for each in page.stock.reserved)
    return JetStreamTold(told, Stock(tuple(stored.values()), reserved), names)


async def _pages(
    conversation: Conversation, *, with_all: bool
) -> list[wire.JetStreamPage]:
    pages: list[wire.JetStreamPage] = []
    known = set[str]()
    query = f"accounts=1&streams=1{'&consumers=1' if with_all else ''}&config=1"
    offset, length = 0, PAGE
    while length >= PAGE:
        page = await conversation.ask(
            f"/jsz?{query}&limit={PAGE}&offset={offset}", wire.decode_jsz
        )
        length = len(page.names)
        if length and known >= page.names.keys():
            raise failure(PAYLOAD, "/jsz: a page repeats accounts already listed")
        known |= page.names.keys()
        offset += length
        pages.append(page)
    return pages


async def _with_consumers(
    conversation: Conversation, account: str
) -> wire.JetStreamPage:
    """Ask for one account; of one that is gone by now servers tell nothing."""
    path = f"/jsz?acc={quote(account, safe='')}&consumers=1&config=1"
    page = await conversation.ask(path, wire.decode_jsz)
    if not page.names.keys() <= {account}:
        raise failure(PAYLOAD, "/jsz?acc=: answered for other accounts")
    return page
