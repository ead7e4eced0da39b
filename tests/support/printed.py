"""Do on real servers what the way out prints: its lines, and its snippets.

The lines of `curl` and `nats-server` are run as they are, in a real shell, with the
placeholders filled in. `nats` and `nsc` are not here: what they would do is done with
the values that stand in their lines.
"""

from __future__ import annotations

import asyncio
import json
import shlex
import subprocess
from typing import TYPE_CHECKING

from nats_idle_exporter.removal.facts import Holdings, Import, Importer, Limits, Told
from nats_idle_exporter.removal.wayout import Place, way_out
from tests.removal.cases import NOW, a_case, a_dossier
from tests.removal.ways import the_step
from tests.support.clients import connected
from tests.support.servers import binary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nats_idle_exporter.removal.wayout import Command, Snippet, Step, WayOut
    from tests.support.natsserver import NatsServer

OK = '{"status":"ok"} 200'
REFUSED = b"-ERR 'maximum account active connections exceeded'"
USED = Holdings(streams=1, names=("ORDERS",), reserved_storage_bytes=1024, as_of_at=NOW)
STAYS = "# what stands here already stays"
"""The line of a snippet in whose place the rest of the block belongs."""


def the_way(
    *servers: NatsServer, account: str = "TEAM", limits: Limits | None = None
) -> WayOut:
    """Return the way out of an account that ``SHOP`` imports from."""
    imports = (Import(account, "orders.>", "service"),)
    importer = Importer("SHOP", "SHOP", "inactive", imports, Told.BOTH)
    case = a_case(
        account=account,
        name=account,
        holdings=USED,
        importers=(importer,),
        limits=limits,
    )
    place = Place(monitoring_urls=tuple(each.monitoring_url for each in servers))
    return way_out(a_dossier(case), NOW, place)


async def run(server: NatsServer, *commands: Command) -> str:
    """Run printed lines at a server, one by one; return all they said.

    Raises:
        AssertionError: a line failed.
    """
    programs = server.folder / "bin"
    programs.mkdir(exist_ok=True)
    program = programs / "nats-server"
    if not program.exists():
        program.symlink_to(binary(server.version))
    said = []
    for command in commands:
        text = command.text.replace("=PID", f"={server.pid}")
        text = text.replace("CONFIG_FILE", str(server.folder / "nats.conf"))
        done = await asyncio.to_thread(
            subprocess.run,
            ["/bin/sh", "-c", text],
            env={"PATH": f"{programs}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command.text}: {done.stderr}"
        said.append(done.stdout)
    return "".join(said)


def write(
    server: NatsServer,
    block: Snippet | None = None,
    account: str = "",
    more: str = "",
) -> None:
    """Write a server's configuration, with a printed block for one account.

    What the server's own `config` says of the account is put where the snippet says
    that it stays. `more` is text that stands behind the other accounts.
    """
    config = dict(server.config)
    accounts = dict(config.pop("accounts"))
    texts = [more]
    if block is not None:
        assert block.text.count(STAYS) == 1
        texts.append(block.text.replace(STAYS, _body(accounts.pop(account))))
    texts += [f"{json.dumps(key)}: {{\n{_body(accounts[key])}\n}}" for key in accounts]
    whole, server.config = server.config, config
    try:
        server._write_config()
    finally:
        server.config = whole
    with (server.folder / "nats.conf").open("a", encoding="utf-8", newline="") as file:
        file.write("accounts: {\n" + "\n".join(texts) + "\n}\n")


async def change(
    server: NatsServer,
    commands: Iterable[Command],
    block: Snippet | None = None,
    account: str = "",
    more: str = "",
) -> None:
    """Write the configuration, and reload it by the printed lines; wait until it is."""
    before = (await server.read("/varz"))["config_load_time"]
    write(server, block, account, more)
    await run(server, *commands)

    async def reloaded() -> bool:
        return bool((await server.read("/varz"))["config_load_time"] != before)

    await server.until(reloaded, "reloads its configuration")


async def purge(server: NatsServer, step: Step, **system: str) -> None:
    """Purge the account that a printed line names, as the nats CLI does."""
    account = words(step.commands, "purge")[-1]
    async with connected(server, **system) as client:
        answer = await client.request(f"$JS.API.ACCOUNT.PURGE.{account}", timeout=5)
    assert json.loads(answer.data)["initiated"]


def words(commands: Iterable[Command], word: str) -> list[str]:
    """Return the words of the first line that has one."""
    lines = [shlex.split(each.text) for each in commands]
    return next(line for line in lines if word in line)


def limits(commands: Iterable[Command]) -> dict[str, int]:
    """Return the limits that a line of nsc sets, in the words of a JWT."""
    flags = dict(
        word.lstrip("-").split("=", 1)
        for word in words(commands, "edit")
        if "=" in word
    )
    names = {
        "conns": "conn",
        "leaf-conns": "leaf",
        "js-mem-storage": "mem_storage",
        "js-disk-storage": "disk_storage",
    }
    return {names[flag]: int(flags[flag]) for flag in names if flag in flags}


async def assert_well(server: NatsServer, way: WayOut) -> None:
    """Hold that the last look finds nothing, before and after a restart."""
    look = the_step(way, "Look once more").checks
    assert OK in await run(server, *look)

    await server.restart()

    assert OK in await run(server, *look)


def _body(block: object) -> str:
    assert isinstance(block, dict)
    return "\n".join(f"  {key}: {json.dumps(value)}" for key, value in block.items())
