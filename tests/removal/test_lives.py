"""What outlives the process of accounts on their way out."""

from __future__ import annotations

import msgspec
import pytest

from nats_idle_exporter.removal.lifecycle import Lifecycle
from nats_idle_exporter.removal.lives import DamagedLives
from tests.removal.cases import DAY, NOW
from tests.removal.lifelines import CLOSED, CYCLE, INACTIVE, Followed, Seen, Used, ruled

BUSY = Seen("active", Used(NOW + DAY))


class TestRestart:
    """A restart of ours forgets nothing, and announces nothing twice."""

    def test_the_grace_goes_on(self) -> None:
        """The clock of the first phase started when it did."""
        followed = Followed()
        followed.step(INACTIVE, doors=CLOSED)
        before = followed.stage()
        followed.restart()

        assert followed.happened(INACTIVE, doors=CLOSED) == []
        assert followed.stage() == before

    def test_what_is_ready_is_told_once(self) -> None:
        """The end of the grace is not announced again."""
        followed = Followed(ruled(disabled_on_at=NOW - 40 * DAY))
        followed.step(INACTIVE)
        followed.restart()

        assert followed.happened(INACTIVE) == []

    def test_who_comes_back_meanwhile_is_counted(self) -> None:
        """Use while we were down is use after it was raised."""
        followed = Followed()
        followed.step(INACTIVE)
        followed.restart()

        assert followed.happened(BUSY, after=DAY) == ["reactivated"]

    def test_the_counter_goes_on(self) -> None:
        """What was counted stays, with the last evidence."""
        followed = Followed()
        followed.step(INACTIVE)
        followed.step(BUSY, after=DAY)
        before = followed.stage()
        followed.restart()
        followed.step(BUSY)

        assert before.reactivations == 1
        assert followed.stage() == before

    def test_an_exemption_that_ended_meanwhile(self) -> None:
        """It is announced when we are back."""
        followed = Followed(ruled(until_at=NOW + 2 * CYCLE))
        followed.step(INACTIVE)
        followed.restart()

        assert followed.happened(INACTIVE, after=DAY) == ["exemption_ended"]


class TestRows:
    """What a store is told."""

    def test_only_what_changed(self) -> None:
        """A cycle in which nothing happened writes nothing."""
        followed = Followed()
        followed.step(INACTIVE, doors=CLOSED)
        first = followed.save()
        followed.step(INACTIVE, doors=CLOSED)

        assert first == [("life", "A"), ("raised", "A")]
        assert followed.save() == []

    def test_all_of_it_after_it_may_have_been_dropped(self) -> None:
        """Whoever lost what he was told is told it again."""
        followed = Followed()
        followed.step(INACTIVE, doors=CLOSED)
        first = followed.save()
        followed.lifecycle.retell()

        assert followed.save() == first

    def test_a_life_in_which_nothing_is_left_goes(self) -> None:
        """What is as if it had never been needs no row."""
        followed = Followed(ruled(until_at=NOW + 2 * CYCLE))
        followed.step(Seen())
        before = followed.save()
        followed.step(Seen())

        assert before == followed.save() == [("life", "A")]
        assert followed.rows == {}

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("life", b""),
            ("life", b"\xc1"),
            ("life", msgspec.msgpack.encode({"disabled_at": "never"})),
            ("life", msgspec.msgpack.encode({"reactivated_by": "x"})[:-1] + b"\xff"),
            ("life", msgspec.msgpack.encode({"reactivations": -1})),
            ("raised", msgspec.msgpack.encode("x")),
            ("arrived", msgspec.msgpack.encode(None)),
            ("account", msgspec.msgpack.encode(1.0)),
        ],
    )
    def test_damaged_rows(self, kind: str, value: bytes) -> None:
        """Rows that cannot be ours are refused as a whole."""
        with pytest.raises(DamagedLives, match=kind):
            Lifecycle.resume([(kind, "A", value)])

    def test_no_rows(self) -> None:
        """Nothing saved is nothing known."""
        lifecycle = Lifecycle.resume([])
        assert (lifecycle.stages, lifecycle.changes()) == ({}, ([], []))
