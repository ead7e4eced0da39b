"""Fakes for the poll loop: a reader without a network, a ledger that records."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import replace
from typing import Any

from nats_idle_exporter.activity import (
    Instant,
    JetStreamRound,
    Listing,
    Reading,
    Ring,
    Row,
    ServerFacts,
    Source,
    SystemView,
    Verdict,
)
from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.monitoring.conversation import Conversation
from tests.support.clock import FakeClock

Play = Callable[[], Awaitable[None]]


def empty_view(**changed: Any) -> SystemView:
    """Return what a ledger without accounts concludes."""
    values: dict[str, Any] = {"duplicates": {}, **changed}
    return SystemView(counts=dict.fromkeys(Verdict, 0), **values)


class FakeReader:
    """Read endpoints from memory; each URL does what a test put in ``plays``.

    A play may wait, or raise; then the reading is the one of ``server_ids``.
    """

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.plays: dict[str, Play] = {}
        self.server_ids: dict[str, str] = {}
        self.rings: dict[str, Ring] = {}
        self.calls: list[tuple[str, bool]] = []
        self.consumers_of: list[frozenset[str]] = []
        self.now_reading: list[str] = []
        self.most_at_once = 0
        self.is_operator_mode = False
        self.rows: tuple[Row, ...] = (Row("APP"),)
        self.asks: Callable[[str], Conversation] | None = None
        self.watched: Collection[str] = ()

    def watch(self, endpoints: Collection[str]) -> None:
        """Note what is to be remembered."""
        self.watched = endpoints

    async def read(
        self,
        url: str,
        *,
        with_jetstream: bool,
        consumers_of: frozenset[str] = frozenset(),
    ) -> Reading:
        """Note the call, play, and answer."""
        assert url not in self.now_reading, "polls of one endpoint overlap"
        self.calls.append((url, with_jetstream))
        self.consumers_of.append(consumers_of)
        self.now_reading.append(url)
        self.most_at_once = max(self.most_at_once, len(self.now_reading))
        try:
            await asyncio.sleep(0)
            if play := self.plays.get(url):
                await play()
        finally:
            self.now_reading.remove(url)
        return self._reading(url, with_jetstream=with_jetstream)

    def converse(self, url: str) -> Conversation:
        """Ask as a test says; who says nothing wants nobody asked."""
        assert self.asks
        return self.asks(url)

    def _reading(self, url: str, *, with_jetstream: bool) -> Reading:
        now = self._clock.now()
        return Reading(
            endpoint=url,
            asked=now,
            answered=now,
            server=replace(
                facts(self.server_ids.get(url, f"N-{url}")),
                is_operator_mode=self.is_operator_mode,
            ),
            rows=self.rows,
            ring=self.rings.get(url, Ring()),
            jetstream=JetStreamRound(now) if with_jetstream else None,
        )


def facts(server_id: str) -> ServerFacts:
    """Return the facts of some server."""
    return ServerFacts(
        server_id=server_id,
        server_name=server_id,
        version="2.12.8",
        release=(2, 12, 8),
        uptime_seconds=60,
        now_at=100,
        start_at=40,
        loaded_at=0.0,
    )


class FakeLedger:
    """Record the calls, in order; ``view`` is what the next cycle concludes.

    ``wanted`` are the accounts whose consumers it asks for.

    ``arrived`` lets a test wait for readings.
    """

    def __init__(self) -> None:
        self.applied: list[Reading] = []
        self.concluded: list[tuple[Instant, float]] = []
        self.view = empty_view()
        self.wanted = frozenset[str]()
        self.listings: list[Listing | None] = []
        self.arrived = asyncio.Semaphore(0)
        self.watched: list[list[str]] = []
        self.found: dict[str, tuple[str, ...]] = {}

    @property
    def endpoints(self) -> list[str]:
        """The endpoints of the readings, in the order they came."""
        return [reading.endpoint for reading in self.applied]

    def apply(self, reading: Reading) -> None:
        """Take a reading."""
        self.applied.append(reading)
        self.arrived.release()

    def watch(self, endpoints: Iterable[str], now: Instant) -> None:  # noqa: ARG002
        """Take a list of endpoints."""
        self.watched.append(list(endpoints))

    def discover(self, source: str, endpoints: Iterable[str], now: Instant) -> None:  # noqa: ARG002
        """Take what a source finds."""
        self.found[source] = tuple(endpoints)

    def endpoints_wanted(self) -> tuple[str, ...]:
        """Return the last list, and what was found."""
        lists = [self.watched[-1], *self.found.values()]
        urls = dict.fromkeys(url for urls in lists for url in urls)
        return tuple(url for url in urls if not isinstance(url, Source))

    def endpoints_found(self) -> dict[str, tuple[str, ...]]:
        """Return what was found."""
        return self.found

    def list_accounts(self, listing: Listing | None) -> None:
        """Take an answer of the inventory."""
        self.listings.append(listing)

    def consumers_wanted(self) -> frozenset[str]:
        """Return what the test set."""
        return self.wanted

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """End the cycle."""
        self.concluded.append((now, shift_seconds))
        return self.view


def refuse(reason: str, detail: str = "because") -> Play:
    """Fail as an endpoint does."""

    async def play() -> None:
        raise EndpointError(reason, detail)

    return play


async def hang() -> None:
    """Never answer."""
    await asyncio.Event().wait()
