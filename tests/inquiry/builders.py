"""Builders of answers, views and listings for the tests of inquiries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nats_idle_exporter.activity import (
    AccountView,
    Evidence,
    EvidenceKind,
    Listed,
    Listing,
    Reason,
    Reserved,
    Stock,
    StoredStream,
    SystemView,
    Verdict,
)
from nats_idle_exporter.monitoring.inquiry.answers import Answer, LocalImport
from nats_idle_exporter.monitoring.inventory import (
    AccountLimits,
    Inventory,
    InventoryAccount,
)
from nats_idle_exporter.monitoring.inventory.accounts import Roles
from nats_idle_exporter.monitoring.inventory.listing import Told
from tests.activity.builders import HOUR

UNBOUND = Reserved(None, None)


def an_answer(account: str = "A", *exporters: str, **changes: Any) -> Answer:
    """Return what a server tells of an account that imports from these."""
    values: dict[str, Any] = {
        "account": account,
        "is_system": False,
        "is_expired": False,
        "is_refused": False,
        "exports": 0,
        "imports": tuple(LocalImport(each, "q", "service", "q") for each in exporters),
        "claimed": None,
        **changes,
    }
    return Answer(**values)


def a_jwt_of(account: str = "A", issued_at: float = 1000.0, **changes: Any) -> Any:
    """Return what the JWT of an account claims that nothing bounds."""
    values: dict[str, Any] = {
        "account": account,
        "name": account.lower(),
        "issued_at": issued_at,
        "limits": AccountLimits(-1, -1),
        "imports": (),
        "exports": 0,
        "is_served": True,
        **changes,
    }
    return InventoryAccount(**values)


def a_view(account: str = "A", **changes: Any) -> AccountView:
    """Return what the proof says of an account that was used an hour ago."""
    values: dict[str, Any] = {
        "account": account,
        "name": account,
        "verdict": Verdict.ACTIVE,
        "reason": Reason.NONE,
        "is_observed": True,
        "idle_seconds": HOUR,
        "last_evidence": Evidence(EvidenceKind.SENT, "N", 0.0, 0.0),
        "quiet_since_at": 0.0,
        "threshold_seconds": 24 * HOUR,
        "connections": 0,
        "leafnodes": 0,
        "is_operator_mode": False,
        **changes,
    }
    return AccountView(**values)


def views(*accounts: AccountView) -> dict[str, AccountView]:
    """Return views by account id."""
    return {each.account: each for each in accounts}


def a_system_view(*accounts: AccountView, **changes: Any) -> SystemView:
    """Return the view of a system that is watched wholly."""
    values: dict[str, Any] = {"counts": {}, "duplicates": {}, **changes}
    return SystemView(accounts=accounts, **values)


def a_stock(
    *streams: StoredStream, reserved: Mapping[str, Reserved] | None = None
) -> Stock:
    """Return what one round of jsz told."""
    return Stock(streams, tuple((reserved or {}).items()))


def told_by_inventory(
    *accounts: InventoryAccount,
    is_complete: bool = True,
    roles: Roles | None = None,
    hidden: Iterable[InventoryAccount] = (),
    written_at: float | None = None,
) -> Told:
    """Return one refresh of an inventory; ids of ``hidden`` can be no accounts'."""
    known = {each.account: each for each in (*accounts, *hidden)}
    listing = Listing(
        {each.account: Listed(each.name, each.issued_at) for each in accounts},
        is_complete=is_complete,
    )
    inventory = Inventory(
        accounts=known, roles=roles, refreshes=1, written_at=written_at
    )
    return Told(listing, (), 0, inventory)
