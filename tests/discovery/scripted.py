"""A source of endpoints that tells what a test sets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from nats_idle_exporter.monitoring.discovery import DiscoveryError, FoundEndpoint

NAME = "dns+http://nats:8222"


class Scripted:
    """A source that tells what a test sets; None: it never answers."""

    def __init__(self, label: str = NAME) -> None:
        self.label = label
        self.server_name = ""
        self.told: Iterable[str] | DiscoveryError | None = ()

    async def find(self) -> tuple[FoundEndpoint, ...]:
        """Tell it."""
        if self.told is None:
            await asyncio.Event().wait()
        if isinstance(self.told, DiscoveryError):
            raise self.told
        return tuple(FoundEndpoint(url, "nats") for url in self.told or ())
