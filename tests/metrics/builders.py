"""Views and publications with defaults, for tests of everything that shows them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from nats_idle_exporter.activity import (
    AccountView,
    Evidence,
    EvidenceKind,
    Peer,
    Reason,
    ServerView,
    SystemView,
    Unwatched,
    Verdict,
)
from nats_idle_exporter.dossiers import Dossiers, Entries
from nats_idle_exporter.metrics import Format, Page, Pages, Publication, ReloadStatus
from nats_idle_exporter.snapshot import (
    DiscoveryStatus,
    EndpointStatus,
    InventoryStatus,
    Snapshot,
    StateStatus,
)
from tests.metrics.dossierbuilders import material_of, no_entries
from tests.removal.cases import NOW

URL = "http://127.0.0.1:8222"
NO_PROCESS = dict.fromkeys(Format, b"")


def an_evidence(at: float = NOW - 90_000) -> Evidence:
    """Return a sign of use."""
    return Evidence(EvidenceKind.SENT, "NSERVER", at, at)


def an_account(account: str = "ORDERS", **changes: Any) -> AccountView:
    """Return an inactive account, idle for 25 hours."""
    view = AccountView(
        account=account,
        name=account,
        verdict=Verdict.INACTIVE,
        reason=Reason.NONE,
        is_observed=True,
        idle_seconds=90_000.0,
        last_evidence=an_evidence(),
        quiet_since_at=NOW - 90_000,
        threshold_seconds=86_400.0,
        connections=0,
        leafnodes=0,
        is_operator_mode=False,
    )
    return view._replace(**changes)


def a_server(endpoint: str = URL, **changes: Any) -> ServerView:
    """Return the server that answers at an endpoint."""
    return ServerView(endpoint, "NSERVER", "n1", "east", "2.15.1")._replace(**changes)


def a_system(
    *accounts: AccountView, unwatched: Iterable[Unwatched] = (), **changes: Any
) -> SystemView:
    """Return a system of one server that holds the accounts."""
    counts = dict.fromkeys(Verdict, 0)
    for view in accounts:
        counts[view.verdict] += 1
    values: dict[str, Any] = {
        "accounts": tuple(sorted(accounts)),
        "counts": counts,
        "servers": (a_server(),),
        "unwatched": tuple(unwatched),
        "duplicates": {},
        "watched_to_at": NOW,
        "is_fresh": True,
    }
    return SystemView(**values | changes)


def an_endpoint(endpoint: str = URL, **changes: Any) -> EndpointStatus:
    """Return an endpoint that answers."""
    values: dict[str, Any] = {
        "system": "default",
        "endpoint": endpoint,
        "is_up": True,
        "polls": 7,
        "errors": {"timeout": 2, "unreachable": 0},
        "poll_duration_seconds": 0.0125,
        "last_success_at": NOW - 0.5,
        "last_error": "",
        "ring_overflows": 3,
    }
    return EndpointStatus(**values | changes)


def a_source(source: str = "resolver_dir:/jwt", **changes: Any) -> InventoryStatus:
    """Return a source of accounts that can be read."""
    values: dict[str, Any] = {
        "system": "default",
        "source": source,
        "is_up": True,
        "accounts": 5,
        "skipped": 0,
        "last_error": "",
    }
    return InventoryStatus(**values | changes)


def a_lookup(source: str = "dns+http://nats:8222", **changes: Any) -> DiscoveryStatus:
    """Return the status of a source of three endpoints."""
    values: dict[str, Any] = {
        "system": "default",
        "source": source,
        "is_up": True,
        "endpoints": 3,
        "last_error": "",
    }
    return DiscoveryStatus(**values | changes)


def a_snapshot(
    systems: dict[str, SystemView] | None = None,
    endpoints: Iterable[EndpointStatus] | None = None,
    inventories: Iterable[InventoryStatus] = (),
    discoveries: Iterable[DiscoveryStatus] = (),
    entries: Entries = no_entries,
) -> Snapshot:
    """Return a snapshot of one system with one account and one endpoint."""
    systems = {"default": a_system(an_account())} if systems is None else systems
    return Snapshot(
        systems=systems,
        dossiers={
            name: Dossiers(name, material_of(view.accounts, entries=entries))
            for name, view in systems.items()
        },
        endpoints=(an_endpoint(),) if endpoints is None else tuple(endpoints),
        inventories=tuple(inventories),
        discoveries=tuple(discoveries),
        cycle_duration_seconds=0.25,
        completed_at=NOW,
    )


def naming(snapshot: Snapshot, peers: Mapping[str, Peer]) -> Snapshot:
    """Return a snapshot that knows so much of each system's unwatched servers."""
    return replace(snapshot, peers=dict.fromkeys(snapshot.systems, peers))


def a_publication(snapshot: Snapshot | None, **changes: Any) -> Publication:
    """Return a publication after a good reload and a save."""
    values: dict[str, Any] = {
        "reload": ReloadStatus(is_successful=True, last_success_at=NOW - 3600),
        "state": StateStatus(last_save_at=NOW - 30, errors=1),
    }
    return Publication(snapshot=snapshot, **values | changes)


def of_accounts(*accounts: AccountView) -> Publication:
    """Return a publication of these accounts in one system."""
    return a_publication(a_snapshot({"default": a_system(*accounts)}))


async def shown(pages: Pages, publication: Publication) -> Page:
    """Wait until a publication is the current page."""
    async with asyncio.timeout(10):
        # The holder tells nobody when a page changes: only tests would listen.
        while (page := pages.current) is None or page.publication is not publication:  # noqa: ASYNC110
            await asyncio.sleep(0)
    return page
