"""A system of operator mode in which one account is on its way out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nats_idle_exporter.removal.facts import Import, Importer, Told
from nats_idle_exporter.removal.wayout import Command, Place, Resolver, WayOut, way_out
from tests.removal.cases import NOW, a_case, a_dossier
from tests.removal.ways import the_step
from tests.support.jwts import Identity, Operator, credentials
from tests.support.printed import USED, limits, purge, run, words
from tests.support.resolver import delete, push
from tests.support.topology import an_operator_server

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
