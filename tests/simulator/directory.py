"""What an operator keeps beside the servers: JWTs in resolvers, names in a file.

The truth of the inventory: who is in it when, and what servers make of that.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from tests.simulator.servers import NEVER, Process

if TYPE_CHECKING:
    from tests.simulator.world import Node, World


ANCIENT_AT = 1.0
"""A moment, in Unix seconds, before any server started."""


class Entry(NamedTuple):
    """One account as it stands there; a file of names tells no age."""

    name: str
    issued_at: float | None


class Directory:
    """All entries of a world, now and before; empty where no inventory is kept.

    Servers with a full resolver hear of every change at once; those with JWTs in
    their configuration at their next reload.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.is_in_memory = False
        """Servers have the JWTs in their configuration."""
        self.entries: dict[str, Entry] = {}
        self.kept: set[str] = set()
        """Accounts that cannot be used without an entry."""
        self.born: dict[str, float] = {}
        """When each account came into being at the earliest."""
        self._editions: list[tuple[float, dict[str, Entry]]] = [(NEVER, {})]

    def push(self, when: float, account: str, entry: Entry) -> None:
        """Put an entry in, or another in its place."""
        self.entries[account] = entry
        self.kept.add(account)
        self.came(when if entry.issued_at is None else entry.issued_at, {account})
        self._edit(when)
        if self.world.operator and not self.is_in_memory:
            for node in self.world.nodes:
                self._hear_name(node, account)

    def came(self, when: float, accounts: Iterable[str]) -> None:
        """Note that accounts came into being then, unless they did before."""
        for account in accounts:
            self.born[account] = min(when, self.born.get(account, when))

    def remove(self, when: float, account: str) -> None:
        """Take an entry out: it was deleted, or has expired."""
        if self.entries.pop(account, None) is None:
            return
        self._edit(when)
        self.world.seen.add("deletion")
        if self.world.operator and not self.is_in_memory:
            for node in self.world.nodes:
                if node.process is not None:
                    self.world.cut(when, node.process, account)

    def _edit(self, when: float) -> None:
        self._editions.append((when, dict(self.entries)))

    def age_of(self, account: str) -> float:
        """Return when the JWT was issued that servers have; most are old."""
        entry = self.entries.get(account)
        issued_at = None if entry is None else entry.issued_at
        if issued_at is None:
            return self.born.get(account, ANCIENT_AT)
        return issued_at

    def at(self, when: float) -> dict[str, Entry]:
        """Return all entries of that moment."""
        return next(each for at, each in reversed(self._editions) if at <= when)

    # --- what servers make of it ---------------------------------------------

    def admits(self, node: Node, account: str) -> bool:
        """Say whether a server lets an account's clients in, loaded or not."""
        if account not in self.kept:
            return True
        return account in (node.preloaded if self.is_in_memory else self.entries)

    def configure(self, node: Node) -> None:
        """Let a server take all JWTs into its configuration."""
        node.preloaded = set(self.entries)
        for account in self.entries:
            self._hear_name(node, account)

    def dropped(self, process: Process, node: Node) -> frozenset[str]:
        """Return the loaded accounts that a reload takes away."""
        if not self.is_in_memory:
            return frozenset()
        return frozenset(self.kept & process.books.keys() - node.preloaded)

    def _hear_name(self, node: Node, account: str) -> None:
        book = node.process.books.get(account) if node.process else None
        if book is not None:
            book.name, book.row = self.world.name_of(account), None
