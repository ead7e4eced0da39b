"""Cases by default of an account that may go; each test spoils one thing."""

from __future__ import annotations

from typing import Any

from nats_idle_exporter.removal.checklist import Case, examine
from nats_idle_exporter.removal.dossier import Check, Dossier, Item
from nats_idle_exporter.removal.facts import (
    AccountFacts,
    Holdings,
    Import,
    Importer,
    Jwt,
    Limits,
    Told,
    Use,
)
from nats_idle_exporter.removal.registry import Decommission, Entry

DAY = 86_400.0
NOW = 1_800_000_000.0
"""2027-01-15 08:00 UTC."""

USE = Use(
    verdict="inactive",
    is_observed=True,
    idle_seconds=3 * DAY,
    threshold_seconds=DAY,
    quiet_since_at=NOW - 3 * DAY,
    connections=0,
    leafnodes=0,
)
APPROVED = Entry(owner="o", decommission=Decommission(approved_by="boss"))
HOLDINGS = Holdings(as_of_at=NOW - 60)
JWT = Jwt(issued_at=NOW - 90 * DAY)


def some_facts(**changes: Any) -> AccountFacts:
    """Return facts of an account that nothing hinders, with changes."""
    facts: dict[str, Any] = {
        "account": "TEAM",
        "name": "TEAM",
        "is_operator_mode": False,
        "holdings": HOLDINGS,
        "exports": 0,
        "imports": (),
        "importers_unknown": 0,
        "are_copies_known": True,
        "limits": Limits(0, 0),
        "is_expired": False,
        "told_at": NOW - 60,
    }
    return AccountFacts(**(facts | changes))


def a_case(use: Use = USE, entry: Entry = APPROVED, **facts: Any) -> Case:
    """Return the case of an account of the system ``prod``."""
    return Case("prod", use, some_facts(**facts), entry)


def a_dossier(case: Case) -> Dossier:
    """Return its dossier as of now."""
    return examine(case, NOW)


def an_item(case: Case, check: Check) -> Item:
    """Return one item of its checklist."""
    return next(each for each in a_dossier(case).items if each.check is check)


def an_importer(account: str = "SHOP", **changes: Any) -> Importer:
    """Return an account that imports ``orders.>``."""
    imports = (Import("TEAM", "orders.>", "stream"),)
    return Importer(account, account, "active", imports, Told.BOTH)._replace(**changes)
