"""The roster: which endpoints are watched, and who lists them.

The operator lists endpoints, and sources that find more of them. What the operator
takes out is not watched any more at once. What a source stops finding may live on:
it is not read any more, but stays in the watch until its server's end is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from nats_idle_exporter.activity.facts import Instant
from nats_idle_exporter.activity.servers import Server, Watch


class Source(str):
    """The name of a source of endpoints, where the operator lists it as an entry."""

    __slots__ = ()


@dataclass(slots=True)
class Found:
    """What a source found last; None: it was never told.

    Until it is told, unknown endpoints are unread: ``known_since`` is as a watch's.
    """

    known_since: Instant | None
    endpoints: tuple[str, ...] | None = None


@dataclass(slots=True)
class Dropped:
    """An endpoint that no source finds any more, and those that did at last."""

    watch: Watch
    sources: frozenset[str]
    at: Instant


class Roster:
    """The endpoints of one system.

    Attributes:
        fixed: what the operator lists.
        sources: what else is looked for, and what was found there.
        watches: all of these, each endpoint once.
        dropped: what sources found once, and may still be in use.
        left: what the operator took out, until whoever is let go of is known.
    """

    def __init__(self, entries: Iterable[str] = ()) -> None:
        self.fixed: tuple[str, ...] = ()
        self.sources: dict[str, Found] = {}
        self.watches: dict[str, Watch] = {}
        self.dropped: dict[str, Dropped] = {}
        self.left: dict[str, Watch] = {}
        self.arrange(entries, None)

    @property
    def is_fixed(self) -> bool:
        """Say whether nobody but the operator says who is watched."""
        return not self.sources

    @property
    def is_answered(self) -> bool:
        """Say whether all that are known were read once, and told."""
        is_read = all(watch.server_id for watch in self.watches.values())
        return is_read and not any(self.hidden())

    def is_led_to(self, endpoint: str) -> bool:
        """Say whether an endpoint is watched, or was until a source dropped it."""
        return endpoint in self.watches or endpoint in self.dropped

    def dropped_at(self, endpoint: str) -> float:
        """Return when it was dropped, on the fast timeline; -inf when it was not."""
        dropped = self.dropped.get(endpoint)
        return float("-inf") if dropped is None else dropped.at.fast

    def is_arranged(self, entries: Iterable[str]) -> bool:
        """Say whether these are the operator's entries, in whatever order."""
        fixed, sources = _parted(entries)
        return set(fixed) == set(self.fixed) and sources == self.sources.keys()

    def waiting(self) -> Iterator[Instant | None]:
        """Yield since when each is known of whom nothing was read yet."""
        yield from (w.known_since for w in self._watches() if w.server_id is None)
        for found in self.sources.values():
            if found.endpoints is None:
                yield found.known_since

    def hidden(self) -> Iterator[str]:
        """Yield sources that were never told, and who was dropped unread."""
        yield from (e for e, found in self.sources.items() if found.endpoints is None)
        yield from (e for e, each in self.dropped.items() if not each.watch.server_id)

    def start_anew(self) -> None:
        """Take all that was never read for never known."""
        for watch in self._watches():
            watch.known_since = None
        for found in self.sources.values():
            found.known_since = None

    def arrange(self, entries: Iterable[str], reach: Instant | None) -> None:
        """Take over the operator's entries; what is left out is let go of.

        ``reach`` is the last complete view, up to which new ones count as read.
        """
        self.fixed, sources = _parted(entries)
        self.sources = {
            each: self.sources.get(each) or Found(reach) for each in sources
        }
        for endpoint, dropped in list(self.dropped.items()):
            dropped.sources = dropped.sources.intersection(self.sources)
            if not dropped.sources:
                del self.dropped[endpoint]
        self.left |= self._rewatch(reach)

    def discover(
        self, source: str, endpoints: Iterable[str], now: Instant, reach: Instant | None
    ) -> None:
        """Take over what a source finds now; others are dropped, but not let go of."""
        if source not in self.sources:
            return
        self.sources[source].endpoints = tuple(dict.fromkeys(map(str, endpoints)))
        for endpoint, watch in self._rewatch(reach).items():
            self.dropped[endpoint] = Dropped(watch, frozenset({str(source)}), now)

    def settle_dropped(self, counted: Mapping[str, Server]) -> None:
        """Let go of dropped endpoints where none of those answered last.

        Who answered there before another one did may outlive that one.
        """
        servers = {*counted, None}
        homes = {server.home for server in counted.values()}
        self.dropped = {
            endpoint: each
            for endpoint, each in self.dropped.items()
            if each.watch.server_id in servers or endpoint in homes
        }

    def _rewatch(self, reach: Instant | None) -> dict[str, Watch]:
        """Watch all that is listed or found; return what was watched before."""
        before, wanted = self.watches, dict.fromkeys(self.fixed)
        for found in self.sources.values():
            wanted |= dict.fromkeys(found.endpoints or ())
        self.watches = {}
        for endpoint in wanted:
            watch = before.pop(endpoint, None)
            watch = watch or self.left.pop(endpoint, None)
            if watch is None and (dropped := self.dropped.pop(endpoint, None)):
                watch = dropped.watch
            self.watches[endpoint] = watch or Watch(reach)
        return before

    def _watches(self) -> list[Watch]:
        return [*self.watches.values(), *(each.watch for each in self.dropped.values())]


def _parted(entries: Iterable[str]) -> tuple[tuple[str, ...], set[str]]:
    entries = list(entries)
    sources = {str(each) for each in entries if isinstance(each, Source)}
    # What is kept has to be plain text.
    fixed = (str(each) for each in entries if not isinstance(each, Source))
    return tuple(dict.fromkeys(fixed)), sources
