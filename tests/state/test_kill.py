"""Killed at any moment: the file is whole, and at most one save behind."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from nats_idle_exporter.activity import AccountView, SystemView, Verdict
from nats_idle_exporter.state import Store
from tests.state.history import SYSTEM, THRESHOLD_SECONDS, Part, moment

KILLS = int(os.environ.get("KILLS", "15"))
MOST_SAVES = 12
LONGEST_SECONDS = 0.03


def kill_while_saving(path: Path, cycle: int, rng: Random) -> int:
    """Let a process save from a cycle on, and kill it; return the last cycle told."""
    command = [sys.executable, "-m", "tests.state.history", str(path), str(cycle)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        last = cycle - 1
        for _ in range(rng.randint(0, MOST_SAVES)):
            last = int(process.stdout.readline())
        # It ends at once when there is one more save to hear of: at the worst moment.
        select.select([process.stdout], [], [], rng.uniform(0.0, LONGEST_SECONDS))
        process.kill()
        told = process.stdout.read().splitlines()
    return int(told[-1]) if told else last


def account(view: SystemView, name: str) -> AccountView:
    """Return the view of an account."""
    return next(each for each in view.accounts if each.account == name)


@pytest.mark.no_cover
@pytest.mark.timeout(60 + 10 * KILLS)
def test_kills_at_random_moments(path: Path) -> None:
    """After each kill the file is readable, has all that was told, and is believed."""
    rng = Random(9)
    cycle = resumed = 0
    last_verdict = Verdict.UNKNOWN
    for _ in range(KILLS):
        last = kill_while_saving(path, cycle, rng)
        cycle = last + rng.choice((2, 3, 50))

        with closing(Store(path)) as store:
            part = Part(store, cycle)
            saved_to = part.saved_to
            view = part.play(cycle)
            part.save(cycle, view)
            changes = store.verdict_changes(SYSTEM, "BUSY")
        watched = moment(cycle) - moment(0)
        cycle += 1
        resumed += 2

        quiet = account(view, "QUIET")
        assert saved_to >= moment(last) or last < 0
        assert "inactive" not in {change.after for change in changes}
        # Uptimes in whole seconds take a little off at each start.
        assert watched - 2.0 * resumed <= quiet.idle_seconds <= watched
        last_verdict = quiet.verdict
        assert (quiet.verdict is Verdict.INACTIVE) == (
            quiet.idle_seconds >= THRESHOLD_SECONDS
        )
    assert last_verdict is Verdict.INACTIVE
