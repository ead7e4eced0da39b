"""The landing page: one publication -> HTML; pure but for loading templates.

The page of one account is in ``accountpage``.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import nsmallest
from typing import NamedTuple

from nats_idle_exporter.activity import AccountView, ServerView, SystemView, Verdict
from nats_idle_exporter.api import watch
from nats_idle_exporter.api.accounts import Seen
from nats_idle_exporter.api.book import Book
from nats_idle_exporter.metrics import Publication
from nats_idle_exporter.snapshot import EndpointStatus, InventoryStatus, Snapshot
from nats_idle_exporter.web import unwatchedwords, words
from nats_idle_exporter.web.templating import account_path, render

ACCOUNTS_SHOWN = 1000
"""Rows of the accounts table; the metrics page has them all."""


class _System(NamedTuple):
    name: str
    view: SystemView
    is_complete: bool
    unwatched: tuple[tuple[str, str], ...]


class _Endpoint(NamedTuple):
    status: EndpointStatus
    server: ServerView


class _Account(NamedTuple):
    system: str
    view: AccountView
    meaning: str
    evidence: str
    inventory: str
    owner: str
    removability: str
    blockers: str
    path: str


def render_index(
    publication: Publication | None, telemetry_path: str, prefix: str = ""
) -> str:
    """Return the landing page of one moment; None when nothing was published.

    Takes tens of milliseconds when there are many accounts: call in a thread.
    """
    snapshot = publication.snapshot if publication else None
    accounts: list[_Account] = []
    total = 0
    if snapshot:
        accounts = _accounts(Book(snapshot))
        total = sum(len(view.accounts) for view in snapshot.systems.values())
    return render(
        "index.html.j2",
        telemetry_path=prefix + telemetry_path,
        prefix=prefix,
        publication=publication,
        snapshot=snapshot,
        systems=list(_systems(snapshot)) if snapshot else [],
        endpoints=list(_endpoints(snapshot)) if snapshot else [],
        inventories=list(_inventories(snapshot)) if snapshot else [],
        discoveries=snapshot.discoveries if snapshot else (),
        accounts=accounts,
        total=total,
        verdicts=list(Verdict),
    )


def _systems(snapshot: Snapshot) -> Iterator[_System]:
    for name, view in sorted(snapshot.systems.items()):
        unwatched = tuple(
            (unwatchedwords.who(each), unwatchedwords.how(each))
            for each in watch.unwatched(snapshot, name)
        )
        yield _System(name, view, view.is_fresh and not unwatched, unwatched)


def _endpoints(snapshot: Snapshot) -> Iterator[_Endpoint]:
    servers = {
        (system, server.endpoint): server
        for system, view in snapshot.systems.items()
        for server in view.servers
    }
    for status in sorted(snapshot.endpoints, key=lambda s: (s.system, s.endpoint)):
        nobody = ServerView(status.endpoint, "", "", "", "")
        server = servers.get((status.system, status.endpoint), nobody)
        yield _Endpoint(status, server)


def _inventories(snapshot: Snapshot) -> Iterator[InventoryStatus]:
    yield from sorted(snapshot.inventories, key=lambda s: (s.system, s.source))


def _accounts(book: Book) -> list[_Account]:
    """Return what the table shows: inactive accounts first, then by idle time."""
    everything = (
        (system, view)
        for system, views in book.snapshot.systems.items()
        for view in views.accounts
    )
    first = nsmallest(ACCOUNTS_SHOWN, everything, key=_rank)
    return [_account(book.seen(system, view)) for system, view in first]


def _rank(item: tuple[str, AccountView]) -> tuple[bool, float, str, str]:
    system, view = item
    is_other = view.verdict is not Verdict.INACTIVE
    return is_other, -view.idle_seconds, system, view.account


def _account(seen: Seen) -> _Account:
    system, view, dossier = seen
    entry = dossier.entry
    owner = filter(None, (entry.owner, entry.team, entry.environment))
    evidence = words.EVIDENCE[view.last_evidence.kind] if view.last_evidence else ""
    inventory = words.INVENTORY[view.inventory]
    return _Account(
        system,
        view,
        words.meaning(view),
        evidence,
        inventory,
        owner=", ".join(owner),
        removability=dossier.removability,
        blockers=", ".join(item.check for item in dossier.blockers),
        path=account_path(system, view.account),
    )
