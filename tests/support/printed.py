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

from tests.support.clients import connected
from tests.support.servers import binary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nats_idle_exporter.removal.wayout import Command, Snippet, Step
    from tests.support.natsserver import NatsServer

STAYS = "# what stands here already stays"
"""The line of a snippet in whose place the rest of the block belongs."""


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


def _body(block: object) -> str:
    assert isinstance(block, dict)
    return "\n".join(f"  {key}: {json.dumps(value)}" for key, value in block.items())
