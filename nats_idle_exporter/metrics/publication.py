"""What a page is made from: one moment, whole, for every reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nats_idle_exporter.metrics.refusals import NO_REFUSALS, Refusal
from nats_idle_exporter.snapshot import Snapshot, StateStatus


@dataclass(frozen=True, slots=True)
class ReloadStatus:
    """How loading the configuration went; ``last_success_at`` is Unix seconds."""

    is_successful: bool
    last_success_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One moment to publish; ``snapshot`` is None until the first cycle ended.

    ``refused`` holds every known reason, zero included. ``state`` is None when nothing
    outlives the process.
    """

    snapshot: Snapshot | None
    reload: ReloadStatus
    refused: Mapping[Refusal, int] = field(default_factory=lambda: NO_REFUSALS)
    state: StateStatus | None = None
