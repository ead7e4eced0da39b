"""Ask one server for the accounts of one cycle, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol
from urllib.parse import quote

import structlog

from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.monitoring.conversation import Conversation
from nats_idle_exporter.monitoring.failures import IDENTITY, PAYLOAD, STATUS, failure
from nats_idle_exporter.monitoring.inquiry.answers import Answer, decode_answer

_log = structlog.get_logger(__name__)


class AsksServer(Protocol):
    """What is needed of a client."""

    def converse(self, url: str) -> Conversation:
        """Begin to ask an endpoint questions that belong to no poll."""


class Asked(NamedTuple):
    """How many accounts were asked about, and why the rest was not, "" for nothing."""

    answered: int
    refused: int
    trouble: str = ""


async def ask_accounts(
    client: AsksServer,
    url: str,
    server_id: str,
    accounts: Iterable[str],
    hear: Callable[[Answer], None],
) -> Asked:
    """Ask about accounts until all were told, or the server does not answer well.

    Who is not loaded any more is refused by the server, and passed over. Call it
    within a timeout; what was heard before that ends it is good.

    Args:
        client: the reader of the endpoint.
        url: the endpoint.
        server_id: who answered there at the last poll, and is meant.
        accounts: whom to ask about.
        hear: takes each answer.
    """
    answered = refused = 0
    try:
        # Credentials may be unreadable by now.
        conversation = client.converse(url)
        for account in accounts:
            if answer := await _ask(conversation, server_id, account):
                hear(answer)
                answered += 1
            else:
                refused += 1
            # A bounded share of the loop: probes and scrapes have their turn.
            await asyncio.sleep(0)
    except EndpointError as error:
        return Asked(answered, refused, str(error))
    return Asked(answered, refused)


async def _ask(
    conversation: Conversation, server_id: str, account: str
) -> Answer | None:
    def decode(body: bytearray) -> tuple[str, Answer]:
        sender, answer = decode_answer(body)
        if sender != server_id:
            raise failure(IDENTITY, f"of {sender[:60]}, and not of {server_id[:60]}")
        if answer.account != account:
            raise failure(PAYLOAD, "the answer is about another account")
        return sender, answer

    try:
        return await conversation.ask(
            f"/accountz?acc={quote(account, safe='')}", decode
        )
    except EndpointError as error:
        if error.reason in (STATUS, PAYLOAD):
            # One that cannot be told must not keep all others from being asked about.
            _log.debug("account not told", account=account, detail=error.detail)
            return None
        raise
