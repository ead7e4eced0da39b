"""The scenes of the bench, by theme: what scripts do, and which case it shows."""

from __future__ import annotations

from tests.truth.bench import Play
from tests.truth.scenes import (
    across,
    clusters,
    journeys,
    operators,
    outages,
    resets,
    single,
    streams,
)

PLAYS: tuple[Play, ...] = (
    *single.PLAYS,
    *across.PLAYS,
    *streams.PLAYS,
    *clusters.PLAYS,
    *outages.PLAYS,
    *resets.PLAYS,
    *operators.PLAYS,
    *journeys.PLAYS,
)
