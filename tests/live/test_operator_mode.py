"""Accounts that live by their JWTs: expired, deleted, renamed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from nats_idle_exporter.activity import Verdict
from tests.support.clients import connected, until_closed, until_cut
from tests.support.jwts import Identity, Operator, credentials
from tests.support.natsserver import NatsServer
from tests.support.resolver import delete, push
from tests.support.topology import an_operator_server
from tests.support.watching import THRESHOLD_CYCLES, Watching, watching

pytestmark = pytest.mark.live


@pytest.fixture
def operator() -> Operator:
    """An operator; its accounts are in the resolver from the start."""
    return Operator()


@pytest.fixture
def team(operator: Operator) -> Identity:
    """An account."""
    return operator.add_account("TEAM")


@pytest.fixture
async def server(
    nats_version: str,
    operator: Operator,
    team: Identity,  # noqa: ARG001 - the server must know it
) -> AsyncIterator[NatsServer]:
    """A running server with the full resolver."""
    async with an_operator_server(
        operator, version=nats_version, full_resolver=True
    ) as running:
        yield running


async def assert_raised_in_time(watch: Watching, account: Identity) -> None:
    """Hold that a threshold from now, and not before, the account is inactive."""
    for _ in range(THRESHOLD_CYCLES - 1):
        await watch.cycles()
        assert watch.account(account.public_key).verdict is Verdict.ACTIVE
    await watch.cycles_until(account.public_key, Verdict.INACTIVE, most=3)
    assert watch.account(account.public_key).is_observed


async def test_expired_jwt(
    server: NatsServer, operator: Operator, team: Identity
) -> None:
    """Its clients are cut, it stays listed, and turns inactive like any other."""
    async with watching([server.monitoring_url]) as watch:
        async with connected(server, creds=credentials(team)):
            await watch.cycles(2 * THRESHOLD_CYCLES)
            assert watch.account(team.public_key).connections == 1

            operator.sign_account(team, exp=int(time.time()) + 2)
            await push(server, operator, team)
            await until_cut(server, team)
        await watch.cycles()

        detail = await server.read(f"/accountz?acc={team.public_key}")
        assert detail["account_detail"]["expired"]
        assert watch.account(team.public_key).connections == 0
        await assert_raised_in_time(watch, team)


async def test_deleted_jwt(
    server: NatsServer, operator: Operator, team: Identity
) -> None:
    """Likewise for one that was deleted from the resolver."""
    async with watching([server.monitoring_url]) as watch:
        async with connected(server, creds=credentials(team)):
            await watch.cycles(2 * THRESHOLD_CYCLES)

            await delete(server, operator, team)
            await until_cut(server, team)
        await watch.cycles()

        assert not (server.folder / "jwt" / f"{team.public_key}.jwt").exists()
        await assert_raised_in_time(watch, team)
        assert watch.account(team.public_key).name == "TEAM"


async def test_renamed_account(
    server: NatsServer, operator: Operator, team: Identity
) -> None:
    """A new name on a pushed JWT is the same account: its quiet goes on."""
    async with watching([server.monitoring_url]) as watch:
        async with connected(server, creds=credentials(team)):
            await watch.cycles()
        await until_closed(server, 1)
        await watch.cycles(THRESHOLD_CYCLES)
        before = watch.account(team.public_key)

        team.name = "CREW"
        operator.sign_account(team)
        await push(server, operator, team)
        await watch.cycles(3)

        after = watch.account(team.public_key)
        assert (before.name, after.name) == ("TEAM", "CREW")
        assert after.verdict is Verdict.INACTIVE
        assert after.last_evidence == before.last_evidence
        assert after.quiet_since_at == before.quiet_since_at
