"""Who depends on an account: by imports, and by streams that copy from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from nats_idle_exporter.monitoring.inquiry.known import Known
from nats_idle_exporter.removal.facts import Copy, Import, Importer, Told

_ByExporter = Mapping[str, frozenset[Import]]


class Dependants:
    """By what is known at the end of one cycle."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._sorted: dict[tuple[Told, str], _ByExporter] = {}

    def importers(self, account: str) -> tuple[Importer, ...]:
        """Return who imports from it."""
        known = self._known
        by_servers = known.importers.get(account, ())
        by_inventory = known.listed_importers.get(account, ())
        if not by_servers and not by_inventory:
            return ()
        everybody = sorted({*by_servers, *by_inventory} - {account})
        return tuple(self._importer(each, account) for each in everybody)

    def copies(self, account: str) -> tuple[Copy, ...]:
        """Return which streams of others mirror or source from it."""
        return tuple(
            Copy(each.account, self._name(each.account), each.stream, each.is_mirror)
            for each in self._known.copies.of.get(account, ())
            if each.account != account
        )

    def _importer(self, importer: str, exporter: str) -> Importer:
        heard, listed = (
            self._known.heard.get(importer),
            self._known.listed.get(importer),
        )
        by_servers = by_inventory = frozenset[Import]()
        if heard:
            live = self._by_exporter(Told.SERVERS, importer)
            by_servers = live.get(exporter, by_servers)
        if listed:
            planned = self._by_exporter(Told.INVENTORY, importer)
            by_inventory = planned.get(exporter, by_inventory)
        told = Told.BOTH if by_servers and by_inventory else Told.SERVERS
        if not by_servers:
            told = Told.INVENTORY
        view = self._known.views.get(importer)
        return Importer(
            account=importer,
            name=self._name(importer),
            verdict=str(view.verdict) if view else "",
            imports=tuple(sorted(by_servers | by_inventory)),
            told=told,
        )

    def _by_exporter(self, told: Told, importer: str) -> _ByExporter:
        """Return what an account imports, sorted once: it may import from very many."""
        found = self._sorted.get((told, importer))
        if found is None:
            imports = self._imports(told, importer)
            parted: defaultdict[str, set[Import]] = defaultdict(set)
            for each in imports:
                parted[each.account].add(each)
            found = {a: frozenset(those) for a, those in parted.items()}
            self._sorted[told, importer] = found
        return found

    def _imports(self, told: Told, importer: str) -> Iterator[Import]:
        if told is Told.SERVERS:
            live = self._known.heard[importer].answer.imports or ()
            yield from (each.plain for each in live)
        else:
            for copy in self._known.listed[importer].copies:
                yield from (Import(*each) for each in copy.imports or ())

    def _name(self, account: str) -> str:
        if view := self._known.views.get(account):
            return view.name
        listed = self._known.listed.get(account)
        return (listed.name if listed else "") or account
