"""Whom to ask which server about next."""

from __future__ import annotations

from collections import Counter

from nats_idle_exporter.activity import Verdict
from nats_idle_exporter.monitoring.inquiry.planning import Planner
from tests.activity.builders import HOUR
from tests.inquiry.builders import a_view, views

A, B, C = "http://a", "http://b", "http://c"


def names(count: int) -> list[str]:
    """Return so many accounts."""
    return [f"T{number:04}" for number in range(count)]


def asked(plan: dict[str, list[str]]) -> list[str]:
    """Return everybody who is asked about, by whatever server."""
    return [account for accounts in plan.values() for account in accounts]


class TestFirstRound:
    """Until everybody was told of once."""

    def test_everybody_is_asked_about_once(self) -> None:
        """Three servers share the work, and each has at most its count."""
        planner, loaded = Planner(), names(1000)
        places = {url: frozenset(loaded) for url in (A, B, C)}
        seen: Counter[str] = Counter()
        for _ in range(7):
            plan = planner.plan(places, {}, 50)
            assert all(len(accounts) <= 50 for accounts in plan.values())
            seen.update(asked(plan))

        assert seen.keys() == set(loaded)
        assert set(seen.values()) <= {1, 2}
        assert sum(seen.values()) - len(loaded) < 150

    def test_inactive_accounts_are_first(self) -> None:
        """Then those that were idle for the largest part of their threshold."""
        known = views(
            a_view("busy"),
            a_view("quiet", idle_seconds=20 * HOUR),
            a_view("batch", idle_seconds=30 * HOUR, threshold_seconds=960 * HOUR),
            a_view("raised", verdict=Verdict.INACTIVE, idle_seconds=0.0),
        )
        planner, places = Planner(), {A: frozenset([*known, "excluded"])}

        order = [asked(planner.plan(places, known, 1))[0] for _ in range(5)]

        assert order == ["raised", "quiet", "busy", "batch", "excluded"]

    def test_who_is_raised_meanwhile_is_next(self) -> None:
        """A verdict that comes while others wait goes before them."""
        planner, places = Planner(), {A: frozenset(names(9))}
        planner.plan(places, {}, 1)

        raised = views(a_view("T0008", verdict=Verdict.INACTIVE))

        assert asked(planner.plan(places, raised, 1)) == ["T0008"]
        assert asked(planner.plan(places, raised, 1)) == ["T0001"]
        rest = [asked(planner.plan(places, raised, 1)) for _ in range(6)]
        assert rest == [[f"T000{number}"] for number in range(2, 8)]
        assert planner.is_first_round
        planner.plan(places, raised, 1)
        assert not planner.is_first_round


class TestLater:
    """When everybody was told of."""

    def test_half_of_the_questions_are_about_inactive_accounts(self) -> None:
        """They are asked about more often, and all others in turn, without end."""
        loaded = names(100)
        planner, places = Planner(), {A: frozenset(loaded)}
        known = views(*(a_view(a, verdict=Verdict.INACTIVE) for a in loaded[:4]))
        for _ in range(10):
            planner.plan(places, known, 10)
        seen: Counter[str] = Counter()
        for _ in range(60):
            seen.update(asked(planner.plan(places, known, 10)))

        others = [seen[account] for account in loaded[4:]]
        assert min(others) >= 3
        assert max(others) - min(others) <= 1
        assert min(seen[account] for account in loaded[:4]) > 3 * max(others)

    def test_new_accounts_are_next(self) -> None:
        """Who is listed since now need not wait for the next round."""
        planner, loaded = Planner(), names(9)
        for _ in range(9):
            planner.plan({A: frozenset(loaded)}, {}, 1)
        planner.plan({A: frozenset(loaded)}, {}, 1)
        planner.greet(["NEW", loaded[3]])

        assert asked(planner.plan({A: frozenset([*loaded, "NEW"])}, {}, 1)) == ["NEW"]


class TestServers:
    """Who is asked about whom."""

    def test_only_who_has_an_account_loaded(self) -> None:
        """An account is asked of a server that has it, however many others wait."""
        places = {A: frozenset({"one", "both"}), B: frozenset({"two", "both"})}

        plan = Planner().plan(places, {}, 5)

        assert "one" in plan[A]
        assert "two" in plan[B]
        assert sorted(asked(plan)) == ["both", "one", "two"]

    def test_an_account_of_a_busy_server_waits(self) -> None:
        """It keeps its place, and is asked about in the next cycle."""
        places = {A: frozenset({"a", "b"}), B: frozenset({"c"})}
        planner = Planner()

        first = planner.plan(places, {}, 1)
        second = planner.plan(places, {}, 1)

        assert first == {A: ["a"], B: ["c"]}
        assert second[A] == ["b"]

    def test_accounts_that_are_gone(self) -> None:
        """Nobody is asked about them, and nothing is remembered of them."""
        planner = Planner()
        planner.plan({A: frozenset(names(9))}, {}, 3)
        planner.forget({"T0005"})

        assert set(asked(planner.plan({A: frozenset({"T0005"})}, {}, 9))) == {"T0005"}

    def test_no_server_and_no_account(self) -> None:
        """Then there are no questions."""
        assert Planner().plan({}, {}, 50) == {}
        assert Planner().plan({A: frozenset()}, {}, 50) == {A: []}
        assert Planner().plan({A: frozenset({"a"})}, {}, 0) == {A: []}
