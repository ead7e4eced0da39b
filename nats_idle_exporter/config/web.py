"""How our own web server listens; set by flags only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from nats_idle_exporter.urls import is_host

DEFAULT_PORT = 7778
DEFAULT_MAX_REQUESTS = 40
_LAST_PORT = 65535
_ADDRESS = re.compile(
    r"(?:\[(?P<ipv6>[^\[\]]+)\]|(?P<host>[^:\[\]]+))?:(?P<port>[0-9]{1,5})"
)
_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
_COUNT = re.compile(r"[0-9]{1,6}")
_TAKEN = frozenset({"-", "accounts", "api", "config"})
"""First segments of paths that other pages own or keep for later."""


@dataclass(frozen=True, slots=True)
class WebOptions:
    """Where the web server listens, what it serves where, and to whom.

    The host "" means every interface; port 0 means any free port. No addresses
    mean the sockets that systemd passes. ``route_prefix`` stands before every
    path, "" for none. ``max_requests`` 0 is without a limit. ``enables_lifecycle`` lets
    whoever may ask have the configuration loaded anew.
    """

    listen_addresses: tuple[tuple[str, int], ...] = (("", DEFAULT_PORT),)
    telemetry_path: str = "/metrics"
    route_prefix: str = ""
    config_file: Path | None = None
    max_requests: int = DEFAULT_MAX_REQUESTS
    enables_lifecycle: bool = False


def parse_listen_address(text: str) -> tuple[str, int]:
    """Return host and port of ``:7778``, ``host:port`` or ``[::1]:port``.

    Raises:
        ValueError: it is none of these.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match["port"]) > _LAST_PORT:
        raise ValueError("expected :7778, host:port or [::1]:port")
    host = match["ipv6"] or match["host"] or ""
    if host and not is_host(host):
        raise ValueError("expected a host name or an IP address before the port")
    return host, int(match["port"])


def format_listen_address(host: str, port: int) -> str:
    """Return an address as :func:`parse_listen_address` takes it.

    >>> format_listen_address("::1", 7778)
    '[::1]:7778'
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_telemetry_path(text: str) -> str:
    """Return the path of the metrics page.

    Raises:
        ValueError: it is no plain path, or a reserved one.
    """
    if not _PATH.fullmatch(text):
        raise ValueError("expected a plain path like /metrics")
    if text.split("/")[1] in _TAKEN:
        raise ValueError("expected a path that is not reserved")
    return text


def parse_route_prefix(text: str) -> str:
    """Return what stands before every path, without a slash at its end.

    >>> parse_route_prefix("/idle/")
    '/idle'

    Raises:
        ValueError: it is no plain path.
    """
    prefix = text.removesuffix("/")
    if not text.startswith("/") or (prefix and not _PATH.fullmatch(prefix)):
        raise ValueError("expected a plain path like /idle")
    return prefix


def parse_max_requests(text: str) -> int:
    """Return how many requests are served at once.

    Raises:
        ValueError: it is no whole number of at least 0.
    """
    if not _COUNT.fullmatch(text):
        raise ValueError("expected a whole number of at least 0")
    return int(text)
