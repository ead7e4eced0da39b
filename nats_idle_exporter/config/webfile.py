"""The web configuration file: TLS, headers and users of our own web server.

Its format is that of Prometheus and its exporters. What that format knows and we
do not is refused by name: a protection that somebody wrote down is never ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from nats_idle_exporter.config.converting import Shape, decode
from nats_idle_exporter.config.scalars import Flag, describe, read_word
from nats_idle_exporter.config.webchecks import (
    TlsServer,
    check_headers,
    check_tls,
    check_users,
)
from nats_idle_exporter.config.yamltree import parse_yaml
from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.secret import Secret

_TLS = "$.tls_server_config"

_UNSUPPORTED = {
    f"{_TLS}.curve_preferences": "no choice of curves, which Python does not offer",
    "$.rate_limit": "no rate limit, which this program does not have",
}


class HttpServer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How HTTP is served; ``http2`` is read and has no effect."""

    http2: Flag = True
    headers: dict[str, Any] = {}


class WebFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file; every value of it is checked, files that it names are not."""

    tls_server_config: TlsServer = TlsServer()
    http_server_config: HttpServer = HttpServer()
    basic_auth_users: dict[str, Any] = {}

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that every answer gets."""
        headers = self.http_server_config.headers
        return {name: read_word(value) or "" for name, value in headers.items()}

    @property
    def hashes(self) -> dict[str, Secret]:
        """Return the bcrypt hash of each user's password."""
        return {user: Secret(text) for user, text in self.basic_auth_users.items()}


_SHAPE = Shape(
    {"$": WebFile, _TLS: TlsServer, "$.http_server_config": HttpServer}, {}, {}
)


def parse_web_file(text: str) -> WebFile:
    """Return the checked web configuration that YAML text says; an empty one is.

    Raises:
        ConfigError: the text cannot be used.
    """
    tree = parse_yaml(text)
    if tree is None:
        return WebFile()
    if not isinstance(tree, dict):
        raise ConfigError("$", expected="a mapping", found=describe(tree))
    tree = _without_unset(tree)
    for path, why in _UNSUPPORTED.items():
        _refuse_unsupported(tree, path, why)
    web = decode(tree, WebFile, _SHAPE)
    check_tls(web.tls_server_config)
    check_headers(web.http_server_config.headers)
    check_users(web.basic_auth_users)
    return web


def _without_unset(tree: dict[str, Any]) -> dict[str, Any]:
    """Drop keys without a value, which the format takes for not being there.

    Users stay as they are: one without a hash is a mistake, not nobody.
    """
    return {
        key: (
            {name: each for name, each in value.items() if each not in (None, "")}
            if isinstance(value, dict) and key != "basic_auth_users"
            else value
        )
        for key, value in tree.items()
        if value is not None
    }


def _refuse_unsupported(tree: Mapping[str, Any], path: str, why: str) -> None:
    found: Any = tree
    for key in path.split(".")[1:]:
        found = found.get(key) if isinstance(found, dict) else None
    if found is not None:
        raise ConfigError(path, expected=why, found="one")
