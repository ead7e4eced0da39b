"""Dossiers with defaults, for tests of everything that shows them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nats_idle_exporter.dossiers import Dossiers, Material, use_of
from nats_idle_exporter.removal.dossier import (
    Check,
    Dossier,
    Item,
    Outcome,
    Removability,
)
from nats_idle_exporter.removal.facts import (
    AccountFacts,
    Holdings,
    Import,
    Importer,
    Told,
)
from nats_idle_exporter.removal.registry import NO_ENTRY, Entry
from tests.metrics.builders import NOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nats_idle_exporter.activity import AccountView
    from nats_idle_exporter.dossiers import Entries
    from nats_idle_exporter.removal.dossier import Stage
    from nats_idle_exporter.snapshot import Snapshot


def holdings(**changes: Any) -> Holdings:
    """Return what an account without JetStream holds: nothing."""
    return replace(Holdings(as_of_at=NOW - 60), **changes)


def facts_of(view: AccountView, **changes: Any) -> AccountFacts:
    """Return the facts of an account that has nothing, and all of them told."""
    values: dict[str, Any] = {
        "holdings": holdings(),
        "exports": 0,
        "imports": (),
        "importers_unknown": 0,
        "are_copies_known": True,
        "is_expired": False,
        "told_at": NOW,
    }
    return AccountFacts(
        account=view.account,
        name=view.name,
        is_operator_mode=view.is_operator_mode,
        **values | changes,
    )


def an_importer(account: str) -> Importer:
    """Return an account that imports one subject."""
    imports = (Import("ORDERS", "orders.>", "stream"),)
    return Importer(account, account, "active", imports, Told.SERVERS)


def an_item(check: Check, outcome: Outcome = Outcome.FAIL, number: int = 1) -> Item:
    """Return an item of the checklist."""
    return Item(check, outcome, number, "said in words", "jsz")


class HandMade(Dossiers):
    """Dossiers whose items are told, not judged; ``asked`` names whose were made."""

    def __init__(
        self, material: Material, items: Mapping[str, tuple[Item, ...]]
    ) -> None:
        super().__init__("default", material)
        self._views = material.views
        self._items = items
        self.asked: list[str] = []

    def __getitem__(self, account: str) -> Dossier:
        """Return what was told: safe without an item that blocks."""
        self.asked.append(account)
        items = self._items.get(account, ())
        return Dossier(
            system="default",
            use=use_of(self._views[account]),
            facts=self.facts(account),
            entry=self.entry(account),
            removability=_removability(items),
            items=items,
            stage=self.stage(account),
        )


def _removability(items: Iterable[Item]) -> Removability:
    outcomes = {item.outcome for item in items}
    if Outcome.FAIL in outcomes:
        return Removability.BLOCKED
    return Removability.UNKNOWN if Outcome.UNKNOWN in outcomes else Removability.SAFE


def no_entries(_account: str, _name: str) -> Entry:
    """Say nothing of any account."""
    return NO_ENTRY


def dossiers_of(
    views: Iterable[AccountView],
    *,
    facts: Mapping[str, AccountFacts] | None = None,
    items: Mapping[str, tuple[Item, ...]] | None = None,
    stages: Mapping[str, Stage] | None = None,
    entries: Entries = no_entries,
) -> HandMade:
    """Return dossiers of accounts that have nothing, but for what is told."""
    views = tuple(views)
    material = Material(
        views={view.account: view for view in views},
        facts={view.account: facts_of(view) for view in views} | dict(facts or {}),
        entries=entries,
        stages=stages or {},
        now_at=NOW,
    )
    return HandMade(material, items or {})


def with_dossiers(snapshot: Snapshot, **told: Any) -> Snapshot:
    """Return the snapshot with dossiers of its only system, ``default``."""
    dossiers = dossiers_of(snapshot.systems["default"].accounts, **told)
    return replace(snapshot, dossiers={"default": dossiers})
