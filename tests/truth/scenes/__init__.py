"""The scenes of the bench, by theme: what scripts do, and which case it shows."""

from __future__ import annotations

from tests.support.servers import NEWEST
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
SHORT: tuple[Play, ...] = tuple(
    each._replace(versions=(NEWEST,)) for each in PLAYS if each.name in {"use", "equal"}
)
"""The short form: what fits into every run of the tests."""
