"""What the tests of this folder share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest

from nats_idle_exporter.monitoring.client import MonitoringClient
from nats_idle_exporter.monitoring.fetch import new_session
from tests.support.clock import FakeClock

MakesClient = Callable[..., MonitoringClient]


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """The session of the product."""
    async with new_session() as opened:
        yield opened


@pytest.fixture
def make_client(session: aiohttp.ClientSession, clock: FakeClock) -> MakesClient:
    """Make clients; a generous timeout unless the test is about it."""

    def make(
        timeout_seconds: float = 30.0, max_body_bytes: int = 100_000
    ) -> MonitoringClient:
        return MonitoringClient(
            session,
            clock,
            timeout_seconds=timeout_seconds,
            max_body_bytes=max_body_bytes,
        )

    return make
