"""The way out in two phases: disabled, and after a time of grace ready to be deleted.

A disabled account that is used again in that time is not on its way out any more. Any
account that was raised inactive and is used again is counted, with the evidence: the
use of forgotten credentials is what an attacker would do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from nats_idle_exporter.removal.dossier import Stage
from nats_idle_exporter.removal.happenings import Event, Happening, by_use, told_by
from nats_idle_exporter.removal.hints import Successor, Successors
from nats_idle_exporter.removal.leaving import DAY_SECONDS, Leaving
from nats_idle_exporter.removal.lives import NEVER, LifeChanges, Lives, restored
from nats_idle_exporter.removal.registry import Registry
from nats_idle_exporter.removal.roll import News, Roll
from nats_idle_exporter.removal.ruling import Ruling
from nats_idle_exporter.removal.sights import Doors, SeenAccount

FORGET_AFTER_SECONDS = 30 * 86_400.0
"""An account that is gone so long is forgotten."""

_INACTIVE = "inactive"
_ACTIVE = "active"


class Lifecycle:
    """Follows the accounts of one system, one step after each cycle.

    A step costs little for accounts of which nothing changed.

    Args:
        lives: what an earlier process remembered; see ``resume``.

    Attributes:
        successors: who came into use while we watched.
    """

    def __init__(self, lives: Lives | None = None) -> None:
        self.successors = Successors()
        self._known = Lives() if lives is None else lives
        self._roll = Roll()
        self._missing: dict[str, float] = {}
        self._ruling = Ruling()
        self._leaving = Leaving(self._known, self._ruling)
        self._stepped_at: float | None = None
        self._stages: Mapping[str, Stage] = {}
        self._marked: set[str] = set()
        self._exempt: set[str] = set()
        self._sum_up()

    @classmethod
    def resume(cls, rows: Iterable[tuple[str, str, bytes]]) -> Lifecycle:
        """Return one that knows what was saved as ``changes``.

        Raises:
            DamagedLives: the rows cannot be what was told; start a new one.
        """
        return cls(restored(rows))

    @property
    def stages(self) -> Mapping[str, Stage]:
        """Where accounts stand after the last step; fresh ones are left out."""
        return self._stages

    def changes(self) -> LifeChanges:
        """Return what to save that was not told before."""
        return self._known.changes()

    def retell(self) -> None:
        """Have ``changes`` tell all at its next call: a store may have dropped it."""
        self._known.retell()

    def step(
        self,
        now_at: float,
        accounts: Sequence[SeenAccount],
        doors: Doors,
        registry: Registry,
    ) -> list[Event]:
        """Take in the end of a cycle; return what happened, to be announced.

        Args:
            now_at: the end of the cycle, Unix seconds.
            accounts: all of the system, as the cycle's end shows them, each once.
            doors: who may log in.
            registry: the operator's rules; another one when they changed.
        """
        news = self._roll.take(accounts)
        self._meet(news, accounts, registry)
        events = list(self._judge(news))
        leaving = self._marked | doors.closed | self._ruling.dated
        for view in self._roll.among(leaving):
            events.extend(self._leaving.follow(view, doors, now_at))
        events.extend(self._exemptions(now_at))
        self._forget(now_at)
        if self._known.is_changed:
            self._sum_up()
            self._stages = dict(self._told_stages())
        self._stepped_at = now_at
        return events

    # --- what differs from the cycle before ----------------------------------

    def _meet(
        self, news: News, accounts: Sequence[SeenAccount], registry: Registry
    ) -> None:
        """See who is new, and what rules tell of everybody that they may tell of."""
        is_other = self._ruling.adopt(registry)
        self._ruling.look_up(accounts if is_other else news.differing)
        if is_other or any(v.account in self._marked for v in news.differing):
            # By another name or rule the time of grace may be another.
            self._known.is_changed = True
        if self._stepped_at is None:
            for view in self._roll.among(self._known.arrived):
                self._arrive(view, self._known.arrived[view.account])
            return
        for view in news.first_used:
            use = view.last_evidence
            if use and use.at > self._stepped_at - DAY_SECONDS:
                self._known.arrive(view.account, use.at)
                self._arrive(view, use.at)

    def _arrive(self, view: SeenAccount, at: float) -> None:
        self.successors.add(Successor(view.account, view.name, at))

    def _judge(self, news: News) -> Iterator[Event]:
        raised = self._known.raised
        for view in news.used:
            # Use that is told late, after a threshold or more, clears no verdict.
            if view.verdict == _INACTIVE and view.account in raised:
                yield from self._came_back(view)
        for view in news.differing:
            account, use = view.account, view.last_evidence
            if view.verdict == _INACTIVE and account not in raised:
                self._known.raise_(account, use.slow_at if use else NEVER)
            elif view.verdict == _ACTIVE and account in raised:
                yield from self._came_back(view)
                self._known.lower(account)

    def _came_back(self, view: SeenAccount) -> Iterator[Event]:
        use = view.last_evidence
        # A longer threshold makes an account active by a use long before.
        if use is not None and use.slow_at > self._known.raised[view.account]:
            self._known.raise_(view.account, use.slow_at)
            self._known.reactivate(view.account, use.at, told_by(use))
            yield by_use(Happening.REACTIVATED, view, use)

    # --- exemptions, and what is gone ----------------------------------------

    def _exemptions(self, now_at: float) -> Iterator[Event]:
        for view in self._roll.among(self._exempt | self._ruling.dated):
            account = view.account
            exemption = self._ruling.of(account).exemption
            until_at = exemption.until_at if exemption else None
            is_exempt = account in self._exempt
            if until_at is not None and until_at <= now_at:
                if is_exempt:
                    ended = Happening.EXEMPTION_ENDED
                    yield Event(ended, account, view.name, until_at)
                until_at = None
            if is_exempt or until_at is not None:
                self._known.exempt(account, until_at)

    def _forget(self, now_at: float) -> None:
        known = self._known
        if not self._roll.is_same:
            gone = {
                account
                for remembered in (known.raised, known.arrived, known.lives)
                for account in remembered.keys() - self._roll.ids
            }
            self._missing = {each: self._missing.get(each, now_at) for each in gone}
            self._ruling.keep(self._roll.ids)
        for account, since_at in list(self._missing.items()):
            if now_at - since_at > FORGET_AFTER_SECONDS:
                known.forget(account)
                del self._missing[account]

    def _sum_up(self) -> None:
        """See which lives there are, so that no step looks at all of them."""
        lives = self._known.lives.items()
        self._known.is_changed = False
        self._marked = {each for each, life in lives if life.disabled_at is not None}
        self._exempt = {
            each for each, life in lives if life.exempt_until_at is not None
        }

    def _told_stages(self) -> Iterator[tuple[str, Stage]]:
        for account, life in self._known.lives.items():
            since = life.disabled_at
            if since is not None or life.reactivations:
                ends_at = None if since is None else self._grace_ends_at(account, since)
                yield (
                    account,
                    Stage(
                        since,
                        ends_at,
                        life.reactivations,
                        life.reactivated_at,
                        life.reactivated_by,
                    ),
                )

    def _grace_ends_at(self, account: str, disabled_at: float) -> float:
        name = self._roll.name(account)
        return disabled_at + self._ruling.grace_seconds(account, name)
