"""What the clients of the demonstration's accounts do."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import nats
import nats.errors

from nats_idle_exporter.demo import cast
from nats_idle_exporter.errors import StartError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nats.aio.client import Client

    from nats_idle_exporter.demo.cluster import Cluster

_FIRST, _THIRD = 0, 2
_BURST = 50
_STREAM_ANSWER_SECONDS = 1
_STREAM_ATTEMPTS = 50
_STREAM_STEP_SECONDS = 0.2


async def busy(cluster: Cluster) -> None:
    """Publish every second, for ever."""
    async with _client(cluster, cast.BUSY, _FIRST) as client:
        while True:
            await client.publish("orders.new", b"an order")
            await asyncio.sleep(1)


async def fading(cluster: Cluster) -> None:
    """Publish a few times, then leave."""
    async with _client(cluster, cast.FADING, _THIRD) as client:
        for _ in range(cast.FADING_MESSAGES):
            await client.publish("reports.daily", b"a report")
            await asyncio.sleep(1)


async def batch(cluster: Cluster) -> None:
    """Come, publish a burst and leave again, at intervals, for ever."""
    while True:
        async with _client(cluster, cast.BATCH, _THIRD) as client:
            for _ in range(_BURST):
                await client.publish("batch.row", b"a row")
        await asyncio.sleep(cast.BATCH_INTERVAL_SECONDS)


async def fill_stream(cluster: Cluster, attempts: int = _STREAM_ATTEMPTS) -> None:
    """Make a stream and write into it once."""
    async with _client(cluster, cast.STREAMS, _FIRST) as client:
        streams = client.jetstream(timeout=_STREAM_ANSWER_SECONDS)
        for attempts_left in reversed(range(attempts)):
            try:
                await streams.add_stream(name="DOCUMENTS", subjects=["documents.>"])
                await streams.publish("documents.first", b"a document")
            except nats.errors.Error:
                # A young cluster may still change its leader, or not have heard of
                # its servers' storage yet.
                if not attempts_left:
                    raise
                await asyncio.sleep(_STREAM_STEP_SECONDS)
            else:
                return


async def use_once(cluster: Cluster, account: str) -> None:
    """Publish one message in an account, and leave."""
    async with _client(cluster, account, _FIRST) as client:
        await client.publish("anything", b"hello")


def obey_cancellation() -> None:
    """Raise the cancellation that a library swallowed in this task.

    nats-py awaits its answers by ``asyncio.wait_for``, which before Python 3.12
    loses a cancellation that comes together with the answer.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


@asynccontextmanager
async def _client(cluster: Cluster, account: str, number: int) -> AsyncIterator[Client]:
    node = cluster.nodes[number]
    try:
        client = await nats.connect(
            node.client_url,
            user=account,
            password=cluster.password,
            name=f"demo of {account}",
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            error_cb=_leave_it_to_the_caller,
        )
        try:
            obey_cancellation()
            yield client
            await client.flush()
        finally:
            await client.close()
        obey_cancellation()
    except (nats.errors.Error, OSError) as error:
        what = f"a client of {account} failed at {node.name}: {error}"
        raise StartError(what) from error


async def _leave_it_to_the_caller(_error: Exception) -> None:
    """Say nothing: what a client asks for next fails, and that is told."""
