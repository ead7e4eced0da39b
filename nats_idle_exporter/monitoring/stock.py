"""From the bodies of jsz to what JetStream stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from nats_idle_exporter.activity import Origin, Reserved, Stock, StoredStream
from nats_idle_exporter.monitoring import bodies

_LARGEST_SIGNED: Final = 2**63 - 1


def stream_name(domain: str, name: str) -> str:
    """Return what a stream is called within its account.

    Domains know nothing of each other's streams; no stream's name has a slash.
    """
    return f"{domain}/{name}" if domain else name


def stock_of(details: Iterable[bodies.AccountStreams], domain: str) -> Stock:
    """Return what the accounts of one page store and have set aside."""
    streams: list[StoredStream] = []
    reserved: list[tuple[str, Reserved]] = []
    for detail in details:
        told = Reserved(_bound(detail.reserved_memory), _bound(detail.reserved_storage))
        reserved.append((detail.id, told))
        streams += (
            _stored(detail.id, domain, stream) for stream in detail.stream_detail or ()
        )
    return Stock(tuple(streams), tuple(reserved))


def _bound(count: int) -> int | None:
    # -1 is unlimited, and is written without its sign.
    return None if count > _LARGEST_SIGNED else count


def _stored(account: str, domain: str, stream: bodies.Stream) -> StoredStream:
    state = stream.state
    return StoredStream(
        account,
        stream_name(domain, stream.name),
        state.messages,
        state.bytes,
        state.consumer_count,
        tuple(_origins(stream.config)),
    )


def _origins(config: bodies.StreamConfig) -> Iterator[Origin]:
    if config.mirror and config.mirror.external:
        yield Origin(config.mirror.external.api, is_mirror=True)
    for source in config.sources or ():
        if source.external:
            yield Origin(source.external.api, is_mirror=False)
