"""Exemptions of a history: whom its rules leave alone, from when, and until when."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from tests.simulator.draft import BEGAN_AT
from tests.simulator.servers import NEVER

SHARE = 0.2
"""The share of histories with exemptions: who is exempt cannot be raised wrongly."""


class Waiver(NamedTuple):
    """A rule says from one cycle on that an account is exempt until a moment."""

    from_cycle: int
    until_at: float
    is_taken_back_in: int
    """The cycle from which on no rule says so any more."""


class Waivers:
    """What the rules say of exemptions in the cycle that is told."""

    def __init__(self, waivers: dict[str, Waiver]) -> None:
        self._waivers = waivers
        self.cycle = 0

    def until_at(self, account: str) -> float:
        """Return until when the rules of this cycle exempt an account."""
        waiver = self._waivers.get(account)
        if waiver and waiver.from_cycle <= self.cycle < waiver.is_taken_back_in:
            return waiver.until_at
        return NEVER


def draw_waivers(
    chance: Random, tenants: list[str], cycles: int, seconds: float
) -> Waivers:
    """Draw who of the tenants is exempt in a history of so many cycles and seconds."""
    if chance.random() >= SHARE:
        return Waivers({})
    return Waivers(
        {
            account: _waiver(chance, cycles, seconds)
            for account in tenants
            if chance.random() < 0.6
        }
    )


def _waiver(chance: Random, cycles: int, seconds: float) -> Waiver:
    is_from_start = chance.random() < 0.4
    from_cycle = 0 if is_from_start else chance.randrange(cycles)
    is_taken_back = chance.random() < 0.2
    back_in = chance.randrange(from_cycle, cycles) if is_taken_back else cycles
    until_at = BEGAN_AT + seconds * chance.uniform(from_cycle / cycles, 1.1)
    return Waiver(from_cycle, until_at, back_in)
