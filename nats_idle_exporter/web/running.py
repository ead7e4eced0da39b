"""Run the application, and keep to ourselves what strangers send that is no HTTP.

The HTTP library answers such a request before the guard sees it, and would log it as
an error, with a piece of it: that may be a password, and anybody may send many.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from nats_idle_exporter.metrics import Refusal, Refusals

LINGER_SECONDS: Final = 1.0
"""How long open requests may take once we stop."""


def make_runner(app: web.Application, refusals: Refusals) -> web.AppRunner:
    """Return what serves an application; malformed requests are counted."""
    return web.AppRunner(
        app,
        access_log=None,
        logger=_Discreet(refusals),
        shutdown_timeout=LINGER_SECONDS,
    )


class _Discreet(logging.LoggerAdapter[logging.Logger]):
    """The library's own logger, but for malformed requests: of these only the kind."""

    def __init__(self, refusals: Refusals) -> None:
        super().__init__(logging.getLogger("aiohttp.server"))
        self._refusals = refusals

    def log(
        self,
        level: int,
        msg: object,
        *args: object,
        exc_info: Any = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(exc_info, HttpProcessingError):
            super().log(level, msg, *args, exc_info=exc_info, **kwargs)
            return
        self._refusals.count(Refusal.MALFORMED)
        kind = type(exc_info).__name__
        super().log(logging.DEBUG, "Malformed request from %s: %s", *args, kind)
