"""Run one real nats-server on loopback, and hurt it on purpose.

A server keeps its ports and its folder from its making to its `close`, so that
it can be killed and started again as the same endpoint. Leave it by its context
manager: whatever state it is in then (dead, paused, in trouble), it is ended by
its process id.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from nats_idle_exporter.demo.ports import ReservedPort
from tests.support.certificates import Authority, Pair
from tests.support.servers import NEWEST, binary

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from types import TracebackType

_ATTEMPTS = 400
_STEP_SECONDS = 0.05


class Certificates(NamedTuple):
    """A server's own certificate, and who vouches for it."""

    authority: Authority
    pair: Pair


class ServerTroubleError(Exception):
    """A server did not do what a test waits for; holds the end of its log."""


class NatsServer:
    """One nats-server process and its place: ports, folder, configuration.

    Args:
        config: what stands in its configuration beside name and ports; kept in
            `config`, which a test may change before `start` or `reload`.
        version: one of the pinned versions.
        name: the ``server_name``.
        program: another nats-server than the pinned ones.
        certificates: what it serves TLS with, to clients and to who polls it.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        *,
        version: str = NEWEST,
        name: str = "n1",
        program: Path | None = None,
        certificates: Certificates | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.config: dict[str, Any] = dict(config or {})
        self.client, self.monitoring, self.cluster, self.leaf = self._ports = tuple(
            ReservedPort() for _ in range(4)
        )
        self.host = "127.0.0.1"
        """Where it is polled: another loopback address may be set before a start."""
        self._folder = tempfile.TemporaryDirectory(prefix=f"nats-{name}-")
        self._program = program or binary(version)
        self._certificates = certificates
        self._process: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        return f"<NatsServer {self.name} {self.version} {self.url}>"

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"nats://127.0.0.1:{self.client.number}"

    @property
    def monitoring_url(self) -> str:
        """The address that the exporter polls."""
        scheme = "https" if self._certificates else "http"
        return f"{scheme}://{self.host}:{self.monitoring.number}"

    @property
    def folder(self) -> Path:
        """The server's own folder: configuration, log, streams."""
        return Path(self._folder.name)

    @property
    def log(self) -> str:
        """All it logged, over all its processes."""
        return self._log_path.read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self) -> int:
        """The id of the running process."""
        return self._running().pid

    async def start(self) -> None:
        """Start a process, and return once it answers ``/varz``."""
        if self._process is not None:
            raise ServerTroubleError(f"{self!r} runs already")
        self._write_config()
        self._process = self._spawn()
        await self.until(self._answers, "answers /varz")

    async def stop(self) -> None:
        """End the process as an operator does, with SIGTERM; also a paused one."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End the process at once, with SIGKILL."""
        await self._end(signal.SIGKILL)

    async def restart(self) -> None:
        """Stop the process and start its successor on the same ports."""
        await self.stop()
        await self.start()

    def pause(self) -> None:
        """Freeze the process: its sockets stay open and nothing answers."""
        self._running().send_signal(signal.SIGSTOP)
        # Its threads may run on for a moment: wait for the kernel's word, unreaped.
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        """Let a paused process go on."""
        self._running().send_signal(signal.SIGCONT)

    async def reload(self) -> None:
        """Write `config` and let the server read it; return once it did."""
        before = (await self.read("/varz"))["config_load_time"]
        self._write_config()
        self._running().send_signal(signal.SIGHUP)

        async def reloaded() -> bool:
            return bool((await self.read("/varz"))["config_load_time"] != before)

        await self.until(reloaded, "reloads its configuration")

    async def read(self, path: str) -> dict[str, Any]:
        """Return the JSON body of a monitoring path.

        Raises:
            OSError: nothing answers within two seconds.
            ServerTroubleError: the answer is not a 200.
        """
        status, body = await asyncio.to_thread(self._fetch, path)
        if status != http.client.OK:
            raise ServerTroubleError(f"{self!r} {path}: {status} {body!r}")
        decoded: dict[str, Any] = json.loads(body)
        return decoded

    async def status(self, path: str) -> int:
        """Return the HTTP status of a monitoring path."""
        return (await asyncio.to_thread(self._fetch, path))[0]

    async def until(self, holds: Callable[[], Awaitable[bool]], what: str) -> None:
        """Return once a condition holds; give up after a fixed number of tries."""
        for _ in range(_ATTEMPTS):
            if self._running().poll() is not None:
                break
            if await holds():
                return
            await asyncio.sleep(_STEP_SECONDS)
        raise ServerTroubleError(f"{self!r} never {what}; log:\n{self.log[-2000:]}")

    async def close(self) -> None:
        """End what runs, and give back ports and folder."""
        if self._process is not None:
            await self.kill()
        for port in self._ports:
            port.close()
        self._folder.cleanup()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def _log_path(self) -> Path:
        return self.folder / "server.log"

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ServerTroubleError(f"{self!r} does not run")
        return self._process

    def _write_config(self) -> None:
        secure = self._certificates
        config: dict[str, Any] = {
            "server_name": self.name,
            "listen": f"127.0.0.1:{self.client.number}",
            "https" if secure else "http": f"{self.host}:{self.monitoring.number}",
            **self.config,
        }
        if secure:
            cert, key = map(str, secure.pair)
            config["tls"] = {"cert_file": cert, "key_file": key}
        # The server's own format takes JSON as a value behind each key.
        lines = [f"{key}: {json.dumps(value)}\n" for key, value in config.items()]
        (self.folder / "nats.conf").write_text("".join(lines), encoding="utf-8")

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = [str(self._program), "-c", str(self.folder / "nats.conf")]
        with self._log_path.open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)

    async def _end(self, number: signal.Signals) -> None:
        process, self._process = self._running(), None
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        try:
            await asyncio.to_thread(process.wait, 10)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)
            raise ServerTroubleError(f"{self!r} ignored {number.name}") from None

    async def _answers(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            await self.read("/varz")
            return True
        return False

    def _fetch(self, path: str) -> tuple[int, bytes]:
        where = (self.host, self.monitoring.number)
        connection = (
            http.client.HTTPSConnection(
                *where, timeout=2, context=self._certificates.authority.client_context()
            )
            if self._certificates
            else http.client.HTTPConnection(*where, timeout=2)
        )
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()
