"""What stands between the poll loop and its client, and changes nothing by itself."""

from __future__ import annotations

from collections.abc import Collection

from nats_idle_exporter.activity import Reading
from nats_idle_exporter.monitoring.client import ReadsEndpoint
from nats_idle_exporter.monitoring.conversation import Conversation


class Between:
    """Hand everything on to a client; tests override what they look at."""

    def __init__(self, client: ReadsEndpoint) -> None:
        self._client = client

    def watch(self, endpoints: Collection[str]) -> None:
        """Forget what the client forgets."""
        self._client.watch(endpoints)

    async def read(
        self,
        url: str,
        *,
        with_jetstream: bool,
        consumers_of: frozenset[str] = frozenset(),
    ) -> Reading:
        """Poll one endpoint, or raise ``EndpointError``."""
        return await self._client.read(
            url, with_jetstream=with_jetstream, consumers_of=consumers_of
        )

    def converse(self, url: str) -> Conversation:
        """Ask as the client does."""
        return self._client.converse(url)
