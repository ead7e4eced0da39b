"""The printed way out in configuration mode, done on real servers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from nats_idle_exporter.removal.facts import Limits
from tests.removal.ways import the_step
from tests.support.clients import add_stream, connected, log_in_and_leave
from tests.support.natsserver import NatsServer, ServerTroubleError
from tests.support.printed import (
    OK,
    REFUSED,
    assert_well,
    change,
    purge,
    run,
    the_way,
    write,
)
from tests.support.topology import a_cluster, a_hub_and_leaf, a_single, running

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

UNRESOLVED = "JetStream account 'TEAM' could not be resolved"


@pytest.fixture
async def server(nats_version: str) -> AsyncIterator[NatsServer]:
    """A server with ``TEAM``, which has a stream, and ``SHOP``, which imports."""
    one = a_single(
        "TEAM", "SHOP", version=nats_version, jetstream=["TEAM"], system_account="SYS"
    )
    accounts = one.config["accounts"]
    accounts["TEAM"]["exports"] = [{"service": "orders.>"}]
    accounts["SHOP"]["imports"] = [
        {"service": {"account": "TEAM", "subject": "orders.>"}}
    ]
    async with running(one):
        async with connected(one, "TEAM") as client:
            await add_stream(client, "ORDERS", ["o.>"])
            await client.jetstream().publish("o.1", b"one")
        yield one


async def stored(server: NatsServer) -> int:
    """Return how many messages all streams have."""
    return int((await server.read("/jsz"))["messages"])


async def test_soft_disable(server: NatsServer) -> None:
    """Clients are cut and refused, streams stay, others live on; undo undoes it."""
    step = the_step(the_way(server), "Let nobody connect")
    async with connected(server, "TEAM") as client:
        await change(server, step.commands, step.snippets[0], "TEAM")

        async def is_cut() -> bool:
            return client.is_closed

        await server.until(is_cut, "cuts the client")

    assert (await log_in_and_leave(server, "TEAM")).startswith(REFUSED)
    told = await run(server, *step.checks)
    assert '"client_connections": 0' in told
    assert OK in told
    assert await stored(server) == 1
    async with connected(server, "SHOP") as other:
        assert other.is_connected

    await change(server, step.undo, step.undo_snippets[0], "TEAM")

    async with connected(server, "TEAM") as client:
        assert (await client.jetstream().stream_info("ORDERS")).state.messages == 1


async def test_undo_restores_the_limits(server: NatsServer) -> None:
    """An account that one client may use may be used by one again."""
    step = the_step(the_way(server, limits=Limits(1, 0)), "Let nobody connect")
    await change(server, step.commands, step.snippets[0], "TEAM")

    await change(server, step.undo, step.undo_snippets[0], "TEAM")

    async with connected(server, "TEAM"):
        assert (await log_in_and_leave(server, "TEAM")).startswith(REFUSED)


async def test_leafnode_links_stay(nats_version: str) -> None:
    """A link that is up outlives the soft disable until its side comes again."""
    hub, leaf = a_hub_and_leaf("TEAM", version=nats_version)
    step = the_step(the_way(hub), "Let nobody connect")
    assert any("stays up until its side reconnects" in each for each in step.warnings)
    async with running(hub, leaf):

        async def is_linked() -> bool:
            return bool((await hub.read("/leafz"))["leafnodes"])

        await hub.until(is_linked, "has the link")
        await change(hub, step.commands, step.snippets[0], "TEAM")
        assert await is_linked()

        await leaf.restart()

        async def is_refused() -> bool:
            return "Maximum Account Connections Exceeded" in hub.log

        await hub.until(is_refused, "refuses the link")


async def test_a_second_block_replaces_the_first(server: NatsServer) -> None:
    """Who adds a block of accounts at the end of the file loses all the others."""
    step = the_step(the_way(server), "Let nobody connect")
    assert any("replaces the first one" in each for each in step.warnings)
    write(server)
    with (server.folder / "nats.conf").open("a") as file:
        file.write('accounts: {\n  "TEAM": { users: [{ user: a, password: a }] }\n}\n')

    await run(server, *step.commands)

    async def is_lost() -> bool:
        return "SHOP" not in (await server.read("/accountz"))["accounts"]

    await server.until(is_lost, "loses the other account")


async def test_backup_door(server: NatsServer) -> None:
    """For the backup one client is let in, and no second one."""
    step = the_step(the_way(server), "Back up")
    first, last = step.commands[0], step.commands[-1]
    await change(server, [first], step.snippets[0], "TEAM")

    async with connected(server, "TEAM") as client:
        assert (await client.jetstream().stream_info("ORDERS")).state.messages == 1
        assert (await log_in_and_leave(server, "TEAM")).startswith(REFUSED)

    closed = the_step(the_way(server), "Let nobody connect").snippets[0]
    await change(server, [last], closed, "TEAM")
    assert (await log_in_and_leave(server, "TEAM")).startswith(REFUSED)


async def test_printed_order(server: NatsServer) -> None:
    """Purge, imports, account: servers are well, also after a restart."""
    way = the_way(server)
    disable = the_step(way, "Let nobody connect")
    await change(server, disable.commands, disable.snippets[0], "TEAM")

    step = the_step(way, "Purge")
    await purge(server, step, account="SYS")
    assert "stream_detail" not in await run(server, *step.checks)

    step = the_step(way, "Turn its JetStream off")
    server.config["accounts"]["TEAM"].pop("jetstream")
    await change(server, step.commands, step.snippets[0], "TEAM")
    assert OK in await run(server, *step.checks)

    step = the_step(way, "Remove the imports")
    server.config["accounts"]["SHOP"].pop("imports")
    await change(server, step.commands)
    assert OK in await run(server, *step.checks)

    step = the_step(way, "Delete the account")
    server.config["accounts"].pop("TEAM")
    await change(server, step.commands)
    told = await run(server, *step.checks)
    assert "Account TEAM does not exist 400" in told
    assert OK in told

    await assert_well(server, way)
    assert not (server.folder / "js" / "jetstream" / "TEAM").exists()


async def test_deleting_right_away(server: NatsServer) -> None:
    """The order of the published check leaves sick servers; the way back is printed."""
    way = the_way(server)
    delete, look = the_step(way, "Delete the account"), the_step(way, "Look once more")
    server.config["accounts"]["SHOP"].pop("imports")
    block = server.config["accounts"].pop("TEAM")

    await change(server, delete.commands)

    assert UNRESOLVED in await run(server, *look.checks)
    await server.restart()
    assert f'{UNRESOLVED}"}} 503' in await run(server, *look.checks)
    assert (server.folder / "js" / "jetstream" / "TEAM" / "streams" / "ORDERS").exists()

    assert "put the block back and reload, purge, and delete again" in look.notes[0]
    server.config["accounts"]["TEAM"] = block
    await change(server, delete.commands)
    await purge(server, the_step(way, "Purge"), account="SYS")
    server.config["accounts"].pop("TEAM")
    await change(server, delete.commands)
    await assert_well(server, way)


async def test_an_importer_that_is_left(server: NatsServer) -> None:
    """Nothing is reloaded, and a server that stops does not come back."""
    step = the_step(the_way(server), "Remove the imports")
    tried, reload = step.commands
    server.config["accounts"].pop("TEAM")
    write(server)

    with pytest.raises(AssertionError, match='"TEAM" account not defined'):
        await run(server, tried)
    await run(server, reload)

    async def is_refused() -> bool:
        return "Failed to reload server configuration" in server.log

    await server.until(is_refused, "refuses the configuration")
    assert "TEAM" in (await server.read("/accountz"))["accounts"]
    await server.stop()
    with pytest.raises(ServerTroubleError, match='"TEAM" account not defined'):
        await server.start()


async def test_printed_order_in_a_cluster(nats_version: str) -> None:
    """Every server of a cluster is well in the end, wherever the streams were."""
    servers = a_cluster(
        "TEAM", version=nats_version, jetstream=["TEAM"], system_account="SYS"
    )
    async with running(*servers):
        first = servers[0]
        async with connected(first, "TEAM") as client:
            await add_stream(client, "ORDERS", ["o.>"], replicas=2)
            await add_stream(client, "ONE", ["p.>"])
        way = the_way(*servers)
        step = the_step(way, "Purge")
        await purge(first, step, account="SYS")

        async def is_purged() -> bool:
            return "stream_detail" not in await run(first, *step.checks)

        await first.until(is_purged, "sees no stream any more")
        for server in servers:
            server.config["accounts"].pop("TEAM")
            await change(server, the_step(way, "Delete the account").commands)

        look = the_step(way, "Look once more").checks

        async def are_well() -> bool:
            return (await run(first, *look)).count(OK) == len(servers)

        await first.until(are_well, "and its peers are well")
        for server in servers:
            await server.restart()
            await first.until(are_well, "and its peers are well again")
