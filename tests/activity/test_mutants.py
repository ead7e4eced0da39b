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
    Caught("ignores a server", 48),
    Caught("keys by endpoint", 6),
    Caught("clears on outage", 43),
    Caught("no resets", 40),
    Caught("computed resets", 1259),
    Caught("absent is gone", 26),
    Caught("appearing is no use", 6),
    Caught("counts routes", 54),
    Caught("default list", 1),
    Caught("no leafnodes", 47),
    Caught("bytes only", 1),
    Caught("one direction", 1),
    Caught("old is new", 172),
    Caught("ignores reloads", 45),
    Caught("trusts the start", 167),
    Caught("old counters are none", 6),
    Caught("dates at asked", 9),
    Caught("claims to answered", 4),
    Caught("ignores peers", 25),
    Caught("no system account", 1),
    Caught("failure is silence", 1),
    Caught("ignores closed connections", 3),
    Caught("trusts a full ring", 6),
    Caught("believes server stamps", 11),
    Caught("forgives every hole", 6),
    Caught("forgives any number", 73),
    Caught("never outdated", 1),
    Caught("wall clock", 73),
    Caught("monotonic clock", 39),
    Caught("follows the wall clock", 7),
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
