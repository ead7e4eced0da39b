"""A watcher with an inventory, and what it answers."""

from __future__ import annotations

from typing import Any

from nats_idle_exporter.activity import AccountView, Listed, Listing, Row
from tests.activity.builders import HOUR, POLL, A, Process, Watcher, at
from tests.activity.keeping import no_time

START = 1_000_000.0
BOOT = START - 24 * HOUR
OLD = BOOT - 24 * HOUR
"""When JWTs were issued that are older than all servers."""
EMPTY: list[Row] = []


def by_jwt(server_id: str = "SA", endpoint: str = A, start: float = BOOT) -> Process:
    """Return a server in operator mode that was never reloaded."""
    server = Process(server_id, endpoint, start, is_operator_mode=True)
    server.loaded_at = start
    return server


def by_file(start: float = BOOT) -> Process:
    """Return a server in configuration mode that was never reloaded."""
    server = Process("SA", A, start)
    server.loaded_at = start
    return server


def listing(
    *accounts: str, is_complete: bool = True, name: str = "", issued_at: Any = OLD
) -> Listing:
    """Return an answer that lists these accounts alike."""
    return Listing(dict.fromkeys(accounts, Listed(name, issued_at)), is_complete)


class Inventoried(Watcher):
    """A watcher whose inventory answers in every cycle, and one server."""

    def __init__(self, server: Process | None = None, **options: Any) -> None:
        super().__init__(A, **options)
        self.server = server or by_jwt()
        self.now = START - POLL

    def answer(
        self,
        told: Listing | None,
        rows: list[Row] | None = None,
        *,
        server: Process | None = None,
        **changes: Any,
    ) -> None:
        """Run the next cycle after an answer of the inventory."""
        self.ledger.list_accounts(told)
        self.quiet(rows, server=server, **changes)

    def quiet(
        self,
        rows: list[Row] | None = None,
        *,
        server: Process | None = None,
        **changes: Any,
    ) -> None:
        """Run the next cycle without a new answer."""
        self.now += POLL
        self.server = server or self.server
        self.cycle(self.now, self.server.reading(self.now, rows or EMPTY, **changes))

    def restart(self) -> None:
        """Go on with a ledger that is made of what was kept; no time passes."""
        self.ledger = self.resumed(no_time(at(self.now)))

    @property
    def accounts(self) -> dict[str, AccountView]:
        """The last view of every account by id."""
        return {each.account: each for each in self.view.accounts}
