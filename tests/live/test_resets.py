"""Counters that begin anew: reloads of old servers, accounts that come again."""

from __future__ import annotations

import pytest

from nats_idle_exporter.activity import EvidenceKind, Verdict
from tests.support.clients import connected
from tests.support.natsserver import NatsServer
from tests.support.programs import DEBIAN, require_debian_server
from tests.support.topology import a_single, accounts_config
from tests.support.watching import THRESHOLD_CYCLES, Watching, watching

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

QUIET_CYCLES = THRESHOLD_CYCLES + 2
GONE_CYCLES = 3


@pytest.fixture
def forgetful() -> NatsServer:
    """Debian's server, whose counters begin anew at every reload."""
    program = require_debian_server()
    return NatsServer(accounts_config("TEAM"), version=DEBIAN, program=program)


async def publish(server: NatsServer) -> None:
    """Let a client of ``TEAM`` publish four bytes and leave."""
    async with connected(server, "TEAM") as client:
        await client.publish("x", b"four")
        await client.flush()


async def received(server: NatsServer) -> list[int]:
    """Return messages and bytes that the clients of ``TEAM`` published."""
    body = await server.read("/accstatz?unused=1")
    (row,) = (row for row in body["account_statz"] if row["acc"] == "TEAM")
    return [row["received"]["msgs"], row["received"]["bytes"]]


def newest(watch: Watching) -> EvidenceKind | None:
    """Return what the newest evidence of ``TEAM`` is."""
    evidence = watch.account("TEAM").last_evidence
    return evidence.kind if evidence else None


class TestReloadThatZeroesCounters:
    """A SIGHUP of servers before 2.9.17."""

    async def test_equal_totals_after_it(self, forgetful: NatsServer) -> None:
        """The same traffic before and after is twice use."""
        async with forgetful as server, watching([server.monitoring_url]) as watch:
            await publish(server)
            await watch.cycles(QUIET_CYCLES)
            before = await received(server)
            assert watch.account("TEAM").verdict is Verdict.INACTIVE

            await server.reload()
            await publish(server)
            await watch.cycles()

            assert await received(server) == before == [1, 4]
            assert watch.account("TEAM").verdict is Verdict.ACTIVE
            assert newest(watch) is EvidenceKind.RECEIVED

    async def test_use_just_before_it(self, forgetful: NatsServer) -> None:
        """What a reload wiped before it was read counts: nothing is raised early."""
        async with forgetful as server, watching([server.monitoring_url]) as watch:
            await watch.cycles(THRESHOLD_CYCLES - 1)
            await publish(server)
            await server.reload()

            for _ in range(THRESHOLD_CYCLES - 1):
                await watch.cycles()
                assert await received(server) == [0, 0]
                assert watch.account("TEAM").verdict is Verdict.ACTIVE

            await watch.cycles_until("TEAM", Verdict.INACTIVE, most=3)

    async def test_it_is_no_use_itself(self, forgetful: NatsServer) -> None:
        """It clears nothing, but what it may have wiped leaves a hole in the proof."""
        async with forgetful as server, watching([server.monitoring_url]) as watch:
            await publish(server)
            await watch.cycles(QUIET_CYCLES)
            last = watch.account("TEAM").last_evidence

            await server.reload()
            await watch.cycles()
            team = watch.account("TEAM")
            assert (team.verdict, team.is_observed) == (Verdict.INACTIVE, False)
            assert team.last_evidence == last
            assert await received(server) == [0, 0]

            await watch.cycles(THRESHOLD_CYCLES + 1)
            assert watch.account("TEAM").is_observed


class TestAccountThatComesAgain:
    """An account that a reload removes and a later one adds anew, from zero."""

    async def test_its_use_is_seen(self, nats_version: str) -> None:
        """The totals of its first life, reached again, are use."""
        server = a_single("TEAM", "OTHER", version=nats_version)
        async with server, watching([server.monitoring_url]) as watch:
            await publish(server)
            await watch.cycles(QUIET_CYCLES)
            before = await received(server)
            await self.remove(server, watch)

            await self.add(server)
            await publish(server)
            await watch.cycles()

            assert await received(server) == before == [1, 4]
            assert watch.account("TEAM").verdict is Verdict.ACTIVE
            assert newest(watch) is EvidenceKind.RECEIVED
            assert watch.account("OTHER").verdict is Verdict.INACTIVE

    async def test_it_starts_anew(self, nats_version: str) -> None:
        """It is not raised before its second life is as long as the threshold."""
        server = a_single("TEAM", "OTHER", version=nats_version)
        async with server, watching([server.monitoring_url]) as watch:
            await watch.cycles(QUIET_CYCLES)
            assert watch.account("TEAM").verdict is Verdict.INACTIVE
            await self.remove(server, watch)
            await self.add(server)

            for _ in range(THRESHOLD_CYCLES):
                await watch.cycles()
                assert watch.account("TEAM").verdict is Verdict.UNKNOWN

            assert await watch.cycles_until("TEAM", Verdict.INACTIVE, most=2)

    async def test_between_two_polls(self, nats_version: str) -> None:
        """Removed, added and used alike between two polls: the ring tells of it."""
        server = a_single("TEAM", "OTHER", version=nats_version)
        async with server, watching([server.monitoring_url]) as watch:
            await publish(server)
            await watch.cycles(QUIET_CYCLES)
            assert watch.account("TEAM").verdict is Verdict.INACTIVE

            del server.config["accounts"]["TEAM"]
            await server.reload()
            await self.add(server)
            await publish(server)
            await watch.cycles()

            assert await received(server) == [1, 4]
            assert watch.account("TEAM").verdict is Verdict.ACTIVE
            assert newest(watch) is EvidenceKind.CLOSED_CONNECTION

    async def remove(self, server: NatsServer, watch: Watching) -> None:
        """Take ``TEAM`` out, and watch until it is believed to be gone."""
        del server.config["accounts"]["TEAM"]
        await server.reload()
        await watch.cycles(GONE_CYCLES)
        assert set(watch.verdicts()) == {"OTHER"}

    async def add(self, server: NatsServer) -> None:
        """Put ``TEAM`` in again."""
        server.config["accounts"] |= accounts_config("TEAM")["accounts"]
        await server.reload()
