"""What a page is made from: one moment, whole, for every reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nats_idle_exporter.activity import AccountView
from nats_idle_exporter.dossiers import Dossiers
from nats_idle_exporter.metrics.refusals import NO_REFUSALS, Refusal
from nats_idle_exporter.removal.registry import NO_ENTRY
from nats_idle_exporter.snapshot import HasOwner, Ownership, Snapshot, StateStatus

__all__ = ["HasOwner", "Ownership", "Publication", "ReloadStatus"]


@dataclass(frozen=True, slots=True)
class ReloadStatus:
    """How loading the configuration went; ``last_success_at`` is Unix seconds."""

    is_successful: bool
    last_success_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One moment to publish; ``snapshot`` is None until the first cycle ended.

    ``ownership`` is what the operator's rules say. ``refused`` holds every known
    reason, zero included. ``state`` is None when nothing outlives the process.
    """

    snapshot: Snapshot | None
    ownership: Ownership = lambda _account, _name: NO_ENTRY
    reload: ReloadStatus
    refused: Mapping[Refusal, int] = field(default_factory=lambda: NO_REFUSALS)
    state: StateStatus | None = None

    def dossiers(self, system: str) -> Dossiers | None:
        """Return the dossiers of a system; None where nobody made any."""
        return self.snapshot.dossiers.get(system) if self.snapshot else None

    def owner(self, system: str, view: AccountView) -> HasOwner:
        """Return who an account belongs to, by the rules or else by its JWT."""
        dossiers = self.dossiers(system)
        if dossiers is None:
            return self.ownership(view.account, view.name)
        return dossiers.entry(view.account)
