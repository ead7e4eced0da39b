"""How accounts come into the inventory, what becomes of them, and who uses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

from tests.simulator.directory import ANCIENT_AT, Entry
from tests.simulator.draft import BEGAN_AT, INTERVAL
from tests.simulator.incidents import Incidents
from tests.simulator.inventory import SourceHabits
from tests.simulator.servers import NEVER


class JwtLives(Incidents):
    """A draft that knows of inventories.

    Chance of its own leaves all other parts of a history as they were.
    """

    @contextmanager
    def _chance(self, rng: Random) -> Iterator[None]:
        before, self.rng = self.rng, rng
        yield
        self.rng = before

    def _inventory(self, chance: Random) -> SourceHabits | None:
        """Keep an inventory, in some histories; return how it is read."""
        with self._chance(chance):
            share = 0.75 if self.world.operator else 0.25
            if self.rng.random() > share:
                return None
            self.world.seen.add("inventory")
            return self._kept()

    def _kept(self) -> SourceHabits:
        rng, world = self.rng, self.world
        is_operator = world.operator
        world.directory.is_in_memory = (
            is_operator and not self.is_calm and rng.random() < 0.25
        )
        for account in world.tenants:
            if rng.random() < 0.85:
                self._enter_tenant(account)
        for number in range(rng.choice((1, 2, 2, 3))):
            if is_operator:
                self._jwt_life(f"P{number}")
            else:
                self._file_life(f"P{number}")
        return self._source_habits()

    def _source_habits(self) -> SourceHabits:
        rng = self.rng
        return SourceHabits(
            every_seconds=INTERVAL * rng.choice((0.5, 0.5, 2.0, 5.0)),
            first_after_seconds=INTERVAL * rng.choice((0.0, 0.0, 1.0, 4.0, 15.0)),
            lag_seconds=rng.choice((0.0, 0.0, 0.0, 40.0, 200.0)),
            failing=rng.choice((0.0, 0.0, 0.1, 0.5)),
            lacking=rng.choice((0.0, 0.0, 0.1, 0.4)),
            bare=rng.choice((0.0, 0.0, 0.2)),
            by_and_by=self.world.operator and rng.random() < 0.25,
            changing=rng.choice((0.0, 0.2)),
        )

    # --- JWTs ----------------------------------------------------------------

    def _enter_tenant(self, account: str) -> None:
        rng, world = self.rng, self.world
        name = world.name_of(account) if world.operator else account
        old_at = rng.choice((ANCIENT_AT, BEGAN_AT - rng.uniform(0.0, 1.5) * self._span))
        issued_at = float(int(old_at)) if world.operator else None
        world.directory.push(NEVER, account, Entry(name, issued_at))
        if world.operator and rng.random() < 0.7:
            # Servers load it when it is used, and not before.
            for node in world.nodes:
                node.configured.discard(account)
        is_plain = account not in world.jetstream.enabled
        if world.operator and is_plain and rng.random() < 0.2:
            self._jwt_changes(account, BEGAN_AT)

    @property
    def _span(self) -> float:
        return self.end_at - BEGAN_AT

    def _jwt_life(self, account: str) -> None:
        """Push an account's JWT, early or late; perhaps nobody ever uses it."""
        rng = self.rng
        self.world.directory.kept.add(account)
        at = BEGAN_AT - rng.uniform(0.0, 600.0)
        if rng.random() < 0.5:
            at = BEGAN_AT + rng.uniform(0.0, 0.7) * self._span
        issued_at = float(int(at))
        if rng.random() < 0.5:
            # It was issued long before anybody pushed it, or watched.
            issued_at = ANCIENT_AT
        self._push(at, account, issued_at)
        if rng.random() < 0.6:
            self._life(account)
        if rng.random() < 0.5:
            # Just when, or just before, the inventory tells of it.
            self._silent(at + rng.uniform(0.0, 3.0) * INTERVAL, account, self._node())
        if rng.random() < 0.2 and not self.is_calm:
            self._restart(at + rng.uniform(0.0, 3.0) * INTERVAL, self._node(), 2.0)
        for _ in range(rng.choice((0, 0, 1, 2))):
            self._jwt_changes(account, at)

    def _push(self, at: float, account: str, issued_at: float, name: str = "") -> None:
        entry = Entry(name or f"name of {account}", issued_at)
        self._edit(at, self.world.directory.push, account, entry)

    def _edit(self, at: float, act: Callable[..., None], *args: object) -> None:
        """Change the directory; where JWTs are configured, servers reload later."""
        self.world.at(at, act, *args)
        if self.world.directory.is_in_memory:
            self._reloads(at, frozenset(), frozenset())

    def _reloads(self, at: float, remove: frozenset[str], add: frozenset[str]) -> None:
        for node in self.world.nodes:
            moment = at + self.rng.choice((0.5, 5.0, 40.0, 300.0)) * self.rng.random()
            self.world.at(moment, self.world.reload, node, remove, add)

    def _jwt_changes(self, account: str, since: float) -> None:
        """Rename an account, issue it anew, delete it, or let it expire."""
        rng = self.rng
        at = rng.uniform(since, self.end_at)
        way = rng.random()
        if way < 0.3:
            self._push(at, account, float(int(at)), f"new name of {account}")
        elif way < 0.4:
            self._push(at, account, float(int(at)))
        else:
            self._edit(at, self.world.directory.remove, account)
            self._uses_around(at, account)
            if rng.random() < 0.6:
                self._comes_back(at, account)

    def _comes_back(self, at: float, account: str) -> None:
        rng = self.rng
        back_at = at + rng.choice((1.0, 3.0, 6.0, 15.0)) * INTERVAL * rng.random()
        issued_at = ANCIENT_AT if rng.random() < 0.5 else float(int(back_at))
        self._push(back_at, account, issued_at)
        self._uses_around(back_at, account)

    def _uses_around(self, at: float, account: str) -> None:
        rng = self.rng
        for _ in range(rng.choice((0, 1, 1, 2))):
            moment = at + rng.uniform(-3.0, 3.0) * INTERVAL
            act = self._use if rng.random() < 0.7 else self._connect
            act(moment, account)
        if rng.random() < 0.2 and not self.is_calm:
            self._restart(at + rng.uniform(-2.0, 2.0) * INTERVAL, self._node(), 2.0)

    # --- files ---------------------------------------------------------------

    def _file_life(self, account: str) -> None:
        """Write an account into a file of names; servers may learn of it later."""
        rng, world = self.rng, self.world
        at = NEVER
        if rng.random() < 0.5:
            at = BEGAN_AT + rng.uniform(0.0, 0.7) * self._span
        one = frozenset({account})
        entry = Entry(rng.choice(("", account, f"name of {account}")), None)
        if at == NEVER:
            world.directory.push(at, account, entry)
        else:
            world.at(at, world.directory.push, account, entry)
        if self.is_calm or rng.random() < 0.3:
            return
        self._reloads(max(at, BEGAN_AT) - rng.uniform(-300.0, 300.0), frozenset(), one)
        self._life(account)
        if rng.random() < 0.5:
            gone_at = rng.uniform(max(at, BEGAN_AT), self.end_at)
            if rng.random() < 0.7:
                world.at(gone_at, world.directory.remove, account)
            if rng.random() < 0.7:
                self._reloads(gone_at, one, frozenset())
                self._uses_around(gone_at, account)
