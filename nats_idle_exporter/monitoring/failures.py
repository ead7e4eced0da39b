"""Why a poll failed: a closed list of reasons, and one safe line of detail."""

from __future__ import annotations

from typing import Final

from nats_idle_exporter.errors import EndpointError
from nats_idle_exporter.text import one_line, shorten

UNREACHABLE: Final = "unreachable"
"""No connection: refused, reset, closed before an answer, no such host, TLS."""
TIMEOUT: Final = "timeout"
STATUS: Final = "status"
"""Answered, but not with 200; redirects are not followed."""
TRUNCATED: Final = "truncated"
"""The body ended before the server had said it would."""
OVERSIZED: Final = "oversized"
PAYLOAD: Final = "payload"
"""The body is not what a nats-server answers."""
IDENTITY: Final = "identity"
"""The bodies of one poll came from more than one server."""
CREDENTIALS: Final = "credentials"
"""A file with a secret or a certificate that the endpoint needs cannot be used."""

REASONS: Final = (
    UNREACHABLE,
    TIMEOUT,
    STATUS,
    TRUNCATED,
    OVERSIZED,
    PAYLOAD,
    IDENTITY,
    CREDENTIALS,
)

DETAIL_LENGTH: Final = 200


def failure(reason: str, detail: str) -> EndpointError:
    """Make the error of a failed poll, its detail safe for a log."""
    return EndpointError(reason, shorten(one_line(detail), DETAIL_LENGTH))
