"""Reports with defaults, and observers that know what a test says."""

from __future__ import annotations

import asyncio

from nats_idle_exporter.api import watch
from nats_idle_exporter.api.book import Book
from nats_idle_exporter.api.model import Account, AccountDetail, Endpoints
from nats_idle_exporter.api.query import Query
from nats_idle_exporter.report.making import explain, make_report
from nats_idle_exporter.report.model import Explanation, Report
from nats_idle_exporter.snapshot import Snapshot
from tests.api.builders import Known, knowing


class Knowing:
    """An observer of one snapshot."""

    source = "a test"

    def __init__(self, snapshot: Snapshot, limits: tuple[str, ...] = ()) -> None:
        self._book: Book = Book(snapshot)
        self.limits = limits

    async def watch(self) -> Endpoints:
        """Return what is watched."""
        return watch.endpoints(self._book.snapshot)

    async def accounts(self, account: str | None = None) -> list[Account]:
        """Return all accounts, or those with this id or name."""
        return list(self._book.accounts(Query(account=account, limit=1000)).accounts)

    async def detail(self, system: str, account: str) -> AccountDetail:
        """Return all that is known of one account."""
        return self._book.detail(system, account)


def reported(snapshot: Snapshot, *limits: str) -> Report:
    """Return the report of a snapshot."""
    return asyncio.run(make_report(Knowing(snapshot, limits)))


def report_of(*everybody: Known) -> Report:
    """Return the report of one system with these accounts."""
    return reported(knowing(default=list(everybody)))


def explained(snapshot: Snapshot, account: str) -> Explanation:
    """Return what a snapshot tells of an account."""
    return asyncio.run(explain(Knowing(snapshot), account))
