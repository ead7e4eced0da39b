"""A report without a daemon: servers are polled once or twice, and that is all.

The ordinary client, poll loop and proof are used. Nothing is remembered: the state
file belongs to the daemon.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from nats_idle_exporter.api import watch
from nats_idle_exporter.api.book import Book, UnknownError
from nats_idle_exporter.api.model import Account, AccountDetail, Endpoints
from nats_idle_exporter.api.query import LONGEST_PART, Query
from nats_idle_exporter.config import Config, format_duration
from nats_idle_exporter.monitoring.client import MonitoringClient
from nats_idle_exporter.monitoring.clock import Clock
from nats_idle_exporter.monitoring.fetch import new_session
from nats_idle_exporter.monitoring.poller import Poller
from nats_idle_exporter.remembering import Remembering
from nats_idle_exporter.removal.words import counted
from nats_idle_exporter.report.model import ObservationError
from nats_idle_exporter.setup import Setup, prepare
from nats_idle_exporter.snapshot import Snapshot

ONCE: Final = (
    "Nothing is known from before: whatever was used since its servers started is"
    " unknown, for counters do not tell when."
)
TWICE: Final = (
    "Nothing is known from before: what was used between the polls is active; what was"
    " used earlier, since its servers started, is unknown."
)
PROVEN: Final = (
    "inactive is said only where every server proves that nobody used the account since"
    " it started, or read its configuration, a threshold ago or longer."
)
UNKNOWN: Final = (
    "unknown is not unused: only a daemon that watches for a threshold can tell."
)


class Polled:
    """What one snapshot tells.

    Args:
        snapshot: the only one, or the second of two.
        sample_seconds: between the two; None for one poll.
    """

    def __init__(self, snapshot: Snapshot, sample_seconds: float | None) -> None:
        self._book = Book(snapshot)
        self._sample_seconds = sample_seconds

    @property
    def source(self) -> str:
        """Return how little was watched."""
        if self._sample_seconds is None:
            return "one poll"
        return f"two polls, {format_duration(self._sample_seconds)} apart"

    @property
    def limits(self) -> tuple[str, ...]:
        """Return what so little watching can tell, and what not."""
        first = ONCE if self._sample_seconds is None else TWICE
        return first, PROVEN, UNKNOWN

    async def watch(self) -> Endpoints:
        """Return what was polled."""
        return watch.endpoints(self._book.snapshot)

    async def accounts(self, account: str | None = None) -> list[Account]:
        """Return all accounts, or those with this id or name."""
        found: list[Account] = []
        cursor: str | None = None
        while True:
            query = Query(account=account, limit=LONGEST_PART, cursor=cursor)
            part = self._book.accounts(query)
            found += part.accounts
            if (cursor := part.next_cursor) is None:
                return found

    async def detail(self, system: str, account: str) -> AccountDetail:
        """Return all that is known of one account.

        Raises:
            ObservationError: there is no such account.
        """
        try:
            return self._book.detail(system, account)
        except UnknownError as error:
            raise ObservationError(str(error)) from error


async def poll(
    config: Config,
    clock: Clock,
    sample_seconds: float | None,
    tell: Callable[[str], None],
) -> Polled:
    """Poll all endpoints once, or twice so many seconds apart.

    Raises:
        ConfigError: a file that an endpoint needs cannot be used.
        StartError: a source of accounts needs a package that is not installed.
    """
    setup = prepare(config, {})
    snapshots: deque[Snapshot] = deque(maxlen=1)
    endpoints = sum(map(len, setup.systems.values()))
    async with _polling(setup, clock, snapshots.append) as poller:
        tell(f"polling {counted(endpoints, 'endpoint')}")
        await poller.cycle()
        if sample_seconds is not None:
            tell(f"polling again in {format_duration(sample_seconds)}")
            await clock.sleep_until(clock.monotonic() + sample_seconds)
            await poller.cycle()
    return Polled(snapshots[-1], sample_seconds)


@asynccontextmanager
async def _polling(
    setup: Setup, clock: Clock, publish: Callable[[Snapshot], None]
) -> AsyncIterator[Poller]:
    async with new_session() as session:
        poll = setup.config.poll
        make_client = partial(
            MonitoringClient,
            session,
            clock,
            timeout_seconds=poll.timeout_seconds,
            max_body_bytes=poll.max_body_bytes,
        )
        remembering = Remembering(setup, make_client, clock, None)
        await remembering.recall()
        poller = Poller(remembering.systems, clock, publish, setup.pace)
        poller.rules = setup.rules
        async with poller.following():
            yield poller
