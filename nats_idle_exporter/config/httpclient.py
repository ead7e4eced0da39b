"""How endpoints are asked: credentials, TLS, proxy; in the words of Prometheus.

A file is read when it is needed, by ``monitoring.access``. Here its name is
checked only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from nats_idle_exporter.config.ciphers import MIN_VERSIONS
from nats_idle_exporter.config.converting import Shape, decode
from nats_idle_exporter.config.scalars import Flag, Text
from nats_idle_exporter.config.yamltree import join_key
from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.secret import Secret

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_PROXY = re.compile(r"https?://(?:[^/?#@\s]*@)?[A-Za-z0-9._\[\]:-]+/?", re.IGNORECASE)
_RESERVED_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "www-authenticate",
    }
)
"""Headers that another key sets, or that are HTTP's own business."""


class BasicAuth(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user and its password, inline or in a file."""

    username: Text
    password: Secret | None = None
    password_file: Text | None = None


class Authorization(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Credentials behind a word, ``Bearer`` unless another is given."""

    type: Text = "Bearer"
    credentials: Secret | None = None
    credentials_file: Text | None = None


class ClientTls(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to trust, and which certificate to show."""

    ca: Secret | None = None
    ca_file: Text | None = None
    cert: Secret | None = None
    cert_file: Text | None = None
    key: Secret | None = None
    key_file: Text | None = None
    server_name: Text | None = None
    min_version: Text = "TLS12"
    insecure_skip_verify: Flag = False


class Header(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The values of one header; ``files`` hold a value each."""

    values: tuple[Text, ...] = ()
    secrets: tuple[Secret, ...] = ()
    files: tuple[Text, ...] = ()


class HttpClient(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How endpoints are asked; None and no headers leave it open."""

    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    http_headers: dict[str, Any] = {}
    tls_config: ClientTls | None = None
    proxy_url: Secret | None = None
    follow_redirects: Flag | None = None


STRUCTS: Mapping[str, type[Struct]] = {
    "$.basic_auth": BasicAuth,
    "$.authorization": Authorization,
    "$.tls_config": ClientTls,
}
REQUIRED = {"username": "the name of a user", "url": "a URL like http://host:8222"}
_HEADER = Shape({"$": Header}, {}, {}, is_secretive=True)


def decode_headers(headers: Mapping[str, Any]) -> dict[str, Header]:
    """Return the headers of a client, by name.

    Raises:
        ConfigError: one of them cannot be set.
    """
    return dict(_headers(headers))


def check_client(client: HttpClient) -> None:
    """Refuse keys that contradict each other, as Prometheus does.

    Raises:
        ConfigError: with a path that begins at the client.
    """
    if client.basic_auth and client.authorization:
        raise ConfigError(
            "$.authorization", expected="basic_auth or authorization", found="both"
        )
    if client.basic_auth:
        _check_one("$.basic_auth", client.basic_auth, "password")
    if client.authorization:
        _check_authorization(client.authorization)
    if client.tls_config:
        _check_tls(client.tls_config)
    if client.proxy_url and not _PROXY.fullmatch(client.proxy_url.reveal()):
        raise ConfigError(
            "$.proxy_url", expected="a URL like http://proxy:3128", found="another text"
        )
    decode_headers(client.http_headers)


def _check_authorization(authorization: Authorization) -> None:
    if authorization.type.lower() == "basic":
        raise ConfigError(
            "$.authorization.type",
            expected="basic_auth for a user and a password",
            found="Basic",
        )
    if not _HEADER_NAME.fullmatch(authorization.type):
        raise ConfigError(
            "$.authorization.type", expected="one word like Bearer", found="text"
        )
    _check_one("$.authorization", authorization, "credentials")


def _check_one(path: str, holder: Struct, name: str) -> None:
    """Refuse a secret that is given twice, or not at all."""
    given = [
        each for each in (name, f"{name}_file") if getattr(holder, each) is not None
    ]
    if len(given) != 1:
        raise ConfigError(
            f"{path}.{name}",
            expected=f"{name} or {name}_file",
            found="both" if given else "neither",
        )


def _check_tls(tls: ClientTls) -> None:
    for name in ("ca", "cert", "key"):
        if getattr(tls, name) is not None and getattr(tls, f"{name}_file") is not None:
            raise ConfigError(
                f"$.tls_config.{name}", expected=f"{name} or {name}_file", found="both"
            )
    has_cert, has_key = bool(tls.cert or tls.cert_file), bool(tls.key or tls.key_file)
    if has_cert != has_key:
        missing = "cert" if has_key else "key"
        raise ConfigError(
            f"$.tls_config.{missing}",
            expected=f"{missing} or {missing}_file with the other half of the pair",
            found="neither",
        )
    if tls.min_version not in MIN_VERSIONS:
        raise ConfigError(
            "$.tls_config.min_version",
            expected=f"one of {', '.join(MIN_VERSIONS)}",
            found="text",
        )


def _headers(headers: Mapping[str, Any]) -> Iterator[tuple[str, Header]]:
    for name, value in headers.items():
        path = join_key("$.http_headers", name)
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _RESERVED_HEADERS:
            raise ConfigError(
                path, expected="a header that may be set", found="another one"
            )
        try:
            yield name, decode(value, Header, _HEADER)
        except ConfigError as error:
            raise ConfigError(
                path + error.path[1:], expected=error.expected, found=error.found
            ) from error
