"""Two phases: disabled for a time of grace, then ready; and who comes back."""

from __future__ import annotations

import pytest

from nats_idle_exporter.removal import Registry
from nats_idle_exporter.removal.dossier import FRESH, Stage
from nats_idle_exporter.removal.happenings import Event, Happening
from nats_idle_exporter.removal.leaving import SETTLE_SECONDS
from nats_idle_exporter.removal.lifecycle import FORGET_AFTER_SECONDS
from nats_idle_exporter.removal.sights import Doors
from tests.removal.cases import DAY, NOW
from tests.removal.lifelines import (
    ACTIVE,
    CLOSED,
    CYCLE,
    EXEMPT,
    INACTIVE,
    Followed,
    Seen,
    Used,
    ruled,
)

GRACE = 30 * DAY
UNTOLD = Doors()


def used(at: float, verdict: str = "active") -> Seen:
    """Return an account that was used then."""
    return Seen(verdict, Used(at))


class TestDisabled:
    """The first phase, by what servers and inventories tell."""

    def test_grace_begins_when_it_is_first_seen(self) -> None:
        """From then on it is disabled, and the day of deletion is known."""
        followed = Followed()
        first = followed.step(INACTIVE)
        events = followed.step(INACTIVE, doors=CLOSED)

        assert first == []
        assert events == [Event(Happening.DISABLED, "A", "team", NOW + 2 * CYCLE)]
        assert followed.stage() == Stage(NOW + 2 * CYCLE, NOW + 2 * CYCLE + GRACE)

    def test_it_is_announced_once(self) -> None:
        """While it stays disabled nothing more is to say until the grace is over."""
        followed = Followed()
        followed.step(INACTIVE, doors=CLOSED)

        quiet = followed.happened(INACTIVE, doors=CLOSED, after=GRACE - 1)
        over = followed.step(INACTIVE, doors=CLOSED, after=1)
        later = followed.happened(INACTIVE, doors=CLOSED, after=DAY)

        assert quiet == later == []
        assert over == [Event(Happening.READY, "A", "team", NOW + CYCLE + GRACE)]

    def test_enabled_again(self) -> None:
        """Who takes it back before anybody used it ends the first phase."""
        followed = Followed()
        followed.step(INACTIVE, doors=CLOSED)

        assert followed.happened(INACTIVE) == ["enabled"]
        assert followed.stage() == FRESH
        assert followed.happened(INACTIVE, doors=CLOSED) == ["disabled"]
        assert followed.stage().disabled_at == NOW + 3 * CYCLE

    def test_what_nobody_tells_changes_nothing(self) -> None:
        """Facts that are missing for a while neither begin nor end it."""
        followed = Followed()
        before = followed.happened(INACTIVE, doors=UNTOLD)
        followed.step(INACTIVE, doors=CLOSED)

        assert before == followed.happened(INACTIVE, doors=UNTOLD) == []
        assert followed.stage().disabled_at == NOW + 2 * CYCLE

    def test_an_account_that_is_not_there(self) -> None:
        """Facts of an account without a view wait for it."""
        followed = Followed()

        assert followed.happened(doors=CLOSED) == []
        assert followed.happened(INACTIVE, doors=CLOSED) == ["disabled"]

    def test_an_account_in_use(self) -> None:
        """One that was in use just before is disabled as any other."""
        followed = Followed()
        at = NOW + CYCLE

        assert followed.happened(used(at), doors=CLOSED) == ["disabled"]
        assert followed.happened(used(at), doors=CLOSED) == []

    def test_grace_by_its_rule(self) -> None:
        """The rule says how long it lasts, also when that changes."""
        followed = Followed(ruled(grace_seconds=100.0))
        followed.step(INACTIVE, doors=CLOSED)
        first = followed.stage().grace_ends_at
        over = followed.happened(INACTIVE, doors=CLOSED, after=100)
        followed.registry = ruled(grace_seconds=200.0)
        longer = followed.happened(INACTIVE, doors=CLOSED)

        assert first == NOW + CYCLE + 100
        assert (over, longer) == (["ready"], [])
        assert followed.stage().grace_ends_at == NOW + CYCLE + 200
        assert followed.happened(INACTIVE, doors=CLOSED, after=100) == ["ready"]

    def test_another_name_has_another_rule(self) -> None:
        """The time of grace is that of the name it has now."""
        followed = Followed(ruled(match="new", grace_seconds=100.0))
        followed.step(INACTIVE, doors=CLOSED)
        followed.step(INACTIVE._replace(name="new"), doors=CLOSED)

        assert followed.stage().grace_ends_at == NOW + CYCLE + 100


class TestUsedAgain:
    """A disabled account that somebody uses."""

    def test_it_is_not_on_its_way_out_any_more(self) -> None:
        """The use is announced with its evidence, counted, and ends the first phase."""
        followed = Followed()
        followed.step(INACTIVE, doors=CLOSED)
        at = followed.now_at + SETTLE_SECONDS + 1
        events = followed.step(used(at), doors=CLOSED, after=2 * SETTLE_SECONDS)

        assert events == [
            Event(Happening.REACTIVATED, "A", "team", at, "sent", "N1"),
            Event(Happening.USED_AGAIN, "A", "team", at, "sent", "N1"),
        ]
        assert followed.stage() == Stage(None, None, 1, at, "sent on N1")

    def test_use_from_before_that_is_told_late(self) -> None:
        """What servers tell of the last uses before it was disabled is no new use."""
        followed = Followed()
        followed.step(ACTIVE, doors=CLOSED)
        at = followed.now_at + SETTLE_SECONDS

        assert followed.happened(used(at), doors=CLOSED, after=SETTLE_SECONDS) == []
        assert followed.stage().disabled_at == NOW + CYCLE

    def test_a_new_grace_begins_when_it_is_quiet(self) -> None:
        """Whoever uses it through imports can do so again: first it must be quiet."""
        followed = Followed()
        followed.step(INACTIVE, doors=CLOSED)
        at = followed.now_at + DAY
        followed.step(used(at), doors=CLOSED, after=DAY)

        assert followed.happened(used(at), doors=CLOSED) == []
        assert followed.happened(used(at, "inactive"), doors=CLOSED) == ["disabled"]
        assert followed.stage().disabled_at == followed.now_at

    @pytest.mark.parametrize("registry", [Registry(), ruled(disabled_on_at=NOW)])
    def test_clocks_make_no_use(self, registry: Registry) -> None:
        """Uses are dated later when the clock is put forward, or we were down."""
        followed = Followed(registry)
        before = Seen("active", Used(NOW - 60))
        assert followed.happened(before, doors=CLOSED) == ["disabled"]
        at = followed.now_at + SETTLE_SECONDS
        late = before._replace(last_evidence=Used(at))
        assert followed.happened(late, doors=CLOSED, after=SETTLE_SECONDS) == []
        moved = Seen("active", Used(at + 5 * DAY, shift=5 * DAY))

        assert followed.happened(moved, doors=CLOSED, after=5 * DAY) == []
        assert followed.stage().reactivations == 0
        again = Seen("active", Used(at + 6 * DAY, shift=5 * DAY))
        assert followed.happened(again, doors=CLOSED, after=DAY) == ["used_again"]

    def test_uses_count_each(self) -> None:
        """An account that comes back twice is counted twice."""
        followed = Followed()
        for days in (1, 3):
            followed.step(INACTIVE, after=DAY)
            followed.step(used(NOW + days * DAY), after=DAY)

        assert followed.stage().reactivations == 2


class TestByRule:
    """The first phase, by the day that the registry tells."""

    def test_it_begins_on_that_day(self) -> None:
        """The operator's day counts, and no day to come."""
        followed = Followed(ruled(disabled_on_at=NOW + 2 * CYCLE))

        assert followed.happened(INACTIVE) == []
        assert followed.happened(INACTIVE) == ["disabled"]
        assert followed.stage().disabled_at == NOW + 2 * CYCLE

    def test_it_outranks_what_servers_tell(self) -> None:
        """Servers that let clients in do not end it; a day long ago may be over."""
        followed = Followed(ruled(disabled_on_at=NOW - 31 * DAY))

        assert followed.happened(INACTIVE) == ["disabled", "ready"]
        assert followed.stage().grace_ends_at == NOW - DAY

    def test_a_day_that_is_taken_back(self) -> None:
        """Without the rule what servers tell counts, from now on."""
        followed = Followed(ruled(disabled_on_at=NOW - DAY))
        followed.step(INACTIVE)
        followed.registry = Registry()

        assert followed.happened(INACTIVE) == ["enabled"]

    def test_servers_take_over(self) -> None:
        """Disabled for servers too, its grace starts anew without the rule."""
        followed = Followed(ruled(disabled_on_at=NOW - DAY))
        followed.step(INACTIVE)
        followed.registry = Registry()

        assert followed.happened(INACTIVE, doors=CLOSED) == []
        assert followed.stage().disabled_at == followed.now_at

    def test_use_on_that_day(self) -> None:
        """The day has no hour: use on it may have come before."""
        followed = Followed(ruled(disabled_on_at=NOW - DAY))

        assert followed.happened(used(NOW)) == ["disabled"]
        assert followed.happened(used(NOW)) == []

    def test_use_after_that_day(self) -> None:
        """Use later than that is use of a disabled account, and told once."""
        followed = Followed(ruled(disabled_on_at=NOW - 9 * DAY))

        assert followed.happened(used(NOW)) == ["used_again"]
        assert followed.happened(used(NOW)) == []
        assert followed.stage() == Stage(None, None, 1, NOW, "sent on N1")

    def test_a_later_day(self) -> None:
        """Disabled again after such use, it is on its way out again."""
        followed = Followed(ruled(disabled_on_at=NOW - 9 * DAY))
        followed.step(used(NOW))
        followed.registry = ruled(disabled_on_at=NOW + 1)

        assert followed.happened(used(NOW)) == ["disabled"]


class TestReactivated:
    """An account that was raised inactive, and is used again."""

    def test_it_is_counted_with_its_evidence(self) -> None:
        """Who, when and where is announced, and kept."""
        followed = Followed()
        followed.step(used(NOW - 2 * DAY, "inactive"))
        event, *others = followed.step(used(NOW + 40))

        assert event == Event(
            Happening.REACTIVATED, "A", "team", NOW + 40, "sent", "N1"
        )
        assert others == followed.step(used(NOW + 50)) == []
        assert followed.stage() == Stage(None, None, 1, NOW + 40, "sent on N1")

    def test_one_that_was_never_used(self) -> None:
        """The first use ever of an account that was raised counts too."""
        followed = Followed()
        followed.step(INACTIVE)

        assert followed.happened(used(NOW)) == ["reactivated"]

    @pytest.mark.parametrize("between", [Seen(), EXEMPT])
    def test_it_was_not_used_between(self, between: Seen) -> None:
        """Neither a doubt nor an exemption in between makes it forgotten."""
        followed = Followed()
        followed.step(INACTIVE)
        followed.step(between)

        assert followed.happened(used(NOW)) == ["reactivated"]

    @pytest.mark.parametrize("verdict", ["unknown", "exempt", "active"])
    def test_one_that_was_never_raised(self, verdict: str) -> None:
        """Use of an account that was not raised is as it should be."""
        followed = Followed()
        followed.step(Seen(verdict))

        assert followed.happened(used(NOW)) == []

    def test_a_longer_threshold(self) -> None:
        """An account that is active by its last use of before did not come back."""
        followed = Followed()
        followed.step(used(NOW - 2 * DAY, "inactive"))

        assert followed.happened(used(NOW - 2 * DAY)) == []
        assert followed.happened(used(NOW)) == []

    def test_clocks_make_no_use(self) -> None:
        """Nor does one that was dated later since."""
        followed = Followed()
        followed.step(used(NOW - 2 * DAY, "inactive"))

        assert followed.happened(Seen("active", Used(NOW, shift=2 * DAY))) == []
        assert followed.happened(used(NOW, "inactive")) == []

    def test_use_that_is_told_too_late(self) -> None:
        """Use of a threshold ago, told after an outage, clears nothing, but counts."""
        followed = Followed()
        followed.step(used(NOW - 9 * DAY, "inactive"))
        late = used(NOW - 2 * DAY, "inactive")

        assert followed.happened(late) == ["reactivated"]
        assert followed.happened(late) == []
        followed.save()
        assert followed.happened(used(NOW - DAY, "inactive")) == ["reactivated"]
        assert followed.happened(used(NOW - DAY)) == []
        assert followed.stage().reactivations == 2

    def test_active_without_evidence(self) -> None:
        """Nothing is counted of which nobody knows what it was."""
        followed = Followed()
        followed.step(INACTIVE)

        assert followed.happened(ACTIVE) == []


class TestExemptions:
    """An exemption that ends is announced."""

    def test_its_end(self) -> None:
        """Once, when it was in force before."""
        followed = Followed(ruled(until_at=NOW + 2 * CYCLE))
        first = followed.happened(EXEMPT)
        events = followed.step(INACTIVE)

        assert (first, followed.happened(INACTIVE)) == ([], [])
        assert events == [
            Event(Happening.EXEMPTION_ENDED, "A", "team", NOW + 2 * CYCLE)
        ]

    def test_one_that_had_ended_before(self) -> None:
        """An exemption that never held for us has no end to announce."""
        followed = Followed(ruled(until_at=NOW))

        assert followed.happened(INACTIVE) == followed.happened(INACTIVE) == []

    def test_one_that_is_taken_back_or_prolonged(self) -> None:
        """What the operator changes needs no announcement."""
        followed = Followed(ruled(until_at=NOW + 2 * CYCLE))
        followed.step(EXEMPT)
        followed.registry = ruled(until_at=NOW + 3 * CYCLE)
        prolonged = followed.happened(EXEMPT)
        followed.registry = Registry()
        taken_back = followed.happened(INACTIVE, after=DAY)

        assert prolonged == taken_back == []

    def test_an_account_in_use(self) -> None:
        """It ends for an account in use too, and is told by what it is called then."""
        followed = Followed(ruled(until_at=NOW + 2 * CYCLE))
        followed.step(ACTIVE)

        (event,) = followed.step(ACTIVE._replace(name="other"))

        assert event.name == "other"

    def test_an_account_that_lost_its_rule_by_its_name(self) -> None:
        """Another name may have no exemption."""
        followed = Followed(ruled(until_at=NOW + 2 * CYCLE, match="team"))
        followed.step(EXEMPT)

        assert followed.happened(INACTIVE._replace(name="other")) == []


class TestGone:
    """Accounts that no cycle shows any more."""

    def test_forgotten_after_a_while(self) -> None:
        """What comes back later is another account."""
        followed = Followed(ruled(until_at=NOW + 400 * DAY))
        followed.step(EXEMPT, doors=CLOSED)
        followed.step(INACTIVE, doors=CLOSED)
        followed.save()
        followed.step()
        followed.step(after=FORGET_AFTER_SECONDS)
        kept = followed.stage()
        followed.step(after=1)

        assert kept.disabled_at == NOW + CYCLE
        assert followed.stage() == FRESH
        assert followed.save() == [("life", "A"), ("raised", "A")]
        assert followed.rows == {}

    def test_back_in_time(self) -> None:
        """An account that is away for less is the one it was."""
        followed = Followed()
        followed.step(INACTIVE)
        for _ in range(3):
            followed.step(after=FORGET_AFTER_SECONDS - 1)
            assert followed.happened(INACTIVE) == []

        assert followed.happened(used(followed.now_at)) == ["reactivated"]


class TestArrivals:
    """Accounts that come into use while we watch, for the hint at a successor."""

    def test_who_was_unused(self) -> None:
        """The first use of an account is remembered, over restarts."""
        followed = Followed()
        followed.step(Seen(name="orders2"))
        followed.step(used(NOW + 40)._replace(name="orders2"))
        found = followed.lifecycle.successors.find("B", "orders1", NOW)
        followed.restart()
        followed.step(used(NOW + 50)._replace(name="orders2"))

        assert found == ("A", "orders2", NOW + 40)
        assert followed.lifecycle.successors.find("B", "orders1", NOW) == found

    def test_who_is_new(self) -> None:
        """So is an account that comes and is used at once."""
        followed = Followed()
        followed.step()
        followed.step(used(NOW + 40)._replace(name="orders2"))

        assert followed.lifecycle.successors.find("B", "orders1", NOW)

    def test_who_was_there(self) -> None:
        """Of those who were in use before nobody knows when that began."""
        followed = Followed()
        followed.step(used(NOW)._replace(name="orders2"))
        followed.step(used(NOW + 40)._replace(name="orders2"))
        followed.step(after=2 * DAY)
        followed.step(used(NOW + 40)._replace(name="orders2"))

        # It was away for a while, and was used before that.
        assert followed.lifecycle.successors.find("B", "orders1", NOW) is None
