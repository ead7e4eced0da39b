"""What every wrong heart is made of: a door that alters what passes through it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from nats_idle_exporter.activity import (
    Cadence,
    Changes,
    Clocks,
    Instant,
    Ledger,
    Listing,
    Reading,
    Row,
    Rules,
    SavedRow,
    SystemView,
    Timeline,
    Traffic,
)
from tests.simulator.draft import FIXED, Kind
from tests.simulator.watcher import Forge, TimelineForge

UNSOUND = frozenset({"raised", "observed", "held", "idle"})


class Mutant(NamedTuple):
    """One wrong heart; the timeline belongs to it."""

    forge: Forge = Ledger
    timeline: TimelineForge = Timeline
    breaks: frozenset[str] = UNSOUND
    """The promises that it is made to break."""
    kinds: tuple[Kind, ...] = FIXED
    """The histories in which it is looked for."""


def replaced(reading: Reading, **changes: object) -> Reading:
    """Return the reading with other fields."""
    fields = {name: getattr(reading, name) for name in Reading.__slots__}
    return Reading(**(fields | changes))


def with_server(reading: Reading, **changes: object) -> Reading:
    """Return the reading as if another server had told it."""
    server = reading.server
    fields = {name: getattr(server, name) for name in type(server).__slots__}
    return replaced(reading, server=type(server)(**(fields | changes)))


def minus(one: Traffic, *others: Traffic) -> Traffic:
    """Subtract counters."""
    return Traffic(*(n - sum(rest) for n, *rest in zip(one, *others, strict=True)))


class Wrapper:
    """A heart that sees altered facts, row by row."""

    def __init__(
        self, endpoints: Iterable[str], rules: Rules, cadence: Cadence
    ) -> None:
        self._ledger = Ledger(self.endpoints(endpoints), rules, cadence)

    def endpoints(self, endpoints: Iterable[str]) -> Iterable[str]:
        """Return the endpoints that the heart is told of."""
        return endpoints

    def apply(self, reading: Reading) -> None:
        """Give the altered reading to the heart."""
        rows = (self.row(reading, row) for row in reading.rows)
        kept = tuple(row for row in rows if row is not None)
        self._ledger.apply(self.reading(replaced(reading, rows=kept)))

    def reading(self, reading: Reading) -> Reading:
        """Return the altered reading."""
        return reading

    def row(self, reading: Reading, row: Row) -> Row | None:
        """Return the altered row, None to hide it."""
        del reading
        return row

    def watch(self, endpoints: Iterable[str], now: Instant) -> None:
        """Tell the heart of the new endpoints."""
        self._ledger.watch(self.endpoints(endpoints), now)

    def discover(self, source: str, endpoints: Iterable[str], now: Instant) -> None:
        """Tell the heart what a source of endpoints finds."""
        self._ledger.discover(source, endpoints, now)

    def list_accounts(self, listing: Listing | None) -> None:
        """Give the altered answer of the inventory to the heart."""
        self._ledger.list_accounts(listing and self.listing(listing))

    def listing(self, listing: Listing) -> Listing:
        """Return the altered answer."""
        return listing

    def consumers_wanted(self) -> frozenset[str]:
        """Ask for the consumers that the heart asks for."""
        return self._ledger.consumers_wanted()

    def changes(self, clocks: Clocks) -> Changes:
        """Save what the heart saves."""
        return self._ledger.changes(clocks)

    @classmethod
    def resume(
        cls,
        endpoints: Iterable[str],
        rules: Rules,
        cadence: Cadence,
        rows: Iterable[SavedRow],
        clocks: Clocks,
    ) -> Wrapper:
        """Return a wrong heart around one that knows what was saved."""
        wrapper = cls(endpoints, rules, cadence)
        known = wrapper.endpoints(endpoints)
        wrapper._ledger = Ledger.resume(known, rules, cadence, rows, clocks)
        return wrapper

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """Return the view, altered or not."""
        return self._ledger.conclude(now, shift_seconds)
