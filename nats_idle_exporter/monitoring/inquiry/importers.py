"""Who imports from whom, in both directions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Imported = Mapping[str, tuple[str, ...]]
"""Account id -> the ids of those that import from it, sorted."""


class ImporterIndex:
    """Keeps who imports from each account, from what each account imports.

    What ``importers`` returned is never changed. To learn costs what differs, however
    many import from an account; what differs is sorted when somebody asks.
    """

    def __init__(self) -> None:
        self._exporters: dict[str, frozenset[str]] = {}
        self._importers: dict[str, set[str]] = {}
        self._differing: set[str] = set()
        self._given: dict[str, tuple[str, ...]] = {}

    def learn(self, account: str, exporters: Iterable[str]) -> None:
        """Take in from whom an account imports now; itself does not count."""
        after = frozenset(exporters) - {account}
        before = self._exporters.get(account, frozenset())
        if after == before:
            return
        self._differing |= before ^ after
        for exporter in before - after:
            self._importers[exporter].discard(account)
        for exporter in after - before:
            self._importers.setdefault(exporter, set()).add(account)
        if after:
            self._exporters[account] = after
        else:
            del self._exporters[account]

    @property
    def importers(self) -> Imported:
        """Return who imports from whom now."""
        if self._differing:
            self._given = dict(self._given)
            for exporter in self._differing:
                self._give(exporter)
            self._differing.clear()
        return self._given

    def _give(self, exporter: str) -> None:
        if those := self._importers[exporter]:
            self._given[exporter] = tuple(sorted(those))
        else:
            del self._importers[exporter]
            self._given.pop(exporter, None)
