"""What a source of endpoints tells, and why it tells nothing."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from nats_idle_exporter.errors import ExporterError

MOST_ENDPOINTS: Final = 1000
"""Endpoints of one source; each costs a server and us a poll per cycle."""


class FoundEndpoint(NamedTuple):
    """One endpoint, and whom its certificate has to name; "" for its host."""

    url: str
    server_name: str = ""


class DiscoveryError(ExporterError):
    """A source that tells nothing now.

    Args:
        where: the file and the place in it, or the record that was looked up.
        expected: what would have been right.
        found: what was there.
    """

    def __init__(self, where: str, *, expected: str, found: str) -> None:
        super().__init__(f"{where}: expected {expected}, found {found}")
        self.where = where
        self.expected = expected
        self.found = found


class FindsEndpoints(Protocol):
    """One source of endpoints."""

    @property
    def label(self) -> str:
        """Return what it is called: the URL or the pattern in the configuration."""

    @property
    def server_name(self) -> str:
        """Return whom all its certificates name; "" where each has its own name."""

    async def find(self) -> tuple[FoundEndpoint, ...]:
        """Return all that it tells now, in one order as long as that is the same.

        Raises:
            DiscoveryError: it tells nothing, or not all.
        """
