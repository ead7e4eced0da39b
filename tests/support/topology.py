"""Build the kinds of NATS systems that the tests watch.

Every builder returns servers that do not run yet; `running` starts them, waits
until they know each other, and ends them. In configuration mode each account
has one user of the account's name with the password `PASSWORD`.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.support.natsserver import NatsServer
from tests.support.servers import NEWEST

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from tests.support.jwts import Operator

PASSWORD = "secret"  # noqa: S105 - a password of servers that live for one test


@asynccontextmanager
async def running(*servers: NatsServer) -> AsyncIterator[None]:
    """Start servers, wait until they are `ready`, and end them."""
    async with AsyncExitStack() as stack:
        for server in servers:
            stack.push_async_callback(server.close)
        for server in servers:
            # One by one: when all dial each other at once, 2.10 may found
            # JetStream's meta group with the two that met first, for good.
            await server.start()
        for server in servers:
            await ready(server)
        yield


async def ready(server: NatsServer) -> None:
    """Return once a server has its routes, its leaf links and its streams."""
    others = len(server.config.get("cluster", {}).get("routes", ())) - 1
    remotes = len(server.config.get("leafnodes", {}).get("remotes", ()))

    async def connected() -> bool:
        routes = (await server.read("/routez"))["routes"]
        leafs = (await server.read("/leafz"))["leafnodes"]
        return len({route["remote_id"] for route in routes}) >= others and (
            leafs >= remotes
        )

    async def led() -> bool:
        jetstream = await server.read("/jsz")
        healthy = await server.status("/healthz") == 200
        return healthy and bool(others < 1 or jetstream["meta_cluster"].get("leader"))

    await server.until(connected, "meets its peers")
    if "jetstream" in server.config:
        await server.until(led, "finds JetStream's leader")


def accounts_config(
    *accounts: str,
    jetstream: Iterable[str] = (),
    system_account: str | None = None,
) -> dict[str, Any]:
    """Return the part of a configuration that names accounts.

    Without any account there is no ``accounts`` block, so that ``$G`` is the
    only tenant.
    """
    names = [*accounts, *([system_account] if system_account else [])]
    config: dict[str, Any] = {}
    if names:
        config["accounts"] = {
            name: {
                "users": [{"user": name, "password": PASSWORD}],
                **({"jetstream": "enabled"} if name in jetstream else {}),
            }
            for name in names
        }
    if system_account:
        config["system_account"] = system_account
    return config


def a_single(
    *accounts: str,
    version: str = NEWEST,
    jetstream: Iterable[str] = (),
    system_account: str | None = None,
    name: str = "n1",
) -> NatsServer:
    """Return one server in configuration mode; `jetstream` names accounts."""
    config = accounts_config(
        *accounts, jetstream=jetstream, system_account=system_account
    )
    server = NatsServer(config, version=version, name=name)
    if jetstream:
        server.config["jetstream"] = {"store_dir": str(server.folder / "js")}
    return server


def a_cluster(
    *accounts: str,
    size: int = 3,
    version: str = NEWEST,
    jetstream: Iterable[str] = (),
    system_account: str | None = None,
) -> tuple[NatsServer, ...]:
    """Return the servers ``n1``, ``n2``, ... of one cluster ``C1``."""
    servers = tuple(
        a_single(
            *accounts,
            version=version,
            jetstream=jetstream,
            system_account=system_account,
            name=f"n{number}",
        )
        for number in range(1, size + 1)
    )
    join(*servers)
    return servers


def join(*servers: NatsServer) -> None:
    """Make servers that do not run yet one cluster ``C1``."""
    routes = [f"nats://127.0.0.1:{server.cluster.number}" for server in servers]
    for server in servers:
        server.config["cluster"] = {
            "name": "C1",
            "listen": f"127.0.0.1:{server.cluster.number}",
            "routes": routes,
        }


def a_hub_and_leaf(
    *accounts: str, version: str = NEWEST
) -> tuple[NatsServer, NatsServer]:
    """Return a hub and a leaf server.

    The leaf's account ``LOCAL`` is linked to the hub's first account.
    """
    hub = a_single(*accounts, version=version, name="hub")
    hub.config["leafnodes"] = {"listen": f"127.0.0.1:{hub.leaf.number}"}
    leaf = a_single("LOCAL", version=version, name="leaf")
    url = f"nats-leaf://{accounts[0]}:{PASSWORD}@127.0.0.1:{hub.leaf.number}"
    leaf.config["leafnodes"] = {"remotes": [{"url": url, "account": "LOCAL"}]}
    return hub, leaf


def an_operator_server(
    operator: Operator,
    *,
    version: str = NEWEST,
    full_resolver: bool = False,
    name: str = "n1",
) -> NatsServer:
    """Return one server in operator mode that can resolve the operator's accounts.

    The accounts are preloaded in memory, or lie as files in its folder's ``jwt``
    with `full_resolver`. What the operator adds later is not known to it.
    """
    server = NatsServer(
        {
            "operator": operator.jwt,
            "system_account": operator.system_account.public_key,
        },
        version=version,
        name=name,
    )
    if full_resolver:
        folder = server.folder / "jwt"
        folder.mkdir()
        for key, token in operator.accounts.items():
            (folder / f"{key}.jwt").write_text(token)
        server.config["resolver"] = {
            "type": "full",
            "dir": str(folder),
            "allow_delete": True,
            "interval": "2m",
        }
    else:
        server.config["resolver"] = "MEMORY"
        server.config["resolver_preload"] = dict(operator.accounts)
    return server
