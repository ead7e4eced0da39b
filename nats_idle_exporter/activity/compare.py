"""What changed for one account on one server between two readings.

Rules (what servers really do, by version):

* Counters are cumulative and survive disconnects; any difference is use.
* Shares that came by route or gateway are other servers' doing: cross-server
  mirrors tick once a second with no client anywhere. Only the edge counts.
* Counters restart with the process, when an account is removed and added
  again, and before 2.9.17 at every reload. A decrease is looked for in raw
  fields only: the edge is a difference, which may shrink without a reset.
"""

from __future__ import annotations

from typing import NamedTuple

from nats_idle_exporter.activity.facts import NO_TRAFFIC, Row, Traffic
from nats_idle_exporter.activity.view import EvidenceKind

KEEPS_COUNTERS_ON_RELOAD = (2, 9, 17)
"""First release whose counters survive a reload of the configuration."""


class Change(NamedTuple):
    """What one comparison showed.

    ``kinds`` are the evidence of use up to the second reading, best first.
    ``is_blind`` says that use between the readings may have left no trace.
    """

    kinds: tuple[EvidenceKind, ...] = ()
    is_blind: bool = False


NO_CHANGE = Change()


def edge(row: Row) -> Traffic:
    """Return the traffic that crossed to clients and leafnodes of this server."""
    if row.routes == row.gateways == NO_TRAFFIC:
        return row.total
    shares = zip(row.total, row.routes, row.gateways, strict=True)
    return Traffic(*(total - route - gateway for total, route, gateway in shares))


def is_present(row: Row) -> bool:
    """Say whether anybody holds a connection or a leafnode link now."""
    return bool(row.connections or row.leafnodes)


def compare(before: Row, after: Row, *, was_reloaded: bool, is_wiped: bool) -> Change:
    """Tell what happened between two readings of the same process.

    Args:
        before: the last reading; a row of zeros when the account was not listed.
        after: the new reading, likewise.
        was_reloaded: the configuration was loaded anew in between.
        is_wiped: that reload restarted the counters of all accounts.
    """
    if before == after and not was_reloaded and not is_present(after):
        return NO_CHANGE
    is_reset = is_wiped or _decreased(before, after)
    moved = _moved(NO_TRAFFIC if is_reset else edge(before), edge(after))
    kinds = moved + _presence(before, after)
    may_be_reset = is_reset or (was_reloaded and any(after.total))
    return Change(kinds, is_blind=may_be_reset and not kinds)


def _decreased(before: Row, after: Row) -> bool:
    raw_before = before.total + before.routes + before.gateways
    raw_after = after.total + after.routes + after.gateways
    return any(new < old for old, new in zip(raw_before, raw_after, strict=True))


def _moved(before: Traffic, after: Traffic) -> tuple[EvidenceKind, ...]:
    kinds = []
    if after[2:] != before[2:]:
        kinds.append(EvidenceKind.RECEIVED)
    if after[:2] != before[:2]:
        kinds.append(EvidenceKind.SENT)
    return tuple(kinds)


def _presence(before: Row, after: Row) -> tuple[EvidenceKind, ...]:
    """Find who is here, or was here at the last reading: then until now."""
    kinds = []
    if before.connections or after.connections:
        kinds.append(EvidenceKind.CONNECTION)
    if before.leafnodes or after.leafnodes:
        kinds.append(EvidenceKind.LEAFNODE)
    return tuple(kinds)
