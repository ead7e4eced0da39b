"""From a refresh of the inventory to what the proof and the snapshot get of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from nats_idle_exporter.activity import Listed, ServerFacts
from nats_idle_exporter.monitoring.followed import first_answers
from nats_idle_exporter.monitoring.inventory import (
    Inventory,
    InventoryAccount,
    Problem,
    SourceStatus,
)
from nats_idle_exporter.monitoring.inventory.following import (
    FollowedInventory,
)
from nats_idle_exporter.monitoring.inventory.listing import Told, tell
from tests.inventory.builders import a_key
from tests.monitoring.fakes import facts
from tests.support.clock import FakeClock

PROBLEM = Problem("file", "a JWT", "dust")


def a_server(server_id: str = "SA", *, by_jwt: bool = True) -> ServerFacts:
    """Return a server of operator mode, unless told otherwise."""
    return replace(facts(server_id), is_operator_mode=by_jwt)


def an_inventory(
    *accounts: str, status: SourceStatus | None = None, refreshes: int = 1
) -> Inventory:
    """Return what one source listed."""
    status = status or SourceStatus(label="s", accounts=len(accounts), is_complete=True)
    listed = {
        each: InventoryAccount(
            account=each, name="tag", issued_at=5.0, sources=(status.label,)
        )
        for each in accounts
    }
    return Inventory(accounts=listed, statuses=(status,), refreshes=refreshes)


def a_source(**changes: object) -> SourceStatus:
    """Return a source that was read wholly."""
    values: dict[str, object] = {"label": "s", "accounts": 1, "is_complete": True}
    return SourceStatus(**{**values, **changes})  # type: ignore[arg-type]  # of tests


class TestTell:
    """What the proof gets."""

    def test_accounts_and_their_jwts(self) -> None:
        """An account is told by its id, with name and age of its JWT."""
        told = tell("east", an_inventory(a_key()), [a_server()])

        assert told.listing.accounts == {a_key(): Listed("tag", 5.0)}
        assert told.listing.is_complete
        (status,) = told.statuses
        assert (status.system, status.source, status.accounts) == ("east", "s", 1)
        assert (status.is_up, status.skipped, status.last_error) == (True, 0, "")

    @pytest.mark.parametrize(
        ("status", "is_complete"),
        [
            pytest.param(a_source(is_complete=False), False, id="lacks a part"),
            pytest.param(a_source(error=PROBLEM, is_complete=False), False, id="fails"),
            pytest.param(a_source(servers=frozenset({"SA"})), False, id="one silent"),
            pytest.param(
                a_source(servers=frozenset({"SA", "SB", "SX"})), True, id="all answer"
            ),
            pytest.param(a_source(), True, id="no servers asked"),
        ],
    )
    def test_is_complete(self, status: SourceStatus, is_complete: bool) -> None:  # noqa: FBT001 - of a table
        """Every source was read wholly, and every resolver that is asked answered."""
        servers = [a_server("SA"), a_server("SB"), a_server("SL", by_jwt=False)]

        told = tell("east", an_inventory(a_key(), status=status), servers)

        assert told.listing.is_complete is is_complete

    def test_names_are_no_ids_in_operator_mode(self) -> None:
        """What cannot be the id of an account is left out and told."""
        told = tell("east", an_inventory(a_key(), "ORDERS\n"), [a_server()])

        assert told.listing.accounts.keys() == {a_key()}
        assert told.unusable == 1
        assert told.statuses[0].skipped == 1
        assert told.statuses[0].last_error == (
            "s: expected public keys of accounts, in operator mode, found ORDERS\\n"
        )

    @pytest.mark.parametrize(
        "servers",
        [
            pytest.param([a_server(by_jwt=False)], id="configuration mode"),
            pytest.param([a_server("SA"), a_server("SL", by_jwt=False)], id="leaf"),
        ],
    )
    def test_names_are_ids_elsewhere(self, servers: list[ServerFacts]) -> None:
        """As soon as one server takes accounts from its configuration, names count."""
        told = tell("east", an_inventory("ORDERS"), servers)

        assert told.listing.accounts.keys() == {"ORDERS"}
        assert not told.unusable

    @pytest.mark.parametrize(
        ("status", "is_up", "skipped", "error"),
        [
            (a_source(error=PROBLEM, problems=(PROBLEM,) * 2), False, 2, str(PROBLEM)),
            (a_source(problems=(PROBLEM,) * 3), True, 3, str(PROBLEM)),
        ],
    )
    def test_troubled_source(
        self,
        status: SourceStatus,
        is_up: bool,  # noqa: FBT001 - of a table
        skipped: int,
        error: str,
    ) -> None:
        """A failure and unusable entries are told."""
        (shown,) = tell("east", an_inventory(status=status), [a_server()]).statuses

        assert (shown.is_up, shown.skipped, shown.last_error) == (is_up, skipped, error)


class Enough(BaseException):
    """Ends a loop in a test."""


class Keeper:
    """A reader of an inventory whose refreshes a test sets."""

    interval_seconds = 45.0

    def __init__(self) -> None:
        self.inventory = Inventory()
        self.steps: list[float] = []
        self.lets = asyncio.Event()

    async def close(self) -> None:
        """Hold nothing, so do nothing."""

    async def step(self, now: float) -> Inventory | None:
        """Note when it was asked, and answer once the test lets it."""
        self.steps.append(now)
        if len(self.steps) == 3:
            raise Enough
        await self.lets.wait()
        self.inventory = an_inventory(a_key(), refreshes=len(self.steps))
        return self.inventory


class TestFollowed:
    """An inventory beside the loop."""

    async def test_it_is_read_each_interval(self) -> None:
        """One reading follows the other, from the start."""
        keeper, clock = Keeper(), FakeClock(monotonic=100.0)
        keeper.lets.set()
        with pytest.raises(Enough):
            await FollowedInventory("east", keeper).run(clock)

        assert keeper.steps == [100.0, 145.0, 190.0]

    async def test_news_are_told_once(self) -> None:
        """Each refresh is told once, and only after some server answered."""
        keeper = Keeper()
        followed = FollowedInventory("east", keeper)
        followed.see("http://a", a_server())
        assert followed.news() is None
        keeper.inventory = an_inventory(a_key())
        told = followed.news()
        assert isinstance(told, Told)
        assert followed.statuses == told.statuses
        assert followed.news() is None
        keeper.inventory = an_inventory(a_key(), refreshes=2)

        assert followed.news() is not None

    def test_without_a_server_there_are_none(self) -> None:
        """Nothing tells which ids there are until a server answered."""
        keeper = Keeper()
        keeper.inventory = an_inventory("ORDERS")
        followed = FollowedInventory("east", keeper)
        assert followed.news() is None
        assert [each.accounts for each in followed.statuses] == [1]
        followed.see("http://a", a_server())

        assert followed.news() is not None

    async def test_first_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever waits for all first answers goes on without a slow one."""
        monkeypatch.setattr(
            "nats_idle_exporter.monitoring.followed.FIRST_ANSWER_SECONDS", 0.05
        )
        keeper = Keeper()
        followed = FollowedInventory("east", keeper)
        assert not await first_answers([followed])
        keeper.lets.set()
        with pytest.raises(Enough):
            await followed.run(FakeClock())

        assert await first_answers([followed])
        assert await first_answers([])
