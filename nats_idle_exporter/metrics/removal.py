"""What stands in the way of accounts' removal, as sample lines; pure.

Only inactive accounts are judged: whoever is in use is not removable, and nobody
asks why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from operator import attrgetter
from typing import Generic, NamedTuple, TypeVar

from nats_idle_exporter.metrics import removalfamilies as r
from nats_idle_exporter.metrics.exposition import known_samples, pairs, samples
from nats_idle_exporter.metrics.family import Family
from nats_idle_exporter.removal.checklist import Case, Judgement
from nats_idle_exporter.removal.dossier import Removability, Stage
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
    bare: Sequence[bytes],
    cases: Sequence[Case],
    judgements: Sequence[Judgement | None],
) -> Iterator[Lines]:
    """Yield the lines of some accounts of one system, family by family.

    Args:
        bare: the accounts' labels without braces.
        cases: what is known of them.
        judgements: whether they may go; None for accounts in use, which may not.
    """
    labels = [b"{%b}" % text for text in bare]
    facts = [case.facts for case in cases]
    stages = [case.stage for case in cases]
    yield from (column.lines(labels, facts) for column in _FACTS)
    yield from (column.lines(labels, stages) for column in _STAGES)
    yield _EXEMPTION.lines(labels, [case.entry for case in cases])
    yield from _holding_lines(bare, [each.holdings for each in facts])
    yield from _judged_lines(bare, judgements)


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
    bare: Sequence[bytes], judgements: Sequence[Judgement | None]
) -> Iterator[Lines]:
    removable: list[int] = []
    labels: list[bytes] = []
    numbers: list[int] = []
    for judgement, text in zip(judgements, bare, strict=True):
        if judgement is None:
            removable.append(0)
            continue
        removable.append(judgement.removability is Removability.SAFE)
        for blocker in judgement.blockers:
            labels.append(b"{%b,%b}" % (text, _reason(blocker.reason)))
            numbers.append(max(1, blocker.number))
    braced = [b"{%b}" % text for text in bare]
    yield r.REMOVABLE, samples(r.REMOVABLE.name, b"%d", braced, removable)
    yield r.BLOCKERS, samples(r.BLOCKERS.name, b"%d", labels, numbers)


@cache
def _reason(reason: str) -> bytes:
    """Return the label of one of few reasons."""
    return pairs(r.BLOCKERS.labels[-1:], (reason,))
