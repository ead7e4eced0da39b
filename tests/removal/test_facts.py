"""Tests of what follows from the facts of an account alone."""

from __future__ import annotations

import pytest

from nats_idle_exporter.removal.facts import UNLIMITED, Limits
from tests.removal.cases import some_facts

OPEN, SHUT = Limits(UNLIMITED, UNLIMITED), Limits(0, 0)


@pytest.mark.parametrize(
    ("limits", "is_expired", "is_closed"),
    [
        (OPEN, False, False),
        (OPEN, None, False),
        (OPEN, True, True),
        (SHUT, False, True),
        (Limits(0, 1), False, False),
        (Limits(1, 0), False, False),
        (None, True, True),
        (None, False, None),
        (None, None, None),
    ],
)
def test_who_may_log_in(
    limits: Limits | None,
    is_expired: bool | None,  # noqa: FBT001 - a row of the table
    is_closed: bool | None,  # noqa: FBT001 - a row of the table
) -> None:
    """Nobody may by no limit left or by an expired JWT; what nobody told is unknown."""
    facts = some_facts(limits=limits, is_expired=is_expired)

    assert facts.is_closed is is_closed


@pytest.mark.parametrize(
    ("is_loaded", "is_listed", "is_zombie"),
    [
        (True, False, True),
        (True, True, False),
        (True, None, False),
        (False, False, False),
    ],
)
def test_who_is_loaded_but_not_listed(
    is_loaded: bool,  # noqa: FBT001 - a row of the table
    is_listed: bool | None,  # noqa: FBT001 - a row of the table
    is_zombie: bool,  # noqa: FBT001 - a row of the table
) -> None:
    """Only a complete inventory that lacks it makes a loaded account a zombie."""
    facts = some_facts(is_loaded=is_loaded, is_listed=is_listed)

    assert facts.is_zombie is is_zombie
