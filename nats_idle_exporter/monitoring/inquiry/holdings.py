"""What JetStream holds of accounts, by the newest round of every endpoint."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from nats_idle_exporter.activity import (
    Instant,
    Origin,
    Reading,
    Reserved,
    Row,
    ServerFacts,
    Stock,
    StoredStream,
)
from nats_idle_exporter.removal.facts import UNLIMITED

MISSES_UNTIL_GONE: Final = 3
"""Rounds of an endpoint without a stream until it is believed to be gone: a server
that starts answers before it has found its streams."""
SETTLED_SECONDS: Final = 900.0
"""How long a server needs at most to find its streams; of one that is younger as many
rounds are awaited as until a missing stream is believed to be gone."""
MOST_NAMES: Final = 20
"""Streams of one account that are named."""
NOTHING: Final = Reserved(0, 0)

_Key = tuple[str, str]
"""Account id and stream."""


class Copying(NamedTuple):
    """A stream that copies from beyond its own account."""

    stream: str
    origin: Origin


class Held(NamedTuple):
    """What all servers together hold of one account; replicas count once.

    ``are_tiers_hidden`` says that what is set aside may be bound to replica counts,
    which servers do not tell.
    """

    streams: int = 0
    consumers: int = 0
    messages: int = 0
    bytes: int = 0
    memory_bytes: int = 0
    storage_bytes: int = 0
    are_tiers_hidden: bool = False
    names: tuple[str, ...] = ()
    copying: tuple[Copying, ...] = ()


class _Place:
    """One endpoint's JetStream."""

    def __init__(self) -> None:
        self.asked = Instant(0.0, 0.0)
        self.reserved: Mapping[str, Reserved] = {}
        self.streams: dict[_Key, StoredStream] = {}
        self.hidden: dict[_Key, StoredStream] = {}
        """Of accounts whose JetStream was switched off since."""
        self._misses: dict[_Key, int] = {}
        self._server_id = ""
        self._rounds_left = 0

    @property
    def is_settled(self) -> bool:
        """Whether what it does not list is not there."""
        return self._rounds_left <= 0

    def meet(self, server: ServerFacts) -> None:
        """See whose round it is: one that starts lists streams as it finds them."""
        if server.server_id != self._server_id:
            self._server_id = server.server_id
            self._rounds_left = MISSES_UNTIL_GONE
        is_old = server.uptime_seconds >= SETTLED_SECONDS
        self._rounds_left = 0 if is_old else self._rounds_left - 1

    def take(self, stock: Stock, rows: Iterable[Row], asked: Instant) -> None:
        """Take a round in; ``rows`` are of the accounts that are loaded."""
        told = {(each.account, each.name): each for each in stock.streams}
        self.reserved = dict(stock.reserved)
        missing = {**self.streams, **self.hidden}
        for key in told:
            missing.pop(key, None)
        off = self._switched_off(missing, rows)
        self.hidden = {key: each for key, each in missing.items() if key[0] in off}
        misses = {
            key: count
            for key in missing.keys() - self.hidden.keys()
            if (count := self._misses.get(key, 0) + 1) < MISSES_UNTIL_GONE
        }
        self.streams = told | {key: missing[key] for key in misses}
        self._misses = misses
        self.asked = asked

    def _switched_off(self, missing: Iterable[_Key], rows: Iterable[Row]) -> set[str]:
        """Return the accounts that are loaded, and have no JetStream any more.

        Their streams stay on disk, until it is switched on again. An account that is
        not loaded any more has none, else the server had loaded it for them.
        """
        unlisted = {account for account, _ in missing} - self.reserved.keys()
        if not unlisted:
            return set()
        return unlisted.intersection(row.account for row in rows)


class Rounds:
    """Remembers each endpoint's newest round, and adds them up when one is new."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}
        self._is_new = False
        self.held: Mapping[str, Held] = {}
        """By account id, of those that may own streams; replaced, never changed."""

    def take(self, reading: Reading) -> None:
        """Take a reading in; most have no round."""
        if reading.stock and reading.jetstream:
            place = self._places.setdefault(reading.endpoint, _Place())
            place.meet(reading.server)
            place.take(reading.stock, reading.rows, reading.jetstream.asked)
            self._is_new = True

    def watch(self, endpoints: Collection[str]) -> None:
        """Forget what other endpoints told."""
        for url in self._places.keys() - set(endpoints):
            del self._places[url]
            self._is_new = True

    def oldest(self, endpoints: Collection[str]) -> Instant | None:
        """Return when the oldest of the rounds was asked; None when one lacks."""
        if not endpoints or not self._places.keys() >= set(endpoints):
            return None
        return min(place.asked for place in self._places.values())

    @property
    def are_settled(self) -> bool:
        """Whether every server had the time to find its streams."""
        return all(place.is_settled for place in self._places.values())

    def add_up(self) -> None:
        """Bring ``held`` up to date."""
        if not self._is_new:
            return
        self._is_new = False
        streams: defaultdict[str, dict[str, StoredStream]] = defaultdict(dict)
        reserved: defaultdict[str, list[Reserved]] = defaultdict(list)
        for place in self._places.values():
            for (account, name), stream in self._kept_at(place):
                before = streams[account].get(name)
                streams[account][name] = _larger(before, stream) if before else stream
            for account, told in place.reserved.items():
                reserved[account].append(told)
        self.held = {
            account: _held(streams.get(account, {}), reserved.get(account, [NOTHING]))
            for account in streams.keys() | reserved.keys()
        }

    def _kept_at(self, place: _Place) -> Iterator[tuple[_Key, StoredStream]]:
        """Yield what one server has, as long as no other tells of its account."""
        yield from place.streams.items()
        for key, stream in place.hidden.items():
            if not any(key[0] in each.reserved for each in self._places.values()):
                yield key, stream


def _larger(one: StoredStream, other: StoredStream) -> StoredStream:
    """Return what two servers tell of one stream: a replica may lag behind."""
    return StoredStream(
        one.account,
        one.name,
        max(one.messages, other.messages),
        max(one.bytes, other.bytes),
        max(one.consumers, other.consumers),
        one.origins or other.origins,
    )


def _held(streams: Mapping[str, StoredStream], reserved: Collection[Reserved]) -> Held:
    every = streams.values()
    return Held(
        streams=len(streams),
        consumers=sum(each.consumers for each in every),
        messages=sum(each.messages for each in every),
        bytes=sum(each.bytes for each in every),
        memory_bytes=_most(each.memory_bytes for each in reserved),
        storage_bytes=_most(each.storage_bytes for each in reserved),
        are_tiers_hidden=all(each == NOTHING for each in reserved),
        names=tuple(sorted(streams)[:MOST_NAMES]),
        copying=tuple(
            Copying(each.name, origin) for each in every for origin in each.origins
        ),
    )


def _most(amounts: Iterable[int | None]) -> int:
    """Return the most that any server sets aside: one with a bound does, 0 too."""
    told = list(amounts)
    most = max((each for each in told if each is not None), default=0)
    return most or (UNLIMITED if None in told else 0)
