"""The first poll of real servers that have run for longer than the threshold."""

from __future__ import annotations

import time

import pytest

from nats_idle_exporter.activity import Verdict
from nats_idle_exporter.monitoring.client import ACCOUNTS_PER_POLL
from tests.support.clients import connected
from tests.support.jwts import Operator, credentials
from tests.support.natsserver import NatsServer
from tests.support.resolver import push
from tests.support.topology import a_cluster, a_single, an_operator_server, running
from tests.support.watching import INTERVAL, watching

pytestmark = pytest.mark.live

THRESHOLD_SECONDS = 2
CYCLES = THRESHOLD_SECONDS / INTERVAL
"""The threshold in intervals."""


async def uptime(server: NatsServer) -> int:
    """Return how many seconds the server has run, of less than a minute."""
    told: str = (await server.read("/varz"))["uptime"]
    return int(told.removesuffix("s"))


async def has_run(server: NatsServer) -> None:
    """Return once the server has run for longer than the threshold."""

    async def old_enough() -> bool:
        return await uptime(server) > THRESHOLD_SECONDS

    await server.until(old_enough, "gets old")


async def test_only_what_was_never_used_is_inactive_at_once(nats_version: str) -> None:
    """Zero counters prove quiet since the start; counters of any age prove nothing."""
    servers = a_cluster("NEVER", "USED", "HERE", version=nats_version)
    async with running(*servers):
        async with connected(servers[0], "USED") as client:
            await client.publish("x", b"")
            await client.flush()
        for server in servers:
            await has_run(server)
        urls = [server.monitoring_url for server in servers]
        async with connected(servers[1], "HERE"), watching(urls, CYCLES) as watch:
            before = await uptime(servers[-1])
            await watch.cycles()

            assert watch.account("NEVER").verdict is Verdict.INACTIVE
            assert watch.account("NEVER").is_observed
            # Quiet since the start of the server that started last.
            idle = watch.account("NEVER").idle_seconds
            assert before <= idle <= await uptime(servers[-1])
            assert watch.account("HERE").verdict is Verdict.ACTIVE
            # Its last connection may be young enough to make it active.
            assert watch.account("USED").verdict is not Verdict.INACTIVE


async def test_silent_connection_before_the_first_poll(nats_version: str) -> None:
    """Who came and went without a message before us is in the ring."""
    server = a_single("SILENT", "NEVER", version=nats_version)
    async with server:
        async with connected(server, "SILENT"):
            pass
        await has_run(server)
        async with watching([server.monitoring_url], CYCLES) as watch:
            await watch.cycles()

            assert watch.account("SILENT").verdict is not Verdict.INACTIVE
            assert watch.account("SILENT").last_evidence is not None
            assert watch.account("NEVER").verdict is Verdict.INACTIVE


async def test_account_added_by_a_reload(nats_version: str) -> None:
    """What was added a moment ago has not been quiet for long."""
    server = a_single("OLD", version=nats_version)
    async with server:
        await has_run(server)
        server.config["accounts"]["NEW"] = {}
        await server.reload()
        async with watching([server.monitoring_url], CYCLES) as watch:
            await watch.cycles()

            assert set(watch.verdicts().values()) == {Verdict.UNKNOWN}


async def test_age_of_a_jwt(nats_version: str) -> None:
    """In operator mode a JWT tells that its account is older than the server."""
    operator, a_day_ago = Operator(), int(time.time()) - 86_400
    old = operator.add_account("OLD", iat=a_day_ago)
    used = operator.add_account("USED", iat=a_day_ago)
    server = an_operator_server(operator, version=nats_version, full_resolver=True)
    async with server:
        async with connected(server, creds=credentials(used)) as client:
            await client.publish("x", b"")
            await client.flush()
        await has_run(server)
        young = operator.add_account("YOUNG")
        await push(server, operator, young)
        for account in (old, young):
            # This question, which the exporter never asks, makes a server load it.
            await server.read(f"/connz?acc={account.public_key}")
        async with watching([server.monitoring_url], CYCLES) as watch:
            before = await uptime(server)
            await watch.cycles()

            never = watch.account(old.public_key)
            assert (never.name, never.verdict) == ("OLD", Verdict.INACTIVE)
            assert never.is_observed
            assert before <= never.idle_seconds <= await uptime(server)
            assert watch.account(young.public_key).verdict is Verdict.UNKNOWN
            assert watch.account(used.public_key).verdict is not Verdict.INACTIVE


async def test_ages_are_learned_a_few_at_a_time(nats_version: str) -> None:
    """Of many accounts each is raised as soon as its age is known; none is loaded."""
    operator, a_day_ago = Operator(), int(time.time()) - 86_400
    accounts = {
        operator.add_account(f"A{number}", iat=a_day_ago).public_key
        for number in range(ACCOUNTS_PER_POLL + 5)
    }
    unloaded = accounts.pop()
    server = an_operator_server(operator, version=nats_version)
    async with server:
        for account in accounts:
            await server.read(f"/connz?acc={account}")
        await has_run(server)
        async with watching([server.monitoring_url], CYCLES) as watch:
            await watch.cycles()
            assert 0 < watch.view.counts[Verdict.INACTIVE] < len(accounts)
            await watch.cycles()

            assert watch.verdicts() == dict.fromkeys(accounts, Verdict.INACTIVE)
        assert unloaded not in (await server.read("/accountz"))["accounts"]
