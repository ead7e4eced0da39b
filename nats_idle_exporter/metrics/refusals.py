"""Requests that were refused before a page was looked for, by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum


class Refusal(StrEnum):
    """Why a connection or a request was refused."""

    AUTHORIZATION = "authorization"
    """No user and password, or wrong ones."""
    CERTIFICATE = "certificate"
    """No client certificate, or one that is not accepted."""
    HANDSHAKE = "handshake"
    """TLS was not agreed on: another protocol, version or cipher."""
    MALFORMED = "malformed"
    """What was sent is no HTTP."""
    CONFIGURATION = "configuration"
    """The web configuration file cannot be used now."""
    OVERLOAD = "overload"
    """More requests, or more unknown passwords, than are served at once."""


NO_REFUSALS: Mapping[Refusal, int] = dict.fromkeys(Refusal, 0)


class Refusals:
    """Count refusals; use from one event loop."""

    def __init__(self) -> None:
        self._counts: Counter[Refusal] = Counter()

    def count(self, reason: Refusal) -> None:
        """Count one more."""
        self._counts[reason] += 1

    def read(self) -> Mapping[Refusal, int]:
        """Return every reason's count, zero included; later ones do not change it."""
        return {reason: self._counts[reason] for reason in Refusal}
