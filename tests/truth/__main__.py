"""Run the truth bench: see ``tests.truth``."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path

from tests.truth.bench import Bench, Judged, Play, play
from tests.truth.scenes import PLAYS, SHORT
from tests.truth.simulated import simulate
from tests.truth.table import as_json, footer, rows, sums, table

HISTORIES = 10_000
PROGRAMS = ("prometheus", "promtool")


async def _cases(plays: Iterable[Play]) -> list[Judged]:
    with tempfile.TemporaryDirectory(prefix="nats-idle-truth-") as folder:
        bench = Bench(Path(folder))
        await play(bench, plays, lambda what: sys.stderr.write(f"{what}\n"))
        return await bench.judged()


def main() -> int:
    """Return 0 when the exporter made no error."""
    parser = ArgumentParser(prog="python -m tests.truth", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few cases only")
    parser.add_argument("--only", nargs="+", metavar="SCENE", help="these scenes only")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all as data")
    parser.add_argument("--histories", type=int, help="simulated ones to run besides")
    options = parser.parse_args()
    if missing := [
        name for name in ("prometheus", "promtool") if not shutil.which(name)
    ]:
        parser.error(f"not on PATH: {', '.join(missing)} (Debian: prometheus)")
    plays = SHORT if options.short else PLAYS
    if options.only:
        plays = tuple(each for each in PLAYS if each.name in options.only)
    histories = options.histories
    if histories is None:
        histories = 0 if options.short or options.only else HISTORIES
    return report(asyncio.run(_cases(plays)), histories, options.json)


def report(cases: list[Judged], histories: int, json_path: Path | None) -> int:
    """Write what was found; return 0 when the exporter made no error."""
    found = sums(cases)
    told = as_json(cases)
    sys.stdout.write(f"{table(rows(cases))}\n{footer(found, len(cases))}")
    is_good = found["ours"].is_good
    if histories:
        tally = simulate(histories)
        sys.stdout.write(f"\nsimulated besides\n{tally.table()}")
        is_good = is_good and not tally.violations
        told["simulated"] = {
            "histories": tally.histories,
            "raises": tally.raises,
            "violations": tally.violations,
        }
    if json_path:
        json_path.write_text(json.dumps(told, indent=2) + "\n")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
