"""Run the truth bench: see ``tests.truth``."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from tests.truth.bench import Bench, play
from tests.truth.scenes import PLAYS
from tests.truth.table import as_json, footer, rows, sums, table



async def _run(json_path: Path | None, only: list[str] | None) -> int:
    with tempfile.TemporaryDirectory(prefix="nats-idle-truth-") as folder:
        bench = Bench(Path(folder))
        plays = [each for each in PLAYS if not only or each.name in only]
        await play(bench, plays, lambda what: sys.stderr.write(f"{what}\n"))
        cases = await bench.judged()
    found = sums(cases)
    sys.stdout.write(table(rows(cases)))
    sys.stdout.write("\n" + footer(found, len(cases)))
    if json_path:
        json_path.write_text(json.dumps(as_json(cases), indent=2) + "\n")
    return 0 if found["ours"].is_good else 1


def main() -> int:
    """Return 0 when the exporter made no error."""
    parser = ArgumentParser(prog="python -m tests.truth", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few cases only")
    parser.add_argument("--only", nargs="+", help="scenes, by name")
    parser.add_argument("--json", type=Path, help="write the results to a file")
    options = parser.parse_args()
    return asyncio.run(_run(options.json, options.only))


if __name__ == "__main__":
    sys.exit(main())
