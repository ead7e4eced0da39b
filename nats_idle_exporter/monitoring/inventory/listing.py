"""One refresh of the inventory -> what the proof needs of it, and its statuses."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from nats_idle_exporter.activity import Listed, Listing, ServerFacts
from nats_idle_exporter.monitoring.inventory.accounts import (
    InventoryAccount,
    Problem,
    is_account_key,
)
from nats_idle_exporter.monitoring.inventory.union import Inventory, SourceStatus
from nats_idle_exporter.snapshot import InventoryStatus
from nats_idle_exporter.text import one_line, shorten


class Told(NamedTuple):
    """What the inventory tells; ``unusable`` counts ids that no account has.

    ``inventory`` is all of it, as of the refresh that ``listing`` is of.
    """

    listing: Listing
    statuses: tuple[InventoryStatus, ...]
    unusable: int
    inventory: Inventory


def tell(system: str, inventory: Inventory, servers: Collection[ServerFacts]) -> Told:
    """Return what one refresh tells of a system.

    In operator mode an account's id is a public key: a list of names says nothing
    there. What sources ask of servers is complete when each of them answered:
    every resolver keeps its own list.

    Args:
        system: its name.
        inventory: the refresh.
        servers: those that are watched.
    """
    by_jwt = frozenset(s.server_id for s in servers if s.is_operator_mode)
    needs_keys = bool(servers) and len(by_jwt) == len({s.server_id for s in servers})
    unusable = [
        each
        for account, each in inventory.accounts.items()
        if needs_keys and not is_account_key(account)
    ]
    ids = inventory.accounts.keys() - {each.account for each in unusable}
    told = (inventory.accounts[account] for account in sorted(ids))
    listing = Listing(
        {each.account: Listed(each.name, each.issued_at) for each in told},
        is_complete=inventory.is_complete
        and all(by_jwt <= each.servers for each in inventory.statuses if each.servers),
    )
    statuses = tuple(_statuses(system, inventory, unusable))
    return Told(listing, statuses, len(unusable), inventory)


def _statuses(
    system: str, inventory: Inventory, unusable: Collection[InventoryAccount]
) -> Iterator[InventoryStatus]:
    for status in inventory.statuses:
        names = [each.account for each in unusable if status.label in each.sources]
        yield InventoryStatus(
            system=system,
            source=status.label,
            is_up=status.error is None,
            accounts=status.accounts,
            skipped=len(status.problems) + len(names),
            last_error=_last_error(status, names),
        )


def _last_error(status: SourceStatus, names: Collection[str]) -> str:
    if status.error:
        return str(status.error)
    if status.problems:
        return str(status.problems[0])
    if not names:
        return ""
    expected = "public keys of accounts, in operator mode"
    return str(Problem(status.label, expected, one_line(shorten(min(names)))))
