"""Whom to ask which server about next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from nats_idle_exporter.activity import AccountView, Verdict

LOOKS_PER_QUESTION: Final = 20
"""Accounts that are looked at for one question: servers may have had enough."""
CANDIDATES_SHARE: Final = 0.5
"""Part of the requests that goes to inactive accounts once everybody was told of."""

WANTED_SHARE: Final = 0.25
"""Part of the requests to a server that is about accounts that others told of."""

Rank = tuple[bool, float, str]


class Planner:
    """Spreads questions over accounts, servers and cycles.

    At first everybody is asked about once, inactive accounts first and then those that
    may become so: who imports from an account is known only when all imports are.
    From then on it goes round, and half of the questions are about inactive accounts.
    """

    def __init__(self) -> None:
        self._asked: dict[str, int] = {}
        self._turn = 0
        self._round_from = 0
        self._queue: deque[str] = deque()
        self._candidates: deque[str] = deque()
        self._inactive: set[str] = set()
        self.is_first_round = True

    def plan(
        self,
        places: Mapping[str, Collection[str]],
        views: Mapping[str, AccountView],
        count: int,
        wanted: Iterable[tuple[str, str]] = (),
    ) -> dict[str, list[str]]:
        """Return whom to ask about in this cycle, by endpoint.

        Args:
            places: who is loaded, by endpoints that answered in this cycle.
            views: by account id.
            count: of questions for each endpoint.
            wanted: an endpoint and whom it is to be asked about beside that, the most
                urgent first; they get a part of its questions.
        """
        plan = _Plan(places, count)
        for url, account in wanted:
            plan.add_at(url, account)
        before = self._inactive
        self._inactive = {a for a, v in views.items() if v.verdict is Verdict.INACTIVE}
        if self.is_first_round:
            # Their verdict is younger than the queue.
            raised = self._inactive - before - self._asked.keys() if self._queue else ()
            self._queue.extendleft(sorted(raised, key=_ranks(views), reverse=True))
        else:
            self._ask_candidates(plan)
        self._go_round(plan, views)
        return plan.questions

    def _ask_candidates(self, plan: _Plan) -> None:
        """Ask about inactive accounts, all of them in turn."""
        if not self._candidates:
            self._candidates.extend(sorted(self._inactive, key=self._last_asked))
        for _ in range(min(len(self._candidates), int(plan.size * CANDIDATES_SHARE))):
            account = self._candidates.popleft()
            if account in self._inactive:
                self._take(plan, account)

    def greet(self, accounts: Iterable[str]) -> None:
        """Have accounts asked about next that some server lists since now."""
        self._queue.extendleft(a for a in accounts if a not in self._asked)

    def forget(self, kept: Collection[str]) -> None:
        """Drop what is remembered of all other accounts."""
        if len(self._asked) > len(kept):
            self._asked = {a: t for a, t in self._asked.items() if a in kept}

    def _go_round(self, plan: _Plan, views: Mapping[str, AccountView]) -> None:
        unasked: list[str] = []
        is_new = False
        for _ in range(plan.size * LOOKS_PER_QUESTION):
            if plan.is_full:
                break
            if not self._queue:
                if is_new:
                    break  # Fewer accounts than questions.
                self._begin_round(plan, views)
                is_new = True
                continue
            account = self._queue.popleft()
            if self._last_asked(account) > self._round_from or not plan.has(account):
                continue
            if not self._take(plan, account):
                unasked.append(account)
        # The servers that have them were asked enough: they are first next time.
        self._queue.extendleft(reversed(unasked))

    def _begin_round(self, plan: _Plan, views: Mapping[str, AccountView]) -> None:
        everybody = plan.everybody
        self.is_first_round = bool(everybody - self._asked.keys())
        self._round_from = self._turn
        if self.is_first_round:
            everybody = everybody - self._asked.keys()
        self._queue.extend(sorted(everybody, key=_ranks(views)))

    def _take(self, plan: _Plan, account: str) -> bool:
        """Plan a question; say whether a server has time for it."""
        if not plan.add(account):
            return False
        self._turn += 1
        self._asked[account] = self._turn
        return True

    def _last_asked(self, account: str) -> int:
        return self._asked.get(account, 0)


class _Plan:
    """The questions of one cycle."""

    def __init__(self, places: Mapping[str, Collection[str]], count: int) -> None:
        self._places = places
        self._left = dict.fromkeys(places, count)
        self._least_left = count - max(1, int(count * WANTED_SHARE))
        self.size = count * len(places)
        self.questions: dict[str, list[str]] = {url: [] for url in places}
        self._planned: set[str] = set()
        self._wanted: set[tuple[str, str]] = set()

    @property
    def is_full(self) -> bool:
        return not any(self._left.values())

    @property
    def everybody(self) -> set[str]:
        return set().union(*self._places.values())

    def has(self, account: str) -> bool:
        return any(account in accounts for accounts in self._places.values())

    def add_at(self, url: str, account: str) -> None:
        """Plan a question to one server, as long as others have their part."""
        if self._left[url] > self._least_left:
            self._left[url] -= 1
            self._wanted.add((url, account))
            self.questions[url].append(account)

    def add(self, account: str) -> bool:
        """Plan a question about an account, to the least asked server that has it."""
        if account in self._planned:
            return True
        at = [url for url, accounts in self._places.items() if account in accounts]
        url = max(at, key=self._left.__getitem__, default="")
        if not url or not self._left[url]:
            return False
        self._planned.add(account)
        if (url, account) in self._wanted:
            return True
        self._left[url] -= 1
        self.questions[url].append(account)
        return True


def _ranks(views: Mapping[str, AccountView]) -> Callable[[str], Rank]:
    """Return by what accounts are sorted: raised ones, then who was idle longest."""

    def rank(account: str) -> Rank:
        view = views.get(account)
        if view is None:
            return True, 0.0, account
        is_raised = view.verdict is Verdict.INACTIVE
        return not is_raised, -view.idle_seconds / view.threshold_seconds, account

    return rank
