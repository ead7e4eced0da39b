"""How to trust a server, and to be trusted by it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from nats_idle_exporter.monitoring.inventory.accounts import EntryError
from nats_idle_exporter.text import os_words


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """The files of a TLS connection, in PEM.

    Args:
        ca: who is trusted; None for whom the machine trusts.
        certificate: our own, with the key unless that has a file of its own.
        key: the key of the certificate, without a passphrase.
        server_name: the name in the server's certificate, if not the host's.
        is_verified: whether the server's certificate is checked.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    server_name: str | None = None
    is_verified: bool = True

    def context(self) -> ssl.SSLContext:
        """Read the files, blocking.

        Raises:
            EntryError: one of them cannot be read or used.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate:
                # A key with a passphrase would otherwise ask for it at a terminal.
                context.load_cert_chain(self.certificate, self.key, password=str)
        except OSError as error:
            raise EntryError(
                expected="readable certificates and keys in PEM", found=_words(error)
            ) from error
        if not self.is_verified:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def _words(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"others: {error.reason or error}"
    return os_words(error)
