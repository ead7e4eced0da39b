"""What is known of accounts beside their use: facts change by what really changes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import nkeys  # type: ignore[import-untyped]  # it ships no types
import pytest

from nats_idle_exporter.removal.facts import (
    UNLIMITED,
    AccountFacts,
    Copy,
    Import,
    Limits,
    Role,
    Told,
)
from tests.support.clients import add_stream, connected
from tests.support.jwts import Identity, Operator, credentials
from tests.support.resolver import delete, push
from tests.support.topology import (
    PASSWORD,
    a_cluster,
    a_hub_and_leaf,
    a_single,
    an_operator_server,
    running,
)
from tests.support.watching import Watching, watching

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.natsserver import NatsServer

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

MOST_CYCLES = 8
UNBOUND = Limits(UNLIMITED, UNLIMITED)


async def until(
    watch: Watching, account: str, holds: Callable[[AccountFacts], bool]
) -> AccountFacts:
    """Run cycles until the facts are so; give up after a few."""
    for _ in range(MOST_CYCLES):
        await watch.cycles()
        if holds(watch.facts(account)):
            return watch.facts(account)
    raise AssertionError(f"never so: {watch.facts(account)}")


async def settled(watch: Watching, account: str) -> AccountFacts:
    """Return the facts once everybody was asked about anew."""
    await watch.cycles(3)
    return watch.facts(account)


@asynccontextmanager
async def watched(
    *servers: NatsServer, inventory: list[dict[str, str]] | None = None
) -> AsyncIterator[Watching]:
    """Run servers and watch them."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(*servers))
        urls = [server.monitoring_url for server in servers]
        asked = watching(urls, questions=50, inventory=inventory or [])
        yield await stack.enter_async_context(asked)


def a_resolver(server: NatsServer) -> dict[str, str]:
    """Return the inventory source of a server's full resolver."""
    return {"resolver_dir": str(server.folder / "jwt")}


def a_config(server: NatsServer) -> dict[str, str]:
    """Return the inventory source of a server's own configuration."""
    return {"nats_config": str(server.folder / "nats.conf")}


def imports_of(account: Identity, subject: str = "q") -> dict[str, Any]:
    """Return the claims of an account that imports a service."""
    source = {"name": "i", "subject": subject, "account": account.public_key}
    return {"imports": [{**source, "type": "service"}]}


class TestConfigMode:
    """Accounts that stand in the configuration."""

    async def test_streams_come_and_go(self, nats_version: str) -> None:
        """A replicated stream counts once; a deleted one is not believed at once."""
        servers = a_cluster("A", "B", version=nats_version, jetstream=["A"])
        async with watched(*servers) as watch:
            before = await until(watch, "A", lambda facts: facts.holdings is not None)
            async with connected(servers[0], "A") as client:
                await add_stream(client, "S", ["s"], replicas=3)
                context = client.jetstream()
                for _ in range(4):
                    await context.publish("s", b"12345")
                await context.pull_subscribe("s", durable="D")
                full = await until(
                    watch, "A", lambda f: bool(f.holdings and f.holdings.messages == 4)
                )
                await context.delete_stream("S")
            await watch.cycles()
            still = watch.facts("A").holdings
            gone = await until(
                watch, "A", lambda f: bool(f.holdings and not f.holdings.streams)
            )
            other = watch.facts("B").holdings

        assert before.holdings is not None
        assert before.holdings.streams == 0
        assert full.holdings is not None
        assert (full.holdings.streams, full.holdings.consumers) == (1, 1)
        assert full.holdings.names == ("S",)
        assert full.holdings.bytes > 20
        assert full.holdings.reserved_storage_bytes == UNLIMITED
        assert still is not None
        assert still.streams == 1
        assert gone.holdings is not None
        assert gone.holdings.bytes == 0
        assert other is not None
        assert (other.streams, other.reserved_storage_bytes) == (0, 0)

    async def test_an_importer_is_added_and_removed(self, nats_version: str) -> None:
        """A reload that adds an import shows, and one that removes it does too."""
        server = a_single("A", "B", version=nats_version)
        server.config["accounts"]["A"]["exports"] = [{"service": "q"}]
        async with watched(server) as watch:
            alone = await settled(watch, "A")
            server.config["accounts"]["B"]["imports"] = [
                {"service": {"account": "A", "subject": "q"}}
            ]
            await server.reload()
            imported = await settled(watch, "A")
            importing = watch.facts("B")
            del server.config["accounts"]["B"]["imports"]
            await server.reload()
            left = await settled(watch, "A")

        assert (alone.importers, alone.importers_unknown, alone.exports) == ((), 0, 1)
        (importer,) = imported.importers
        assert (importer.account, importer.told) == ("B", Told.SERVERS)
        assert importer.verdict == "unknown"
        assert importer.imports == (Import("A", "q", "service"),)
        assert importing.imports == importer.imports
        assert (left.importers, left.importers_unknown) == ((), 0)

    async def test_limits_are_told_by_the_configuration(
        self, nats_version: str
    ) -> None:
        """Servers do not tell them; the file does, and so does a soft disable."""
        server = a_single("A", version=nats_version)
        async with (
            running(server),
            watching(
                [server.monitoring_url], questions=50, inventory=[a_config(server)]
            ) as watch,
        ):
            before = await settled(watch, "A")
            server.config["accounts"]["A"]["limits"] = {
                "max_connections": 0,
                "max_leafnodes": 0,
            }
            await server.reload()
            after = await until(watch, "A", lambda facts: facts.limits != UNBOUND)
        async with watched(a_single("A", version=nats_version)) as watch:
            untold = await settled(watch, "A")

        assert before.limits == UNBOUND
        assert after.limits is not None
        assert after.limits.is_disabled
        assert untold.limits is None
        assert untold.is_expired is False
        assert untold.jwt is None

    async def test_roles(self, nats_version: str) -> None:
        """One for clients without credentials, one for logins, and one for nothing."""
        server = a_single("DEFAULT", "LOGINS", "NONE", version=nats_version)
        server.config["no_auth_user"] = "DEFAULT"
        nobody = Identity(nkeys.PREFIX_BYTE_ACCOUNT, "issuer").public_key
        server.config["authorization"] = {
            "auth_callout": {
                "issuer": nobody,
                "account": "LOGINS",
                "auth_users": ["LOGINS"],
            }
        }
        async with running(server):
            url, inventory = server.monitoring_url, [a_config(server)]
            async with watching([url], questions=50, inventory=inventory) as watch:
                await watch.cycles(3)
                roles = {a: watch.facts(a).roles for a in ("DEFAULT", "LOGINS", "NONE")}
                unknown = watch.facts("NONE").unknown_roles
            async with watching([url], questions=50) as watch:
                await watch.cycles(3)
                untold = watch.facts("NONE")

        assert roles["DEFAULT"] == {Role.DEFAULT}
        assert roles["LOGINS"] == {Role.AUTH_CALLOUT}
        assert roles["NONE"] == unknown == frozenset()
        assert untold.unknown_roles == {Role.DEFAULT, Role.AUTH_CALLOUT}

    async def test_a_servers_own_leafnode_link(self, nats_version: str) -> None:
        """The account that a leaf server's link belongs to has that role."""
        hub, leaf = a_hub_and_leaf("BUS", "IDLE", version=nats_version)
        async with watched(hub, leaf) as watch:
            await watch.cycles(3)
            local, idle = watch.facts("LOCAL"), watch.facts("IDLE")

        assert local.roles == {Role.LEAF_REMOTE}
        assert Role.LEAF_REMOTE not in idle.roles | idle.unknown_roles

    async def test_a_mirror_through_an_import(self, nats_version: str) -> None:
        """A stream that copies through an import of another account's JetStream."""
        server = a_single("A", "B", "C", version=nats_version, jetstream=["A", "B"])
        server.config["accounts"]["A"]["exports"] = [
            {"service": "$JS.API.>"},
            {"stream": "deliver.>"},
        ]
        server.config["accounts"]["B"]["imports"] = [
            {"service": {"account": "A", "subject": "$JS.API.>"}, "to": "JS.A.API.>"},
            {"stream": {"account": "A", "subject": "deliver.>"}},
        ]
        mirror = {"api": "JS.A.API", "deliver": "deliver.b"}
        async with watched(server) as watch:
            before = await settled(watch, "A")
            async with connected(server, "A") as client:
                await add_stream(client, "ORDERS", ["orders"])
            async with connected(server, "B") as client:
                config = {"name": "M", "mirror": {"name": "ORDERS", "external": mirror}}
                await client.request(
                    "$JS.API.STREAM.CREATE.M", json.dumps(config).encode()
                )
            copied = await until(watch, "A", lambda facts: bool(facts.copies))
            other = watch.facts("C")

        assert (before.copies, before.are_copies_known) == ((), True)
        assert copied.copies == (Copy("B", "B", "M", is_mirror=True),)
        assert copied.are_copies_known
        assert other.copies == ()

    async def test_a_server_that_is_away(self, nats_version: str) -> None:
        """What it told counts for a while, and is unknown then."""
        servers = a_cluster("A", size=2, version=nats_version)
        async with watched(*servers) as watch:
            await settled(watch, "A")
            await servers[1].kill()
            await watch.cycles(2)
            soon = watch.facts("A")
            await watch.cycles(3)
            late = watch.facts("A")

        assert soon.holdings is not None
        assert late.holdings is None


class TestOperatorMode:
    """Accounts that are JWTs."""

    async def test_what_a_jwt_says(self, nats_version: str) -> None:
        """Its facts are told by the server, and change when it is issued anew."""
        operator = Operator()
        account = operator.add_account(
            "A",
            claims={"tags": ["owner:me"], "description": "text", "exports": []},
            iat=1_700_000_000,
        )
        server = an_operator_server(operator, version=nats_version, full_resolver=True)
        key = account.public_key
        async with watched(server) as watch:
            async with connected(server, creds=credentials(account)):
                first = await until(watch, key, lambda facts: facts.jwt is not None)
            shut = {"conn": 0, "leaf": 0, "subs": -1, "data": -1, "payload": -1}
            operator.sign_account(
                account, claims={"limits": shut, "revocations": {"*": 1_700_000_001}}
            )
            await push(server, operator, account)
            after = await until(watch, key, lambda facts: facts.limits != UNBOUND)

        assert first.jwt is not None
        assert first.jwt.issued_at == 1_700_000_000
        assert first.jwt.expires_at is None
        assert first.jwt.issuer == operator.identity.public_key
        assert (first.jwt.tags, first.jwt.description) == (("owner:me",), "text")
        assert not first.jwt.are_users_revoked
        assert first.limits == UNBOUND
        assert first.importers_unknown is None
        assert after.limits is not None
        assert after.limits.is_disabled
        assert after.jwt is not None
        assert after.jwt.are_users_revoked
        assert after.jwt.tags == ()

    async def test_importers(self, nats_version: str) -> None:
        """One that only the resolver's folder knows counts, and so do loaded ones."""
        operator = Operator()
        account = operator.add_account(
            "A", claims={"exports": [{"name": "q", "subject": "q", "type": "service"}]}
        )
        importer = operator.add_account("B", claims=imports_of(account))
        server = an_operator_server(operator, version=nats_version, full_resolver=True)
        async with (
            running(server),
            watching(
                [server.monitoring_url], questions=50, inventory=[a_resolver(server)]
            ) as watch,
        ):
            unloaded = await settled(watch, account.public_key)
            async with connected(server, creds=credentials(importer)):
                loaded = await until(
                    watch,
                    account.public_key,
                    lambda facts: facts.importers[0].told is Told.BOTH,
                )
            operator.sign_account(importer)
            await push(server, operator, importer)
            left = await until(
                watch, account.public_key, lambda facts: not facts.importers
            )

        (one,) = unloaded.importers
        assert (one.account, one.name) == (importer.public_key, "B")
        assert (one.told, one.verdict) == (Told.INVENTORY, "unknown")
        assert unloaded.importers_unknown == 0
        assert not unloaded.is_loaded
        assert loaded.importers[0].verdict == "active"
        assert loaded.importers[0].imports == (
            Import(account.public_key, "q", "service"),
        )
        assert left.importers_unknown == 0

    async def test_an_expired_jwt(self, nats_version: str) -> None:
        """It is told by the server that has the account loaded."""
        operator = Operator()
        expires_at = int(time.time()) + 2
        account = operator.add_account("A", exp=expires_at)
        server = an_operator_server(operator, version=nats_version)
        key = account.public_key
        async with watched(server) as watch:
            async with connected(server, creds=credentials(account)):
                valid = await until(watch, key, lambda f: f.is_expired is not None)

            async def is_expired() -> bool:
                told = await server.read(f"/accountz?acc={key}")
                return bool(told["account_detail"]["expired"])

            await server.until(is_expired, "lets the JWT expire")
            over = await until(watch, key, lambda facts: bool(facts.is_expired))

        assert valid.jwt is not None
        assert valid.jwt.expires_at == expires_at
        assert over.is_expired

    async def test_a_zombie(self, nats_version: str) -> None:
        """Deleted from the resolver, but servers still have it."""
        operator = Operator()
        account = operator.add_account("A")
        server = an_operator_server(operator, version=nats_version, full_resolver=True)
        key = account.public_key
        async with (
            running(server),
            watching(
                [server.monitoring_url], questions=50, inventory=[a_resolver(server)]
            ) as watch,
        ):
            async with connected(server, creds=credentials(account)):
                await watch.cycles(3)
                alive = watch.facts(key)
            await delete(server, operator, account)
            dead = await until(watch, key, lambda facts: facts.is_listed is False)

        assert (alive.is_listed, alive.is_zombie) == (True, False)
        assert dead.is_zombie

    async def test_roles(self, nats_version: str) -> None:
        """Who answers for logins stands in the JWT; a default one in no endpoint."""
        operator = Operator()
        user = Identity(nkeys.PREFIX_BYTE_USER, "u").public_key
        logins = operator.add_account(
            "LOGINS", claims={"authorization": {"auth_users": [user]}}
        )
        account = operator.add_account("A")
        server = an_operator_server(operator, version=nats_version, full_resolver=True)
        if has_sentinel := nats_version != "2.10.25":
            server.config["default_sentinel"] = sentinel_of(account)
        async with running(server):
            url, sources = server.monitoring_url, [a_resolver(server)]
            async with watching([url], questions=50, inventory=sources) as watch:
                untold = await settled(watch, account.public_key)
                asked = watch.facts(logins.public_key)
            sources = [*sources, a_config(server)]
            async with watching([url], questions=50, inventory=sources) as watch:
                told = await settled(watch, account.public_key)

        assert asked.roles == {Role.AUTH_CALLOUT}
        assert untold.roles == frozenset()
        assert untold.unknown_roles == ({Role.DEFAULT} if has_sentinel else set())
        assert told.roles == ({Role.DEFAULT} if has_sentinel else set())
        assert told.unknown_roles == frozenset()
        assert told.is_listed

    async def test_limits_by_replica_count(self, nats_version: str) -> None:
        """Servers show zeros; the JWT tells what is set aside."""
        operator = Operator()
        tier = {"mem_storage": 1024, "disk_storage": -1, "streams": 2, "consumer": 2}
        limits = {"subs": -1, "data": -1, "payload": -1, "conn": -1, "leaf": -1}
        account = operator.add_account(
            "A", claims={"limits": {**limits, "tiered_limits": {"R1": tier}}}
        )
        server = an_operator_server(operator, version=nats_version)
        server.config["jetstream"] = {"store_dir": str(server.folder / "js")}
        key = account.public_key
        async with (
            watched(server) as watch,
            connected(server, creds=credentials(account)),
        ):
            await watch.cycles()
            untold = watch.facts(key)
            told = await until(watch, key, lambda facts: facts.holdings is not None)

        assert untold.holdings is None
        assert told.holdings is not None
        assert told.holdings.reserved_memory_bytes == 1024
        assert told.holdings.reserved_storage_bytes == UNLIMITED


def sentinel_of(account: Identity) -> str:
    """Return the JWT by which clients without credentials land in an account."""
    user = Identity(nkeys.PREFIX_BYTE_USER, "sentinel")
    everything = {"deny": [">"]}
    claims = {"type": "user", "bearer_token": True, "subs": -1, "data": -1}
    return account.sign(
        user, {**claims, "payload": -1, "pub": everything, "sub": everything}
    )


async def test_accounts_with_odd_names(nats_version: str) -> None:
    """Names are strangers' words: they reach the server as they are."""
    names = ["a b&acc=X", "x/../#?%41", "'<b>;`x`$(x)"]
    server = a_single(*names, version=nats_version)
    for name in names:
        server.config["accounts"][name].pop("users")
    server.config["accounts"]["U"] = {"users": [{"user": "u", "password": PASSWORD}]}
    async with watched(server) as watch:
        await watch.cycles(3)
        told = [watch.facts(name).exports for name in names]

    assert told == [0, 0, 0]
