"""What a server's accstatz does not tell of accounts, and whom to ask about it.

In operator mode an account's id is a public key. Servers before 2.11.0 tell its
name only in jsz and, account by account, in accountz. The age of its JWT is told
by all of them in accountz only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from heapq import nsmallest

from nats_idle_exporter.activity import Row


class AccountNames:
    """What one endpoint's servers told of accounts, and whom to ask about next."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._asked: dict[str, int] = {}
        self._turn = 0
        self._ageless: set[str] = set()
        self.has_met = False
        """Whether any server's accounts were taken in."""

    def meet(self, rows: Iterable[Row]) -> None:
        """Take in whom another server than the last lists at first.

        Only of those, and only while unused, the age of a JWT proves anything.
        """
        self.has_met = True
        self._ageless = {
            row.account
            for row in rows
            if not (row.connections or row.leafnodes or any(row.total))
        }

    @property
    def ageless(self) -> Collection[str]:
        """Those of whose JWT the age is worth asking for, and was not told yet."""
        return self._ageless

    def age(self, accounts: Iterable[str]) -> None:
        """Note whose answers told an age, or that there is none."""
        self._ageless.difference_update(accounts)

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
