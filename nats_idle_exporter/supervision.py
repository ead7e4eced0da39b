"""How we are: what a service manager is told (systemd's protocol), and who else asks.

Each message is one datagram to the socket that ``NOTIFY_SOCKET`` names. Without
that variable nobody listens, and nothing is sent.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping

import structlog

from nats_idle_exporter.pulse import CYCLES_UNTIL_HUNG, Pulse
from nats_idle_exporter.snapshot import Snapshot
from nats_idle_exporter.text import os_words

_log = structlog.get_logger(__name__)


class ServiceManager:
    """Tell whoever started us how we are.

    Args:
        environment: of this process.
        monotonic: seconds that stand still while the machine is suspended.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._pulse = Pulse()
        self._is_hung = False
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._unit_us = self._watchdog_us = _watchdog_us(environment)

    def ready(self, interval_seconds: float) -> None:
        """Say that we listen and poll; again after ``reloading``.

        Args:
            interval_seconds: of the poll cycles, whose ends are the signs of life.
        """
        self._pulse.expect(interval_seconds, self._monotonic())
        lines = ["READY=1"]
        needed_us = int(CYCLES_UNTIL_HUNG * interval_seconds * 1e6)
        # The unit cannot know how often the configuration lets us poll.
        watchdog_us = max(self._unit_us, needed_us) if self._unit_us else 0
        if watchdog_us != self._watchdog_us:
            self._watchdog_us = watchdog_us
            lines.append(f"WATCHDOG_USEC={watchdog_us}")
        self._send(*lines)

    def reloading(self) -> None:
        """Say that the configuration is loaded anew."""
        # On the manager's own clock, so that it knows to which request this belongs.
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def concluded(self, snapshot: Snapshot) -> None:
        """Give the sign of life that the end of a cycle is."""
        self._pulse.beat(self._monotonic())
        up = sum(each.is_up for each in snapshot.endpoints)
        accounts = sum(len(view.accounts) for view in snapshot.systems.values())
        status = f"{up} of {len(snapshot.endpoints)} endpoints up, {accounts} accounts"
        self._send("WATCHDOG=1", f"STATUS={status}")

    def trouble(self) -> str:
        """Return why only a restart helps, "" while all is well; NATS is no reason."""
        trouble = self._pulse.trouble(self._monotonic())
        if trouble and not self._is_hung:
            _log.error("poll loop hangs: a flaw of this program", detail=trouble)
        self._is_hung = bool(trouble)
        return trouble

    def stopping(self) -> None:
        """Say that we are about to end."""
        self._send("STOPPING=1")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        # A leading @ stands for the zero byte of an abstract address.
        address = self._address.replace("@", "\0", 1)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                manager.settimeout(0)
                manager.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            _log.warning("service manager not told", error=os_words(error))


def _watchdog_us(environment: Mapping[str, str]) -> int:
    """Return after how much silence we are ended; 0 when nobody watches us."""
    told, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID")
    is_ours = pid is None or pid == str(os.getpid())
    return int(told) if told.isdecimal() and is_ours else 0
