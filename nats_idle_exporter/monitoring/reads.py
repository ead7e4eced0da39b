"""The seam between the poll loop and the network."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from nats_idle_exporter.activity import Reading
from nats_idle_exporter.monitoring.conversation import Conversation


class ReadsEndpoint(Protocol):
    """Reads the endpoints of a system."""

    def watch(self, endpoints: Collection[str]) -> None:
        """Forget what is remembered of other endpoints; call it between cycles."""

    async def read(
        self,
        url: str,
        *,
        with_jetstream: bool,
        consumers_of: frozenset[str] = frozenset(),
    ) -> Reading:
        """Poll one endpoint, or raise ``EndpointError``.

        A server that the last good poll of the endpoint did not meet is read
        with JetStream whether that is due or not; with it go the consumers of
        those accounts.
        """

    def converse(self, url: str) -> Conversation:
        """Begin to ask an endpoint questions that belong to no poll."""
