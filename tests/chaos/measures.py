"""What faults cost: the memory of this process, and the time of other polls."""

from __future__ import annotations

import ctypes
import gc
import time
from pathlib import Path

from nats_idle_exporter.activity import Reading
from nats_idle_exporter.monitoring.client import ReadsEndpoint
from tests.support.reading import Between

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


class Stopwatch(Between):
    """Stand between loop and client, and note how long good polls take.

    Args:
        client: reads them.
        ignored: the URL of the endpoint that is hurt.
    """

    def __init__(self, client: ReadsEndpoint, ignored: str) -> None:
        super().__init__(client)
        self._ignored = ignored
        self._seconds: list[float] = []

    async def read(
        self,
        url: str,
        *,
        with_jetstream: bool,
        consumers_of: frozenset[str] = frozenset(),
    ) -> Reading:
        """Read, and note the real time that it took."""
        start = time.perf_counter()
        reading = await super().read(
            url, with_jetstream=with_jetstream, consumers_of=consumers_of
        )
        if url != self._ignored:
            self._seconds.append(time.perf_counter() - start)
        return reading

    def take(self) -> list[float]:
        """Return what was noted since the last time."""
        taken, self._seconds = self._seconds, []
        return taken


def forget_peak() -> None:
    """Give back free memory, and measure the peak from now on."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    # Only the peak: everything else of the process stays as it is.
    _CLEAR.write_text("5", encoding="ascii")


def peak_bytes() -> int:
    """Return the most memory that was resident since the peak was forgotten."""
    lines = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) * 1024
