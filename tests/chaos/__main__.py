"""Play faults before real servers, and print what came of each."""

from __future__ import annotations

import asyncio
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path

from tests.chaos.bodyfaults import FAULTS
from tests.chaos.faults import CALM, Fault
from tests.chaos.outcome import Outcome, render_delays, render_json, render_table
from tests.chaos.stage import Stage, play, staged
from tests.support.servers import NEWEST, VERSIONS

TRIES = 3
LEAST_URGENT = 19


def main() -> int:
    """Return 0 when every goal that is not about time was met."""
    parser = ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--only", default="", help="faults with this in their name")
    parser.add_argument("--version", choices=VERSIONS, default=NEWEST)
    parser.add_argument("--json", type=Path, help="where to write the outcomes")
    options = parser.parse_args()
    chosen = [each for each in FAULTS.values() if options.only in each.name]
    calm, *outcomes = asyncio.run(_play_all(chosen, options.version))
    sys.stdout.write(render_table(outcomes, calm) + render_delays(outcomes))
    if options.json:
        options.json.write_text(render_json(outcomes, calm), encoding="utf-8")
    misses = [miss for each in outcomes for miss in each.misses(calm)]
    sys.stdout.write("".join(f"MISSED {miss}\n" for miss in misses))
    sys.stdout.write(f"{len(outcomes)} faults, {len(misses)} goals missed\n")
    return 1 if misses else 0


async def _play_all(faults: Iterable[Fault], version: str) -> list[Outcome]:
    """Return the outcomes, the first of a calm run, once all is warm."""
    async with staged(version, niceness=LEAST_URGENT) as stage:
        await play(CALM, stage)
        calm = await play(CALM, stage)
        return [calm, *[await _play_fairly(each, stage, calm) for each in faults]]


async def _play_fairly(fault: Fault, stage: Stage, calm: Outcome) -> Outcome:
    """Play a fault, and again where only the machine may have been slow by chance.

    Return the first that missed a goal, or the last with the times of all.
    """
    outcome = await play(fault, stage)
    for _ in range(TRIES - 1):
        if outcome.misses(calm) or not outcome.is_slow:
            break
        again = await play(fault, stage)
        outcome = again.timed_with(outcome)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
