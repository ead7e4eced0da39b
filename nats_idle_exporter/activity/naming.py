"""Names of accounts: which one holds, when servers and the inventory differ."""

from __future__ import annotations

from nats_idle_exporter.activity.facts import Row
from nats_idle_exporter.activity.listings import Listings
from nats_idle_exporter.activity.memory import Memory


class Naming:
    """Collects the names that servers tell in a cycle, then gives them to accounts."""

    def __init__(self, memory: Memory, listings: Listings) -> None:
        self._memory = memory
        self._listings = listings
        self._news: dict[str, str] = {}

    def hear(self, row: Row, before: Row | None) -> None:
        """Note a name that a server did not tell before.

        An id in the place of a name is none: a known name is never given up. What
        a server tells at first may be older than the inventory's JWT.

        Args:
            row: of the account, as a server tells it now.
            before: the same at its last reading; None when it had none.
        """
        is_news = before is None or before.name != row.name
        if not is_news or row.name in {"", row.account}:
            return
        names = {row.name, self._news.get(row.account, row.name)}
        listing = self._listings.listing
        listed = listing.accounts.get(row.account) if listing else None
        if before is None and listed and listed.name not in {"", row.account}:
            if listed.issued_at is not None:
                return
            names.add(listed.name)
        self._news[row.account] = min(names)

    def settle(self) -> None:
        """Take the new names over; servers that disagree: the first by sorting."""
        for account, name in self._news.items():
            self._memory.records[account].name = name
        self._news.clear()
