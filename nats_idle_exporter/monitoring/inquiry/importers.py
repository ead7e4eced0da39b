"""Who imports from whom, in both directions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Imported = Mapping[str, tuple[str, ...]]
"""Account id -> the ids of those that import from it, sorted."""


class ImporterIndex:
    """Keeps who imports from each account, from what each account imports.

    What ``importers`` returned is never changed.
    """

    def __init__(self) -> None:
        self._exporters: dict[str, frozenset[str]] = {}
        self._importers: dict[str, tuple[str, ...]] = {}
        self._is_given = False

    def learn(self, account: str, exporters: Iterable[str]) -> None:
        """Take in from whom an account imports now; itself does not count."""
        after = frozenset(exporters) - {account}
        before = self._exporters.get(account, frozenset())
        if after == before:
            return
        if self._is_given:
            self._importers, self._is_given = dict(self._importers), False
        for exporter in before - after:
            self._put(exporter, (a for a in self._importers[exporter] if a != account))
        for exporter in after - before:
            self._put(exporter, (*self._importers.get(exporter, ()), account))
        if after:
            self._exporters[account] = after
        else:
            del self._exporters[account]

    @property
    def importers(self) -> Imported:
        """Return who imports from whom now."""
        self._is_given = True
        return self._importers

    def _put(self, exporter: str, importers: Iterable[str]) -> None:
        told = tuple(sorted(importers))
        if told:
            self._importers[exporter] = told
        else:
            del self._importers[exporter]
