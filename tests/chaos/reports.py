"""What is fuzzed of reports: what somebody asks, and what a daemon answers.

Behind the address that a report is told may be anything: what it says is shown in
every form, or is refused with the error that is written down for it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from nats_idle_exporter.api import watch
from nats_idle_exporter.api.book import Book
from nats_idle_exporter.api.model import Account, AccountDetail, Accounts, Endpoints
from nats_idle_exporter.api.query import Query, QueryError, parse_query
from nats_idle_exporter.report.daemon import UnreadableError, read_answer
from nats_idle_exporter.report.explaining import render_explanation
from nats_idle_exporter.report.formats import (
    render_csv,
    render_json,
    render_markdown,
)
from nats_idle_exporter.report.making import explain, make_report
from nats_idle_exporter.report.model import ObservationError
from nats_idle_exporter.report.text import render_text
from tests.api.builders import hostile_snapshot, knowing, known
from tests.chaos.entrances import Target

_HOSTILE = Book(hostile_snapshot())
_BOOK = Book(knowing(default=[known("A"), known("B")]))
_WATCH = watch.endpoints(_BOOK.snapshot)
_ACCOUNTS = _BOOK.accounts(Query())
_DETAIL = _BOOK.detail("default", "A")


@dataclass(frozen=True)
class _Daemon:
    """What a daemon said; of all but one answer it is the truth."""

    told_watch: Endpoints = _WATCH
    told_accounts: Accounts = _ACCOUNTS
    told_detail: AccountDetail = _DETAIL
    source = "a daemon"
    limits = ()

    async def watch(self) -> Endpoints:
        """Return what is watched."""
        return self.told_watch

    async def accounts(self, account: str | None = None) -> list[Account]:
        """Return the same accounts, whatever is asked."""
        return list(self.told_accounts.accounts[: None if account is None else 1])

    async def detail(self, system: str, account: str) -> AccountDetail:
        """Return the same account, whichever is asked."""
        del system, account
        return self.told_detail


def ask(data: bytes) -> None:
    """Take the bytes for the parameters of a URL; a question gets an answer."""
    with suppress(QueryError):
        query = parse_query(parse_qsl(data.decode(errors="replace")))
        answer = _HOSTILE.accounts(msgspec.structs.replace(query, system=None))
        assert len(answer.accounts) <= query.limit


def report_watch(data: bytes) -> None:
    """Take the bytes for what a daemon watches."""
    _report(data, Endpoints, "told_watch")


def report_accounts(data: bytes) -> None:
    """Take the bytes for a daemon's list of accounts."""
    _report(data, Accounts, "told_accounts")


def report_account(data: bytes) -> None:
    """Take the bytes for all that a daemon knows of one account."""
    _report(data, AccountDetail, "told_detail")


def _report(data: bytes, shape: type[Any], answer: str) -> None:
    with suppress(UnreadableError, ObservationError):
        told = read_answer(data, shape)
        asyncio.run(_render(replace(_Daemon(), **{answer: told})))


async def _render(daemon: _Daemon) -> None:
    report = await make_report(daemon)
    for render in (render_text, render_csv, render_markdown, render_json):
        assert render(report)
    assert render_explanation(await explain(daemon, "A"))


_encode = msgspec.json.encode
REPORTS = {
    "query": Target(ask, [b"system=s&limit=5", b"verdict=active&cursor=a/b&owner="], 8),
    "watch": Target(report_watch, [_encode(_WATCH)], 3),
    "listing": Target(report_accounts, [_encode(_ACCOUNTS)], 3),
    "detail": Target(report_account, [_encode(_DETAIL)], 3),
}
"""By name."""
