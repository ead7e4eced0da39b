"""Certificates and keys in PEM, given as bytes, for the standard library's TLS."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from nats_idle_exporter.text import os_words


def load_pair(context: ssl.SSLContext, cert: bytes, key: bytes) -> None:
    """Let a context show a certificate.

    Raises:
        OSError: it is no certificate with its key, the key has a password, or there
            is no room for another open file.
    """
    with _as_file(cert) as cert_file, _as_file(key) as key_file:
        # Without a password a key that has one would be asked for on a terminal.
        context.load_cert_chain(cert_file, key_file, password=lambda: b"")


def load_authorities(context: ssl.SSLContext, authorities: bytes) -> None:
    """Let a context trust authorities.

    Raises:
        OSError: there is no certificate, or no room for another open file.
    """
    with _as_file(authorities) as file:
        context.load_verify_locations(file)


def pem_words(error: OSError) -> str:
    """Return in plain words what was found instead, or why it could not be read.

    >>> pem_words(ssl.SSLError())
    'something else'
    >>> pem_words(OSError(24, "Too many open files"))
    'too many open files'
    """
    if not isinstance(error, ssl.SSLError):
        return os_words(error).lower()
    return (error.reason or "something else").lower().replace("_", " ")


@contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """Give the library a file to open that is in memory only."""
    with os.fdopen(os.memfd_create("pem"), "wb") as file:
        file.write(content)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"
