"""The play: every act in its order, each when its sight was seen."""

from __future__ import annotations

from nats_idle_exporter.demo.board import Board
from nats_idle_exporter.demo.cast import FORGOTTEN
from nats_idle_exporter.demo.scenario import ACTS, Act, Deed, Play
from tests.demo.builders import a_board, a_row

UNKNOWN = a_board(a_row(FORGOTTEN))
INACTIVE = a_board(a_row(FORGOTTEN, is_inactive=True, is_observed=True))
HELD = a_board(a_row(FORGOTTEN, is_inactive=True))
ACTIVE = a_board(a_row(FORGOTTEN, is_observed=True))

FIRST = Act("inactive", 0.5, Deed.HANG, "first")
SECOND = Act("inactive (held)", 0, Deed.RESUME, "second")


class TestPlay:
    """When an act's time has come."""

    def test_act_waits_for_its_sight(self) -> None:
        """Time alone brings no act."""
        play = Play(10, (FIRST,))

        assert play.next_act(UNKNOWN, 0.0) is None
        assert play.next_act(a_board(), 1000.0) is None

    def test_act_waits_on_after_its_sight(self) -> None:
        """Its delay, in thresholds, runs from the first sight, whatever comes then."""
        play = Play(10, (FIRST,))

        assert play.next_act(INACTIVE, 10.0) is None
        assert play.next_act(INACTIVE, 12.0) is None
        assert play.next_act(UNKNOWN, 14.9) is None
        assert play.next_act(UNKNOWN, 15.0) is FIRST

    def test_acts_come_once_and_in_order(self) -> None:
        """A later act's sight counts only after the earlier act, and then all ends."""
        play = Play(10, (FIRST, SECOND))

        assert play.next_act(HELD, 0.0) is None
        assert play.next_act(INACTIVE, 1.0) is None
        assert play.next_act(HELD, 6.0) is FIRST
        assert play.next_act(INACTIVE, 6.2) is None
        assert play.next_act(HELD, 6.5) is SECOND
        assert play.next_act(HELD, 60.0) is None


class TestActs:
    """The acts that are really played."""

    def test_whole_play(self) -> None:
        """Seen in its natural order, the play hangs, resumes and uses once each."""
        boards: list[Board] = [UNKNOWN, INACTIVE, HELD, INACTIVE, ACTIVE, INACTIVE]
        play = Play(15)
        deeds = []
        now = 0.0
        for board in boards:
            for _ in range(20):
                now += 1
                act = play.next_act(board, now)
                deeds += [act.deed] if act else []

        assert len(ACTS) == len(deeds)
        told = [deed for deed in deeds if deed is not Deed.NOTHING]
        assert told == [Deed.HANG, Deed.RESUME, Deed.USE]

    def test_words_fit_their_placeholders(self) -> None:
        """Every act's words can be filled in."""
        for act in ACTS:
            words = act.says.format(account="A", threshold=15.0, url="http://h/")

            assert "{" not in words
