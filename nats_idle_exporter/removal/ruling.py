"""What the registry's rules tell of accounts: dates of their way out, exemptions."""

from __future__ import annotations

from collections.abc import Iterable, KeysView
from collections.abc import Set as AbstractSet

from nats_idle_exporter.removal.registry import NO_ENTRY, Entry, Registry
from nats_idle_exporter.removal.sights import SeenAccount


class Ruling:
    """The rules now, and the few accounts of which one tells a date."""

    def __init__(self) -> None:
        self._registry: Registry | None = None
        self._dated: dict[str, Entry] = {}

    @property
    def dated(self) -> KeysView[str]:
        """The accounts of whose way out or exemption some rule tells a date."""
        return self._dated.keys()

    def of(self, account: str) -> Entry:
        """Return what is told of such an account, of others nothing."""
        return self._dated.get(account, NO_ENTRY)

    def grace_seconds(self, account: str, name: str) -> float:
        """Return how long an account is left alone once it is disabled."""
        return self._entry(account, name).decommission.grace_seconds

    def adopt(self, registry: Registry) -> bool:
        """Take the rules of this cycle; say whether they are others than before."""
        if registry is self._registry:
            return False
        self._registry = registry
        self._dated.clear()
        return True

    def look_up(self, accounts: Iterable[SeenAccount]) -> None:
        """See what the rules tell of accounts that are new or have another name."""
        for view in accounts:
            entry = self._entry(view.account, view.name)
            if entry.exemption or entry.decommission.disabled_on_at is not None:
                self._dated[view.account] = entry
            else:
                self._dated.pop(view.account, None)

    def keep(self, accounts: AbstractSet[str]) -> None:
        """Forget all other accounts."""
        for account in self._dated.keys() - accounts:
            del self._dated[account]

    def _entry(self, account: str, name: str) -> Entry:
        assert self._registry is not None  # noqa: S101 - set by each step, for mypy
        return self._registry.entry(account, name)
