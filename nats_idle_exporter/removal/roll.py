"""The roll of accounts: which of very many differ from the cycle before.

Of a hundred thousand accounts hardly any does. Comparing whole columns at once costs
a fraction of looking at each account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, KeysView, Sequence
from functools import partial
from itertools import compress, count
from operator import attrgetter, gt, is_, is_not, ne
from typing import NamedTuple

from nats_idle_exporter.removal.sights import SeenAccount, SeenUse

_account = attrgetter("account")
_name = attrgetter("name")
_verdict = attrgetter("verdict")
_evidence = attrgetter("last_evidence")
_NOBODY = ""
"""No account has an empty name, or verdict."""

_is_none = partial(is_, None)

Columns = tuple[list[str], list[str], list[bool], list[SeenUse | None]]
"""Names, verdicts, whether no use was ever seen, and the newest use."""


class News(NamedTuple):
    """Accounts that are new, or differ by name, verdict or by their first use.

    ``first_used`` are those of them that no use was ever seen of before. ``used`` are
    all of which a use is told that was not, or was dated otherwise.
    """

    differing: list[SeenAccount]
    first_used: list[SeenAccount]
    used: list[SeenAccount]


class Roll:
    """The accounts of one system at the end of a cycle.

    Attributes:
        is_same: the last two cycles were about the same accounts.
    """

    def __init__(self) -> None:
        self.is_same = False
        self._accounts: Sequence[SeenAccount] = ()
        self._ids: list[str] = []
        self._places: dict[str, int] = {}
        self._columns: Columns = ([], [], [], [])

    @property
    def ids(self) -> KeysView[str]:
        """The ids of the last cycle's accounts."""
        return self._places.keys()

    def among(self, ids: Iterable[str]) -> Iterator[SeenAccount]:
        """Yield those of some ids that are accounts of the last cycle, in order."""
        for place in sorted(self._places[each] for each in ids if each in self._places):
            yield self._accounts[place]

    def name(self, account: str) -> str:
        """Return the name of an account, its id when it is not there."""
        place = self._places.get(account)
        return account if place is None else self._accounts[place].name

    def take(self, accounts: Sequence[SeenAccount]) -> News:
        """Take a cycle in; return what is new. ``accounts`` hold each id once."""
        ids = list(map(_account, accounts))
        names, verdicts = list(map(_name, accounts)), list(map(_verdict, accounts))
        uses = list(map(_evidence, accounts))
        unused = list(map(_is_none, uses))
        self.is_same = ids == self._ids
        before = self._columns if self.is_same else self._moved(ids)
        self._accounts, self._columns = accounts, (names, verdicts, unused, uses)
        if not self.is_same:
            self._ids, self._places = ids, dict(zip(ids, count(), strict=False))
        first_used = set(compress(count(), map(gt, before[2], unused)))
        differing = first_used.union(
            compress(count(), map(ne, names, before[0])),
            # Verdicts are mostly the very same objects.
            compress(count(), map(is_not, verdicts, before[1])),
        )
        return News(
            [accounts[place] for place in sorted(differing)],
            [accounts[place] for place in sorted(first_used)],
            list(compress(accounts, map(ne, uses, before[3]))),
        )

    def _moved(self, ids: list[str]) -> Columns:
        """Return the columns of the cycle before in the order of these ids."""
        places = list(map(self._places.get, ids))
        names, verdicts, nones, uses = self._columns
        return (
            [_NOBODY if place is None else names[place] for place in places],
            [_NOBODY if place is None else verdicts[place] for place in places],
            [True if place is None else nones[place] for place in places],
            [None if place is None else uses[place] for place in places],
        )
