"""Say seldom that no connection can be accepted: the event loop says it all the time.

While too many files are open it tries again in bursts, thousands of times a minute, and
has each failure logged. Whoever opens enough connections could fill a disk so.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import structlog

from nats_idle_exporter.text import os_words

SILENCE_SECONDS: Final = 60.0
"""How long it is not said again."""
_MESSAGE: Final = "socket.accept() out of system resource"
"""The event loop's own words, also in later versions of Python."""

_log = structlog.get_logger(__name__)


def complain_seldom(loop: asyncio.AbstractEventLoop) -> None:
    """Set the loop's exception handler; all else is handled as before."""
    quiet_until = loop.time()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal quiet_until
        if context["message"] != _MESSAGE:
            loop.default_exception_handler(context)
        elif loop.time() >= quiet_until:
            quiet_until = loop.time() + SILENCE_SECONDS
            reason = os_words(context["exception"])
            _log.error("no connection can be accepted", reason=reason)

    loop.set_exception_handler(handle)
