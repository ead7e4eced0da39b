"""What each value of the web configuration file may be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from nats_idle_exporter.config.ciphers import (
    CIPHERS,
    MAX_VERSIONS,
    MIN_VERSIONS,
    TLS13_CIPHERS,
)
from nats_idle_exporter.config.scalars import Flag, Text, describe, read_word
from nats_idle_exporter.config.yamltree import join_key
from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.secret import Secret

_TLS = "$.tls_server_config"
_HEADERS = "$.http_server_config.headers"
_USERS = "$.basic_auth_users"

REQUIRE_CERTIFICATE = "RequireAndVerifyClientCert"
VERIFY_IF_GIVEN = "VerifyClientCertIfGiven"
NO_CERTIFICATE = "NoClientCert"
_CLIENT_AUTH = (NO_CERTIFICATE, VERIFY_IF_GIVEN, REQUIRE_CERTIFICATE)

_HEADER_VALUES: Mapping[str, tuple[str, ...]] = {
    "Content-Security-Policy": (),
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
}
"""The headers that the format allows; no values mean any."""

_BCRYPT = re.compile(r"\$2[abxy]\$(?P<cost>0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}")


class TlsServer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How TLS is served; each of the three PEM texts is inline or in a file."""

    cert: Secret | None = None
    cert_file: Text | None = None
    key: Secret | None = None
    key_file: Text | None = None
    client_ca: Secret | None = None
    client_ca_file: Text | None = None
    client_auth_type: Text | None = None
    client_allowed_sans: tuple[Text, ...] | None = None
    min_version: Text = "TLS12"
    max_version: Text = "TLS13"
    cipher_suites: tuple[Text, ...] = ()
    prefer_server_cipher_suites: Flag = True

    @property
    def is_on(self) -> bool:
        """Say whether TLS is served at all."""
        named = (self.cert, self.cert_file, self.key, self.key_file, self.client_ca)
        return any((*named, self.client_ca_file, self.client_auth_type))


def bcrypt_cost(hashed: Secret) -> int:
    """Return the cost that a hash was made with.

    Raises:
        ValueError: it is no bcrypt hash.
    """
    match = _BCRYPT.fullmatch(hashed.reveal())
    if match is None:
        raise ValueError("not a bcrypt hash")
    return int(match["cost"])


def check_tls(tls: TlsServer) -> None:
    """Refuse what contradicts itself or cannot be done.

    Raises:
        ConfigError: a value cannot be used.
    """
    for name in ("cert", "key", "client_ca"):
        if getattr(tls, name) and getattr(tls, f"{name}_file"):
            raise ConfigError(
                f"{_TLS}.{name}", expected=f"{name} or {name}_file", found="both"
            )
    if tls.is_on:
        for name in ("cert", "key"):
            if not (getattr(tls, name) or getattr(tls, f"{name}_file")):
                raise ConfigError(
                    f"{_TLS}.{name}_file",
                    expected="the name of a file",
                    found="nothing",
                )
    _check_client_auth(tls)
    _check_choice(f"{_TLS}.min_version", tls.min_version, MIN_VERSIONS)
    _check_choice(f"{_TLS}.max_version", tls.max_version, MAX_VERSIONS)
    if MIN_VERSIONS[tls.min_version] > MAX_VERSIONS[tls.max_version]:
        raise ConfigError(
            f"{_TLS}.max_version",
            expected=f"at least the min_version {tls.min_version}",
            found=tls.max_version,
        )
    for index, suite in enumerate(tls.cipher_suites):
        known = (*CIPHERS, *sorted(TLS13_CIPHERS))
        _check_choice(f"{_TLS}.cipher_suites[{index}]", suite, known)


def _check_client_auth(tls: TlsServer) -> None:
    auth_type = tls.client_auth_type or NO_CERTIFICATE
    # The types that ask for a certificate and do not verify it: Python cannot.
    _check_choice(f"{_TLS}.client_auth_type", auth_type, _CLIENT_AUTH)
    if auth_type == NO_CERTIFICATE and (tls.client_ca or tls.client_ca_file):
        raise ConfigError(
            f"{_TLS}.client_auth_type",
            expected=f"{VERIFY_IF_GIVEN} or {REQUIRE_CERTIFICATE} with a client CA",
            found=NO_CERTIFICATE,
        )
    if auth_type != REQUIRE_CERTIFICATE and tls.client_allowed_sans is not None:
        raise ConfigError(
            f"{_TLS}.client_auth_type",
            expected=f"{REQUIRE_CERTIFICATE} with client_allowed_sans",
            found=auth_type,
        )


def _check_choice(
    path: str, value: str, choices: tuple[str, ...] | Mapping[str, Any]
) -> None:
    if value not in choices:
        raise ConfigError(
            path, expected=f"one of {', '.join(choices)}", found=describe(value)
        )


def check_headers(headers: Mapping[str, Any]) -> None:
    """Refuse headers that the format does not allow, and values of them.

    Raises:
        ConfigError: a header cannot be set so.
    """
    for name, value in headers.items():
        path = join_key(_HEADERS, name)
        if name not in _HEADER_VALUES:
            known = ", ".join(_HEADER_VALUES)
            raise ConfigError(
                path, expected=f"one of the headers {known}", found=describe(name)
            )
        word = read_word(value)
        if word is None or not word.isprintable() or not word.isascii():
            raise ConfigError(path, expected="ASCII text", found=describe(value))
        if _HEADER_VALUES[name]:
            _check_choice(path, word, _HEADER_VALUES[name])


def check_users(users: Mapping[str, Any]) -> None:
    """Refuse users whom nobody could be.

    Raises:
        ConfigError: a user has no usable name or hash.
    """
    for path, hashed in _user_paths(users):
        try:
            bcrypt_cost(Secret(hashed if isinstance(hashed, str) else ""))
        except ValueError as error:
            raise ConfigError(
                path,
                expected="a bcrypt hash of a password, like $2y$10$ and 53 characters",
                found="nothing" if hashed in (None, "") else "something else",
            ) from error


def _user_paths(users: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for user, hashed in users.items():
        path = join_key(_USERS, user)
        if ":" in user or not user.isprintable():
            raise ConfigError(
                path, expected="a user name without a colon", found=describe(user)
            )
        yield path, hashed
