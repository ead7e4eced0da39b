"""What one copy of the truth says while another says otherwise: nobody is shut out."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nats_idle_exporter.removal.dossier import Check, Item, Outcome
from tests.support.clients import add_stream, connected
from tests.support.jwts import Operator, credentials
from tests.support.topology import (
    a_cluster,
    a_single,
    an_operator_server,
    join,
    running,
)
from tests.support.watching import Watching, watching

if TYPE_CHECKING:
    from tests.support.natsserver import NatsServer

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

UNBOUND = dict.fromkeys(
    ("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1
)
SHUT = {"limits": {**UNBOUND, "conn": 0, "leaf": 0}}
STORES = {"limits": {**UNBOUND, "mem_storage": -1, "disk_storage": -1}}
SETTLED = 5


@asynccontextmanager
async def watched(
    *servers: NatsServer, inventory: list[dict[str, str]]
) -> AsyncIterator[Watching]:
    """Watch servers that run."""
    urls = [server.monitoring_url for server in servers]
    async with watching(urls, questions=50, inventory=inventory) as watch:
        yield watch


def item(watch: Watching, account: str, check: Check) -> Item:
    """Return how one item stands after the last cycle."""
    return watch.dossier(account).items[list(Check).index(check)]


def write_store(folder: Path, tokens: Mapping[str, str]) -> dict[str, str]:
    """Keep JWTs as ``nsc`` does; return the inventory source of the store."""
    for name, token in tokens.items():
        (folder / "accounts" / name).mkdir(parents=True, exist_ok=True)
        (folder / "accounts" / name / f"{name}.jwt").write_text(token)
    return {"nsc_store": str(folder)}


async def test_a_jwt_that_nobody_pushed(nats_version: str, tmp_path: Path) -> None:
    """An account that no server has loaded is let in by what its resolver has."""
    operator = Operator()
    old = operator.add_account("OLD")
    key = old.public_key
    server = an_operator_server(operator, version=nats_version, full_resolver=True)
    operator.sign_account(old, claims=SHUT)
    store = write_store(tmp_path, {"OLD": operator.accounts[key]})
    resolver = {"resolver_dir": str(server.folder / "jwt")}
    async with running(server):
        for inventory in ([store], [resolver, store]):
            async with watched(server, inventory=inventory) as watch:
                await watch.cycles(SETTLED)
                found = item(watch, key, Check.CREDENTIALS)
                assert found.outcome is not Outcome.PASS, found
                assert watch.dossier(key).stage.disabled_at is None
        async with connected(server, creds=credentials(old)):
            """Anybody may still log in."""


async def test_a_configuration_that_nobody_reloaded(nats_version: str) -> None:
    """A file says what servers will do once they read it."""
    server = a_single("OLD", "APP", version=nats_version)
    path = server.folder / "nats.conf"
    inventory = [{"nats_config": str(path)}]
    async with running(server), watched(server, inventory=inventory) as watch:
        await watch.cycles(SETTLED)
        assert item(watch, "OLD", Check.CREDENTIALS).outcome is Outcome.FAIL
        assert item(watch, "OLD", Check.ROLE).outcome is Outcome.PASS
        limits = {"max_connections": 0, "max_leafnodes": 0}
        server.config["accounts"]["OLD"]["limits"] = limits
        text = path.read_text().splitlines(keepends=True)
        accounts = f"accounts: {json.dumps(server.config['accounts'])}\n"
        kept = [line for line in text if not line.startswith("accounts:")]
        path.write_text("".join([*kept, accounts]))
        await watch.cycles(SETTLED)
        assert item(watch, "OLD", Check.CREDENTIALS).outcome is Outcome.UNKNOWN
        assert item(watch, "OLD", Check.ROLE).outcome is Outcome.UNKNOWN
        assert watch.dossier("OLD").stage.disabled_at is None
        async with connected(server, "OLD"):
            """Anybody may still log in."""
        await server.reload()
        await watch.cycles(SETTLED)
        assert item(watch, "OLD", Check.CREDENTIALS).outcome is Outcome.PASS
        assert item(watch, "OLD", Check.ROLE).outcome is Outcome.PASS


async def test_two_configurations_of_one_system(nats_version: str) -> None:
    """An account is as open, and imports as much, as on any server."""
    one, two = a_cluster("OLD", "APP", size=2, version=nats_version)
    exports = [{"service": "q"}]
    for server in (one, two):
        server.config["accounts"]["OLD"]["exports"] = exports
    limits = {"max_connections": 0, "max_leafnodes": 0}
    one.config["accounts"]["OLD"]["limits"] = limits
    inventory = [
        {"nats_config": str(server.folder / "nats.conf")} for server in (one, two)
    ]
    two.config["accounts"]["APP"]["imports"] = [
        {"service": {"account": "OLD", "subject": "q"}}
    ]
    async with running(one, two), watched(one, two, inventory=inventory) as watch:
        for _ in range(2 * SETTLED):
            await watch.cycles()
            found = item(watch, "OLD", Check.CREDENTIALS)
            assert found.outcome is not Outcome.PASS, found
            found = item(watch, "OLD", Check.IMPORTERS)
            assert found.outcome is not Outcome.PASS, found


async def test_resolvers_that_differ(nats_version: str) -> None:
    """One server was told a new JWT, the other lets clients in by the old one."""
    operator = Operator()
    old = operator.add_account("OLD")
    key = old.public_key
    one = an_operator_server(operator, version=nats_version, name="n1")
    two = an_operator_server(operator, version=nats_version, name="n2")
    join(one, two)
    async with running(one, two):
        for server in (one, two):
            async with connected(server, creds=credentials(old)) as client:
                await client.subscribe("x")
                await client.flush()
        operator.sign_account(old, claims=SHUT)
        one.config["resolver_preload"] = dict(operator.accounts)
        await one.reload()
        async with watched(one, two, inventory=[]) as watch:
            for _ in range(2 * SETTLED):
                await watch.cycles()
                found = item(watch, key, Check.CREDENTIALS)
                assert found.outcome is not Outcome.PASS, found
                assert watch.dossier(key).stage.disabled_at is None
        async with connected(two, creds=credentials(old)):
            """Anybody may still log in there."""
        two.config["resolver_preload"] = dict(operator.accounts)
        await two.reload()
        async with watched(one, two, inventory=[]) as watch:
            await watch.cycles(SETTLED)
            assert item(watch, key, Check.CREDENTIALS).outcome is Outcome.PASS


async def test_streams_of_an_expired_account(nats_version: str, tmp_path: Path) -> None:
    """A server that starts does not load them, and does not tell of them."""
    operator = Operator()
    old = operator.add_account("OLD", claims=STORES)
    key = old.public_key
    server = an_operator_server(operator, version=nats_version)
    server.config["jetstream"] = {"store_dir": str(server.folder / "js")}
    async with running(server):
        async with connected(server, creds=credentials(old)) as client:
            await add_stream(client, "ORDERS", ["orders"])
            await client.jetstream().publish("orders", b"paid")
        await server.stop()
        operator.sign_account(old, claims=STORES, exp=int(time.time()) - 5)
        store = write_store(tmp_path, {"OLD": operator.accounts[key]})
        server.config["resolver_preload"] = {
            k: t for k, t in operator.accounts.items() if k != key
        }
        await server.start()
        assert list((server.folder / "js").rglob("*.blk"))
        async with watched(server, inventory=[store]) as watch:
            await watch.cycles(SETTLED)
            found = item(watch, key, Check.STREAMS)
            assert found.outcome is not Outcome.PASS, found


async def test_jetstream_that_is_switched_off(nats_version: str) -> None:
    """The streams stay on disk, and no server tells of them."""
    server = a_single("OLD", "APP", version=nats_version, jetstream=["OLD", "APP"])
    async with running(server):
        async with connected(server, "OLD") as client:
            await add_stream(client, "ORDERS", ["orders"])
            await client.jetstream().publish("orders", b"paid")
        async with watched(server, inventory=[]) as watch:
            await watch.cycles(SETTLED)
            del server.config["accounts"]["OLD"]["jetstream"]
            for change in (server.reload, server.restart):
                await change()
                await watch.cycles(SETTLED)
                assert list((server.folder / "js").rglob("*.blk"))
                found = item(watch, "OLD", Check.STREAMS)
                assert found.outcome is not Outcome.PASS, found


async def test_a_server_that_recovers_its_streams(nats_version: str) -> None:
    """It answers before it has found them."""
    server = a_single("OLD", version=nats_version, jetstream=["OLD"])
    async with running(server):
        async with connected(server, "OLD") as client:
            for number in range(200):
                await add_stream(client, f"S{number}", [f"s{number}"])
        await server.restart()
        async with watched(server, inventory=[]) as watch:
            for _ in range(3):
                await watch.cycles()
                found = item(watch, "OLD", Check.STREAMS)
                assert found.outcome is not Outcome.PASS, found
