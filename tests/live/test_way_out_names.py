"""The printed way out of accounts with odd names, done on real servers."""

from __future__ import annotations

import json
from pathlib import Path

import nats.errors
import pytest

from nats_idle_exporter.removal.wayout import WayOut
from nats_idle_exporter.removal.wayout.making import reloads
from tests.removal.hostile import PRINTABLE, UNPRINTABLE
from tests.removal.ways import the_step
from tests.support.clients import add_stream, connected
from tests.support.natsserver import NatsServer
from tests.support.printed import OK, STAYS, assert_well, change, run, the_way
from tests.support.topology import a_single, running

pytestmark = pytest.mark.live


async def test_a_name_that_no_purge_can_say(nats_version: str) -> None:
    """Its streams are deleted one by one, and then it may go like any other."""
    one = a_single(
        "my.team", version=nats_version, jetstream=["my.team"], system_account="SYS"
    )
    async with running(one):
        way = the_way(one, account="my.team")
        async with connected(one, "my.team") as client:
            await add_stream(client, "ORDERS", ["o.>"])
            async with connected(one, "SYS") as system:
                with pytest.raises(nats.errors.Error):
                    await system.request("$JS.API.ACCOUNT.PURGE.my.team", timeout=0.5)
            step = the_step(way, "Purge")
            name = step.commands[0].text.split()[-1]
            await client.jetstream().delete_stream(name)
        assert "stream_detail" not in await run(one, *step.checks)
        streams = one.folder / "js" / "jetstream" / "my.team" / "streams"

        async def are_gone() -> bool:
            return is_empty(streams)

        await one.until(are_gone, "deletes the files")

        off = the_step(way, "Turn its JetStream off")
        one.config["accounts"]["my.team"].pop("jetstream")
        await change(one, off.commands, off.snippets[0], "my.team")
        assert OK in await run(one, *off.checks)

        one.config["accounts"].pop("my.team")
        await change(one, the_step(way, "Delete the account").commands)

        await assert_well(one, way)


def is_empty(folder: Path) -> bool:
    """Say whether nothing is in a folder, or it is gone."""
    return not folder.exists() or not list(folder.iterdir())


def own_block(way: WayOut, name: str) -> str:
    """Return a block with exports for a name: the printed one where there is one."""
    exports = 'exports: [{ service: ">" }]'
    if name in PRINTABLE:
        return (
            the_step(way, "Let nobody connect").snippets[0].text.replace(STAYS, exports)
        )
    return f'"{name}": {{ {exports} }}'


async def test_hostile_names(nats_version: str) -> None:
    """A real server reads each printed block and import as just the name it has."""
    # A key of a configuration that has both kinds of quotes is none.
    names = [*PRINTABLE, *(name for name in UNPRINTABLE if '"' not in name)]
    one = a_single("SYS", version=nats_version, system_account="SYS")
    async with running(one):
        ways = {name: the_way(one, account=name) for name in names}
        imports = {
            name: the_step(way, "Remove the imports").snippets[0].text
            for name, way in ways.items()
        }
        blocks = [
            *(own_block(ways[name], name) for name in names),
            *(
                f"I{number}: {{ imports: [ {imports[name]} ] }}"
                for number, name in enumerate(names)
            ),
        ]
        await change(one, (reloads(),), more="\n".join(blocks))

        listed = set((await one.read("/accountz"))["accounts"])
        importers = {f"I{number}" for number in range(len(names))}
        assert listed == {*names, *importers, "SYS", "$G"}
        for number, name in enumerate(names):
            assert await exporters(one, f"I{number}") == {name}
            check = the_step(ways[name], "Let nobody connect").checks[0]
            answer = (await run(one, check)).rsplit(" ", 1)[0]
            assert json.loads(answer)["account_detail"]["account_name"] == name


async def exporters(server: NatsServer, account: str) -> set[str]:
    """Return from whom an account imports, beside the system account."""
    detail = (await server.read(f"/accountz?acc={account}"))["account_detail"]
    return {each["account"] for each in detail["imports"]} - {"SYS"}
