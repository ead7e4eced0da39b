"""Accounts that no server has loaded get verdicts, on real servers of operator mode."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from nats_idle_exporter.activity import EvidenceKind, Inventory, Verdict
from nats_idle_exporter.monitoring.inventory.natsconnection import INBOX_PREFIX
from tests.support.clients import connected
from tests.support.jwts import Identity, Operator, credentials
from tests.support.resolver import delete, push
from tests.support.topology import an_operator_server, join, running
from tests.support.watching import THRESHOLD_CYCLES, Watching, watching

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.support.natsserver import NatsServer

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

DAY = 86_400
NAMES = ("A1", "A2", "A3", "A4", "USED")
SUBJECTS = ("$SYS.REQ.CLAIMS.LIST", "$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP")
LONG = 3 * THRESHOLD_CYCLES
"""A threshold in intervals of which a restart's hole is forgiven."""


class Fleet:
    """An operator with five old accounts, of which ``USED`` gets used."""

    def __init__(self) -> None:
        self.operator = Operator()
        self.accounts = [
            self.operator.add_account(name, iat=int(time.time()) - 2 * DAY)
            for name in NAMES
        ]

    @property
    def used(self) -> Identity:
        """The account that gets used."""
        return self.accounts[-1]

    def creds(self, folder: Path) -> Path:
        """Write credentials of a user who may only ask for accounts."""
        file = folder / "sys.creds"
        file.write_text(
            credentials(
                self.operator.system_account,
                pub={"allow": list(SUBJECTS)},
                sub={"allow": [f"{INBOX_PREFIX}.>"]},
            )
        )
        return file

    def claims(self, server: NatsServer, folder: Path) -> dict[str, Any]:
        """Return the source that asks a server."""
        return {"claims": {"url": server.url, "creds_file": str(self.creds(folder))}}


async def use(server: NatsServer, account: Identity) -> None:
    """Publish one message."""
    async with connected(server, creds=credentials(account)) as client:
        await client.publish("x", b"x")
        await client.flush()


async def never_loaded(server: NatsServer, accounts: Sequence[Identity]) -> bool:
    """Say whether a server has loaded none of them."""
    loaded = (await server.read("/accountz"))["accounts"]
    return not {each.public_key for each in accounts} & set(loaded)


def assert_the_right_words(watch: Watching) -> None:
    """Hold that all five are listed by name, and only the used one is in use."""
    views = {view.name: view for view in watch.view.accounts}
    assert views.keys() == set(NAMES)
    assert views.pop("USED").verdict is Verdict.ACTIVE
    for view in views.values():
        assert (view.verdict, view.is_observed) == (Verdict.INACTIVE, True)
        assert view.inventory is Inventory.INVENTORY_ONLY
        assert view.last_evidence is None
    assert all(each.is_up for each in watch.snapshot.inventories)
    assert {each.skipped for each in watch.snapshot.inventories} == {0}


async def watch_a_restart(
    watch: Watching, fleet: Fleet, servers: Sequence[NatsServer]
) -> None:
    """Use one of five accounts, hold the verdicts, also through a restart of all."""
    await watch.cycles()
    views = watch.view.accounts
    assert {view.name for view in views} == set(NAMES)
    assert Verdict.ACTIVE not in {view.verdict for view in views}
    await watch.cycles(LONG)
    await use(servers[0], fleet.used)
    await watch.cycles()
    assert_the_right_words(watch)

    for server in servers:
        await server.restart()
    await watch.cycles(2)

    assert_the_right_words(watch)
    assert watch.account(fleet.used.public_key).inventory is Inventory.INVENTORY_ONLY
    for server in servers:
        assert await never_loaded(server, fleet.accounts)


async def test_full_resolver(nats_version: str, tmp_path: Path) -> None:
    """Five pushed accounts of a cluster are listed and judged; the list loads none."""
    fleet = Fleet()
    servers = [
        an_operator_server(
            fleet.operator, version=nats_version, full_resolver=True, name=name
        )
        for name in ("n1", "n2")
    ]
    join(*servers)
    async with running(*servers):
        urls = [server.monitoring_url for server in servers]
        sources = [
            {"resolver_dir": str(servers[0].folder / "jwt")},
            fleet.claims(servers[1], tmp_path),
        ]
        async with watching(
            urls, LONG, inventory=sources, refresh_cycles=LONG // 2
        ) as watch:
            await watch_a_restart(watch, fleet, servers)


async def test_memory_resolver(nats_version: str) -> None:
    """What is preloaded is listed by the server's own configuration."""
    fleet = Fleet()
    server = an_operator_server(fleet.operator, version=nats_version)
    async with server:
        sources = [{"nats_config": str(server.folder / "nats.conf")}]
        async with watching([server.monitoring_url], LONG, inventory=sources) as watch:
            await watch_a_restart(watch, fleet, [server])


@asynccontextmanager
async def resolving(operator: Operator) -> AsyncIterator[str]:
    """Serve the operator's JWTs as a resolver by URL does; yield its URL."""

    async def answer(request: web.Request) -> web.Response:
        token = operator.accounts.get(request.match_info["account"], "")
        return web.Response(text=token, status=200 if token else 404)

    async def probe(_request: web.Request) -> web.Response:
        return web.Response(text="here")

    app = web.Application()
    app.router.add_get("/jwt/", probe)
    app.router.add_get("/jwt/{account}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/jwt/"
    finally:
        await runner.cleanup()


async def test_url_resolver(nats_version: str, tmp_path: Path) -> None:
    """A resolver that cannot list has a list that is kept by hand."""
    fleet = Fleet()
    file = tmp_path / "accounts.yaml"
    lines = (f"{each.public_key}: {{name: {each.name}}}\n" for each in fleet.accounts)
    file.write_text("".join(lines))
    server = an_operator_server(fleet.operator, version=nats_version)
    async with resolving(fleet.operator) as url:
        del server.config["resolver_preload"]
        server.config["resolver"] = f"URL({url})"
        async with server:
            sources = [{"accounts_file": str(file)}]
            async with watching(
                [server.monitoring_url], LONG, inventory=sources
            ) as watch:
                await watch_a_restart(watch, fleet, [server])


async def test_life_of_a_jwt(nats_version: str) -> None:
    """Renamed, issued anew, used, deleted, restarted: each in the right words."""
    fleet = Fleet()
    team, other = fleet.accounts[:2]
    server = an_operator_server(
        fleet.operator, version=nats_version, full_resolver=True
    )
    async with server:
        sources = [{"resolver_dir": str(server.folder / "jwt")}]
        async with watching([server.monitoring_url], inventory=sources) as watch:
            await watch.cycles(THRESHOLD_CYCLES + 2)
            raised = watch.account(team.public_key)
            assert raised.verdict is Verdict.INACTIVE

            team.name = "CREW"
            fleet.operator.sign_account(team)
            await push(server, fleet.operator, team)
            await watch.cycles()
            renamed = watch.account(team.public_key)
            assert (renamed.name, renamed.verdict) == ("CREW", Verdict.INACTIVE)
            assert renamed.quiet_since_at == raised.quiet_since_at

            await use(server, team)
            await watch.cycles()
            used = watch.account(team.public_key)
            assert (used.name, used.verdict) == ("CREW", Verdict.ACTIVE)
            assert used.inventory is Inventory.BOTH

            for account in (team, other):
                await delete(server, fleet.operator, account)
            await watch.cycles(3)
            zombie = watch.account(team.public_key)
            assert zombie.inventory is Inventory.SERVERS_ONLY
            assert other.public_key not in watch.verdicts()

            await server.restart()
            await watch.cycles(3)
            assert team.public_key not in watch.verdicts()
            assert len(watch.verdicts()) == len(NAMES) - 2


async def test_expired_jwt(nats_version: str) -> None:
    """An account that expires in use stays as long as a server has it loaded."""
    fleet = Fleet()
    server = an_operator_server(
        fleet.operator, version=nats_version, full_resolver=True
    )
    async with server:
        sources = [{"resolver_dir": str(server.folder / "jwt")}]
        async with watching([server.monitoring_url], inventory=sources) as watch:
            await use(server, fleet.used)
            await watch.cycles()
            fleet.operator.sign_account(fleet.used, exp=int(time.time()) + 2)
            await push(server, fleet.operator, fleet.used)
            file = server.folder / "jwt" / f"{fleet.used.public_key}.jwt"

            async def is_expired() -> bool:
                path = f"/accountz?acc={fleet.used.public_key}"
                return "expired" in (await server.read(path))["account_detail"]

            await server.until(is_expired, "lets the JWT expire")
            # Within a minute the server does the same, which is long for a test.
            file.unlink(missing_ok=True)
            await watch.cycles(THRESHOLD_CYCLES + 2)

            expired = watch.account(fleet.used.public_key)
            assert expired.inventory is Inventory.SERVERS_ONLY
            assert expired.verdict is Verdict.INACTIVE
            assert expired.last_evidence is not None


async def test_use_of_an_account_that_was_never_loaded(nats_version: str) -> None:
    """A connection without a message makes an inactive account active."""
    fleet = Fleet()
    server = an_operator_server(
        fleet.operator, version=nats_version, full_resolver=True
    )
    async with server:
        sources = [{"resolver_dir": str(server.folder / "jwt")}]
        async with watching([server.monitoring_url], inventory=sources) as watch:
            await watch.cycles(THRESHOLD_CYCLES + 2)
            assert watch.account(fleet.used.public_key).verdict is Verdict.INACTIVE
            async with connected(server, creds=credentials(fleet.used)):
                pass
            await watch.cycles(2)

            account = watch.account(fleet.used.public_key)
            assert account.verdict is Verdict.ACTIVE
            assert account.last_evidence is not None
            assert account.last_evidence.kind is EvidenceKind.CLOSED_CONNECTION


async def test_hostile_inventory(nats_version: str, tmp_path: Path) -> None:
    """Broken JWTs, names and a folder that vanishes change no verdict, and are told."""
    fleet = Fleet()
    server = an_operator_server(
        fleet.operator, version=nats_version, full_resolver=True
    )
    folder = tmp_path / "jwt"
    folder.mkdir()
    for account in fleet.accounts:
        token = fleet.operator.accounts[account.public_key]
        (folder / f"{account.public_key}.jwt").write_text(token)
    file = tmp_path / "accounts.yaml"
    file.write_text('["no key", "$G", "PAYMENTS"]')
    async with server:
        await use(server, fleet.used)
        sources = [{"resolver_dir": str(folder)}, {"accounts_file": str(file)}]
        async with watching([server.monitoring_url], inventory=sources) as watch:
            await watch.cycles(THRESHOLD_CYCLES + 2)
            before = watch.verdicts()
            assert len(before) == len(NAMES)
            broken = folder / f"{fleet.used.public_key}.jwt"
            broken.write_text("hunter2")
            (folder / f"{fleet.accounts[0].public_key}.jwt").write_text("a.b.c" * 10)
            await watch.cycles(5)
            skipped = {e.source: e.skipped for e in watch.snapshot.inventories}
            assert watch.verdicts() == before
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()
            await watch.cycles(5)

            failed, by_hand = watch.snapshot.inventories
            assert watch.verdicts() == before
            assert skipped == {failed.source: 2, by_hand.source: 3}
            assert (failed.is_up, failed.accounts) == (False, len(NAMES))
            assert "No such file or directory" in failed.last_error
            assert "hunter2" not in str(watch.snapshot.inventories)
