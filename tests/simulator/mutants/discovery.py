"""Wrong hearts that make too much, or too little, of what discovery tells."""

from __future__ import annotations

from collections.abc import Iterable

from nats_idle_exporter.activity import (
    Cadence,
    Instant,
    Reading,
    Rules,
    Source,
    SystemView,
)
from tests.simulator.mutants.wrapper import Wrapper, replaced


class _Listener(Wrapper):
    """A wrong heart that knows what the operator listed."""

    def __init__(
        self, endpoints: Iterable[str], rules: Rules, cadence: Cadence
    ) -> None:
        self.entries = list(endpoints)
        self.found: list[str] = []
        super().__init__(self.entries, rules, cadence)

    @property
    def fixed(self) -> list[str]:
        """Return the endpoints that the operator listed."""
        return [each for each in self.entries if not isinstance(each, Source)]

    def discover(self, source: str, endpoints: Iterable[str], now: Instant) -> None:
        """Remember what was found."""
        self.found = list(endpoints)
        super().discover(source, self.found, now)


class DroppedIsEnded(_Listener):
    """End the watch of what is not found any more, as if the operator had."""

    is_begun = False

    def discover(self, source: str, endpoints: Iterable[str], now: Instant) -> None:
        """After the first sight let the heart take what is found for a list."""
        if self.is_begun:
            self.watch([*self.fixed, *endpoints], now)
        else:
            super().discover(source, endpoints, now)

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """Note the first sight."""
        view = super().conclude(now, shift_seconds)
        self.is_begun |= view.watched_to_at is not None
        return view


class TrustsTheFound(_Listener):
    """Take the first answer for a list of all servers that there ever were."""

    is_begun = False

    def discover(self, source: str, endpoints: Iterable[str], now: Instant) -> None:
        """Let the heart begin as if the operator had listed them."""
        found = list(endpoints)
        if self.is_begun:
            super().discover(source, found, now)
        else:
            self.found = found
            self.watch([*self.fixed, *found], now)

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """Tell the heart of the source once all was read."""
        view = super().conclude(now, shift_seconds)
        if view.watched_to_at is not None and not self.is_begun:
            self.is_begun = True
            sources = [each for each in self.entries if isinstance(each, Source)]
            self.watch([*self.fixed, *self.found, *sources], now)
            for source in sources:
                super().discover(source, self.found, now)
            self.watch([*self.fixed, *sources], now)
        return view


class FailureFindsNobody(_Listener):
    """Take a failed lookup for one that found nothing."""

    is_told = False

    def discover(self, source: str, endpoints: Iterable[str], now: Instant) -> None:
        """Note that the lookup of this cycle did not fail."""
        self.is_told = True
        super().discover(source, endpoints, now)

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """Drop all that was found, unless it was found again."""
        if not self.is_told:
            for each in self.entries:
                if isinstance(each, Source):
                    super().discover(each, [], now)
        self.is_told = False
        return super().conclude(now, shift_seconds)


class UntoldIsEmpty(_Listener):
    """Take a source that never answered for one that finds nobody."""

    def __init__(
        self, endpoints: Iterable[str], rules: Rules, cadence: Cadence
    ) -> None:
        super().__init__(endpoints, rules, cadence)
        for each in self.entries:
            if isinstance(each, Source):
                self.discover(each, [], Instant(0.0, 0.0))


class DroppedIsUnnamed(_Listener):
    """Believe a peer no word about whom discovery dropped."""

    def __init__(
        self, endpoints: Iterable[str], rules: Rules, cadence: Cadence
    ) -> None:
        super().__init__(endpoints, rules, cadence)
        self._homes: dict[str, str] = {}

    def reading(self, reading: Reading) -> Reading:
        """Hide the names of those whose endpoint is not found any more."""
        self._homes[reading.server.server_id] = reading.endpoint
        lost = frozenset(
            server_id
            for server_id, home in self._homes.items()
            if home not in self.found and home not in self.fixed
        )
        return replaced(
            reading, routes=reading.routes - lost, gateways=reading.gateways - lost
        )


class StrangersAreKin(_Listener):
    """Take the silence of any server for a word on any other."""

    def __init__(
        self, endpoints: Iterable[str], rules: Rules, cadence: Cadence
    ) -> None:
        super().__init__(endpoints, rules, cadence)
        self._met: set[str] = set()

    def reading(self, reading: Reading) -> Reading:
        """Let each server name all others, once."""
        server_id, known = reading.server.server_id, frozenset(self._met)
        self._met.add(server_id)
        if server_id in known:
            return reading
        return replaced(reading, routes=reading.routes | known)
