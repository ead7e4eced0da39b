"""The heart against the truth, in random histories of whole systems."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.activity.amounts import HISTORIES
from tests.conftest import EVIDENCE
from tests.simulator.draft import FIXED, Kind
from tests.simulator.tally import COUNTED, DISCOVERED, Tally, run_many, run_one

# Tracing makes it three times slower, and other tests cover the heart.
pytestmark = [pytest.mark.no_cover, pytest.mark.timeout(600)]

WITH_SLACK = (Kind.SLACK, Kind.CALM, Kind.ROLLING)
ENOUGH = 0.3
"""The share of histories that must raise an account, or they prove little."""

PART = 250
"""Histories of one test, so that they are shared out among processes."""

Run = Callable[[tuple[Kind, ...], int], Tally]


@pytest.fixture
def run(record_property: Callable[[str, object], None]) -> Run:
    """Run a part of the histories, and have its numbers printed in the end."""

    def run(kinds: tuple[Kind, ...], first: int) -> Tally:
        tally = run_many(range(first, first + PART), kinds)
        record_property(EVIDENCE, f"{', '.join(kinds)}\n{tally.table()}")
        return tally

    return run


@pytest.mark.parametrize("first", range(1, HISTORIES + 1, PART))
def test_promises_hold_with_slack(run: Run, first: int) -> None:
    """No promise is broken, but for what a forgiven hole may hide."""
    tally = run(WITH_SLACK, first)

    assert tally.violations == []
    assert tally.histories == PART
    assert tally.raise_share >= ENOUGH
    assert all(tally.seen[what] > 0 for what in COUNTED)


@pytest.mark.parametrize("first", range(1, HISTORIES // 2 + 1, PART))
def test_promises_hold_without_slack(run: Run, first: int) -> None:
    """No promise is broken at all with tolerance 0 and fixed endpoints."""
    tally = run((Kind.STRICT,), first)

    assert tally.violations == []
    assert tally.raise_share >= ENOUGH
    assert {what for what in COUNTED if not tally.seen[what]} == {"forgiven"}


@pytest.mark.parametrize("first", range(1, HISTORIES // 4 + 1, PART))
def test_promises_hold_where_endpoints_are_found(run: Run, first: int) -> None:
    """No promise is broken by a list that changes, and nobody is forgotten."""
    tally = run((Kind.DISCOVERED,), first)

    assert tally.violations == []
    assert tally.raise_share >= ENOUGH
    assert all(tally.seen[what] > 0 for what in (*COUNTED, *DISCOVERED))


def test_promises_hold_where_servers_are_scaled() -> None:
    """Silence is raised in time, however often all servers are replaced."""
    tally = run_many(range(1, 101), (Kind.SCALED,))

    assert tally.violations == []
    assert tally.raise_share >= ENOUGH


class Once(NamedTuple):
    """A seed whose history once broke a promise, and what was overlooked there."""

    seed: int
    overlooked: str
    has_inventory: bool = False
    kinds: tuple[Kind, ...] = FIXED


ONCE = (
    Once(13206, "a leader's stamp of what its followers told before"),
    Once(18690, "a stream that seemed gone while its server recovered"),
    Once(46553, "a stream that recovered between two rounds, with its account"),
    Once(65668, "a stream that seemed gone before and after it was written"),
    Once(302303, "who is no tenant, after the last server was forgotten"),
    Once(
        2433,
        "streams of an account that was loaded since the last round",
        has_inventory=True,
    ),
    Once(
        15071,
        "who was added and removed while an old server lost its counters",
        has_inventory=True,
    ),
    Once(
        2000236,
        "consumers of a stream that nobody wrote into and that seemed gone",
        has_inventory=True,
        kinds=(Kind.SLACK,),
    ),
    Once(388, "a JWT is no older where servers' clocks are ahead", has_inventory=True),
    Once(4, "an answer that lacks a part makes nobody a zombie", has_inventory=True),
    Once(
        2002995,
        "a leader's stamp of what its followers told as growth",
        has_inventory=True,
        kinds=(Kind.CALM,),
    ),
    Once(
        2001159,
        "a server that lived on while another bore its name, which nobody promises",
        has_inventory=True,
        kinds=(Kind.DISCOVERED,),
    ),
    Once(
        2003979,
        "a server that was found at one address still when another was dropped",
        has_inventory=True,
        kinds=(Kind.DISCOVERED,),
    ),
    Once(
        5010633,
        "a server that ended, whose consumers nobody can look at any more",
        has_inventory=True,
        kinds=(Kind.DISCOVERED,),
    ),
    Once(
        880105,
        "a stream that came back with its account and went between two rounds",
        has_inventory=True,
        kinds=(Kind.SLACK,),
    ),
)


@pytest.mark.parametrize("once", ONCE, ids=lambda once: str(once.seed))
def test_what_was_overlooked_once_is_seen(once: Once) -> None:
    """A history that broke a promise breaks none any more."""
    outcome = run_one(once.seed, once.kinds, has_inventory=once.has_inventory)

    assert outcome.violations == [], once.overlooked


def test_a_seed_tells_the_same_history_again() -> None:
    """A seed found once can be looked into later."""
    first, second = run_one(7), run_one(7)

    assert first == second
