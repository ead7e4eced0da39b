"""How the streams of a history live: who writes, who reads, and from where."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulator.draft import BEGAN_AT, INTERVAL
from tests.simulator.journals import Journal
from tests.simulator.lives import Lives
from tests.simulator.world import GLOBAL

Times = list[float]


class JournalLives(Lives):
    """A draft that knows how streams are used."""

    def _jetstream(self) -> None:
        """Give some accounts streams, or at least the right to own some."""
        rng, tenants = self.rng, self.world.tenants
        if not self.has_streams or tenants == [GLOBAL]:
            return
        jetstream = self.world.jetstream
        owners = rng.sample(tenants, rng.choice((1, 1, 2)))
        jetstream.enabled = set(owners)
        waits = (0.0, 0.0, 4.0, 40.0, 200.0, 700.0)
        jetstream.recoveries = (0.0, 3.0, 10.0) if self.is_calm else waits
        for account in owners:
            for number in range(rng.choice((0, 1, 1, 2))):
                self._journal(account, f"S{number}")
        self._copies(owners)
        if rng.random() < 0.3:
            # Then no server remembers a request to the API.
            for node in self._first():
                at = BEGAN_AT - rng.uniform(50.0, 90.0)
                self.world.at(at, self.world.kill, node)
                self.world.at(at + 1.0, self.world.start, node)
        elif rng.random() < 0.3:
            for journal in jetstream.journals:
                at = BEGAN_AT - rng.uniform(0.0, 90.0)
                self.world.at(at, jetstream.delete, journal)

    def _journal(self, account: str, name: str) -> Journal:
        rng, world = self.rng, self.world
        nodes = len(self._first())
        amount = 3 if nodes > 2 and rng.random() < 0.5 else 1
        places = tuple(rng.sample(range(nodes), amount))
        journal = Journal(account, name, places)
        journal.is_memory = not self.is_calm and rng.random() < 0.3
        journal.lags = {index: rng.choice((0.0, 0.3, 4.0)) for index in places}
        world.jetstream.journals.append(journal)
        created_at = BEGAN_AT - rng.uniform(100.0, 900.0)
        if rng.random() < 0.2:
            created_at = rng.uniform(BEGAN_AT, self.end_at)
        world.at(created_at, world.jetstream.create, journal)
        readers = [f"C{i}" for i in range(rng.choice((0, 0, 1, 2)))]
        for reader in readers:
            world.at(created_at + 1.0, world.jetstream.add_reader, journal, reader)
        if rng.random() < 0.75:
            self._written(journal, created_at + 2.0)
            for reader in readers:
                self._is_read(journal, reader, created_at + 3.0)
        return journal

    def _copies(self, owners: list[str]) -> None:
        """Let one account mirror the streams of another."""
        if len(owners) < 2 or self.rng.random() < 0.3:
            return
        for origin in list(self.world.jetstream.journals):
            if origin.account == owners[0]:
                copy = self._journal_of_copy(owners[1], origin)
                origin.copies.append(copy)

    def _journal_of_copy(self, account: str, origin: Journal) -> Journal:
        rng, world = self.rng, self.world
        index = rng.randrange(len(self._first()))
        copy = Journal(account, f"M{origin.name}", (index,), is_copy=True)
        world.jetstream.journals.append(copy)
        world.at(BEGAN_AT - 950.0, world.jetstream.create, copy)
        return copy

    # --- use -----------------------------------------------------------------

    def _client(self, journal: Journal) -> str:
        """Return whose client uses the stream: mostly another account's."""
        others = [each for each in self.world.tenants if each != journal.account]
        return self.rng.choice(others) if self.rng.random() < 0.85 else journal.account

    def _written(self, journal: Journal, since: float) -> None:
        by = self._client(journal)
        for at in self._times(since):
            self._writes(at, journal, by)

    def _writes(self, at: float, journal: Journal, by: str) -> None:
        jetstream = self.world.jetstream
        self.world.at(at, jetstream.write, journal, by, self._node())

    def _is_read(self, journal: Journal, reader: str, since: float) -> None:
        by = self._client(journal)
        for at in self._times(since):
            self._reads(at, journal, reader, by)

    def _reads(self, at: float, journal: Journal, reader: str, by: str) -> None:
        jetstream = self.world.jetstream
        self.world.at(at, jetstream.read, journal, reader, by, self._node())

    def _times(self, since: float) -> Times:
        """Draw when something is used."""
        ways: tuple[Callable[[float], Times], ...]
        ways = (self._some, self._few, self._many)
        return self.rng.choices(ways, (60, 28, 12))[0](since)

    def _some(self, since: float) -> Times:
        rng = self.rng
        last_at = BEGAN_AT + rng.uniform(0.0, 0.45) * (self.end_at - BEGAN_AT)
        times = [rng.uniform(since, last_at) for _ in range(rng.randint(1, 4))]
        return [at for at in times if at >= since]

    def _few(self, since: float) -> Times:
        return self._paced(since, self.threshold * 0.5, self.threshold * 1.4)

    def _many(self, since: float) -> Times:
        return self._paced(since, INTERVAL, 6.0 * INTERVAL)

    def _paced(self, since: float, least: float, most: float) -> Times:
        at, times = since, list[float]()
        while at < self.end_at:
            times.append(at)
            at += self.rng.uniform(least, most)
        return times

    # --- what goes wrong -----------------------------------------------------

    def _uses_journals(self, at: float, seconds: float) -> None:
        """Use streams in the time up to this moment, where it is overlooked."""
        for journal in self.world.jetstream.journals:
            if self.rng.random() < 0.4:
                self._uses_journal(at - self.rng.uniform(0.0, seconds), journal)

    def _uses_journal(self, at: float, journal: Journal) -> None:
        if self.rng.random() < 0.5 and not journal.is_copy:
            self._writes(at, journal, self._client(journal))
        else:
            self._reads(at, journal, "C0", self._client(journal))

    def _moves_leaders(self, at: float) -> None:
        for journal in self.world.jetstream.journals:
            self.world.at(at, self.world.jetstream.move_leader, journal)
        self._uses_journals(at + 1.0, 2.0)

    def _drops_journal(self, at: float) -> None:
        """Delete a stream, perhaps make it anew."""
        rng, world = self.rng, self.world
        if not world.jetstream.journals:
            return
        journal = rng.choice(world.jetstream.journals)
        self._uses_journals(at, 120.0)
        self._uses_journal(at - rng.uniform(0.0, 120.0), journal)
        world.at(at, world.jetstream.delete, journal)
        if rng.random() < 0.5:
            back_at = at + rng.choice((0.5, 20.0, 200.0, 1500.0))
            world.at(back_at, world.jetstream.create, journal)
            self._uses_journals(back_at + 60.0, 60.0)

    def _drops_reader(self, at: float) -> None:
        """Delete a consumer, perhaps make it anew."""
        rng, world = self.rng, self.world
        for journal in world.jetstream.journals:
            world.at(at, world.jetstream.drop_reader, journal, "C0")
            if rng.random() < 0.7:
                back_at = at + rng.choice((0.5, 20.0, 200.0))
                world.at(back_at, world.jetstream.add_reader, journal, "C0")
                self._uses_journals(back_at + 60.0, 60.0)
