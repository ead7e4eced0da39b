"""The printed way out in operator mode, done on real servers.

What `nsc` would do is done with the operator's keys: a JWT with the limits of the
printed line, pushed to the resolver.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from nats_idle_exporter.removal.facts import Import, Importer, Told
from nats_idle_exporter.removal.wayout import Command, Place, Resolver, WayOut, way_out
from tests.removal.cases import NOW, a_case, a_dossier
from tests.removal.ways import the_step
from tests.support.clients import add_stream, connected, log_in_by_jwt
from tests.support.jwts import Identity, Operator, credentials
from tests.support.natsserver import ServerTroubleError
from tests.support.printed import OK, REFUSED, USED, limits, purge, run, words
from tests.support.resolver import delete, push
from tests.support.topology import a_single, an_operator_server, running

pytestmark = pytest.mark.live

UNRESOLVED = "could not be resolved"
LIMITS = dict.fromkeys(
    ("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1
) | {"wildcards": True, "mem_storage": 1 << 20, "disk_storage": 1 << 20}
EXPORTS = [{"name": "orders", "subject": "orders.>", "type": "service"}]


class System:
    """One server with accounts of an operator.

    ``TEAM`` has a stream, and ``SHOP`` imports from it.
    """

    def __init__(self, version: str, resolver: Resolver) -> None:
        self.operator = Operator()
        self.team = self.operator.add_account("TEAM", claims=self.claims())
        wanted = {"name": "o", "subject": "orders.>", "type": "service"}
        self.shop = self.operator.add_account(
            "SHOP", claims={"imports": [wanted | {"account": self.team.public_key}]}
        )
        self.resolver = resolver
        self.server = an_operator_server(
            self.operator, version=version, full_resolver=resolver is Resolver.FULL
        )
        self.server.config["jetstream"] = {"store_dir": str(self.server.folder / "js")}
        listen = f"127.0.0.1:{self.server.leaf.number}"
        self.server.config["leafnodes"] = {"listen": listen}
        self.creds = credentials(self.team)

    @property
    def way(self) -> WayOut:
        """The way out of ``TEAM``."""
        key = self.team.public_key
        imports = (Import(key, "orders.>", "service"),)
        shop = self.shop.public_key
        importer = Importer(shop, "SHOP", "inactive", imports, Told.BOTH)
        case = a_case(
            account=key,
            name="TEAM",
            is_operator_mode=True,
            holdings=USED,
            importers=(importer,),
            limits=None,
        )
        url = self.server.monitoring_url
        place = Place(monitoring_urls=(url,), resolver=self.resolver)
        return way_out(a_dossier(case), NOW, place)

    @staticmethod
    def claims(**limits: int) -> dict[str, Any]:
        """Return the claims of ``TEAM``, with other limits."""
        return {"limits": LIMITS | limits, "exports": EXPORTS}

    async def edit(self, commands: Iterable[Command]) -> None:
        """Do what a printed edit and what follows it would do."""
        commands = tuple(commands)
        assert f"--name={self.team.name}" in words(commands, "edit")
        self.operator.sign_account(self.team, claims=self.claims(**limits(commands)))
        await self.publish(self.team, commands)

    async def publish(self, account: Identity, commands: Iterable[Command]) -> None:
        """Tell the server a new JWT, as the printed lines do."""
        if self.resolver is Resolver.FULL:
            assert f"--account={account.name}" in words(commands, "push")
            await push(self.server, self.operator, account)
        else:
            await self.preload(commands)

    async def preload(self, commands: Iterable[Command]) -> None:
        """Put all JWTs into the configuration, and reload it by the printed line."""
        (reload,) = (each for each in commands if "reload=" in each.text)
        self.server.config["resolver_preload"] = dict(self.operator.accounts)
        self.server._write_config()
        before = (await self.server.read("/varz"))["config_load_time"]
        await run(self.server, reload)

        async def reloaded() -> bool:
            now = (await self.server.read("/varz"))["config_load_time"]
            return bool(now != before)

        await self.server.until(reloaded, "reloads its configuration")

    async def remove(self, commands: Iterable[Command]) -> None:
        """Delete the account where the printed lines do."""
        token = self.operator.accounts.pop(self.team.public_key)
        if self.resolver is Resolver.FULL:
            removal = f"--account-removal={self.team.public_key}"
            assert removal in words(commands, "push")
            await delete(self.server, self.operator, self.team)
        else:
            await self.preload(commands)
        self.lost = token

    async def purge(self) -> None:
        """Purge the account as the printed line does."""
        creds = credentials(self.operator.system_account)
        await purge(self.server, the_step(self.way, "Purge"), creds=creds)

    async def until_told(self, what: str, text: str) -> None:
        """Return once the printed last look tells something."""

        async def is_told() -> bool:
            look = the_step(self.way, "Look once more").checks
            return text in await run(self.server, *look)

        await self.server.until(is_told, what)


@pytest.fixture(params=[Resolver.FULL, Resolver.MEMORY])
async def system(
    request: pytest.FixtureRequest, nats_version: str
) -> AsyncIterator[System]:
    """A running system, by each kind of resolver that a server has itself."""
    one = System(nats_version, request.param)
    async with running(one.server):
        async with connected(one.server, creds=one.creds) as client:
            await add_stream(client, "ORDERS", ["o.>"], max_bytes=1024)
            await client.jetstream().publish("o.1", b"one")
        async with connected(one.server, creds=credentials(one.shop)):
            pass
        yield one


async def test_soft_disable(system: System) -> None:
    """Clients are cut and refused, streams stay, others live on; undo undoes it."""
    step = the_step(system.way, "Let nobody connect")
    async with connected(system.server, creds=system.creds) as client:
        await system.edit(step.commands)

        async def is_cut() -> bool:
            return client.is_closed

        await system.server.until(is_cut, "cuts the client")

    assert (await log_in_by_jwt(system.server, system.creds)).startswith(REFUSED)
    told = await run(system.server, *step.checks)
    assert '"client_connections": 0' in told
    assert OK in told
    assert (await system.server.read("/jsz"))["messages"] == 1
    async with connected(system.server, creds=credentials(system.shop)) as other:
        assert other.is_connected

    await system.edit(step.undo)

    async with connected(system.server, creds=system.creds) as client:
        assert (await client.jetstream().stream_info("ORDERS")).state.messages == 1


async def test_a_fresh_user_is_refused_too(system: System) -> None:
    """Unlike a revocation, it holds for users that are issued later."""
    step = the_step(system.way, "Let nobody connect")
    await system.edit(step.commands)

    system.creds = credentials(system.team, "fresh")

    assert (await log_in_by_jwt(system.server, system.creds)).startswith(REFUSED)


async def test_leafnode_links_are_cut(system: System) -> None:
    """Unlike in configuration mode, a link that is up does not stay."""
    leaf = a_single("LOCAL", version=system.server.version, name="leaf")
    creds = leaf.folder / "team.creds"
    creds.write_text(system.creds)
    url = f"nats-leaf://127.0.0.1:{system.server.leaf.number}"
    remote = {"url": url, "account": "LOCAL", "credentials": str(creds)}
    leaf.config["leafnodes"] = {"remotes": [remote]}

    async def is_linked() -> bool:
        return bool((await system.server.read("/leafz"))["leafnodes"])

    async def is_cut() -> bool:
        return not await is_linked()

    async with running(leaf):
        await system.server.until(is_linked, "has the link")
        await system.edit(the_step(system.way, "Let nobody connect").commands)
        await system.server.until(is_cut, "cuts the link")


async def test_backup_door(system: System) -> None:
    """For the backup one client is let in, and then nobody again."""
    step = the_step(system.way, "Back up")
    middle = next(i for i, each in enumerate(step.commands) if "backup" in each.text)
    await system.edit(step.commands[:middle])

    async with connected(system.server, creds=system.creds) as client:
        assert (await client.jetstream().stream_info("ORDERS")).state.messages == 1
        assert (await log_in_by_jwt(system.server, system.creds)).startswith(REFUSED)

    await system.edit(step.commands[middle + 1 :])
    assert (await log_in_by_jwt(system.server, system.creds)).startswith(REFUSED)


async def test_printed_order(system: System) -> None:
    """Purge, imports, account: the server is well, also after a restart."""
    server, way = system.server, system.way
    await system.edit(the_step(way, "Let nobody connect").commands)

    await system.purge()
    assert "stream_detail" not in await run(server, *the_step(way, "Purge").checks)

    step = the_step(way, "Turn its JetStream off")
    await system.edit(step.commands)
    assert OK in await run(server, *step.checks)

    step = the_step(way, "Remove the imports")
    system.operator.sign_account(system.shop)
    await system.publish(system.shop, step.commands)
    assert OK in await run(server, *step.checks)

    step = the_step(way, "Delete the account")
    await system.remove(step.commands)
    assert OK in await run(server, step.checks[-1])

    await system.until_told("is well", OK)
    await server.restart()
    await system.until_told("is well after a restart", OK)
    assert not (server.folder / "js" / "jetstream" / system.team.public_key).exists()


async def test_deleting_right_away(system: System) -> None:
    """The order of the published check leaves a sick server; the repair is printed."""
    server, way = system.server, system.way
    step = the_step(way, "Delete the account")

    await system.remove(step.commands)

    await server.restart()
    await system.until_told("is sick after a restart", UNRESOLVED)

    (words_of_repair,) = the_step(way, "Look once more").notes
    assert "give the servers its last JWT again, purge, and delete again" in (
        words_of_repair
    )
    system.operator.accounts[system.team.public_key] = system.lost
    await system.publish(system.team, the_step(way, "Let nobody connect").commands)
    await system.until_told("is well again", OK)
    await system.purge()
    await system.remove(step.commands)
    await server.restart()
    await system.until_told("stays well", OK)


async def test_expiry_is_no_way_out(nats_version: str) -> None:
    """A server with streams of an expired account is sick later, as is warned of."""
    system = System(nats_version, Resolver.FULL)
    step = the_step(system.way, "Let nobody connect")
    assert any("not well after its next restart" in each for each in step.warnings)
    async with running(system.server):
        async with connected(system.server, creds=system.creds) as client:
            await add_stream(client, "ORDERS", ["o.>"], max_bytes=1024)
        system.operator.sign_account(
            system.team, claims=system.claims(), exp=int(time.time()) + 2
        )
        await push(system.server, system.operator, system.team)

        async def is_expired() -> bool:
            path = f"/accountz?acc={system.team.public_key}"
            return bool((await system.server.read(path))["account_detail"]["expired"])

        await system.server.until(is_expired, "lets the account expire")
        await system.until_told("is well at first", OK)
        await system.server.restart()
        await system.until_told("is sick after a restart", UNRESOLVED)


async def test_revocation_is_no_way_out(nats_version: str) -> None:
    """Who is issued after a revocation may log in, as is warned of."""
    system = System(nats_version, Resolver.FULL)
    step = the_step(system.way, "Let nobody connect")
    assert any("issued later may log in" in each for each in step.warnings)
    now = int(time.time())
    old = credentials(system.team, "old", iat=now - 20)
    fresh = credentials(system.team, "fresh", iat=now)
    async with running(system.server):
        assert (await log_in_by_jwt(system.server, old)).startswith(b"PONG")

        claims = {**system.claims(), "revocations": {"*": now - 10}}
        system.operator.sign_account(system.team, claims=claims)
        await push(system.server, system.operator, system.team)

        answer = await log_in_by_jwt(system.server, old)
        assert b"Authorization Violation" in answer
        assert (await log_in_by_jwt(system.server, fresh)).startswith(b"PONG")


async def test_an_import_that_is_left(nats_version: str) -> None:
    """It is gone after a restart, without a word, as is warned of."""
    system = System(nats_version, Resolver.FULL)
    server, shop = system.server, credentials(system.shop)
    (warning,) = the_step(system.way, "Remove the imports").warnings
    assert "is gone after the next restart of a server, without a word" in warning

    async def exporters() -> set[str]:
        path = f"/accountz?acc={system.shop.public_key}"
        detail = (await server.read(path))["account_detail"]
        return {each["account"] for each in detail["imports"]}

    async with running(server):
        assert (await log_in_by_jwt(server, shop)).startswith(b"PONG")
        await system.remove(the_step(system.way, "Delete the account").commands)
        assert system.team.public_key in await exporters()

        await server.restart()
        await system.until_told("is well", OK)

        assert (await log_in_by_jwt(server, shop)).startswith(b"PONG")
        assert system.team.public_key not in await exporters()


async def test_deleting_takes_permission(nats_version: str) -> None:
    """A full resolver without ``allow_delete`` keeps the account, as is warned of."""
    system = System(nats_version, Resolver.FULL)
    system.server.config["resolver"]["allow_delete"] = False
    step = the_step(system.way, "Delete the account")
    assert any("allow_delete: true" in each for each in step.warnings)
    async with running(system.server):
        with pytest.raises(ServerTroubleError, match="delete"):
            await system.remove(step.commands)

        async with connected(system.server, creds=system.creds) as client:
            assert client.is_connected


async def test_deleted_accounts_are_listed_on(nats_version: str) -> None:
    """A server lists an account that was deleted, as is warned of, and refuses it."""
    system = System(nats_version, Resolver.FULL)
    step = the_step(system.way, "Delete the account")
    assert any("list a deleted account until" in each for each in step.warnings)
    async with running(system.server):
        answer = await log_in_by_jwt(system.server, system.creds)
        assert answer.startswith(b"PONG")
        await system.remove(step.commands)

        listed = (await system.server.read("/accstatz?unused=1"))["account_statz"]
        assert system.team.public_key in {each["acc"] for each in listed}
        answer = await log_in_by_jwt(system.server, system.creds)
        assert b"Authorization Violation" in answer
