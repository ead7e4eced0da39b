"""The checklist: every item in pass and in fail, each turned by a real change."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nkeys  # type: ignore[import-untyped]  # it ships no types
import pytest
import yaml

from nats_idle_exporter.config import parse_config
from nats_idle_exporter.removal.dossier import Check, Outcome, Removability
from tests.support.clients import add_stream, connected
from tests.support.jwts import Identity, Operator, credentials
from tests.support.resolver import push
from tests.support.topology import a_single, an_operator_server, running
from tests.support.watching import Watching, watching_as

if TYPE_CHECKING:
    from nats.aio.client import Client

    from tests.support.natsserver import NatsServer

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

THRESHOLD_SECONDS = 90
MOST_CYCLES = 12
SHUT = {"max_connections": 0, "max_leafnodes": 0}
API = "$JS.API.>"
UNBOUND = dict.fromkeys(
    ("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1
)


class Case:
    """One account under watch; ``seen`` is how each item was seen to stand."""

    def __init__(self, watch: Watching, account: str, registry: Path) -> None:
        self._watch = watch
        self._account = account
        self._registry = registry
        self.seen: set[tuple[Check, Outcome]] = set()

    async def turns(self, **wanted: str) -> None:
        """Run cycles until items stand as wanted; give up after a few."""
        for _ in range(MOST_CYCLES):
            await self._watch.cycles()
            found = {item.check: item.outcome for item in self._dossier.items}
            self.seen |= set(found.items())
            if all(found[Check(check)] == outcome for check, outcome in wanted.items()):
                return
        raise AssertionError(f"never {wanted}: {self._dossier.items}")

    def rule(self, **keys: Any) -> None:
        """Change what the registry says of the account."""
        self._registry.write_text(yaml.safe_dump([{"match": self._account, **keys}]))
        assert self._watch.rules.refresh()

    @property
    def _dossier(self) -> Any:
        return self._watch.dossier(self._account)

    @property
    def removability(self) -> Removability:
        """Whether it may go."""
        return Removability(self._dossier.removability)

    def importers(self) -> list[tuple[str, str]]:
        """Return who imports from it, and who told."""
        importers = self._dossier.facts.importers
        return [(each.account, str(each.told)) for each in importers]


@asynccontextmanager
async def a_case(
    server: NatsServer, account: str, inventory: list[dict[str, str]], folder: Path
) -> AsyncIterator[Case]:
    """Watch an account of a server, with a registry file that may change."""
    registry = folder / "registry.yaml"
    registry.write_text(yaml.safe_dump([{"match": account, "owner": "ann"}]))
    system = {
        "endpoints": [server.monitoring_url],
        "inventory": inventory,
        "refresh_interval": "30s",
    }
    config = {
        "systems": [system],
        "poll": {"interval": "30s", "jetstream_interval": "30s"},
        "inactivity": {"threshold": f"{THRESHOLD_SECONDS}s"},
        "registry_file": str(registry),
    }
    async with watching_as(parse_config(yaml.safe_dump(config)), questions=50) as watch:
        yield Case(watch, account, registry)


def every_item(outcomes: Iterable[Outcome]) -> set[tuple[Check, Outcome]]:
    """Return every item with each of these outcomes."""
    return {(check, outcome) for outcome in outcomes for check in Check}


def logged_in(
    server: NatsServer, creds: str | None, account: str = "OLD"
) -> AbstractAsyncContextManager[Client]:
    """Log in by credentials, or in configuration mode as an account's user."""
    return connected(server, None if creds else account, creds=creds)


async def use(case: Case, server: NatsServer, creds: str | None = None) -> None:
    """Log in, and leave again."""
    async with logged_in(server, creds):
        await case.turns(connections="fail", use="fail")
    await case.turns(connections="pass", use="fail", watched="fail")


async def keep_a_stream(
    case: Case, server: NatsServer, creds: str | None = None
) -> None:
    """Create a stream, and delete it."""
    async with logged_in(server, creds) as client:
        await add_stream(client, "ORDERS", ["orders"])
        await case.turns(streams="fail")
        await client.jetstream().delete_stream("ORDERS")
    await case.turns(streams="pass")


async def approve(case: Case) -> None:
    """Exempt, let the exemption end, and approve."""
    exempt = {"until": "2999-01-01", "reason": "audit", "by": "bob"}
    case.rule(owner="ann", exempt=exempt)
    await case.turns(exemption="fail", approval="fail")
    case.rule(owner="ann", exempt={**exempt, "until": "2001-01-01"})
    await case.turns(exemption="pass")
    case.rule(owner="ann", decommission={"approved_by": "ann"})
    await case.turns(approval="pass")


async def test_in_configuration_mode(nats_version: str, tmp_path: Path) -> None:
    """Each change is made in the server's file, or by a client."""
    server = a_single("OLD", "APP", version=nats_version, jetstream=["OLD", "APP"])
    old, app = (server.config["accounts"][name] for name in ("OLD", "APP"))
    old["exports"] = [{"service": API}, {"stream": "deliver.>"}]
    inventory = [{"nats_config": str(server.folder / "nats.conf")}]
    async with running(server), a_case(server, "OLD", inventory, tmp_path) as case:
        await use(case, server)
        await keep_a_stream(case, server)
        old["jetstream"] = {"max_memory": 1_048_576, "max_file": 1_048_576}
        await server.reload()
        await case.turns(reserved="fail")
        old["jetstream"] = "enabled"
        await server.reload()
        await case.turns(reserved="pass", importers="pass", copies="pass")
        app["imports"] = [
            {"service": {"account": "OLD", "subject": API}, "to": "JS.OLD.API.>"},
            {"stream": {"account": "OLD", "subject": "deliver.>"}},
        ]
        await server.reload()
        await case.turns(importers="fail")
        await mirror_from_old(case, server)
        del app["imports"]
        await server.reload()
        await case.turns(importers="pass")
        # Not by a reload, which servers refuse for this key.
        await server.stop()
        server.config["no_auth_user"] = "OLD"
        await server.start()
        await case.turns(role="fail")
        await server.stop()
        del server.config["no_auth_user"]
        await server.start()
        await case.turns(role="pass", credentials="fail")
        old["limits"] = SHUT
        await server.reload()
        await case.turns(credentials="pass", watched="pass", use="pass")
        await approve(case)
        await case.turns(**dict.fromkeys(Check, "pass"))

    assert case.removability is Removability.SAFE
    assert case.seen >= every_item([Outcome.PASS, Outcome.FAIL])


async def mirror_from_old(
    case: Case, server: NatsServer, creds: str | None = None
) -> None:
    """Mirror a stream of the account into another one's, and delete both."""
    source = {"api": "JS.OLD.API", "deliver": "deliver.app"}
    config = {"name": "M", "mirror": {"name": "ORDERS", "external": source}}
    async with logged_in(server, creds, "APP") as client:
        asked = json.dumps(config).encode()
        answer = await client.request("$JS.API.STREAM.CREATE.M", asked)
        assert b'"error"' not in answer.data, answer.data
        await case.turns(copies="fail")
        await client.jetstream().delete_stream("M")
    await case.turns(copies="pass")


async def test_in_operator_mode(nats_version: str, tmp_path: Path) -> None:
    """Each change is made by a JWT that is issued anew, or by a client."""
    operator = Operator()
    exports = [
        {"name": "api", "subject": API, "type": "service"},
        {"name": "deliver", "subject": "deliver.>", "type": "stream"},
    ]
    old, app = operator.add_account("OLD"), operator.add_account("APP")
    server = an_operator_server(operator, version=nats_version, full_resolver=True)
    server.config["jetstream"] = {"store_dir": str(server.folder / "js")}
    inventory = [
        {"resolver_dir": str(server.folder / "jwt")},
        # Whether clients without credentials have an account stands there only.
        {"nats_config": str(server.folder / "nats.conf")},
    ]
    key, stored = old.public_key, {"mem_storage": -1, "disk_storage": -1}

    async def issue(account: Identity, **claims: Any) -> None:
        limits = claims.pop("limits", {})
        told = {**UNBOUND, **stored, **limits}
        operator.sign_account(account, claims={"limits": told, **claims})
        await push(server, operator, account)

    async with running(server), a_case(server, key, inventory, tmp_path) as case:
        await issue(old, exports=exports)
        await issue(app)
        await use(case, server, credentials(old))
        await keep_a_stream(case, server, credentials(old))
        await issue(old, exports=exports, limits={"disk_storage": 1_048_576})
        await case.turns(reserved="fail")
        await issue(old, exports=exports)
        await case.turns(reserved="pass", importers="pass", copies="pass")
        imports = [
            {
                "name": "api",
                "subject": API,
                "account": key,
                "type": "service",
                "local_subject": "JS.OLD.API.>",
            },
            {"name": "d", "subject": "deliver.>", "account": key, "type": "stream"},
        ]
        await issue(app, imports=imports)
        await case.turns(importers="fail")
        unloaded = case.importers()
        await mirror_from_old(case, server, credentials(app))
        await issue(app)
        await case.turns(importers="pass")
        user = Identity(nkeys.PREFIX_BYTE_USER, "u").public_key
        await issue(old, exports=exports, authorization={"auth_users": [user]})
        await case.turns(role="fail")
        await issue(old, exports=exports)
        await case.turns(role="pass", credentials="fail")
        await issue(old, exports=exports, limits={"conn": 0, "leaf": 0})
        await case.turns(credentials="pass", watched="pass", use="pass")
        await approve(case)
        await case.turns(**dict.fromkeys(Check, "pass"))

    assert unloaded == [(app.public_key, "inventory")]
    assert case.removability is Removability.SAFE
    assert case.seen >= every_item([Outcome.PASS, Outcome.FAIL])
