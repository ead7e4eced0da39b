"""A snapshot -> the parts of it that are asked for; pure, and safe in threads."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import quote, unquote

from nats_idle_exporter.activity import AccountView, SystemView, Verdict
from nats_idle_exporter.api import accounts, model
from nats_idle_exporter.api.accounts import Seen
from nats_idle_exporter.api.query import Query
from nats_idle_exporter.removal.dossier import Removability
from nats_idle_exporter.removal.wayout import Place, way_out
from nats_idle_exporter.snapshot import Snapshot


class UnknownError(LookupError):
    """Who is asked for is not known here; the text says it in one line."""


@dataclass(frozen=True, slots=True)
class Book:
    """Tells of the accounts of one snapshot."""

    snapshot: Snapshot

    def accounts(self, query: Query) -> model.Accounts:
        """Return those accounts that a query asks for.

        When asked by removability, very many may have to be judged to find few, and
        that takes seconds.

        Raises:
            UnknownError: there is no such system.
        """
        if query.system:
            self._system(query.system)
        found = list(islice(self._matching(query), query.limit + 1))
        shown = found[: query.limit]
        return model.Accounts(
            as_of_at=self.snapshot.completed_at,
            accounts=tuple(map(accounts.account, shown)),
            next_cursor=_cursor(shown[-1]) if len(found) > len(shown) else None,
        )

    def detail(self, system: str, account: str) -> model.AccountDetail:
        """Return all that is known of one account.

        Raises:
            UnknownError: there is no such system, or no such account with a verdict.
        """
        views = self._system(system).accounts
        index = bisect_left(views, account, key=_id)
        if index == len(views) or views[index].account != account:
            raise UnknownError("no such account in this system, or it is excluded")
        seen = self.seen(system, views[index])
        now_at = self.snapshot.completed_at
        way = way_out(seen.dossier, now_at, self._place(system))
        return accounts.detail(seen, way, now_at)

    def seen(self, system: str, view: AccountView) -> Seen:
        """Return an account with its dossier."""
        return Seen(system, view, self.snapshot.dossiers[system][view.account])

    def _owner(self, system: str, view: AccountView) -> str:
        return self.snapshot.dossiers[system].entry(view.account).owner

    def _is(self, removability: Removability, system: str, view: AccountView) -> bool:
        dossiers = self.snapshot.dossiers[system]
        if not _may_be(view, removability):
            return False
        return dossiers.judge(dossiers.case(view.account)).removability is removability

    def _system(self, name: str) -> SystemView:
        view = self.snapshot.systems.get(name)
        if view is None:
            raise UnknownError("no such system")
        return view

    def _place(self, system: str) -> Place:
        status = self.snapshot.endpoints
        return Place(
            monitoring_urls=tuple(e.endpoint for e in status if e.system == system)
        )

    def _matching(self, query: Query) -> Iterator[Seen]:
        """Yield what matches; what is cheap to know is asked first."""
        for system, view in self._after(query):
            if query.verdict and view.verdict is not query.verdict:
                continue
            if query.account not in {None, view.account, view.name}:
                continue
            if query.owner is not None and query.owner != self._owner(system, view):
                continue
            if query.removability and not self._is(query.removability, system, view):
                continue
            yield self.seen(system, view)

    def _after(self, query: Query) -> Iterator[tuple[str, AccountView]]:
        """Yield the accounts of the systems behind the cursor, sorted."""
        start = _position(query.cursor) if query.cursor else None
        for name in sorted(self.snapshot.systems):
            if (query.system and name != query.system) or (start and name < start[0]):
                continue
            views = self.snapshot.systems[name].accounts
            begin = 0
            if start and name == start[0]:
                begin = bisect_right(views, start[1], key=_id)
            for view in islice(views, begin, None):
                yield name, view


def _may_be(view: AccountView, removability: Removability) -> bool:
    """Say whether it is worth to judge an account that is looked for by that.

    One check is known by the verdict, and the whole is never better than that one.
    """
    if view.verdict is Verdict.ACTIVE:
        return removability is Removability.BLOCKED
    if view.verdict is Verdict.UNKNOWN:
        return removability is not Removability.SAFE
    return True


def _id(view: AccountView) -> str:
    return view.account


def _cursor(last: Seen) -> str:
    """Return what names a place in the order, whoever comes or goes."""
    return f"{quote(last.system, safe='')}/{quote(last.view.account, safe='')}"


def _position(cursor: str) -> tuple[str, str]:
    system, _, account = cursor.partition("/")
    return unquote(system), unquote(account)
