"""A short run of the soak; ``make soak`` has the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.soak import RESTART_EVERY, soak


@pytest.mark.live
@pytest.mark.no_cover
async def test_restarts_leave_nothing_behind(tmp_path: Path) -> None:
    """After each server was restarted once there are as many tasks and sockets."""
    first, *_, last = await soak(4 * RESTART_EVERY, tmp_path / "state.sqlite")

    assert (last.tasks, last.sockets) == (first.tasks, first.sockets)
