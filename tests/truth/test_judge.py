"""The judge itself: what it calls right, wrong, held, late and missed."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import pytest

from tests.truth.judging import GRACE_CYCLES, Said, Verdict, judge
from tests.truth.life import Life, Span
from tests.truth.table import total

THRESHOLD = 10.0
ZERO = Said("active", is_raised=False)
ONE = Said("inactive", is_raised=True)
HELD = Said("inactive", is_raised=True, is_backed=False)


def a_life(
    *, uses: Sequence[Span] = (), blind: Sequence[Span] = (), veils: Sequence[Span] = ()
) -> Life:
    """Return the truth about an account that exists from the beginning."""
    return Life("A", "a case", THRESHOLD, uses=[*uses], blind=[*blind], veils=[*veils])


def judged(life: Life, said: Sequence[Said | None]) -> Verdict:
    """Judge one answer per second."""
    return judge(life, [float(second) for second in range(len(said))], said)


def standings(life: Life, seconds: int) -> str:
    """Return the first letter of each second's standing."""
    return "".join(str(life.standing(float(at)))[0] for at in range(seconds))


class TestStanding:
    """What may be said, by what happened."""

    def test_never_used(self) -> None:
        """It counts as used as long as it is younger than the threshold."""
        assert standings(a_life(), 13) == "uuuuuuuuuuooo"

    def test_use_begins_anew(self) -> None:
        """The threshold runs from the end of the newest use."""
        life = a_life(uses=[Span(1.0, 1.0), Span(3.0, 5.0)])

        assert standings(life, 18) == "u" * 15 + "ooo"

    def test_in_use(self) -> None:
        """A use that lasts leaves nothing idle."""
        assert standings(a_life(uses=[Span(2.0)]), 40) == "u" * 40

    def test_blind_time(self) -> None:
        """Idleness is true, but owed only a threshold after it could be seen again."""
        life = a_life(blind=[Span(4.0, 6.0)])

        assert standings(life, 18) == "u" * 10 + "i" * 6 + "oo"

    def test_blind_time_after_the_proof(self) -> None:
        """What was owed once stays owed as long as nobody uses the account."""
        assert standings(a_life(blind=[Span(12.0)]), 15) == "u" * 10 + "o" * 5

    def test_veil(self) -> None:
        """A raise is owed as soon as the veil lifts, for all was seen then."""
        life = a_life(veils=[Span(8.0, 14.0)])

        assert standings(life, 16) == "u" * 10 + "i" * 4 + "oo"

    def test_use_under_a_veil(self) -> None:
        """It cannot be dated before the veil lifts."""
        life = a_life(uses=[Span(9.0, 9.0)], veils=[Span(8.0, 14.0)])

        assert standings(life, 26) == "u" * 19 + "i" * 5 + "oo"

    def test_absent_and_made_anew(self) -> None:
        """Nothing is judged of what is not there; then it is as new."""
        life = a_life()
        life.exists = [Span(0.0, 11.0), Span(13.0)]

        assert standings(life, 25) == "u" * 10 + "oaa" + "u" * 10 + "oo"

    def test_reported_from(self) -> None:
        """Before it a 1 is wrong, however idle the account is."""
        life = a_life()
        life.reported_from = 12.0
        assert standings(life, 14) == "u" * 12 + "oo"

        life.reported_from = inf
        assert standings(life, 14) == "u" * 14


class TestJudge:
    """What answers are worth."""

    def test_right(self) -> None:
        """A raise at the threshold is right, and has no delay."""
        verdict = judged(a_life(), [ZERO] * 10 + [ONE] * 5)

        assert verdict == Verdict(judged=15, delays=[0])
        assert verdict.words() == "right"

    def test_wrong_raise(self) -> None:
        """A 1 over use is wrong in each cycle, and is one wrong raise."""
        verdict = judged(a_life(), [ZERO] * 7 + [ONE] * 8)

        assert (verdict.wrong, verdict.wrong_raises) == (3, 1)
        assert not verdict.is_right
        assert verdict.words() == "WRONG: 3 wrong"

    def test_wrong_1_that_is_not_cleared(self) -> None:
        """A 1 that use does not clear is wrong, though it was right once."""
        life = a_life(uses=[Span(11.5, 11.5)])

        assert judged(life, [ZERO] * 10 + [ONE] * 5).wrong == 3

    def test_held(self) -> None:
        """A right 1 that is marked as not backed is held over use, and no error."""
        life = a_life(uses=[Span(11.5, 11.5)])
        verdict = judged(life, [ZERO] * 10 + [ONE] * 2 + [HELD] * 3)

        assert (verdict.held, verdict.wrong) == (3, 0)
        assert verdict.is_right

    def test_nobody_begins_with_a_held_1(self) -> None:
        """A raise is wrong over use, whatever it is marked as."""
        assert judged(a_life(), [ZERO] * 5 + [HELD]).wrong == 1

    @pytest.mark.parametrize("late", [0, 1, GRACE_CYCLES])
    def test_late(self, late: int) -> None:
        """A raise may be a little late."""
        verdict = judged(a_life(), [ZERO] * (10 + late) + [ONE] * 5)

        assert (verdict.delays, verdict.missed) == ([late], 0)

    def test_too_late(self) -> None:
        """Beyond that it is missed, though it came."""
        late = GRACE_CYCLES + 1
        verdict = judged(a_life(), [ZERO] * (10 + late) + [ONE] * 5)

        assert (verdict.delays, verdict.missed) == ([late], 1)
        assert verdict.words() == "WRONG: 1 missed"

    def test_never_raised(self) -> None:
        """What never comes is missed, and has no delay."""
        verdict = judged(a_life(), [ZERO] * 20)

        assert (verdict.delays, verdict.missed) == ([], 1)

    def test_raise_that_falls_without_use(self) -> None:
        """A 1 that goes away though nobody used the account is missed, too."""
        verdict = judged(a_life(), [ZERO] * 10 + [ONE] * 3 + [ZERO] * 5)

        assert (verdict.delays, verdict.missed) == ([0], 1)

    def test_not_judged(self) -> None:
        """What nobody was asked counts nowhere."""
        said: list[Said | None] = [None] * 8
        verdict = judged(a_life(), [*said, ONE, ONE, ONE])

        assert (verdict.judged, verdict.wrong) == (3, 2)


class TestSum:
    """All cases together."""

    def test_one_wrong_answer_spoils_it(self) -> None:
        """The run is good only if every case is."""
        good, bad = Verdict(judged=5, delays=[0, 2]), Verdict(judged=5, wrong=1)

        assert total([("", good)]).is_good
        assert total([("", good)]).median_delay == 1
        assert not total([("", good), ("", bad)]).is_good

    def test_misses_count_unless_documented(self) -> None:
        """A limit excuses a miss, and never a wrong raise."""
        missed, wrong = Verdict(missed=1), Verdict(wrong=1)

        assert not total([("", missed)]).is_good
        assert total([("a limit", missed)]).is_good
        assert total([("a limit", missed)]).limits == 1
        assert not total([("a limit", wrong)]).is_good
