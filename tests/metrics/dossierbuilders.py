"""Dossiers with defaults, for tests of everything that shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nats_idle_exporter.dossiers import Dossiers, Material
from nats_idle_exporter.removal.checklist import Blocker, Case, Judgement
from nats_idle_exporter.removal.dossier import Check, Outcome, Removability
from nats_idle_exporter.removal.registry import NO_ENTRY, Entry
from tests.removal.cases import HOLDINGS, NOW, some_facts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nats_idle_exporter.activity import AccountView
    from nats_idle_exporter.dossiers import Entries
    from nats_idle_exporter.removal.dossier import Stage
    from nats_idle_exporter.removal.facts import AccountFacts, Holdings
    from nats_idle_exporter.snapshot import Snapshot


def holdings(**changes: Any) -> Holdings:
    """Return what an account without JetStream holds: nothing."""
    return replace(HOLDINGS, **changes)


def facts_of(view: AccountView, **changes: Any) -> AccountFacts:
    """Return the facts of an account that nothing hinders, with changes."""
    told = {
        "account": view.account,
        "name": view.name,
        "is_operator_mode": view.is_operator_mode,
    }
    return some_facts(**told | changes)


def a_blocker(
    check: Check, outcome: Outcome = Outcome.FAIL, number: int = 1
) -> Blocker:
    """Return an item of the checklist that does not pass."""
    return Blocker(check, outcome, number)


Blocked = Mapping[str, tuple[Blocker, ...]]
"""By account id, what stands in the way; nothing for who is left out."""


class HandMade(Dossiers):
    """Dossiers whose judgement is told; ``asked`` names who was judged."""

    def __init__(self, material: Material, blockers: Blocked) -> None:
        super().__init__("default", material)
        self._blockers = blockers
        self.asked: list[str] = []

    def judge(self, case: Case) -> Judgement:
        """Return what was told: safe without a blocker."""
        self.asked.append(case.facts.account)
        blockers = self._blockers.get(case.facts.account, ())
        outcomes = {each.outcome for each in blockers}
        removability = Removability.UNKNOWN if outcomes else Removability.SAFE
        if Outcome.FAIL in outcomes:
            removability = Removability.BLOCKED
        return Judgement(removability, blockers)


def no_entries(_account: str, _name: str) -> Entry:
    """Say nothing of any account."""
    return NO_ENTRY


def material_of(
    views: Iterable[AccountView],
    *,
    facts: Mapping[str, AccountFacts] | None = None,
    stages: Mapping[str, Stage] | None = None,
    entries: Entries = no_entries,
) -> Material:
    """Return what is known of accounts that have nothing, but for what is told."""
    views = tuple(views)
    return Material(
        views={view.account: view for view in views},
        facts={view.account: facts_of(view) for view in views} | dict(facts or {}),
        entries=entries,
        stages=stages or {},
        now_at=NOW,
    )


def hand_made(
    views: Iterable[AccountView],
    blockers: Blocked | None = None,
    **told: Any,
) -> HandMade:
    """Return dossiers with these blockers, and else as :func:`material_of`."""
    return HandMade(material_of(views, **told), blockers or {})


def with_blockers(snapshot: Snapshot, **told: Any) -> Snapshot:
    """Return the snapshot with the system ``default`` judged by hand."""
    dossiers = hand_made(snapshot.systems["default"].accounts, **told)
    return replace(snapshot, dossiers={**snapshot.dossiers, "default": dossiers})
