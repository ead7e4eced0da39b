"""Child processes that never outlive the demonstration."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from nats_idle_exporter.errors import StartError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from pathlib import Path

_ATTEMPTS = 600
_STEP_SECONDS = 0.05
_GRACE_SECONDS = 5
_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execvp(sys.argv[2], sys.argv[2:])
"""
"""Becomes a program that Linux kills when its parent is gone (PR_SET_PDEATHSIG)."""


class Child:
    """One child process whose output goes to a file; made by `running`."""

    def __init__(
        self, name: str, log_path: Path, process: subprocess.Popen[bytes]
    ) -> None:
        self.name = name
        self._log_path = log_path
        self._process = process

    def __repr__(self) -> str:
        return f"<Child {self.name} {self._process.pid}>"

    def check(self) -> None:
        """Raise `StartError` with its last line when the process has ended."""
        if self._process.poll() is not None:
            raise self.trouble("ended")

    def trouble(self, what: str) -> StartError:
        """Return an error that says what this child did, and its last line."""
        lines = self._log_path.read_text(errors="replace").splitlines() or ["none"]
        return StartError(f"{self.name} {what}; its last line: {lines[-1]}")

    def pause(self) -> None:
        """Freeze the process: it stays connected and answers nothing."""
        self._process.send_signal(signal.SIGSTOP)
        # Its threads may run on for a moment: wait for the kernel's word, unreaped.
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        """Let a paused process go on."""
        self._process.send_signal(signal.SIGCONT)

    async def until(
        self,
        holds: Callable[[], Awaitable[bool]],
        what: str,
        *,
        attempts: int = _ATTEMPTS,
    ) -> None:
        """Return once a condition holds.

        Raises:
            StartError: the child ended, or the condition did not come in time.
        """
        for _ in range(attempts):
            self.check()
            if await holds():
                return
            await asyncio.sleep(_STEP_SECONDS)
        raise self.trouble(f"never {what}")

    async def end(self, grace_seconds: float = _GRACE_SECONDS) -> int:
        """End the process by its id, also a paused one; return its exit code."""
        self._process.terminate()
        self.resume()
        try:
            return await asyncio.to_thread(self._process.wait, grace_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return await asyncio.to_thread(self._process.wait)


@asynccontextmanager
async def running(
    name: str, command: Sequence[str], log_path: Path
) -> AsyncIterator[Child]:
    """Start a program, and end it when the block is left for whatever reason."""
    child = Child(name, log_path, _spawn(command, log_path))
    try:
        yield child
    finally:
        await child.end()


def _spawn(command: Sequence[str], log_path: Path) -> subprocess.Popen[bytes]:
    if sys.platform == "linux":
        itself = str(os.getpid())
        command = [sys.executable, "-ISc", _DIE_WITH_PARENT, itself, *command]
    # A session of its own: Ctrl-C reaches the demonstration only, which then
    # ends its children in order.
    with log_path.open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - the commands are this package's own
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
