"""Run histories, or find the seed that catches a mutant."""

from __future__ import annotations

import sys
from argparse import ArgumentParser

from tests.simulator.draft import FIXED, FOUND, Kind
from tests.simulator.mutants import MUTANTS
from tests.simulator.tally import Tally, find_seed, run_many


def main() -> int:
    """Return 0 when every promise held."""
    parser = ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--histories", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", type=Kind, choices=list(Kind))
    parser.add_argument("--stop-after", type=int, default=20, help="violations")
    parser.add_argument("--find", choices=[*MUTANTS, "all"], help="a mutant")
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.histories)
    if options.find:
        return _find(options.find, seeds)
    if options.kind:
        tally = run_many(seeds, [options.kind], stop_after=options.stop_after)
    else:
        tally = run_many(seeds, FIXED, stop_after=options.stop_after)
        few = seeds[: max(1, len(seeds) // 3)]
        tally.merge(run_many(few, FOUND, stop_after=options.stop_after))
    sys.stdout.write(tally.table())
    return 1 if tally.violations else 0


def _find(name: str, seeds: range) -> int:
    for each in MUTANTS if name == "all" else [name]:
        outcome = find_seed(MUTANTS[each], seeds)
        if outcome is None:
            sys.stdout.write(f"{each}: not caught\n")
            continue
        tally = Tally()
        tally.add(outcome)
        sys.stdout.write(
            f"Caught({each!r}, {outcome.seed}),  # {tally.violations[0]}\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
