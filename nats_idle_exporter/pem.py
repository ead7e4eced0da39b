"""Certificates and keys in PEM, given as bytes, for the standard library's TLS."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager


def load_pair(context: ssl.SSLContext, cert: bytes, key: bytes) -> None:
    """Let a context show a certificate.

    Raises:
        ssl.SSLError: it is no certificate with its key, or the key has a password.
    """
    with _as_file(cert) as cert_file, _as_file(key) as key_file:
        # Without a password a key that has one would be asked for on a terminal.
        context.load_cert_chain(cert_file, key_file, password=lambda: b"")


def load_authorities(context: ssl.SSLContext, authorities: bytes) -> None:
    """Let a context trust authorities.

    Raises:
        ssl.SSLError: there is no certificate.
    """
    with _as_file(authorities) as file:
        context.load_verify_locations(file)


def ssl_words(error: ssl.SSLError) -> str:
    """Return what the library found instead, in plain words.

    >>> ssl_words(ssl.SSLError())
    'something else'
    """
    return (error.reason or "something else").lower().replace("_", " ")


@contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """Give the library a file to open that is in memory only."""
    with os.fdopen(os.memfd_create("pem"), "wb") as file:
        file.write(content)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"
