"""The judge: compare what was said, cycle by cycle, with the truth. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from tests.truth.life import Life, Standing

GRACE_CYCLES = 2
"""A raise may be late by so many cycles."""


class Said(NamedTuple):
    """What one judge said of one account at the end of one cycle.

    ``word`` is for the table. ``is_backed`` says that the 1 is claimed for now,
    and not held from before a hole, and said so.
    """

    word: str
    is_raised: bool
    is_backed: bool = True


NOT_LISTED = Said("-", is_raised=False)


class Outcome(StrEnum):
    """What one answer is worth."""

    RIGHT = "right"
    WRONG = "wrong"
    """It says unused of what was used."""
    HELD = "held"
    """A 1 from before a hole, marked as not backed now, over use in the hole."""
    LATE = "late"
    """It does not say unused of what was, though that could be known."""
    UNJUDGED = "unjudged"


@dataclass(slots=True)
class Verdict:
    """What all answers about one account are worth.

    Attributes:
        judged: answers that were judged.
        wrong: answers that were wrong, and ``wrong_raises`` the runs of such.
        held: answers that were held over use, and marked so.
        delays: of every raise that was owed and came, the cycles it came late.
        missed: raises that were owed and came too late, not at all, or fell again.
    """

    judged: int = 0
    wrong: int = 0
    wrong_raises: int = 0
    held: int = 0
    missed: int = 0
    delays: list[int] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Say whether it made no error that counts."""
        return not (self.wrong or self.missed)

    def words(self) -> str:
        """Return right or wrong, and how, as the table tells it."""
        if self.is_right:
            return "right"
        parts = []
        if self.wrong:
            parts.append(f"{self.wrong} wrong")
        if self.missed:
            parts.append(f"{self.missed} missed")
        return f"WRONG: {', '.join(parts)}"


def judge(life: Life, moments: Sequence[float], said: Sequence[Said | None]) -> Verdict:
    """Judge the answers about one account.

    Args:
        life: the truth.
        moments: when each cycle ended, on the clock of the truth.
        said: the answer at each of them; None is not to be judged.
    """
    standings = [life.standing(at) for at in moments]
    outcomes = list(_outcomes(standings, said))
    verdict = Verdict(judged=sum(each is not Outcome.UNJUDGED for each in outcomes))
    for outcome, run in groupby(outcomes):
        length = len(list(run))
        if outcome is Outcome.WRONG:
            verdict.wrong += length
            verdict.wrong_raises += 1
        elif outcome is Outcome.HELD:
            verdict.held += length
    for period in _owed_periods(standings, said):
        _judge_period(period, verdict)
    return verdict


def _outcomes(
    standings: Sequence[Standing], said: Sequence[Said | None]
) -> Iterator[Outcome]:
    was_raised = False
    for standing, answer in zip(standings, said, strict=True):
        if answer is None or standing is Standing.ABSENT:
            yield Outcome.UNJUDGED
        elif standing is Standing.USED and answer.is_raised:
            # To hold is to go on: nobody may begin with a 1 that is not backed.
            is_held = was_raised and not answer.is_backed
            yield Outcome.HELD if is_held else Outcome.WRONG
        elif standing is Standing.OWED and not answer.is_raised:
            yield Outcome.LATE
        else:
            yield Outcome.RIGHT
        was_raised = answer is not None and answer.is_raised


def _owed_periods(
    standings: Sequence[Standing], said: Sequence[Said | None]
) -> Iterator[list[bool]]:
    """Yield for each time in which a 1 was owed whether it was said, by cycle."""
    pairs = zip(standings, said, strict=True)
    for standing, run in groupby(pairs, key=lambda pair: pair[0]):
        raised = [answer.is_raised for _, answer in run if answer is not None]
        if standing is Standing.OWED and raised:
            yield raised


def _judge_period(raised: list[bool], verdict: Verdict) -> None:
    gaps = [(is_raised, len(list(run))) for is_raised, run in groupby(raised)]
    late = 0 if gaps[0][0] else gaps[0][1]
    if any(raised):
        verdict.delays.append(late)
    longest = max((length for is_raised, length in gaps if not is_raised), default=0)
    verdict.missed += longest > GRACE_CYCLES
