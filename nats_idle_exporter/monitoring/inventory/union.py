"""Many lists -> one inventory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from nats_idle_exporter.monitoring.inventory.accounts import (
    InventoryAccount,
    Problem,
    Roles,
    SourceList,
)
from nats_idle_exporter.removal.facts import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """How one source fared at the last refresh.

    Args:
        label: what the source is called.
        accounts: how many it lists, by its last good list.
        is_complete: whether this refresh read all of it.
        error: why this refresh read nothing of it; None when it did.
        problems: entries that could not be used, by its last good list.
        servers: ids of the servers that answered it.
    """

    label: str
    accounts: int = 0
    is_complete: bool = False
    error: Problem | None = None
    problems: tuple[Problem, ...] = ()
    servers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What all sources of one system list, as of one refresh.

    Args:
        accounts: by id. What a source listed stays while the source fails.
        statuses: one per source, in the order of the configuration.
        refreshes: how many refreshes there were; 0 before the first.
        roles: what the system needs accounts for, by those sources that tell it;
            None when none does.
        written_at: when the newest of the files changed that servers read only when
            they are told to, Unix seconds; None when there is none.
    """

    accounts: Mapping[str, InventoryAccount] = field(default_factory=dict)
    statuses: tuple[SourceStatus, ...] = ()
    refreshes: int = 0
    roles: Roles | None = None
    written_at: float | None = None

    @property
    def is_complete(self) -> bool:
        """Whether this refresh read every source wholly, and any lists accounts.

        Only then may an account that is not listed be called gone. A configuration
        file of operator mode lists none.
        """
        return any(each.accounts for each in self.statuses) and all(
            each.is_complete for each in self.statuses
        )


class Labelled(NamedTuple):
    """A list and its source's label."""

    label: str
    listed: SourceList


def unite(lists: Iterable[Labelled]) -> dict[str, InventoryAccount]:
    """Return every account of the lists once.

    Of one id the newest JWT holds, then the one with limits, then the first
    list's, and the others are kept beside it: which of them servers know, nobody can
    tell. The name is the newest one that any list tells.
    """
    told: dict[str, list[InventoryAccount]] = {}
    for label, listed in lists:
        for account in listed.accounts.values():
            told.setdefault(account.account, []).append(
                replace(account, sources=(label,), is_served=listed.is_served)
            )
    return {
        account: of_one[0] if len(of_one) == 1 else _united(of_one)
        for account, of_one in told.items()
    }


def _united(told: list[InventoryAccount]) -> InventoryAccount:
    best = max(told, key=lambda each: (_age(each), each.limits is not None))
    named = [each for each in told if each.name not in ("", each.account)]
    # Of two names the newest holds, of two equally new the first by sorting.
    newest = max(map(_age, named), default=0.0)
    names = sorted(each.name for each in named if _age(each) == newest)
    return replace(
        best,
        name=names[0] if names else best.name,
        sources=tuple(each.sources[0] for each in told),
        others=tuple(each for each in told if each is not best),
    )


def _age(account: InventoryAccount) -> float:
    return -1.0 if account.issued_at is None else account.issued_at


def unite_roles(told: Iterable[Roles | None]) -> Roles | None:
    """Return every role that any source tells; None when none tells of roles."""
    known = [each for each in told if each is not None]
    if not known:
        return None
    united: dict[str, frozenset[Role]] = {}
    for roles in known:
        for account, those in roles.items():
            united[account] = united.get(account, frozenset()) | those
    return united
