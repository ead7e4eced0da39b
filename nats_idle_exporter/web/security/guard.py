"""The guard: what the web configuration file says now, for every request.

At start a file that cannot be used ends the program. Later it lets nobody in
until it is repaired: a mistake never opens a door.
"""

from __future__ import annotations

import ssl
import traceback
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import structlog
from aiohttp import hdrs, web

from nats_idle_exporter.config.loading import read_text
from nats_idle_exporter.config.webfile import parse_web_file
from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.metrics import Refusal, Refusals
from nats_idle_exporter.watched import WatchedFiles
from nats_idle_exporter.web.security.passwords import (
    BusyError,
    Passwords,
    parse_basic,
)
from nats_idle_exporter.web.security.tls import (
    LiveContext,
    ServerTls,
    make_server_tls,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CHALLENGE: Final = 'Basic realm="nats-idle-exporter", charset="UTF-8"'
_log = structlog.get_logger(__name__)


class _Rules(NamedTuple):
    """One version of the file, ready to use."""

    headers: Mapping[str, str]
    passwords: Passwords | None
    tls: ServerTls | None


class Guard:
    """Let in whom the file lets in; use from one event loop.

    Args:
        path: the web configuration file; None lets everybody in, without TLS.
        refusals: counts who is refused.

    Raises:
        ConfigError: the file, or one that it names, cannot be used.
    """

    def __init__(self, path: Path | None, refusals: Refusals) -> None:
        self._path = path
        self._refusals = refusals
        self._files = WatchedFiles()
        self._rules: _Rules | None = self._load()
        self._complaint = ""
        self._serves_tls = self._rules.tls is not None

    @property
    def ssl_context(self) -> ssl.SSLContext | None:
        """Return what to listen with; None is without TLS."""
        if not self._serves_tls:
            return None
        return LiveContext(self._current_tls, self._refusals)

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers that every answer gets."""
        return self._rules.headers if self._rules else {}

    async def admit(self, request: web.Request) -> web.Response | None:
        """Return the answer that refuses a request; None lets it in."""
        rules = self._current()
        if rules is None:
            return self._refuse(
                Refusal.CONFIGURATION,
                500,
                "the web configuration cannot be used; the log says why\n",
            )
        if rules.passwords is None:
            return None
        claim = parse_basic(request.headers.get(hdrs.AUTHORIZATION))
        try:
            if claim and await rules.passwords.accept(claim):
                return None
        except BusyError:
            return self._refuse(Refusal.OVERLOAD, 503, "too many passwords to check\n")
        return self._refuse(Refusal.AUTHORIZATION, 401, "unauthorized\n", CHALLENGE)

    def _refuse(
        self, reason: Refusal, status: int, text: str, challenge: str = ""
    ) -> web.Response:
        self._refusals.count(reason)
        headers = {hdrs.WWW_AUTHENTICATE: challenge} if challenge else None
        return web.Response(status=status, text=text, headers=headers)

    def _current_tls(self) -> ServerTls | None:
        rules = self._current()
        return rules.tls if rules else None

    def _current(self) -> _Rules | None:
        """Return what holds now: a few looks at files, and seldom more."""
        has_changed = self._files.have_changed()
        if has_changed:
            self._complaint = ""
        # A file may look the same and be readable again: we had too many files open.
        if has_changed or self._rules is None:
            self._rules = None
            self._rules = self._reload()
        return self._rules

    def _reload(self) -> _Rules | None:
        try:
            rules = self._load()
        except ConfigError as error:
            self._complain(str(error))
            return None
        except Exception as error:  # noqa: BLE001 - a flaw here must open no door
            # Where it is, but not its words: they may be of the file.
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(place.filename).name}:{place.lineno}"
            self._complain(f"a flaw of this program: {type(error).__name__} in {where}")
            return None
        if (rules.tls is not None) != self._serves_tls:
            self._complain("TLS was switched on or off, which needs a restart")
            return None
        _log.info("web configuration loaded")
        self._complaint = ""
        return rules

    def _complain(self, reason: str) -> None:
        """Log why nobody is let in, once for each reason."""
        if reason != self._complaint:
            self._complaint = reason
            _log.error("web configuration cannot be used", reason=reason)

    def _load(self) -> _Rules:
        if self._path is None:
            return _Rules({}, None, None)
        # What it named before is watched no longer; what it names now is.
        self._files = files = WatchedFiles()
        path = self._path
        web_file = parse_web_file(read_text(lambda: files.read(path)))
        tls = web_file.tls_server_config
        return _Rules(
            web_file.headers,
            Passwords(web_file.hashes) if web_file.hashes else None,
            make_server_tls(tls, files.read, path.parent) if tls.is_on else None,
        )


def check_web_file(path: Path) -> None:
    """Read the file and those that it names, as the daemon would at its start.

    Raises:
        ConfigError: one of them cannot be used.
    """
    Guard(path, Refusals())
