"""Operator mode: who came and went between two polls is found entry by entry.

Servers from 2.11 on are asked for the accounts of new entries alone, or of whole
pages when there are many; older ones tell them with every page.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from nats_idle_exporter.activity import EvidenceKind, Verdict
from nats_idle_exporter.monitoring.closed import MOST_ASKED
from tests.support.clients import connected, until_closed
from tests.support.jwts import Identity, Operator, credentials
from tests.support.natsserver import NatsServer
from tests.support.topology import a_single, an_operator_server, ready
from tests.support.watching import THRESHOLD_CYCLES, Watching, watching

pytestmark = pytest.mark.live


@pytest.fixture
def operator() -> Operator:
    """An operator; its accounts are in the resolver from the start."""
    return Operator()


@pytest.fixture
def team(operator: Operator) -> Identity:
    """An account that is quiet until a test lets somebody use it."""
    return operator.add_account("TEAM", iat=1)


@pytest.fixture
def crowd(operator: Operator) -> Identity:
    """Another account."""
    return operator.add_account("CROWD", iat=1)


@pytest.fixture
async def server(
    nats_version: str,
    operator: Operator,
    team: Identity,  # noqa: ARG001 - the server must know it
    crowd: Identity,  # noqa: ARG001 - the same
) -> AsyncIterator[NatsServer]:
    """A running server with the full resolver, open to leaf servers."""
    server = an_operator_server(operator, version=nats_version, full_resolver=True)
    server.config["leafnodes"] = {"listen": f"127.0.0.1:{server.leaf.number}"}
    async with server:
        yield server


async def _raised(watch: Watching, account: Identity) -> None:
    """Watch until the account is inactive, though no server has loaded it."""
    await watch.cycles(THRESHOLD_CYCLES + 2)
    view = watch.account(account.public_key)
    assert (view.verdict, view.connections) == (Verdict.INACTIVE, 0)


def _assert_seen(watch: Watching, account: Identity) -> None:
    view = watch.account(account.public_key)
    assert view.verdict is Verdict.ACTIVE
    assert view.last_evidence is not None
    assert view.last_evidence.kind is EvidenceKind.CLOSED_CONNECTION
    assert watch.snapshot.endpoints[0].ring_overflows == 0


async def test_leaf_link(server: NatsServer, team: Identity, nats_version: str) -> None:
    """A leaf link that was up between two polls clears its account."""
    folder = [{"resolver_dir": str(server.folder / "jwt")}]
    async with watching([server.monitoring_url], inventory=folder) as watch:
        await _raised(watch, team)

        leaf = a_single("LOCAL", version=nats_version, name="leaf")
        creds = leaf.folder / "team.creds"
        creds.write_text(credentials(team))
        url = f"nats-leaf://127.0.0.1:{server.leaf.number}"
        remote = {"url": url, "account": "LOCAL", "credentials": str(creds)}
        leaf.config["leafnodes"] = {"remotes": [remote]}
        async with leaf:
            await ready(leaf)
        await until_closed(server, 1)
        await watch.cycles()

        _assert_seen(watch, team)


@pytest.mark.parametrize("others", [0, MOST_ASKED + 10])
async def test_client_among_others(
    server: NatsServer, team: Identity, crowd: Identity, others: int
) -> None:
    """One silent client is found alone, and behind a crowd of another account."""
    folder = [{"resolver_dir": str(server.folder / "jwt")}]
    async with watching([server.monitoring_url], inventory=folder) as watch:
        await _raised(watch, team)

        async with connected(server, creds=credentials(team)):
            pass
        await until_closed(server, 1)
        creds = credentials(crowd)
        await asyncio.gather(*(_come_and_go(server, creds) for _ in range(others)))
        await until_closed(server, 1 + others)
        await watch.cycles()

        _assert_seen(watch, team)


async def _come_and_go(server: NatsServer, creds: str) -> None:
    async with connected(server, creds=creds):
        pass
