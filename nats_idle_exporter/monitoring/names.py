"""Names of accounts that a server's accstatz does not tell.

In operator mode an account's id is a public key. Servers before 2.11.0 tell its
name only in jsz and, account by account, in accountz.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import nsmallest

from nats_idle_exporter.activity import Row


class AccountNames:
    """What one endpoint's servers told of names, and whom to ask about next."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._asked: dict[str, int] = {}
        self._turn = 0

    def learn(self, names: Mapping[str, str]) -> None:
        """Remember names by account id; "" and the id itself are no names."""
        self._names.update(
            (account, name)
            for account, name in names.items()
            if name not in ("", account)
        )

    def next_to_ask(self, accounts: Iterable[str], count: int) -> list[str]:
        """Return those asked about longest ago, as asked from now on.

        Every account's turn comes again, so that a new name is noticed. What
        is remembered of other accounts is dropped.
        """
        kept = set(accounts)
        self._names = {a: n for a, n in self._names.items() if a in kept}
        self._asked = {a: t for a, t in self._asked.items() if a in kept}
        chosen = nsmallest(count, kept, key=lambda a: (self._asked.get(a, 0), a))
        for account in chosen:
            self._turn += 1
            self._asked[account] = self._turn
        return chosen

    def fill(self, rows: Iterable[Row]) -> tuple[Row, ...]:
        """Return the rows, those without a name with the one we know."""
        known = self._names
        return tuple(
            row if row.name else row._replace(name=known.get(row.account, ""))
            for row in rows
        )
