"""The daemon as a process, while servers are killed and the network is cut."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.chaos.islands import FAR, PROGRAM, Islands, islands
from tests.chaos.pages import BACKED, FLAGS, HELD, RAISED, until
from tests.support.daemon import Daemon
from tests.support.programs import require_program
from tests.support.servers import NEWEST, binary
from tests.support.topology import a_cluster, accounts_config, running

pytestmark = [pytest.mark.live, pytest.mark.no_cover]

FETCH = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode())"


async def test_killed_servers() -> None:
    """Servers that are killed at once neither end the daemon nor move a verdict."""
    servers = a_cluster("TEAM")
    flags = [f"--nats.endpoint={server.monitoring_url}" for server in servers]
    async with running(*servers):
        with Daemon(*FLAGS, *flags) as daemon:
            await until(BACKED, daemon.page)
            for server in servers:
                await server.kill()
            held = await until(HELD, daemon.page)
            for server in servers:
                await server.start()
            back = await until(BACKED, daemon.page)

            assert re.search(RAISED, held, re.MULTILINE)
            assert re.search(RAISED, back, re.MULTILINE)
            assert daemon.end(signal.SIGTERM) == 0
            log = "".join(daemon.lines)
            assert log.count("reason=unreachable") == len(servers)
            assert log.count('msg="poll recovered"') == len(servers)


@pytest.fixture
def places() -> Iterator[Islands]:
    """Two network namespaces with a cable between them."""
    require_program(PROGRAM)
    with ExitStack() as stack:
        try:
            made = stack.enter_context(islands())
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces: {error.stderr.decode().strip()}")
        yield made


@contextmanager
def far_server(places: Islands, folder: Path) -> Iterator[str]:
    """Run a server at the far end; return its URL."""
    config = accounts_config("TEAM") | {"http": f"{FAR}:8222", "listen": f"{FAR}:4222"}
    path = folder / "nats.conf"
    path.write_text("".join(f"{k}: {json.dumps(v)}\n" for k, v in config.items()))
    command = [*places.far, str(binary(NEWEST)), "-c", str(path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield f"http://{FAR}:8222"
        finally:
            process.kill()


async def test_a_network_that_is_cut(places: Islands, tmp_path: Path) -> None:
    """What is lost on the way is a timeout; the daemon goes on when it is back."""
    with (
        far_server(places, tmp_path) as url,
        Daemon(*FLAGS, f"--nats.endpoint={url}", within=places.near) as daemon,
    ):

        def page() -> str:
            command = [*places.near, sys.executable, "-c", FETCH]
            metrics = f"{daemon.url}/metrics"
            return subprocess.check_output([*command, metrics], text=True)

        await until(BACKED, page)
        places.cut()
        held = await until(HELD, page)
        places.mend()
        back = await until(BACKED, page)

        assert re.search(RAISED, held, re.MULTILINE)
        assert re.search(RAISED, back, re.MULTILINE)
        assert daemon.end(signal.SIGTERM) == 0
        log = "".join(daemon.lines)
        assert "reason=timeout" in log
        assert 'msg="poll recovered"' in log
