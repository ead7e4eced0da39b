"""Servers that die, hang, restart or are never read, for real."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from nats_idle_exporter.activity import EvidenceKind, Reason, UnwatchedKind, Verdict
from tests.support.clients import connected
from tests.support.jwts import Operator, credentials
from tests.support.natsserver import NatsServer
from tests.support.topology import (
    a_cluster,
    a_single,
    an_operator_server,
    join,
    ready,
    running,
)
from tests.support.watching import THRESHOLD_CYCLES, watching

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

RAISED, LATE = "RAISED", "LATE"
FORGIVING_CYCLES = 100
"""A threshold long enough to forgive four restarts."""
LEAD_CYCLES = 12
"""How much longer RAISED is silent than LATE; beyond any forgiven hole."""
HANG_SECONDS = 0.5
"""Real time after which a paused server is given up in a cycle."""


async def kill(server: NatsServer) -> None:
    """End it at once."""
    await server.kill()


async def start(server: NatsServer) -> None:
    """Start a dead server again."""
    await server.start()
    await ready(server)


async def pause(server: NatsServer) -> None:
    """Freeze it."""
    server.pause()


async def resume(server: NatsServer) -> None:
    """Let it go on."""
    server.resume()


Act = Callable[[NatsServer], Awaitable[None]]


@pytest.mark.parametrize(
    ("hurt", "heal", "is_same_process"), [(kill, start, False), (pause, resume, True)]
)
async def test_outage_changes_no_verdict(
    nats_version: str, hurt: Act, heal: Act, *, is_same_process: bool
) -> None:
    """An outage neither raises nor clears, also where a threshold passes in it."""
    servers = a_cluster(RAISED, LATE, version=nats_version)
    urls = [server.monitoring_url for server in servers]
    async with running(*servers), watching(urls, timeout_seconds=HANG_SECONDS) as watch:
        await watch.cycles(LEAD_CYCLES)
        async with connected(servers[2], LATE) as client:
            await client.publish("x", b"")
            await client.flush()
        await watch.cycles(THRESHOLD_CYCLES - LEAD_CYCLES + 2)
        before = watch.verdicts()
        assert before == {RAISED: Verdict.INACTIVE, LATE: Verdict.ACTIVE}

        await hurt(servers[2])
        seen = []
        for _ in range(THRESHOLD_CYCLES):
            await watch.cycles()
            seen.append(watch.verdicts())

        assert {verdicts[RAISED] for verdicts in seen} == {Verdict.INACTIVE}
        assert Verdict.INACTIVE not in {verdicts[LATE] for verdicts in seen}
        assert watch.up() == [True, True, False]
        assert not watch.account(RAISED).is_observed
        assert watch.account(RAISED).reason is Reason.OUTDATED
        assert (UnwatchedKind.ENDPOINT, urls[2]) in watch.view.unwatched

        await heal(servers[2])
        await watch.cycles()
        assert watch.up() == [True, True, True]
        assert watch.account(RAISED).verdict is Verdict.INACTIVE
        # The same process kept counting: the proof runs through. A new one
        # leaves a hole, and the proof starts anew at its start.
        assert watch.account(RAISED).is_observed == is_same_process
        late = Verdict.INACTIVE if is_same_process else Verdict.UNKNOWN
        assert watch.account(LATE).verdict is late

        await watch.cycles(THRESHOLD_CYCLES + 1)
        assert watch.verdicts() == dict.fromkeys((LATE, RAISED), Verdict.INACTIVE)
        assert watch.account(RAISED).is_observed
        assert not watch.view.unwatched


async def test_rolling_restart_is_forgiven(nats_version: str) -> None:
    """Short restarts of every server in turn keep what was proven."""
    servers = a_cluster(RAISED, version=nats_version)
    urls = [server.monitoring_url for server in servers]
    async with running(*servers), watching(urls, FORGIVING_CYCLES) as watch:
        await watch.cycles()
        since = watch.account(RAISED).quiet_since_at
        for server in servers:
            await server.restart()
            await ready(server)
            await watch.cycles()
        await watch.cycles(FORGIVING_CYCLES + 1)

        assert watch.account(RAISED).verdict is Verdict.INACTIVE
        assert watch.account(RAISED).quiet_since_at == since


async def test_use_after_a_restart_is_seen(nats_version: str) -> None:
    """Equal counters of a new process are new traffic."""
    server = a_single("TEAM", version=nats_version)

    async def publish() -> None:
        async with connected(server, "TEAM") as client:
            await client.publish("x", b"four")
            await client.flush()

    async with server, watching([server.monitoring_url]) as watch:
        await publish()
        await watch.cycles(THRESHOLD_CYCLES + 2)
        assert watch.account("TEAM").verdict is Verdict.INACTIVE

        await server.restart()
        await publish()
        await watch.cycles_until("TEAM", Verdict.ACTIVE, most=2)
        evidence = watch.account("TEAM").last_evidence
        assert evidence is not None
        assert evidence.kind is EvidenceKind.RECEIVED


async def test_operator_mode_survives_the_restart_of_all(nats_version: str) -> None:
    """Idle accounts that no restarted server has loaded stay raised and observed."""
    operator = Operator()
    account = operator.add_account("FORGOTTEN")
    servers = tuple(
        an_operator_server(operator, version=nats_version, name=name)
        for name in ("n1", "n2")
    )
    join(*servers)
    urls = [server.monitoring_url for server in servers]
    async with running(*servers), watching(urls, FORGIVING_CYCLES) as watch:
        async with connected(servers[0], creds=credentials(account)):
            await watch.cycles()
        await watch.cycles(FORGIVING_CYCLES + 2)
        raised = watch.account(account.public_key)
        assert raised.verdict is Verdict.INACTIVE
        assert raised.name == "FORGOTTEN"

        for server in servers:
            await server.restart()
        for server in servers:
            await ready(server)
        await watch.cycles(FORGIVING_CYCLES)

        assert watch.account(account.public_key).verdict is Verdict.INACTIVE
        assert watch.account(account.public_key).is_observed


async def test_unpolled_node_holds_back_and_is_named(nats_version: str) -> None:
    """Two of three nodes prove nothing in five thresholds; all three do in one."""
    servers = a_cluster("TEAM", version=nats_version)
    urls = [server.monitoring_url for server in servers]
    async with (
        running(*servers),
        watching(urls[:2]) as blind,
        watching(urls) as twin,
    ):
        await twin.cycles(THRESHOLD_CYCLES + 2)
        await blind.cycles(5 * THRESHOLD_CYCLES)

        unread = (await servers[2].read("/varz"))["server_id"]
        assert twin.account("TEAM").verdict is Verdict.INACTIVE
        assert not twin.view.unwatched
        assert blind.account("TEAM").verdict is Verdict.UNKNOWN
        assert blind.account("TEAM").reason is Reason.OUTDATED
        assert blind.view.unwatched == ((UnwatchedKind.ROUTE, unread),)


async def test_two_urls_of_one_server(nats_version: str) -> None:
    """One server behind two URLs counts once and is reported."""
    server = a_single("TEAM", version=nats_version)
    port = server.monitoring.number
    urls = [server.monitoring_url, f"http://localhost:{port}"]
    async with server, connected(server, "TEAM"), watching(urls) as watch:
        await watch.cycles()

        assert watch.account("TEAM").connections == 1
        assert [*watch.view.duplicates.values()] == [tuple(sorted(urls))]
