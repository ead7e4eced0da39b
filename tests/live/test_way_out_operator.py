"""The printed way out in operator mode, done on real servers.

What `nsc` would do is done with the operator's keys: a JWT with the limits of the
printed line, pushed to the resolver.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from nats_idle_exporter.removal.wayout import Resolver
from tests.removal.ways import the_step
from tests.support.clients import add_stream, connected, log_in_by_jwt
from tests.support.jwts import credentials
from tests.support.leaving import System
from tests.support.natsserver import ServerTroubleError
from tests.support.printed import OK, REFUSED, run
from tests.support.resolver import push
from tests.support.topology import a_single, running

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

UNRESOLVED = "could not be resolved"


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
