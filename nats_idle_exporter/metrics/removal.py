"""What stands in the way of accounts' removal, as sample lines; pure.

Only inactive accounts are judged: whoever is in use is not removable, and nobody
asks why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Generic, NamedTuple, TypeVar

from nats_idle_exporter.activity import AccountView, Verdict
from nats_idle_exporter.dossiers import Dossiers
from nats_idle_exporter.metrics import removalfamilies as r
from nats_idle_exporter.metrics.exposition import known_samples, pairs, samples
from nats_idle_exporter.metrics.family import Family
from nats_idle_exporter.removal.dossier import FRESH, Dossier, Removability, Stage
from nats_idle_exporter.removal.facts import AccountFacts, Holdings
from nats_idle_exporter.removal.registry import Entry

Lines = tuple[Family, bytes]
"""A family, and some of its lines."""
_T = TypeVar("_T")


class _Column(NamedTuple, Generic[_T]):
    """One family: how a value is written, and where it is found; None is no line."""

    family: Family
    spec: bytes
    value: Callable[[_T], float | None]

    def lines(self, labels: Sequence[bytes], rows: Sequence[_T]) -> Lines:
        """Return the lines of as many accounts as there are labels."""
        values = map(self.value, rows)
        return self.family, known_samples(self.family.name, self.spec, labels, values)


def _importers(facts: AccountFacts) -> int | None:
    """Return how many import; that nobody does is known when all were asked."""
    if facts.importers or facts.importers_unknown == 0:
        return len(facts.importers)
    return None


def _jwt_expiry(facts: AccountFacts) -> float | None:
    return facts.jwt.expires_at if facts.jwt else None


def _exemption_end(entry: Entry) -> float | None:
    return entry.exemption.until_at if entry.exemption else None


_HOLDINGS: tuple[_Column[Holdings], ...] = (
    _Column(r.STREAMS, b"%d", attrgetter("streams")),
    _Column(r.CONSUMERS, b"%d", attrgetter("consumers")),
    _Column(r.STORED, b"%d", attrgetter("bytes")),
)
_FACTS: tuple[_Column[AccountFacts], ...] = (
    _Column(r.EXPORTS, b"%d", attrgetter("exports")),
    _Column(r.IMPORTERS, b"%d", _importers),
    _Column(r.JWT_EXPIRY, b"%.3f", _jwt_expiry),
)
_STAGES: tuple[_Column[Stage], ...] = (
    _Column(r.DISABLED_AT, b"%.3f", attrgetter("disabled_at")),
    _Column(r.GRACE_ENDS_AT, b"%.3f", attrgetter("grace_ends_at")),
    _Column(r.REACTIVATIONS, b"%d", attrgetter("reactivations")),
)
_EXEMPTION: _Column[Entry] = _Column(r.EXEMPTION_ENDS_AT, b"%.3f", _exemption_end)
_RESERVED: tuple[tuple[str, Callable[[Holdings], int]], ...] = (
    ("memory", attrgetter("reserved_memory_bytes")),
    ("file", attrgetter("reserved_storage_bytes")),
)


def removal_lines(
    views: Sequence[AccountView], bare: Sequence[bytes], dossiers: Dossiers | None
) -> Iterator[Lines]:
    """Yield the lines of some accounts of one system, family by family.

    Args:
        views: the accounts.
        bare: their labels without braces.
        dossiers: of their system; without them no account is removable, and nothing
            is known.
    """
    labels = [b"{%b}" % text for text in bare]
    if dossiers is None:
        yield r.REMOVABLE, samples(r.REMOVABLE.name, b"%d", labels, [0] * len(labels))
        yield _STAGES[-1].lines(labels, [FRESH] * len(labels))
        return
    accounts = [view.account for view in views]
    judged = [
        dossiers[view.account] if view.verdict is Verdict.INACTIVE else None
        for view in views
    ]
    # Facts are dear to make: those of a dossier are made already.
    facts = [
        dossier.facts if dossier else dossiers.facts(account)
        for account, dossier in zip(accounts, judged, strict=True)
    ]
    stages = list(map(dossiers.stage, accounts))
    yield from (column.lines(labels, facts) for column in _FACTS)
    yield from (column.lines(labels, stages) for column in _STAGES)
    yield _EXEMPTION.lines(labels, list(map(dossiers.entry, accounts)))
    yield from _holding_lines(bare, [each.holdings for each in facts])
    yield from _judged_lines(bare, judged)


def _holding_lines(
    bare: Sequence[bytes], holdings: Sequence[Holdings | None]
) -> Iterator[Lines]:
    known = [pair for pair in zip(bare, holdings, strict=True) if pair[1] is not None]
    texts = [text for text, _ in known]
    held = [holding for _, holding in known if holding is not None]
    labels = [b"{%b}" % text for text in texts]
    yield from (column.lines(labels, held) for column in _HOLDINGS)
    for storage, value in _RESERVED:
        label = pairs(r.RESERVED.labels[-1:], (storage,))
        labels = [b"{%b,%b}" % (text, label) for text in texts]
        # What has no limit is UNLIMITED, a negative number: nothing is set aside.
        reserved = [max(0, value(holding)) for holding in held]
        yield r.RESERVED, samples(r.RESERVED.name, b"%d", labels, reserved)


def _judged_lines(
    bare: Sequence[bytes], judged: Sequence[Dossier | None]
) -> Iterator[Lines]:
    removable: list[int] = []
    labels: list[bytes] = []
    numbers: list[int] = []
    for dossier, text in zip(judged, bare, strict=True):
        if dossier is None:
            removable.append(0)
            continue
        removable.append(dossier.removability is Removability.SAFE)
        for item in dossier.blockers:
            label = pairs(r.BLOCKERS.labels[-1:], (item.reason,))
            labels.append(b"{%b,%b}" % (text, label))
            numbers.append(max(1, item.number))
    braced = [b"{%b}" % text for text in bare]
    yield r.REMOVABLE, samples(r.REMOVABLE.name, b"%d", braced, removable)
    yield r.BLOCKERS, samples(r.BLOCKERS.name, b"%d", labels, numbers)
