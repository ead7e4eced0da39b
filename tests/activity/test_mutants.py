"""The simulator notices wrong hearts: each is caught by a named seed."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.simulator.mutants import MUTANTS
from tests.simulator.tally import run_mutant, run_one


class Caught(NamedTuple):
    """A mutant and a seed that catches it.

    ``python -m tests.simulator --find all`` finds them anew.
    """

    mutant: str
    seed: int


CAUGHT = (
    Caught("ignores a server", 42),
    Caught("keys by endpoint", 7),
    Caught("clears on outage", 86),
    Caught("no resets", 113),
    Caught("computed resets", 3177),
    Caught("absent is gone", 6),
    Caught("appearing is no use", 6),
    Caught("counts routes", 127),
    Caught("default list", 2),
    Caught("no leafnodes", 56),
    Caught("bytes only", 3),
    Caught("one direction", 182),
    Caught("old is new", 193),
    Caught("ignores reloads", 156),
    Caught("trusts the start", 193),
    Caught("old counters are none", 6),
    Caught("dates at asked", 29),
    Caught("claims to answered", 32),
    Caught("ignores peers", 7),
    Caught("ignores jsz", 8),
    Caught("joins jsz by name", 55),
    Caught("missing is quiet", 139),
    Caught("ignores consumers", 84),
    Caught("counts mirrors", 616),
    Caught("trusts the loaded", 2433),
    Caught("ignores the inventory", 5),
    Caught("part is whole", 9),
    Caught("counts cycles", 2),
    Caught("zombies are gone", 1),
    Caught("lacked is zombie", 4),
    Caught("raises the exempt", 15),
    Caught("exempts for ever", 15),
    Caught("ignores strangers", 2880),
    Caught("forgets deletions", 590),
    Caught("JWTs are ancient", 4),
    Caught("names by servers alone", 2),
    Caught("no system account", 1),
    Caught("failure is silence", 6),
    Caught("ignores closed connections", 1),
    Caught("trusts a full ring", 25),
    Caught("believes server stamps", 5),
    Caught("forgives every hole", 12),
    Caught("forgives any number", 98),
    Caught("never outdated", 52),
    Caught("forgets raised", 40),
    Caught("forgets baselines", 14),
    Caught("wall clock downtime", 14),
    Caught("wall clock", 103),
    Caught("monotonic clock", 22),
    Caught("follows the wall clock", 82),
    Caught("dropped is ended", 79),
    Caught("trusts the found", 1),
    Caught("failure finds nobody", 54),
    Caught("untold is empty", 77),
    Caught("dropped is unnamed", 11),
    Caught("strangers are kin", 79),
)


@pytest.mark.no_cover
@pytest.mark.parametrize("caught", CAUGHT, ids=lambda caught: caught.mutant)
def test_the_mutant_is_caught(caught: Caught) -> None:
    """The wrong heart breaks its promise where the true heart keeps all."""
    mutant = MUTANTS[caught.mutant]

    outcome = run_mutant(mutant, caught.seed)
    truth = run_one(caught.seed, mutant.kinds)

    assert outcome.breaks(mutant.breaks)
    assert truth.violations == []


def test_every_mutant_is_named() -> None:
    """No wrong heart is left without the seed that catches it."""
    named = {caught.mutant for caught in CAUGHT}

    assert named == set(MUTANTS)
