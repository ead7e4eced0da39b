"""TLS as the web configuration file says, for each new connection anew.

A server is given one :class:`LiveContext` and keeps it; every connection is
wrapped by what the context's source returns at that moment.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

from nats_idle_exporter.config.ciphers import CIPHERS, MAX_VERSIONS, MIN_VERSIONS
from nats_idle_exporter.config.webchecks import (
    REQUIRE_CERTIFICATE,
    VERIFY_IF_GIVEN,
    TlsServer,
)
from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.metrics import Refusal, Refusals
from nats_idle_exporter.pem import load_authorities, load_pair, pem_words
from nats_idle_exporter.text import os_words

_MODES = {
    REQUIRE_CERTIFICATE: ssl.CERT_REQUIRED,
    VERIFY_IF_GIVEN: ssl.CERT_OPTIONAL,
}
_NOT_YET = (ssl.SSLWantReadError, ssl.SSLWantWriteError)
_NO_CERTIFICATE = "PEER_DID_NOT_RETURN_A_CERTIFICATE"


class ServerTls(NamedTuple):
    """TLS of one version of the file; ``sans`` None accepts every client."""

    context: ssl.SSLContext
    sans: frozenset[str] | None


def make_server_tls(
    tls: TlsServer, read: Callable[[Path], bytes], folder: Path
) -> ServerTls:
    """Return the TLS that the file asks for.

    Args:
        tls: a part of a checked file, with TLS on.
        read: reads a file that it names.
        folder: what relative names are relative to.

    Raises:
        ConfigError: a certificate or a key cannot be read or used.
    """
    pem = _PemSource(tls, read, folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = _Connection
    context.minimum_version = MIN_VERSIONS[tls.min_version]
    context.maximum_version = MAX_VERSIONS[tls.max_version]
    if not tls.prefer_server_cipher_suites:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    if suites := [CIPHERS[name] for name in tls.cipher_suites if name in CIPHERS]:
        context.set_ciphers(":".join(suites))
    _load_pair(context, pem)
    context.verify_mode = _MODES.get(tls.client_auth_type or "", ssl.CERT_NONE)
    if context.verify_mode != ssl.CERT_NONE:
        if tls.client_ca or tls.client_ca_file:
            _load_client_ca(context, pem)
        else:
            # As the format has it: then the system's authorities vouch for clients.
            context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
    sans = tls.client_allowed_sans
    return ServerTls(context, None if sans is None else frozenset(sans))


class LiveContext(ssl.SSLContext):
    """A context that stands for another one, looked up for each connection.

    Args:
        current: returns the TLS to use now; None refuses the connection.
        refusals: counts connections that come to nothing.
    """

    def __new__(cls, *_: object) -> Self:
        """Make a server's context; what it holds itself is never used."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(
        self, current: Callable[[], ServerTls | None], refusals: Refusals
    ) -> None:
        self.sslobject_class = _Connection
        self._current = current
        self._refusals = refusals

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """Wrap a connection by the current context, as the event loop asks."""
        tls = self._current()
        # The event loop closes what fails in the handshake, not what fails here.
        wrap = super().wrap_bio if tls is None else tls.context.wrap_bio
        connection = wrap(*args, **kwargs)
        if isinstance(connection, _Connection):
            connection.tls = tls
            connection.refusals = self._refusals
        return connection


class _Connection(ssl.SSLObject):
    """One connection, whose handshake counts how it fails."""

    tls: ServerTls | None
    refusals: Refusals

    def do_handshake(self) -> None:
        if self.tls is None:
            self.refusals.count(Refusal.CONFIGURATION)
            raise ssl.SSLError("no TLS configuration")
        try:
            super().do_handshake()
        except _NOT_YET:
            raise
        except ssl.SSLError as error:
            is_unverified = isinstance(error, ssl.SSLCertVerificationError)
            if is_unverified or error.reason == _NO_CERTIFICATE:
                self.refusals.count(Refusal.CERTIFICATE)
            else:
                self.refusals.count(Refusal.HANDSHAKE)
            raise
        if self.tls.sans is not None and self.tls.sans.isdisjoint(_names(self)):
            self.refusals.count(Refusal.CERTIFICATE)
            raise ssl.SSLError("the client's certificate has no allowed name")


def _names(connection: ssl.SSLObject) -> Iterator[str]:
    """Return the alternative names of a verified client, as Go writes them."""
    certificate: Any = connection.getpeercert() or {}
    for kind, name in certificate.get("subjectAltName", ()):
        if kind == "IP Address":
            yield str(ipaddress.ip_address(name.strip()))
        elif kind in {"DNS", "email", "URI"}:
            yield name


class _PemSource:
    """Find each PEM text of the file, inline or in a file of its own."""

    def __init__(
        self, tls: TlsServer, read: Callable[[Path], bytes], folder: Path
    ) -> None:
        self._tls = tls
        self._read = read
        self._folder = folder

    def path(self, name: str) -> str:
        is_inline = getattr(self._tls, name) is not None
        return f"$.tls_server_config.{name}{'' if is_inline else '_file'}"

    def bytes(self, name: str) -> bytes:
        if inline := getattr(self._tls, name):
            return bytes(inline.reveal(), "utf-8")
        try:
            return self._read(self._folder / getattr(self._tls, f"{name}_file"))
        except (OSError, ValueError) as error:
            found = os_words(error) if isinstance(error, OSError) else str(error)
            raise ConfigError(
                self.path(name), expected="a readable file", found=found.lower()
            ) from error


def _load_pair(context: ssl.SSLContext, pem: _PemSource) -> None:
    try:
        load_pair(context, pem.bytes("cert"), pem.bytes("key"))
    except OSError as error:
        raise ConfigError(
            pem.path("cert"),
            expected="a certificate in PEM and its key, without a password",
            found=pem_words(error),
        ) from error


def _load_client_ca(context: ssl.SSLContext, pem: _PemSource) -> None:
    try:
        load_authorities(context, pem.bytes("client_ca"))
    except OSError as error:
        raise ConfigError(
            pem.path("client_ca"),
            expected="certificates in PEM",
            found=pem_words(error),
        ) from error
