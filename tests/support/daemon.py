"""Run the exporter as its users do: a process with flags, a log and a port."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from types import TracebackType
from typing import Self

_LISTENING = re.compile(r"listening\b.*127\.0\.0\.1:(\d+)")
_PATIENCE_SECONDS = 20
_STEP_SECONDS = 0.05
"""Between two looks at its metrics: who waits for them must not take the processor."""


class Daemon:
    """One daemon process on a free port of loopback; ``lines`` is its log so far.

    Args:
        flags: beside the listen address.
        within: a command that runs it, to be elsewhere; then `fetch` does not reach it.
        program: what Python runs; with a flaw, perhaps.
    """

    def __init__(
        self,
        *flags: str,
        within: Sequence[str] = (),
        program: Sequence[str] = ("-m", "nats_idle_exporter"),
    ) -> None:
        command = [*within, sys.executable, *program]
        command += ["--web.listen-address=127.0.0.1:0", *flags]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        self.port = 0
        self._looked_at = 0.0

    def __enter__(self) -> Self:
        self.port = int(self.wait_for(_LISTENING.pattern)[1])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.port}"

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read the log until a line matches; its end is an error."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"the log ended without {pattern!r}:\n{self.lines}")

    def fetch(self, path: str, method: str = "GET") -> tuple[int, str]:
        """Return status and body of one of its pages."""
        request = urllib.request.Request(self.url + path, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid

    def page(self) -> str:
        """Return its page of metrics; not at once when it was just looked at."""
        time.sleep(max(0.0, self._looked_at + _STEP_SECONDS - time.monotonic()))
        self._looked_at = time.monotonic()
        return self.fetch("/metrics")[1]

    def hang_up(self) -> None:
        """Send SIGHUP, as systemd does for a reload."""
        self._process.send_signal(signal.SIGHUP)

    def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code; the rest of the log is kept."""
        self._process.send_signal(number)
        # From the same reader: it may hold lines already that nobody took.
        assert self._process.stderr is not None
        self.lines += self._process.stderr
        return self._process.wait(timeout=_PATIENCE_SECONDS)
