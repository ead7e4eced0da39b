"""Some faults of the table before real servers; ``make chaos`` plays them all."""

from __future__ import annotations

import pytest

from tests.chaos.bodyfaults import FAULTS
from tests.chaos.faults import CALM
from tests.chaos.stage import play, staged

pytestmark = [pytest.mark.live, pytest.mark.no_cover, pytest.mark.timeout(300)]

SOME = (
    "refused",
    "hangs in the body",
    "endless chunks",
    "redirect loop",
    "nested in what is skipped",
    "an account twice",
    "an identity per poll",
    "all of it stale",
    "our clock steps ahead",
    "connz fails alone",
)


async def test_faults_move_no_verdict(nats_version: str) -> None:
    """No fault raises or clears, costs memory, or outlasts its end by two cycles."""
    async with staged(nats_version) as stage:
        calm = await play(CALM, stage)
        outcomes = [await play(FAULTS[name], stage) for name in SOME]

    assert [miss for each in outcomes for miss in each.misses(calm)] == []
