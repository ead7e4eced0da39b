"""Uniting sources, and reading them again and again."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from nats_idle_exporter.monitoring.inventory import (
    AccountLimits,
    FileSource,
    Inventory,
    InventoryAccount,
    InventoryReader,
    Problem,
    SourceError,
    SourceList,
)
from nats_idle_exporter.monitoring.inventory import reader as module
from nats_idle_exporter.monitoring.inventory.union import Labelled, unite
from nats_idle_exporter.removal.facts import Role

if TYPE_CHECKING:
    from collections.abc import Mapping


def a_list(*accounts: InventoryAccount) -> SourceList:
    """Return a complete list."""
    return SourceList(accounts={each.account: each for each in accounts})


def an_account(
    account: str = "A", name: str = "", iat: float | None = None
) -> InventoryAccount:
    """Return an account as a source tells it."""
    limits = None if iat is None else AccountLimits(-1, -1)
    return InventoryAccount(account=account, name=name, issued_at=iat, limits=limits)


def united(*lists: InventoryAccount) -> InventoryAccount:
    """Return what is told of the account A, each by a source of its own."""
    told = [Labelled(f"s{at}", a_list(each)) for at, each in enumerate(lists)]
    return unite(told)["A"]


class TestUnite:
    """Many lists become one."""

    def test_the_newest_jwt_holds(self) -> None:
        """Of one id the facts of the newest JWT hold, with every source."""
        found = united(
            an_account(name="old", iat=5),
            an_account(name="new", iat=9),
            an_account(name="mid", iat=7),
        )

        assert (found.name, found.issued_at) == ("new", 9)
        assert found.sources == ("s0", "s1", "s2")
        assert [each.name for each in found.copies] == ["new", "old", "mid"]

    def test_a_name_outlives_a_newer_jwt_without_one(self) -> None:
        """A known name never goes back to the id."""
        found = united(an_account(name="named", iat=5), an_account(name="A", iat=9))

        assert (found.name, found.issued_at) == ("named", 9)

    @pytest.mark.parametrize("names", [("b", "c"), ("c", "b")])
    def test_of_equally_new_names_the_first_by_sorting(
        self, names: tuple[str, str]
    ) -> None:
        """The order of sources does not decide about names."""
        told = [an_account(name=name, iat=5) for name in names]

        assert united(*told).name == "b"

    def test_a_name_by_hand_is_older_than_any_jwt(self) -> None:
        """A list without times names an account only where no JWT does."""
        by_hand = an_account(name="a by hand")

        assert united(by_hand, an_account(name="z", iat=0)).name == "z"
        assert united(an_account(), by_hand).name == "a by hand"

    def test_facts_come_before_a_bare_id(self) -> None:
        """Without a JWT the source that tells limits holds."""
        limited = InventoryAccount(account="A", name="A", limits=AccountLimits(0, 0))

        found = united(an_account(), limited)

        assert found.limits == AccountLimits(0, 0)
        assert found.name == "A"


class Scripted:
    """A source that gives what it is told to, then hangs."""

    def __init__(self, label: str, *answers: SourceList | SourceError) -> None:
        self.label = label
        self._answers = list(answers)
        self.is_closed = False

    async def read(self) -> SourceList:
        """Give the next answer."""
        if not self._answers:
            await asyncio.Event().wait()
        answer = self._answers.pop(0)
        if isinstance(answer, SourceError):
            raise answer
        return answer

    async def close(self) -> None:
        """Remember it."""
        self.is_closed = True


def a_failure(found: str = "nothing") -> SourceError:
    """Return what a source that fails raises."""
    return SourceError("/x", expected="a folder", found=found)


async def steps(
    reader: InventoryReader, count: int, interval: float = 30.0
) -> list[Inventory]:
    """Return the inventories of some steps that are due."""
    results = [await reader.step(number * interval) for number in range(count)]
    return [each for each in results if each is not None]


def sources_of(inventory: Inventory) -> Mapping[str, tuple[str, ...]]:
    """Return which sources list which account."""
    return {key: each.sources for key, each in inventory.accounts.items()}


async def test_sources_are_united() -> None:
    """One refresh reads every source and remembers which lists what."""
    one = Scripted("one", a_list(an_account("A"), an_account("B")))
    two = Scripted("two", a_list(an_account("B"), an_account("C")))
    reader = InventoryReader("s", [one, two], 30.0)
    assert not reader.inventory.is_complete

    (inventory,) = await steps(reader, 1)

    assert sources_of(inventory) == {"A": ("one",), "B": ("one", "two"), "C": ("two",)}
    assert inventory.is_complete
    assert inventory.refreshes == 1
    assert reader.inventory is inventory


async def test_a_step_before_its_time_reads_nothing() -> None:
    """Sources are read each interval, a little early at most, not each step."""
    source = Scripted("s", *(a_list(an_account(str(n))) for n in range(3)))
    reader = InventoryReader("s", [source], 30.0)

    found = [
        await reader.step(now) for now in (100.0, 101.0, 126.9, 127.1, 150.0, 160.0)
    ]

    assert [each.refreshes if each else None for each in found] == [
        1,
        None,
        None,
        2,
        None,
        3,
    ]


async def test_a_failing_source_keeps_its_last_list() -> None:
    """A failure takes nothing away, is told, and makes the refresh incomplete."""
    good = Scripted("good", *[a_list(an_account("G"))] * 3)
    bad = Scripted("bad", a_list(an_account("B")), a_failure(), a_list(an_account("N")))
    reader = InventoryReader("s", [good, bad], 30.0)

    first, second, third = await steps(reader, 3)

    assert set(second.accounts) == set(first.accounts) == {"G", "B"}
    assert [each.is_complete for each in (first, second, third)] == [True, False, True]
    assert second.statuses[1].error == Problem("/x", "a folder", "nothing")
    assert [each.is_complete for each in second.statuses] == [True, False]
    assert set(third.accounts) == {"G", "N"}


async def test_a_source_that_never_answered_makes_it_incomplete() -> None:
    """Until every source was read nobody may be called gone."""
    bad = Scripted("bad", a_failure())
    good = Scripted("good", a_list(an_account("G")))

    (inventory,) = await steps(InventoryReader("s", [good, bad], 30.0), 1)

    assert set(inventory.accounts) == {"G"}
    assert not inventory.is_complete


async def test_an_incomplete_list_makes_it_incomplete() -> None:
    """A list that may lack somebody is used, but proves no absence."""
    partial = SourceList(accounts={"A": an_account()}, is_complete=False)

    (inventory,) = await steps(InventoryReader("s", [Scripted("p", partial)], 30.0), 1)

    assert set(inventory.accounts) == {"A"}
    assert not inventory.is_complete


async def test_a_list_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """More accounts than any system has are not taken, whatever the source."""
    monkeypatch.setattr(module, "MOST_ACCOUNTS", 1)
    source = Scripted(
        "s", a_list(an_account("A")), a_list(an_account("B"), an_account("C"))
    )

    *_, inventory = await steps(InventoryReader("s", [source], 30.0), 2)

    assert set(inventory.accounts) == {"A"}
    assert inventory.statuses[0].error == Problem("s", "at most 1 accounts", "more")


async def test_without_sources_nothing_is_complete() -> None:
    """No source is no inventory."""
    (inventory,) = await steps(InventoryReader("s", [], 30.0), 1)

    assert not inventory.is_complete


async def test_a_source_that_hangs_is_given_up() -> None:
    """One source that never answers holds the others for the timeout only."""
    good = Scripted("good", a_list(an_account("G")))
    reader = InventoryReader("s", [Scripted("hung"), good], 30.0, timeout_seconds=0.01)

    (inventory,) = await steps(reader, 1)

    assert set(inventory.accounts) == {"G"}
    assert inventory.statuses[0].error == Problem(
        "hung", "an answer within 0.01 s", "none"
    )


async def test_closing_closes_every_source() -> None:
    """What sources hold is given back."""
    sources = [Scripted("a"), Scripted("b")]

    await InventoryReader("s", sources, 30.0).close()

    assert all(source.is_closed for source in sources)


async def test_a_failure_is_logged_once_and_its_end() -> None:
    """A lasting failure is told once, a new reason again, and the recovery."""
    failures = [a_failure(), a_failure(), a_failure("a pipe")]
    source = Scripted("src", *failures, a_list(an_account()))

    with capture_logs() as logs:
        await steps(InventoryReader("sys", [source], 30.0), 4)

    assert [(each["event"], each.get("found")) for each in logs] == [
        ("inventory source failed", "nothing"),
        ("inventory source failed", "a pipe"),
        ("inventory source recovered", None),
    ]
    assert {each["system"] for each in logs} == {"sys"}


async def test_a_failure_that_lasts_is_told_now_and_then() -> None:
    """A failure is repeated every ten minutes."""
    source = Scripted("src", *[a_failure()] * 21)

    with capture_logs() as logs:
        await steps(InventoryReader("sys", [source], 30.0), 21)

    assert len(logs) == 2


async def test_problems_are_logged_when_new_and_not_all() -> None:
    """Of many broken entries a few are told one by one, the rest as a number."""
    problems = tuple(Problem(f"f{n:02d}", "a JWT", "none") for n in range(12))
    broken = SourceList(accounts={"A": an_account()}, problems=problems)

    with capture_logs() as logs:
        await steps(InventoryReader("s", [Scripted("x", broken, broken)], 30.0), 2)

    assert [each["event"] for each in logs] == [
        *["inventory entry unusable"] * 5,
        "more inventory entries unusable",
    ]
    assert logs[-1]["entries"] == 7
    assert logs[0]["where"] == "f00"


class TestFileSource:
    """Files are read in a thread."""

    async def test_it_reads_off_the_loop(self) -> None:
        """The loop's own thread is never the one that reads."""
        threads: list[int] = []

        def read() -> SourceList:
            threads.append(threading.get_ident())
            return a_list(an_account())

        source = FileSource("f", read)

        assert set((await source.read()).accounts) == {"A"}
        assert threads != [threading.get_ident()]
        await source.close()

    async def test_a_hung_reading_is_not_started_twice(self) -> None:
        """Who gives up leaves the reading; the next one waits for the same."""
        gate = threading.Event()
        starts: list[int] = []

        def read() -> SourceList:
            starts.append(1)
            gate.wait(30)
            raise a_failure()

        source = FileSource("f", read)
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await source.read()

        gate.set()
        with pytest.raises(SourceError):
            await source.read()
        assert len(starts) == 1


async def test_roles_are_those_of_the_last_good_read() -> None:
    """A file that cannot be read any more tells no roles."""
    roles = {"A": frozenset({Role.DEFAULT})}
    told = SourceList(accounts={"A": an_account()}, roles=roles)
    reader = InventoryReader("east", [Scripted("s", told, a_failure())], 30.0)

    first, second = await steps(reader, 2)

    assert first.roles == roles
    assert second.roles is None
    assert second.accounts.keys() == {"A"}
