"""Names of accounts, by servers and by the inventory: the newest holds."""

from __future__ import annotations

import pytest

from nats_idle_exporter.activity import Listed, Listing
from tests.activity.builders import POLL, a_row
from tests.activity.inventoried import OLD, START, Inventoried, by_jwt, listing


class TestNames:
    """The newest name holds."""

    def test_never_loaded_account_has_its_jwts_name(self) -> None:
        """The JWT's name tag is the name, and a newer JWT's replaces it."""
        watcher = Inventoried()
        watcher.answer(listing("TEAM", name="crew"))
        assert watcher.account().name == "crew"
        watcher.answer(listing("TEAM", name="band", issued_at=START))
        assert watcher.account().name == "band"
        watcher.answer(listing("TEAM", name="older"))
        assert watcher.account().name == "band"
        watcher.answer(listing("TEAM", name="", issued_at=START + 1))

        assert watcher.account().name == "band"

    @pytest.mark.parametrize(
        ("told", "name"),
        [
            pytest.param(Listed("aged", OLD), "aged", id="JWT outranks"),
            pytest.param(Listed("a", None), "a", id="first by sorting"),
            pytest.param(Listed("z", None), "server", id="server's is first"),
            pytest.param(Listed("TEAM", OLD), "server", id="id is no name"),
            pytest.param(Listed(), "server", id="no name"),
        ],
    )
    def test_what_servers_tell_at_first(self, told: Listed, name: str) -> None:
        """The inventory and servers may disagree, also after a restart."""
        watcher, row = Inventoried(), a_row(name="server")
        watcher.answer(Listing({"TEAM": told}), [row])
        before = watcher.account().name
        watcher.quiet([row], server=by_jwt("SB", start=START + POLL / 2))

        assert (before, watcher.account().name) == (name, name)

    @pytest.mark.parametrize(
        ("told", "name"),
        [
            pytest.param(Listed("aged", OLD), "aged", id="JWT outranks"),
            pytest.param(Listed("a", None), "a", id="first by sorting"),
            pytest.param(Listed("z", None), "server", id="server's is first"),
        ],
    )
    def test_inventory_after_servers(self, told: Listed, name: str) -> None:
        """The order in which they tell makes no difference."""
        watcher, row = Inventoried(), a_row(name="server")
        watcher.quiet([row])
        watcher.answer(Listing({"TEAM": told}), [row])

        assert watcher.account().name == name

    def test_servers_hear_of_a_new_name_first(self) -> None:
        """A name that changes on a server is newer than the inventory's last."""
        watcher, told = Inventoried(), listing("TEAM", name="old")
        watcher.answer(told, [a_row(name="old")])
        watcher.answer(told, [a_row(name="new")])
        watcher.answer(told, [a_row(name="new")])

        assert watcher.account().name == "new"

    def test_name_of_a_file_changes(self) -> None:
        """A name without an age that changes is news."""
        watcher = Inventoried()
        for name in ("a", "b", "b"):
            watcher.answer(listing("TEAM", name=name, issued_at=None))

        assert watcher.account().name == "b"
