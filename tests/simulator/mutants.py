"""Deliberately wrong hearts, built around the door of the right one.

A mutant shows that the judge would notice. Most change what goes in or comes
out; where a mistake can only be made inside, the ledger's own tests show it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from nats_idle_exporter.activity import (
    Cadence,
    Closed,
    Instant,
    Ledger,
    Policy,
    Reading,
    Ring,
    Row,
    Rules,
    SystemView,
    Timeline,
    Traffic,
    Verdict,
)
from tests.simulator.watcher import Forge, TimelineForge

UNSOUND = frozenset({"raised", "observed", "held", "idle"})


class Mutant(NamedTuple):
    """One wrong heart; the timeline belongs to it."""

    forge: Forge = Ledger
    timeline: TimelineForge = Timeline
    breaks: frozenset[str] = UNSOUND
    """The promises that it is made to break."""


def _replaced(reading: Reading, **changes: object) -> Reading:
    fields = {name: getattr(reading, name) for name in Reading.__slots__}
    return Reading(**(fields | changes))


def _with_server(reading: Reading, **changes: object) -> Reading:
    server = reading.server
    fields = {name: getattr(server, name) for name in type(server).__slots__}
    return _replaced(reading, server=type(server)(**(fields | changes)))


def _minus(one: Traffic, *others: Traffic) -> Traffic:
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
        self._ledger.apply(self.reading(_replaced(reading, rows=kept)))

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

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """Return the view, altered or not."""
        return self._ledger.conclude(now, shift_seconds)


class IgnoresAServer(Wrapper):
    """Watch all servers but one, and never miss it."""

    _url = "http://n1:8222"

    def endpoints(self, endpoints: Iterable[str]) -> Iterable[str]:
        """Leave one out, unless it is the only one."""
        kept = [url for url in endpoints if url != self._url]
        return kept or [self._url]

    def apply(self, reading: Reading) -> None:
        """Drop its readings, and its name where others tell it."""
        if reading.endpoint != self._url:
            routes = frozenset(x for x in reading.routes if not x.startswith("N1R"))
            super().apply(_replaced(reading, routes=routes))


class KeysByEndpoint(Wrapper):
    """Compare counters of one server with those of its predecessor."""

    def reading(self, reading: Reading) -> Reading:
        """Take the address for the server's identity."""
        return _with_server(
            _replaced(reading, routes=frozenset(), gateways=frozenset()),
            server_id=reading.endpoint,
            loaded_at=reading.server.start_at,
        )


class ClearsOnOutage(Wrapper):
    """Take back what was raised when an endpoint does not answer."""

    _heard = 0

    def apply(self, reading: Reading) -> None:
        """Count the readings of this cycle."""
        self._heard += 1
        super().apply(reading)

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """Call everything unknown when nobody answered."""
        view, heard = super().conclude(now, shift_seconds), self._heard
        self._heard = 0
        if heard:
            return view
        accounts = tuple(x._replace(verdict=Verdict.UNKNOWN) for x in view.accounts)
        fields = {name: getattr(view, name) for name in SystemView.__slots__}
        return SystemView(**(fields | {"accounts": accounts}))


class NoResets(Wrapper):
    """See nothing in a counter that fell, nor in a new configuration."""

    def __init__(
        self, endpoints: Iterable[str], rules: Rules, cadence: Cadence
    ) -> None:
        super().__init__(endpoints, rules, cadence)
        self._raw: dict[tuple[str, str], Row] = {}
        self._told: dict[tuple[str, str], Row] = {}

    def reading(self, reading: Reading) -> Reading:
        """Hide that the configuration was loaded anew."""
        return _with_server(reading, loaded_at=reading.server.start_at)

    def row(self, reading: Reading, row: Row) -> Row:
        """Add only what grew."""
        key = (reading.server.server_id, row.account)
        before, told = self._raw.get(key), self._told.get(key)
        self._raw[key] = row
        if before is not None and told is not None:
            is_fallen = any(
                new < old
                for now, was in ((row.total, before.total), (row.routes, before.routes))
                for new, old in zip(now, was, strict=True)
            )
            if is_fallen:
                row = row._replace(total=told.total, routes=told.routes)
            else:
                row = row._replace(
                    total=_grown(told.total, before.total, row.total),
                    routes=_grown(told.routes, before.routes, row.routes),
                )
        self._told[key] = row
        return row


def _grown(told: Traffic, before: Traffic, now: Traffic) -> Traffic:
    triples = zip(told, before, now, strict=True)
    return Traffic(*(base + new - old for base, old, new in triples))


class ComputedResets(Wrapper):
    """Look for resets in the edge traffic, not in what servers tell."""

    def row(self, reading: Reading, row: Row) -> Row:
        """Subtract the shares of routes and gateways beforehand."""
        del reading
        total = _minus(row.total, row.routes, row.gateways)
        none = Traffic()
        return row._replace(total=total, routes=none, gateways=none)


class AbsentIsGone(Wrapper):
    """Forget an account as soon as no reading lists it."""

    def __init__(
        self, endpoints: Iterable[str], rules: Rules, cadence: Cadence
    ) -> None:
        super().__init__(endpoints, rules, cadence)
        self._listed: set[str] = set()

    def row(self, reading: Reading, row: Row) -> Row:
        """Remember who is listed in this cycle."""
        del reading
        self._listed.add(row.account)
        return row

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """Drop everybody else."""
        view, listed = super().conclude(now, shift_seconds), self._listed
        self._listed = set()
        accounts = tuple(x for x in view.accounts if x.account in listed)
        fields = {name: getattr(view, name) for name in SystemView.__slots__}
        return SystemView(**(fields | {"accounts": accounts}))


class AppearingIsNoUse(Wrapper):
    """Take the first numbers of a row for a baseline, whenever it appears."""

    def __init__(
        self, endpoints: Iterable[str], rules: Rules, cadence: Cadence
    ) -> None:
        super().__init__(endpoints, rules, cadence)
        self._first: dict[tuple[str, str], Traffic] = {}

    def row(self, reading: Reading, row: Row) -> Row:
        """Subtract what was there when the row appeared."""
        key = (reading.server.server_id, row.account)
        first = self._first.setdefault(key, row.total)
        total = Traffic(*map(max, _minus(row.total, first), Traffic()))
        return row._replace(total=total, routes=Traffic(), gateways=Traffic())


class CountsRoutes(Wrapper):
    """Take traffic between servers for use."""

    def row(self, reading: Reading, row: Row) -> Row:
        """Hide the shares of routes and gateways."""
        del reading
        return row._replace(routes=Traffic(), gateways=Traffic())


class DefaultList(Wrapper):
    """Ask accstatz without ``unused=1``: only accounts with clients."""

    def row(self, reading: Reading, row: Row) -> Row | None:
        """Hide accounts without a client."""
        del reading
        return row if row.connections else None


class NoLeafnodes(Wrapper):
    """Overlook leaf links."""

    def row(self, reading: Reading, row: Row) -> Row:
        """Hide leaf links."""
        del reading
        return row._replace(leafnodes=0)


class BytesOnly(Wrapper):
    """Overlook messages with an empty payload."""

    def row(self, reading: Reading, row: Row) -> Row:
        """Hide the numbers of messages."""
        del reading
        total, routes, gateways = (
            Traffic(sent_bytes=n.sent_bytes, received_bytes=n.received_bytes)
            for n in (row.total, row.routes, row.gateways)
        )
        return row._replace(total=total, routes=routes, gateways=gateways)


class OneDirection(Wrapper):
    """Overlook what servers deliver."""

    def row(self, reading: Reading, row: Row) -> Row:
        """Hide the numbers sent."""
        del reading
        total, routes, gateways = (
            n._replace(sent_messages=0, sent_bytes=0)
            for n in (row.total, row.routes, row.gateways)
        )
        return row._replace(total=total, routes=routes, gateways=gateways)


class OldIsNew(Wrapper):
    """Believe that every server keeps its counters over a reload."""

    def reading(self, reading: Reading) -> Reading:
        """Tell a new version."""
        return _with_server(reading, release=(2, 15, 1))


class IgnoresReloads(Wrapper):
    """Believe that nothing hides behind a reload."""

    def reading(self, reading: Reading) -> Reading:
        """Hide that the configuration was loaded anew."""
        return _with_server(
            reading, loaded_at=reading.server.start_at, release=(2, 15, 1)
        )


class TrustsTheStart(Wrapper):
    """Trust an account's zero counters back to the server's start."""

    def reading(self, reading: Reading) -> Reading:
        """Hide at the first sight that accounts were added since."""
        if self.seen(reading):
            return reading
        return _with_server(reading, loaded_at=reading.server.start_at)

    def seen(self, reading: Reading) -> bool:
        """Say whether any server was read before; note this one."""
        known = self.__dict__.setdefault("known", set())
        known.add(reading.server.server_id)
        return len(known) > 1


class OldCountersAreNone(Wrapper):
    """Take counters of any age for none at a server's first reading."""

    def row(self, reading: Reading, row: Row) -> Row:
        """Tell zeros for what was counted before."""
        base = self.__dict__.setdefault("base", {})
        key = (reading.server.server_id, row.account)
        first = base.setdefault(key, row.total)
        is_same = all(a >= b for a, b in zip(row.total, first, strict=True))
        return row._replace(total=_minus(row.total, first)) if is_same else row


class DatesAtAsked(Wrapper):
    """Date use at the time when the request was sent."""

    def reading(self, reading: Reading) -> Reading:
        """Pretend that the answer came at once."""
        return _replaced(reading, answered=reading.asked)


class ClaimsToAnswered(Wrapper):
    """Claim absence up to the time when the answer was complete."""

    def reading(self, reading: Reading) -> Reading:
        """Pretend that the request was sent late."""
        return _replaced(reading, asked=reading.answered)


class IgnoresPeers(Wrapper):
    """Believe that there is no server but those that are polled."""

    def reading(self, reading: Reading) -> Reading:
        """Hide the peers."""
        return _replaced(reading, routes=frozenset(), gateways=frozenset())


class NoSystemAccount(Wrapper):
    """Treat the system account like a tenant."""

    def reading(self, reading: Reading) -> Reading:
        """Hide its name."""
        return _with_server(reading, system_account=None)


class FailureIsSilence(Wrapper):
    """Take a failed poll for one that found nothing new."""

    def __init__(
        self, endpoints: Iterable[str], rules: Rules, cadence: Cadence
    ) -> None:
        super().__init__(endpoints, rules, cadence)
        self._last: dict[str, Reading] = {}
        self._heard: set[str] = set()

    def apply(self, reading: Reading) -> None:
        """Remember the reading."""
        self._last[reading.endpoint] = reading
        self._heard.add(reading.endpoint)
        super().apply(reading)

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """Tell the last readings again where there is none."""
        for endpoint, reading in self._last.items():
            if endpoint not in self._heard:
                late = _replaced(reading, asked=now, answered=now, jetstream=None)
                super().apply(late)
        self._heard = set()
        return super().conclude(now, shift_seconds)


class IgnoresClosed(Wrapper):
    """Overlook connections that came and went between two polls."""

    def reading(self, reading: Reading) -> Reading:
        """Hide the closed connections."""
        return _replaced(reading, ring=reading.ring._replace(new=()))


class TrustsAFullRing(Wrapper):
    """Believe that a ring holds whatever was closed."""

    def reading(self, reading: Reading) -> Reading:
        """Hide that the ring may have forgotten some."""
        return _replaced(reading, ring=Ring(reading.ring.new))


class BelievesStamps(Wrapper):
    """Compare a server's stamps with our clock."""

    def reading(self, reading: Reading) -> Reading:
        """Tell ages as if both clocks were one."""
        ahead = reading.answered.slow - reading.server.now_at
        new = tuple(
            Closed(account, max(0.0, age + ahead)) for account, age in reading.ring.new
        )
        return _replaced(reading, ring=reading.ring._replace(new=new))


class _Generous(Policy):
    """Forgive every hole."""

    __slots__ = ()

    @property
    def forgiven_seconds(self) -> float:
        """Forgive any number of holes."""
        return 1e12

    @property
    def longest_forgiven_seconds(self) -> float:
        """Forgive a hole of any length."""
        return 1e12


class _Summing(Policy):
    """Forgive any number of short holes."""

    __slots__ = ()

    @property
    def forgiven_seconds(self) -> float:
        """Forgive any number of holes."""
        return 1e12


class _Swapped:
    """Rules that answer with another kind of policy."""

    def __init__(self, rules: Rules, kind: type[Policy]) -> None:
        self._rules = rules
        self._kind = kind

    def policy(self, account: str, name: str) -> Policy:
        """Return the same numbers with other consequences."""
        return self._kind(*self._rules.policy(account, name))

    def excludes(self, account: str, name: str) -> bool:
        """Say what the rules say."""
        return self._rules.excludes(account, name)


def _forgives_every_hole(
    endpoints: Iterable[str], rules: Rules, cadence: Cadence
) -> Ledger:
    return Ledger(endpoints, _Swapped(rules, _Generous), cadence)


def _forgives_any_number(
    endpoints: Iterable[str], rules: Rules, cadence: Cadence
) -> Ledger:
    return Ledger(endpoints, _Swapped(rules, _Summing), cadence)


def _never_outdated(endpoints: Iterable[str], rules: Rules, cadence: Cadence) -> Ledger:
    return Ledger(endpoints, rules, cadence._replace(poll_seconds=1e9))


class WallTimeline(Timeline):
    """Trust the wall clock alone."""

    def advance(self, wall_at: float, monotonic_at: float) -> Instant:
        """Return the wall clock's time on both timelines."""
        super().advance(wall_at, monotonic_at)
        return Instant(wall_at, wall_at)


class MonotonicTimeline(Timeline):
    """Measure idleness and gaps with the monotonic clock alone."""

    _began: tuple[float, float] | None = None

    def advance(self, wall_at: float, monotonic_at: float) -> Instant:
        """Return the monotonic clock's time on both timelines."""
        super().advance(wall_at, monotonic_at)
        if self._began is None:
            self._began = (wall_at, monotonic_at)
        at = self._began[0] + monotonic_at - self._began[1]
        return Instant(at, at)


class FollowingTimeline(Timeline):
    """Publish times by a wall clock that may step back."""

    _ahead = 0.0

    def advance(self, wall_at: float, monotonic_at: float) -> Instant:
        """Note how far the wall clock is ahead now."""
        now = super().advance(wall_at, monotonic_at)
        self._ahead = wall_at - now.slow
        return now

    @property
    def shift_seconds(self) -> float:
        """Return the newest difference, whatever it was before."""
        return self._ahead


MUTANTS: dict[str, Mutant] = {
    "ignores a server": Mutant(IgnoresAServer, breaks=frozenset({"held"})),
    "keys by endpoint": Mutant(KeysByEndpoint),
    "clears on outage": Mutant(ClearsOnOutage, breaks=frozenset({"cleared"})),
    "no resets": Mutant(NoResets),
    "computed resets": Mutant(ComputedResets),
    "absent is gone": Mutant(AbsentIsGone, breaks=frozenset({"gone"})),
    "appearing is no use": Mutant(AppearingIsNoUse),
    "counts routes": Mutant(CountsRoutes, breaks=frozenset({"late"})),
    "default list": Mutant(DefaultList, breaks=frozenset({"gone"})),
    "no leafnodes": Mutant(NoLeafnodes),
    "bytes only": Mutant(BytesOnly),
    "one direction": Mutant(OneDirection),
    "old is new": Mutant(OldIsNew),
    "ignores reloads": Mutant(IgnoresReloads),
    "trusts the start": Mutant(TrustsTheStart),
    "old counters are none": Mutant(OldCountersAreNone),
    "dates at asked": Mutant(DatesAtAsked),
    "claims to answered": Mutant(ClaimsToAnswered),
    "ignores peers": Mutant(IgnoresPeers),
    "no system account": Mutant(NoSystemAccount, breaks=frozenset({"excluded"})),
    "failure is silence": Mutant(FailureIsSilence),
    "ignores closed connections": Mutant(IgnoresClosed),
    "trusts a full ring": Mutant(TrustsAFullRing),
    "believes server stamps": Mutant(BelievesStamps),
    "forgives every hole": Mutant(_forgives_every_hole, breaks=frozenset({"idle"})),
    "forgives any number": Mutant(_forgives_any_number),
    "never outdated": Mutant(_never_outdated, breaks=frozenset({"observed"})),
    "wall clock": Mutant(timeline=WallTimeline),
    "monotonic clock": Mutant(timeline=MonotonicTimeline),
    "follows the wall clock": Mutant(
        timeline=FollowingTimeline, breaks=frozenset({"monotony"})
    ),
}
