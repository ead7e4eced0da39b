"""The client: one poll of one endpoint becomes one reading, or one error.

It only reads, and it asks nothing that makes a server load an account:
``/connz?acc=`` would, ``/accountz?acc=`` does not. Of each server it remembers
what the last good poll read of its ring of closed connections, at whichever
endpoint that was: a poll that fails leaves the memory as it was, so that the
next one tells all anew.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote

import aiohttp
import structlog

from nats_idle_exporter.activity import (
    Changes,
    Reading,
    SavedRow,
    ServerFacts,
)
from nats_idle_exporter.activity.rows import Keyed, tell
from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.monitoring import wire
from nats_idle_exporter.monitoring.access import Accesses
from nats_idle_exporter.monitoring.clock import Clock
from nats_idle_exporter.monitoring.closed import search_ring
from nats_idle_exporter.monitoring.conversation import Conversation
from nats_idle_exporter.monitoring.failures import TIMEOUT, failure
from nats_idle_exporter.monitoring.jetstream import JetStreamTold, read_jetstream
from nats_idle_exporter.monitoring.memories import memory_rows, read_memories
from nats_idle_exporter.monitoring.names import AccountNames
from nats_idle_exporter.monitoring.peers import merged
from nats_idle_exporter.monitoring.reads import ReadsEndpoint
from nats_idle_exporter.monitoring.ring import RingMemory
from nats_idle_exporter.urls import without_credentials

__all__ = ["MonitoringClient", "ReadsEndpoint"]

ACCOUNTS_PER_POLL: Final = 10
"""Accounts asked about one by one in one poll: these requests must stay few."""
LOOK_UP_SHARE: Final = 0.5
"""Part of a poll's time in which accounts of closed connections may be looked up."""
RINGS_PER_ENDPOINT: Final = 8
"""Rings remembered of the servers that answer at an endpoint in turn."""
TELLS_NAMES: Final = (2, 11)
"""From this release on accstatz tells names itself."""

_log = structlog.get_logger(__name__)


class MonitoringClient:
    """Read the endpoints of a system: many at a time, but each URL by one caller.

    Systems share nothing of what is remembered: what a ring told one ledger is news
    to another.

    Args:
        session: made by :func:`nats_idle_exporter.monitoring.fetch.new_session`.
        clock: stamps the readings.
        timeout_seconds: of one whole poll.
        max_body_bytes: of one body.
        accesses: how each endpoint is asked; by default plainly.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        clock: Clock,
        *,
        timeout_seconds: float,
        max_body_bytes: int,
        accesses: Accesses | None = None,
    ) -> None:
        self._session = session
        self._accesses = accesses or Accesses()
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._max_body_bytes = max_body_bytes
        self._names: defaultdict[str, AccountNames] = defaultdict(AccountNames)
        self._met: dict[str, str] = {}
        self._rings: dict[str, RingMemory] = {}
        self._moments: dict[str, Mapping[str, bytes]] = {}
        self._told: Keyed = {}

    def adopt(
        self,
        *,
        timeout_seconds: float,
        max_body_bytes: int,
        accesses: Accesses,
    ) -> None:
        """Read in this way from now on; call it between cycles."""
        self._timeout_seconds = timeout_seconds
        self._max_body_bytes = max_body_bytes
        self._accesses = accesses

    def watch(self, endpoints: Collection[str]) -> None:
        """Forget what is remembered of other endpoints; call it between cycles."""
        self._met = {u: i for u, i in self._met.items() if u in endpoints}
        self._moments = {u: m for u, m in self._moments.items() if u in endpoints}
        for url in self._names.keys() - set(endpoints):
            del self._names[url]

    def recall(self, rows: Iterable[SavedRow], known: Collection[str]) -> None:
        """Remember what an earlier client told as ``changes``.

        Of a server that the ledger does not know its ring has to be told whole.

        Args:
            rows: all of them.
            known: the servers that the system's ledger knows.

        Raises:
            DamagedRows: the rows are not what a client told.
        """
        met, rings = read_memories(rows)
        self._told = memory_rows(met, rings)
        self._met = {url: i for url, i in met.items() if i in known}
        self._rings = {i: ring for i, ring in rings.items() if i in known}

    def changes(self) -> Changes:
        """Return what changed since the last call; call it between cycles.

        A store must write it together with what the ledger tells of the same
        cycle: what a ring told is told once.
        """
        changes = Changes([], [])
        rows = memory_rows(self._met, self._rings)
        tell(changes, self._told, rows)
        self._told = rows
        return changes

    def retell(self) -> None:
        """Have ``changes`` tell all at its next call: a store may have dropped it."""
        self._told = dict.fromkeys(self._told, b"")

    async def read(
        self,
        url: str,
        *,
        with_jetstream: bool,
        consumers_of: frozenset[str] = frozenset(),
    ) -> Reading:
        """Poll one endpoint.

        Args:
            url: the endpoint; the reading's ``endpoint`` as it stands.
            with_jetstream: whether jsz is due; for a new server it always is.
            consumers_of: whose consumers are asked for together with jsz.

        Raises:
            EndpointError: some of it failed, so nothing of it may be used.
        """
        conversation = self.converse(url, self._moments.get(url))
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        try:
            async with asyncio.timeout_at(deadline):
                reading, ring = await self._facts(
                    conversation, url, consumers_of, with_jetstream=with_jetstream
                )
        except TimeoutError as error:
            limit = f"not all answered within {self._timeout_seconds:g} s"
            raise failure(TIMEOUT, limit) from error
        if reading.server.is_operator_mode:
            reading = await self._with_details(conversation, reading, deadline)
        # Nothing is awaited from here on: who is told is remembered, and only he.
        self._remember(url, ring)
        self._moments[url] = conversation.moments
        return reading

    def converse(
        self, url: str, last_moments: Mapping[str, bytes] | None = None
    ) -> Conversation:
        """Begin to ask an endpoint questions; see :class:`Conversation`.

        Raises:
            EndpointError: a file that the endpoint needs cannot be used.
        """
        access = self._accesses.current(url)
        limit = self._max_body_bytes
        return Conversation(self._session, url, limit, access, last_moments)

    def _remember(self, url: str, ring: RingMemory) -> None:
        self._met[url] = ring.server_id
        # The newest last, and the longest unread is forgotten first.
        self._rings.pop(ring.server_id, None)
        self._rings[ring.server_id] = ring
        if len(self._rings) > RINGS_PER_ENDPOINT * len(self._met):
            del self._rings[next(iter(self._rings))]

    async def _facts(
        self,
        conversation: Conversation,
        url: str,
        consumers_of: frozenset[str],
        *,
        with_jetstream: bool,
    ) -> tuple[Reading, RingMemory]:
        ask, asked = conversation.ask, self._clock.now()
        varz = await ask("/varz", wire.decode_varz)
        server = varz.server
        is_new = self._met.get(url) != server.server_id
        rows = await ask("/accstatz?unused=1", wire.decode_accstatz)
        # After accstatz: who left it before it was asked is in the ring by now.
        search = await search_ring(
            conversation,
            varz,
            self._rings.get(server.server_id),
            self._timeout_seconds * LOOK_UP_SHARE,
        )
        if server.system_account is None:
            # Either it has none, or its release tells it only here: taken for
            # none, the system account would be reported like a tenant's.
            system_account = await ask("/accountz", wire.decode_accountz)
            server = replace(server, system_account=system_account)
        routes = await ask("/routez", wire.decode_routez)
        gateways = await ask("/gatewayz", wire.decode_gatewayz)
        told = None
        if with_jetstream or is_new:
            told = await self._jetstream(conversation, url, server, consumers_of)
        reading = Reading(
            endpoint=url,
            asked=asked,
            answered=self._clock.now(),
            server=server,
            rows=rows,
            routes=frozenset(routes),
            gateways=frozenset(gateways),
            peers=merged((*routes.items(), *gateways.items())),
            ring=search.ring(),
            jetstream=told and told.round,
            stock=told and told.stock,
            leaf_accounts=varz.leaf_accounts,
        )
        return reading, search.memory()

    async def _jetstream(
        self,
        conversation: Conversation,
        url: str,
        server: ServerFacts,
        consumers_of: frozenset[str],
    ) -> JetStreamTold:
        asked = self._clock.now()
        told = await read_jetstream(conversation, asked, consumers_of)
        if not _tells_names(server):
            self._names[url].learn(told.names)
        return told

    async def _with_details(
        self, conversation: Conversation, reading: Reading, deadline: float
    ) -> Reading:
        """Add what servers tell account by account: names, and the age of JWTs."""
        names, rows = self._names[reading.endpoint], tuple(reading.rows)
        is_met = self._met.get(reading.endpoint) == reading.server.server_id
        if not (is_met and names.has_met):
            names.meet(rows)
        wanted = set(names.ageless)
        if not _tells_names(reading.server):
            wanted.update(row.account for row in rows if not row.name)
        told: dict[str, wire.AccountDetail] = {}
        try:
            async with asyncio.timeout_at(deadline):
                for account in names.next_to_ask(wanted, ACCOUNTS_PER_POLL):
                    if detail := await _detail(conversation, account):
                        told[account] = detail
        except TimeoutError:
            # The facts are complete; the rest may come with the next poll.
            endpoint = without_credentials(reading.endpoint)
            _log.debug("accounts not asked in time", endpoint=endpoint)
        names.learn({account: detail.name for account, detail in told.items()})
        names.age(told)
        issued = {a: d.issued_at for a, d in told.items() if d.issued_at is not None}
        if not _tells_names(reading.server):
            rows = names.fill(rows)
        return replace(reading, rows=rows, issued=issued)


def _tells_names(server: ServerFacts) -> bool:
    return not server.is_operator_mode or server.release >= TELLS_NAMES


async def _detail(
    conversation: Conversation, account: str
) -> wire.AccountDetail | None:
    path = f"/accountz?acc={quote(account, safe='')}"
    try:
        return await conversation.ask(path, wire.decode_account)
    except EndpointError as error:
        _log.debug("account not told", account=account, detail=error.detail)
        return None
