"""A dossier -> the way out."""

from __future__ import annotations

from nats_idle_exporter.removal.dossier import Dossier
from nats_idle_exporter.removal.wayout.steps import NOWHERE, Place, WayOut


def way_out(dossier: Dossier, now_at: float, place: Place = NOWHERE) -> WayOut:
    """Return how an account is removed, as of a moment in Unix seconds."""
    raise NotImplementedError
