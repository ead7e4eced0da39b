"""What the inventory tells of accounts beside their ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from nats_idle_exporter.monitoring.inquiry.importers import Imported
from nats_idle_exporter.monitoring.inventory import InventoryAccount
from nats_idle_exporter.monitoring.inventory.accounts import Roles
from nats_idle_exporter.monitoring.inventory.listing import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One refresh of the inventory.

    Args:
        accounts: by id, those whose ids can be some.
        importers: who imports from whom.
        untold: of whose imports it tells nothing.
        is_complete: whether nobody lacks in it.
        roles: what the system needs accounts for; None when no source tells.
        written_at: when the newest of its files changed that servers read only when
            they are told to, Unix seconds; None when there is none.
    """

    accounts: Mapping[str, InventoryAccount] = field(default_factory=dict)
    importers: Imported = field(default_factory=dict)
    untold: frozenset[str] = frozenset()
    is_complete: bool = False
    roles: Roles | None = None
    written_at: float | None = None

    @classmethod
    def of(cls, told: Told) -> Self:
        """Return what one refresh tells; it looks at all of it."""
        known = told.inventory.accounts
        accounts = {each: known[each] for each in told.listing.accounts}
        importers: dict[str, list[str]] = {}
        for account, each in accounts.items():
            told_of = {i.account for copy in each.copies for i in copy.imports or ()}
            for exporter in told_of - {account}:
                importers.setdefault(exporter, []).append(account)
        return cls(
            accounts=accounts,
            importers={a: tuple(sorted(those)) for a, those in importers.items()},
            untold=frozenset(a for a, each in accounts.items() if each.imports is None),
            is_complete=told.listing.is_complete,
            roles=told.inventory.roles,
            written_at=told.inventory.written_at,
        )


NOT_LISTED = Listed()
