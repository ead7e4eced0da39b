"""What servers are asked about single accounts, after a cycle's readings."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import unquote

from structlog.testing import capture_logs

from nats_idle_exporter.activity import Row
from nats_idle_exporter.monitoring.client import MonitoringClient
from nats_idle_exporter.monitoring.fetch import new_session
from nats_idle_exporter.monitoring.polled import Pace
from nats_idle_exporter.removal.registry import Entry, Registry, Rule
from nats_idle_exporter.snapshot import Snapshot
from tests.inquiry.builders import a_system_view, a_view
from tests.inquiry.test_answers import a_body
from tests.monitoring.looping import HURRIED, PACE, A, World
from tests.monitoring.scripted import Script, ScriptedServer, answer, reset, running
from tests.monitoring.scripted import hang as hanging


class Ruled(NamedTuple):
    """Rules that never change."""

    registry: Registry


@asynccontextmanager
async def asking(
    pace: Pace, script: Script | None = None
) -> AsyncIterator[tuple[World, ScriptedServer]]:
    """A world in which one real account is read, and questions reach a server."""
    body = json.loads(a_body("TEAM"))

    async def told(writer: asyncio.StreamWriter) -> None:
        account = unquote(server.requests[-1].partition("=")[2])
        body["server_id"] = f"N-{A}"
        body["account_detail"]["account_name"] = account
        await answer(body)(writer)

    server = ScriptedServer({"/accountz": script or told})
    async with running(server), new_session() as session:
        world = World(A, pace=pace)
        world.ledger.view = a_system_view(a_view("TEAM"))
        client = MonitoringClient(
            session, world.clock, timeout_seconds=30.0, max_body_bytes=10_000
        )
        world.reader.rows = (Row("TEAM"), Row("$G"))
        world.reader.asks = lambda _url: client.converse(server.url)
        yield world, server


class TestQuestions:
    """What servers are asked about single accounts, after a cycle's readings."""

    PACE = PACE._replace(facts_per_cycle=2)

    async def test_after_the_snapshot_was_published(self) -> None:
        """Nothing that is published waits for answers, and they are known next time."""
        async with asking(self.PACE) as (world, server):
            await world.poller.cycle()
            first = world.published[-1].dossiers["default"].facts("TEAM")
            assert sorted(server.requests) == [
                "/accountz?acc=%24G",
                "/accountz?acc=TEAM",
            ]
            await world.poller.cycle()
            second = world.published[-1].dossiers["default"].facts("TEAM")

        assert first.exports is None
        assert second.exports == 0

    async def test_none_without_being_told_to(self) -> None:
        """By default nobody is asked."""
        async with asking(PACE) as (world, server):
            await world.poller.cycle()

        assert server.requests == []

    async def test_a_server_that_hangs(self) -> None:
        """It is given up before the next cycle, and the log says so."""
        hurried = HURRIED._replace(facts_per_cycle=2)
        async with asking(hurried, hanging()) as (world, _):
            with capture_logs() as logs:
                await world.poller.cycle()
                await world.poller.cycle()

        (told,) = [each for each in logs if each["event"] == "accounts not asked"]
        assert told["detail"] == "not all answered by the end of the cycle"
        assert world.statuses[A].is_up
        assert world.statuses[A].errors["timeout"] == 0

    async def test_no_time_is_left(self) -> None:
        """A cycle that took all its time asks nothing."""
        async with asking(self.PACE) as (world, server):

            async def dawdle(_snapshot: Snapshot) -> None:
                world.clock.advance(29)

            world.poller.keep = dawdle
            with capture_logs() as logs:
                await world.poller.cycle()

        assert server.requests == []
        assert not [each for each in logs if each["event"] == "accounts not asked"]

    async def test_trouble_is_told_once(self) -> None:
        """And once more when it comes back after it was over."""
        async with asking(self.PACE, reset()) as (world, server):
            with capture_logs() as logs:
                await world.poller.cycle()
                await world.poller.cycle()
                server.scripts["/accountz"] = answer(b"not loaded", 400)
                await world.poller.cycle()
                server.scripts["/accountz"] = reset()
                await world.poller.cycle()

        told = [each for each in logs if each["event"] == "accounts not asked"]
        assert len(told) == 2
        assert told[0]["detail"].startswith("unreachable: ")

    async def test_rules_reach_the_dossiers(self) -> None:
        """What the operator says of accounts is part of what is published."""
        async with asking(PACE) as (world, _):
            await world.poller.cycle()
            nobody = world.published[-1].dossiers["default"]["TEAM"]
            world.poller.rules = Ruled(Registry([Rule("TEAM", Entry(owner="team"))]))
            await world.poller.cycle()
            owned = world.published[-1].dossiers["default"]["TEAM"]

        assert nobody.entry.owner == ""
        assert owned.entry.owner == "team"
