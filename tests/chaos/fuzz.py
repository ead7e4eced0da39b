"""Fuzz every target: guided by coverage where atheris is installed, blindly without.

Each target runs in a process of its own, since atheris ends the one it is used in.
What a guided run learned is kept for no other: every run starts with the same
seeds and the same random numbers.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random

ROOT = Path(__file__).parents[2]
MOST_BYTES = 20_000
MOST_MEGABYTES = 1024
HANG_SECONDS = 30


def main() -> int:
    """Return 0 when no target did anything that is not written down for it."""
    parser = ArgumentParser(prog="python -m tests.chaos.fuzz", description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000, help="over all targets")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", help="only this one, in this process")
    parser.add_argument("--folder", type=Path, help="for what a guided run keeps")
    options = parser.parse_args()
    is_guided = importlib.util.find_spec("atheris") is not None
    if options.target:
        if is_guided and options.folder:
            _fuzz_guided(options.target, options.runs, options.seed, options.folder)
        else:
            _fuzz_blindly(options.target, options.runs, options.seed)
        return 0
    from tests.chaos.targets import TARGETS  # noqa: PLC0415 - atheris imports it anew

    sys.stdout.write(f"{'guided by coverage' if is_guided else 'blindly'}\n")
    shares = sum(target.share for target in TARGETS.values())
    runs = {
        name: -(-options.runs * target.share // shares)
        for name, target in TARGETS.items()
    }
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        fuzz = partial(_fuzz_apart, seed=options.seed)
        results = list(pool.map(fuzz, runs, runs.values()))
    sys.stdout.write(
        f"{sum(runs.values()):,} runs, {results.count(False)} targets failed\n"
    )
    return 0 if all(results) else 1


def _fuzz_apart(name: str, runs: int, seed: int) -> bool:
    """Fuzz one target in a process of its own; tell how it went."""
    command = [sys.executable, "-m", "tests.chaos.fuzz", "--target", name]
    command += ["--runs", str(runs), "--seed", str(seed)]
    start = time.monotonic()
    # Made here: atheris ends its process without tidying up.
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        command += ["--folder", folder]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    seconds = time.monotonic() - start
    word = "ok" if done.returncode == 0 else "FAILED"
    sys.stdout.write(f"{name:10} {runs:8} runs {seconds:6.0f} s  {word}\n")
    if done.returncode:
        sys.stdout.write(done.stderr.decode(errors="replace")[-4000:])
    sys.stdout.flush()
    return done.returncode == 0


def _fuzz_guided(name: str, runs: int, seed: int, folder: Path) -> None:
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["nats_idle_exporter", "yaml"]):
        targets = importlib.import_module("tests.chaos.targets")
    mutation = importlib.import_module("tests.chaos.mutation")

    target = targets.TARGETS[name]

    def mutate(data: bytes, most_bytes: int, number: int) -> bytes:
        random = Random(number)
        if not number % 4:
            return bytes(atheris.Mutate(data, most_bytes))
        if not number % 3:
            # The C of the JSON decoder is not seen: what looks alike is dropped.
            data = random.choice(target.seeds)
        return bytes(mutation.mutate(data, random)[:most_bytes])

    for number, content in enumerate(target.seeds):
        (folder / f"seed-{number}").write_bytes(content)
    flags = [f"-runs={runs}", f"-seed={seed}", f"-max_len={MOST_BYTES}"]
    flags += [f"-timeout={HANG_SECONDS}", f"-rss_limit_mb={MOST_MEGABYTES}"]
    flags += [f"-artifact_prefix={folder}/", str(folder)]
    atheris.Setup([name, *flags], target.run, custom_mutator=mutate)
    atheris.Fuzz()


def _fuzz_blindly(name: str, runs: int, seed: int) -> None:
    targets = importlib.import_module("tests.chaos.targets")
    mutation = importlib.import_module("tests.chaos.mutation")
    target, random = targets.TARGETS[name], Random(seed)
    for _ in range(runs):
        data = mutation.mutate(random.choice(target.seeds), random)
        try:
            target.run(data)
        except BaseException:
            sys.stderr.write(f"{data[:2000]!r}\n")
            raise


if __name__ == "__main__":
    sys.exit(main())
