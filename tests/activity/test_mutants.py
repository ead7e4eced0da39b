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
    Caught("ignores a server", 26),
    Caught("keys by endpoint", 2),
    Caught("clears on outage", 3),
    Caught("no resets", 39),
    Caught("computed resets", 3369),
    Caught("absent is gone", 3),
    Caught("appearing is no use", 11),
    Caught("counts routes", 116),
    Caught("default list", 1),
    Caught("no leafnodes", 6),
    Caught("bytes only", 1),
    Caught("one direction", 90),
    Caught("old is new", 198),
    Caught("ignores reloads", 64),
    Caught("dates at asked", 31),
    Caught("claims to answered", 9),
    Caught("ignores peers", 11),
    Caught("ignores streams", 21),
    Caught("no system account", 1),
    Caught("failure is silence", 3),
    Caught("forgives every hole", 26),
    Caught("forgives any number", 39),
    Caught("never outdated", 59),
    Caught("wall clock", 19),
    Caught("monotonic clock", 93),
    Caught("follows the wall clock", 19),
)


@pytest.mark.parametrize("caught", CAUGHT, ids=lambda caught: caught.mutant)
def test_the_mutant_is_caught(caught: Caught) -> None:
    """The wrong heart breaks its promise where the true heart keeps all."""
    mutant = MUTANTS[caught.mutant]

    outcome = run_mutant(mutant, caught.seed)
    truth = run_one(caught.seed)

    assert outcome.breaks(mutant.breaks)
    assert truth.violations == []


def test_every_mutant_is_named() -> None:
    """No wrong heart is left without the seed that catches it."""
    named = {caught.mutant for caught in CAUGHT}

    assert named == set(MUTANTS)
