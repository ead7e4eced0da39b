"""Certificates for servers on loopback and for their clients, made for one test."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple

import trustme


class Pair(NamedTuple):
    """A certificate and its key, as files."""

    cert: Path
    key: Path

    def client_context(self, authority: Authority) -> ssl.SSLContext:
        """Return what a client connects with that shows this certificate."""
        context = authority.client_context()
        context.load_cert_chain(self.cert, self.key)
        return context


class Authority:
    """A certificate authority, whose files lie in a folder; `name` tells them apart."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._authority = trustme.CA()
        self._folder = folder
        self._name = name
        self.path = folder / f"{name}.pem"
        self._authority.cert_pem.write_to_path(str(self.path))

    def issue(self, name: str, *identities: str) -> Pair:
        """Return a new certificate, by default for loopback; it replaces its last."""
        made = self._authority.issue_cert(*(identities or ("127.0.0.1", "localhost")))
        pair = Pair(
            self._folder / f"{self._name}-{name}.pem",
            self._folder / f"{self._name}-{name}.key",
        )
        chain = b"".join(blob.bytes() for blob in made.cert_chain_pems)
        for path, content in (
            (pair.cert, chain),
            (pair.key, made.private_key_pem.bytes()),
        ):
            path.write_bytes(content)
        return pair

    def client_context(self) -> ssl.SSLContext:
        """Return what a client connects with that trusts only this authority."""
        return ssl.create_default_context(cafile=str(self.path))
