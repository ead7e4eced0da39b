"""Wrong hearts that read counters and listings wrongly."""

from __future__ import annotations

from collections.abc import Iterable

from nats_idle_exporter.activity import (
    Cadence,
    Instant,
    Reading,
    Row,
    Rules,
    SystemView,
    Traffic,
)
from tests.simulator.mutants.wrapper import Wrapper, minus, with_server


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
        return with_server(reading, loaded_at=reading.server.start_at)

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
        total = minus(row.total, row.routes, row.gateways)
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
        total = Traffic(*map(max, minus(row.total, first), Traffic()))
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


class OldCountersAreNone(Wrapper):
    """Take counters of any age for none at a server's first reading."""

    def row(self, reading: Reading, row: Row) -> Row:
        """Tell zeros for what was counted before."""
        base = self.__dict__.setdefault("base", {})
        key = (reading.server.server_id, row.account)
        first = base.setdefault(key, row.total)
        is_same = all(a >= b for a, b in zip(row.total, first, strict=True))
        return row._replace(total=minus(row.total, first)) if is_same else row
