"""The judge: compare what the heart says at the end of a cycle with the truth."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from nats_idle_exporter.activity import (
    AccountView,
    BriefConnections,
    Listing,
    Row,
    SystemView,
    Verdict,
)
from tests.simulator.clerk import Clerk
from tests.simulator.exemptions import Waivers
from tests.simulator.horizon import Horizon
from tests.simulator.journals import Journal
from tests.simulator.servers import NEVER
from tests.simulator.truth import Hole, Truth
from tests.simulator.watcher import Poll, Watcher
from tests.simulator.world import GLOBAL, SYSTEM, World

EPSILON = 0.01
_NOT_EXEMPT = set(Verdict) - {Verdict.EXEMPT}
ROUNDING = 1.5
"""Seconds that servers' rounded uptimes may cost."""


class Violation(NamedTuple):
    """One broken promise; times are seconds since the history began."""

    rule: str
    account: str
    at: float
    detail: str


class Claim(NamedTuple):
    """A time in which an account is claimed to be idle."""

    from_at: float
    to_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What the judged history sets, as the operator would."""

    thresholds: dict[str, float]
    threshold_seconds: float
    tolerance_seconds: float
    forget_after_seconds: float
    excluded: frozenset[str]
    brief_connections: BriefConnections
    is_calm: bool
    """Everything is read: silence must be raised in time."""

    def threshold(self, account: str) -> float:
        """Return the account's threshold."""
        return self.thresholds.get(account, self.threshold_seconds)

    def longest_forgiven(self, account: str) -> float:
        """Return the length of the longest hole that may be forgiven."""
        return min(self.tolerance_seconds, self.threshold(account) / 20)


@dataclass(slots=True)
class Memory:
    """What the judge remembers of one account."""

    verdict: Verdict = Verdict.UNKNOWN
    evidence_at: float | None = None
    is_served: bool = False
    """Some server listed it since it was last unknown."""
    loaded_at: float = NEVER
    """When servers began to list it, after a time in which none did."""
    was_served: bool = False
    """Some server listed it once."""
    listed_at: float = NEVER
    first_listed_at: float = NEVER
    unlisted: int = 0
    idle: float = 0.0
    claimed_at: float = NEVER
    """Until when it was claimed to be idle, by the last view."""
    is_resumed: bool = False
    """We restarted since."""
    late: int = 0


@dataclass(slots=True)
class Judge:
    """Judge every view of one history."""

    world: World
    truth: Truth
    horizon: Horizon
    promise: Promise
    watcher: Watcher
    began_at: float
    waivers: Waivers
    violations: list[Violation] = field(default_factory=list)
    raises: int = 0
    owner_raises: int = 0
    """Raises of accounts that own streams."""
    unloaded_raises: int = 0
    """Raises of accounts that no server ever listed."""
    exempted: int = 0
    later_raises: int = 0
    """Raises as soon as an exemption was over."""
    published_at: float = 0.0
    """The end of the cycle, as readers see it: exemptions end by that."""
    forgiven: Counter[str] = field(default_factory=Counter)
    clerk: Clerk = field(init=False)
    _known: dict[str, Memory] = field(default_factory=dict)
    _holding: set[str] = field(default_factory=set)
    _enabled: set[str] = field(default_factory=set)
    _consumed: set[str] = field(default_factory=set)
    _overtaken: set[str] = field(default_factory=set)
    """Accounts of which one server told two things in one cycle, in an order that
    nobody knows: the heart may see use where there was none."""
    _watched_to_at: float | None = None
    _now_at: float = 0.0
    _heard_at: float = 0.0
    """When the cycle before ended."""
    _reach_at: float = 0.0
    _polls: list[Poll] = field(default_factory=list)
    _news: Listing | None = None
    _resumed_at: float = NEVER
    """From then on silence may have to be proven anew."""
    _ready_at: float = NEVER
    """From then on all was read again after a restart of ours."""
    _slack_seconds: float = 0.0
    """What our restarts may cost of every idle time."""

    def __post_init__(self) -> None:
        """Let a clerk follow the inventory."""
        self.clerk = Clerk(self.world, self.horizon, self._blame)

    def resume(self, when: float) -> None:
        """Take in that we restarted: nobody saw the time since the last cycle."""
        for memory in self._known.values():
            memory.is_resumed = True
        habits = self.watcher.habits
        self._slack_seconds += 2 * habits.interval_seconds
        rounds_seconds = habits.interval_seconds + habits.jetstream_seconds
        self._ready_at = when + 2 * rounds_seconds
        if any(node.ended for node in self.world.nodes):
            self._resumed_at = when + self.watcher.habits.interval_seconds

    def hear(
        self,
        view: SystemView,
        polls: list[Poll],
        now_at: float,
        news: Listing | None = None,
    ) -> None:
        """Judge the view of one cycle; ``news`` is what the inventory told in it."""
        self._heard_at = self._now_at
        self._now_at, self._polls, self._news = now_at, polls, news
        self.clerk.hear(news, polls, now_at, is_all_watched=not view.unwatched)
        self._reach_at = self.horizon.reach_at()
        self._take_streams()
        self._take_listings()
        self._take_doubles()
        self._watched(view)
        seen = set()
        for account in view.accounts:
            seen.add(account.account)
            self._account(account)
        for name, memory in list(self._known.items()):
            if name not in seen:
                self._missing(name, memory)
        self._excluded(seen)
        for name in sorted(self.clerk.expected() - seen):
            if not self._is_excluded(name):
                self._blame("unseen", name, "the inventory names it")

    def _blame(self, rule: str, account: str, detail: str) -> None:
        at = self._now_at - self.began_at
        self.violations.append(Violation(rule, account, at, detail))

    # --- what this cycle told ------------------------------------------------

    def _take_streams(self) -> None:
        self._enabled = self.horizon.enabled()
        self._holding = self.horizon.holding()
        self._consumed = self.horizon.consumed()

    def _take_listings(self) -> None:
        listed: set[str] = set()
        for poll in self._polls:
            if not poll.is_failed:
                listed.update(row.account for row in poll.rows)
        read = [poll.process for poll in self._polls if not poll.is_failed]
        is_complete = all(
            not poll.is_failed or poll.endpoint.last_process in read
            for poll in self._polls
        )
        self._take_listed(listed)
        if is_complete:
            for name, memory in self._known.items():
                if name not in listed:
                    memory.unlisted += 1

    def _take_listed(self, listed: set[str]) -> None:
        for name in listed:
            memory = self._known.setdefault(name, Memory())
            if memory.first_listed_at == NEVER:
                memory.first_listed_at = max(p.answered_at for p in self._polls)
            if memory.listed_at < self._heard_at:
                memory.loaded_at = self._now_at
            memory.listed_at, memory.unlisted = self._now_at, 0
            memory.is_served = memory.was_served = True
        for name in self.clerk.expected():
            memory = self._known.setdefault(name, Memory())
            if memory.first_listed_at == NEVER:
                memory.first_listed_at = self.clerk.named_at(name)

    def _take_doubles(self) -> None:
        told: dict[str, frozenset[Row]] = {}
        for poll in self._polls:
            if not poll.is_failed and poll.process is not None:
                rows = frozenset(poll.rows)
                first = told.setdefault(poll.process.server_id, rows)
                self._overtaken |= {row.account for row in rows ^ first}

    # --- the rules -----------------------------------------------------------

    def _watched(self, view: SystemView) -> None:
        before, now = self._watched_to_at, view.watched_to_at
        if before is not None and (now is None or now < before):
            self._blame("monotony", "", f"watched_to {before} -> {now}")
        self._watched_to_at = now

    def _account(self, view: AccountView) -> None:
        memory = self._known.setdefault(view.account, Memory())
        was, memory.verdict = memory.verdict, view.verdict
        self.clerk.judge(view)
        self._evidence(view, memory)
        self._idle(view)
        self._stretched(view, memory)
        is_inactive = view.verdict is Verdict.INACTIVE
        is_raised = is_inactive and was is not Verdict.INACTIVE
        is_exempt = self._exempted(view, was)
        if is_raised:
            self.raises += 1
            self.owner_raises += view.account in self._holding
            self.unloaded_raises += not memory.is_served
        if is_raised or (view.is_observed and view.verdict is not Verdict.ACTIVE):
            self._proven(view, "raised" if is_raised else "observed")
        threshold = self.promise.threshold(view.account)
        shown_at = self.truth.shown.get(view.account, NEVER)
        if is_inactive and shown_at > self._now_at - threshold:
            self._blame("held", view.account, f"use shown at {self._ago(shown_at)}")
        if was is Verdict.INACTIVE and not is_inactive and not is_exempt:
            self._cleared(view)
        self._active(view, memory)
        if is_exempt:
            memory.late = 0
        elif self.promise.is_calm:
            self._in_time(view, memory)

    def _exempted(self, view: AccountView, was: Verdict) -> bool:
        """Check that it is exempt while its rule says so, and no longer."""
        until_at, published_at = self.waivers.until_at(view.account), self.published_at
        is_hidden = until_at > NEVER and math.isinf(published_at)
        if is_hidden or abs(until_at - published_at) < ROUNDING:
            # After a restart nobody but the heart knows what time it publishes.
            is_exempt = view.verdict is Verdict.EXEMPT
        else:
            is_exempt = until_at > published_at
        said = {Verdict.ACTIVE, Verdict.EXEMPT} if is_exempt else _NOT_EXEMPT
        if view.verdict not in said:
            self._blame("exempt", view.account, f"{view.verdict}, until {until_at}")
        self.exempted += view.verdict is Verdict.EXEMPT
        is_late = was is Verdict.EXEMPT and view.verdict is Verdict.INACTIVE
        self.later_raises += is_late
        return is_exempt

    def _ago(self, at: float) -> str:
        return f"{self._now_at - at:.1f}s ago"

    def _evidence(self, view: AccountView, memory: Memory) -> None:
        before, memory.evidence_at = memory.evidence_at, None
        if view.last_evidence is not None:
            memory.evidence_at = view.last_evidence.at
        if before is not None and (
            memory.evidence_at is None or memory.evidence_at < before
        ):
            self._blame(
                "monotony", view.account, f"evidence {before} -> {memory.evidence_at}"
            )

    def _reach(self, account: str) -> float:
        if account in self._enabled:
            return min(self._reach_at, self.horizon.round_at())
        return self._reach_at

    def _idle(self, view: AccountView) -> None:
        """Check that the idle time claimed is no longer than the true one."""
        idle = view.idle_seconds
        if idle <= 0.0:
            return
        reach_at = self._reach(view.account)
        from_at = reach_at - idle
        sight_at, born_at = self.horizon.first_sight_at, self.horizon.born_at
        if sight_at is None or from_at < born_at - EPSILON:
            first = "never" if sight_at is None else self._ago(born_at)
            self._blame(
                "sight",
                view.account,
                f"idle {idle:.1f}s, reach {self._ago(reach_at)}, proof from {first}",
            )
            return
        born_at = self.clerk.born_at(view.account)
        if from_at < born_at - EPSILON:
            born = f"idle {idle:.1f}s, there since {self._ago(born_at)}"
            self._blame("young", view.account, born)
        used_at, how = self._last_use(view, from_at)
        if used_at <= from_at + EPSILON:
            used_at, how = self._untold(view, Journal.untold_writes), "written, untold"
        if used_at > from_at + EPSILON:
            self._blame(
                "idle",
                view.account,
                f"idle {idle:.1f}s, reach {self._ago(reach_at)}, used "
                f"{self._ago(used_at)} ({how})",
            )

    def _stretched(self, view: AccountView, memory: Memory) -> None:
        """Check that a restart of ours made nobody idle for longer than it took."""
        idle = view.idle_seconds
        is_told = any(view.account in poll.issued for poll in self._polls)
        is_told |= bool(self._news and view.account in self._news.accounts)
        if is_told:
            # The age of its JWT may prove its silence further back.
            memory.is_resumed = False
        if memory.is_resumed and memory.claimed_at > NEVER:
            most = max(0.0, memory.idle + self._reach_at - memory.claimed_at)
            if idle > most + EPSILON:
                self._blame(
                    "stretched", view.account, f"idle {idle:.1f}s of {most:.1f}s"
                )
        memory.is_resumed = False
        memory.idle, memory.claimed_at = idle, NEVER
        if idle and self._watched_to_at is not None:
            claimed_at = self._claimed_at(view)
            if view.account in self._consumed:
                # Less is claimed than is known, as long as no look was taken.
                memory.idle = self._watched_to_at - view.quiet_since_at
                claimed_at = self.watcher.true_at(self._watched_to_at)
            # Of two answers of one server in a cycle the later may count.
            memory.claimed_at = min(claimed_at, self._reach_at)

    def _claimed_at(self, view: AccountView) -> float:
        """Return until when the account is claimed to be idle."""
        return self.watcher.true_at(view.quiet_since_at + view.idle_seconds)

    def _untold(
        self, view: AccountView, uses: Callable[[Journal], Iterable[float]]
    ) -> float:
        """Return when a stream was last used, in the time claimed, without a word."""
        claimed_at = self._claimed_at(view)
        return max(
            (
                at
                for journal in self.world.jetstream.journals
                if journal.account == view.account
                for at in uses(journal)
                if at <= claimed_at
                and not self._is_missed(journal, Claim(at, claimed_at))
            ),
            default=NEVER,
        )

    def _is_missed(self, journal: Journal, since: Claim) -> bool:
        """Say whether its stream seemed gone since a use, so that nobody could tell."""
        missed_at = journal.missed_after(since.from_at)
        if missed_at is None:
            return False
        is_news = journal.told_at <= journal.emptied_at
        if is_news or journal.seemed_gone_at(since.from_at) is not None:
            # Nobody waits for it: it came, was used and seemed gone between rounds.
            return True
        hole = Hole(journal.told_at, missed_at)
        is_missed = self._is_forgiven(hole, journal.account, since)
        if is_missed:
            self.forgiven[journal.account] += 1
        return is_missed

    def _last_use(self, view: AccountView, from_at: float) -> tuple[float, str]:
        last_at, how = self.truth.shown.get(view.account, NEVER), "shown"
        if last_at > self._claimed_at(view):
            last_at = NEVER
        hidden_at, hidden = self._hidden(view, max(last_at, from_at), of_reads=False)
        return (hidden_at, hidden) if hidden else (last_at, how)

    def _hidden(
        self, view: AccountView, since: float, *, of_reads: bool
    ) -> tuple[float, str]:
        """Return the last use since then that is in a hole not to be forgiven."""
        account, claimed_at = view.account, self._claimed_at(view)
        last_at, how = NEVER, ""
        for hole in self.truth.holes:
            used_at = hole.uses.get(account, NEVER)
            if hole.is_of_reads is not of_reads or not since < used_at <= claimed_at:
                continue
            if self._is_forgiven(hole, account, Claim(since, claimed_at)):
                self.forgiven[account] += 1
            elif used_at > last_at:
                last_at, how = used_at, f"in a hole of {hole.seconds:.1f}s"
        return last_at, how

    def _is_forgiven(self, hole: Hole, account: str, claim: Claim) -> bool:
        if hole.seconds > self.promise.longest_forgiven(account):
            return False
        together = sum(
            other.seconds
            for other in self.truth.holes
            if other.account in (None, account)
            and other.end_at > claim.from_at
            and other.start_at < claim.to_at
            and (hole.is_of_reads or not other.is_of_reads)
        )
        return together < self.promise.threshold(account) / 20

    def _proven(self, view: AccountView, rule: str) -> None:
        """Check that the watching backs the verdict now."""
        threshold = self.promise.threshold(view.account)
        if view.idle_seconds < threshold:
            self._blame(rule, view.account, f"idle only {view.idle_seconds:.1f}s")
        self._read(view, rule)
        habits = self.watcher.habits
        limit = max(self.promise.tolerance_seconds, 2 * habits.interval_seconds)
        self._fresh(view, rule, "a server", self._reach_at, limit)
        limit = 2 * habits.jetstream_seconds
        if view.account in self._enabled:
            self._fresh(view, rule, "jsz", self.horizon.round_at(), limit)
        if view.account in self._consumed:
            read_at = self.horizon.consumers_at(view.account)
            self._fresh(view, rule, "consumers", read_at, limit)

    def _fresh(
        self, view: AccountView, rule: str, what: str, read_at: float, limit: float
    ) -> None:
        if self.watcher.deceived_at > read_at > NEVER:
            # Nothing we can read tells the time that both our clocks missed.
            return
        lag = self._now_at - read_at
        if lag > limit + EPSILON:
            self._blame(rule, view.account, f"{what}: last read {lag:.1f}s ago")

    def _read(self, view: AccountView, rule: str) -> None:
        """Check that no stream was read from in the time that the verdict claims."""
        since = self._reach(view.account) - self.promise.threshold(view.account)
        read_at, how = self._untold(view, Journal.untold_reads), "untold"
        if read_at <= since + EPSILON:
            read_at, how = self._hidden(view, since, of_reads=True)
        if read_at > since + EPSILON:
            self._blame(rule, view.account, f"read {self._ago(read_at)} ({how})")

    def _cleared(self, view: AccountView) -> None:
        name = view.account
        if self.truth.shown_cycle.get(name) == self.truth.cycle:
            return
        if name in self._overtaken:
            return
        self._blame("cleared", name, f"now {view.verdict}, but no use was shown")

    def _active(self, view: AccountView, memory: Memory) -> None:
        if self.horizon.first_sight_at is None:
            return
        if view.account in self._overtaken:
            return
        shown_at = self.truth.grown.get(view.account, NEVER)
        is_used = shown_at > max(
            self._now_at - self.promise.threshold(view.account),
            self.horizon.first_sight_at + 30.0,
            memory.first_listed_at,
        )
        if is_used and view.verdict in {Verdict.UNKNOWN, Verdict.EXEMPT}:
            self._blame("active", view.account, f"used {self._ago(shown_at)}")

    def _in_time(self, view: AccountView, memory: Memory) -> None:
        """Check that proven silence is raised at most one cycle late."""
        sight_at = self.horizon.first_sight_at
        if sight_at is None:
            return
        named_at = memory.first_listed_at
        if not memory.is_served:
            named_at = min(named_at, self.clerk.quiet_from(view.account))
        quiet_at = max(
            self.truth.shown_by.get(view.account, NEVER),
            named_at,
            sight_at + 10.0,
            self._resumed_at,
        )
        is_whole = not any(poll.is_failed for poll in self._polls)
        due_at = quiet_at + self.promise.threshold(view.account) + ROUNDING
        due_at = max(due_at + self._slack_seconds, self._ready_at)
        habits = self.watcher.habits
        rounds_seconds = 2 * habits.jetstream_seconds
        if habits.failing_every:
            # A poll that fails puts a round off.
            rounds_seconds += habits.interval_seconds
        if view.account in self._holding:
            due_at += rounds_seconds
            if self.watcher.habits.failing_every:
                # A poll that fails puts a round off.
                due_at += self.watcher.habits.interval_seconds
        elif self.world.jetstream.enabled:
            # Whether it owns streams since it was loaded is told by rounds only.
            due_at = max(due_at, memory.loaded_at + rounds_seconds)
        reach_at = min(self._reach(view.account), *(p.asked_at for p in self._polls))
        if view.verdict is Verdict.INACTIVE or not self._forgives(view, quiet_at):
            memory.late = 0
        elif is_whole and reach_at >= due_at:
            memory.late += 1
        if memory.late > 1:
            self._blame(
                "late",
                view.account,
                f"{view.verdict} {view.reason}, idle {view.idle_seconds:.1f}s, quiet "
                f"since {self._ago(quiet_at)}, due {self._ago(due_at)}",
            )

    def _forgives(self, view: AccountView, since: float) -> bool:
        """Say whether all holes since then together are surely forgiven.

        A restart of ours beside one of a server's makes a longer one.
        """
        together = sum(
            hole.seconds + 2 * ROUNDING
            for hole in self.truth.holes
            if hole.account in (None, view.account) and hole.end_at > since
        )
        return together < self.promise.threshold(view.account) / 20

    def _missing(self, name: str, memory: Memory) -> None:
        was, memory.verdict = memory.verdict, Verdict.UNKNOWN
        memory.evidence_at = None
        long_ago = self._now_at - self.promise.forget_after_seconds
        is_gone = self.clerk.may_be_gone(
            name,
            was_forgotten=memory.listed_at <= long_ago,
            unlisted=memory.unlisted,
        )
        if self._is_excluded(name):
            return
        if is_gone:
            memory.listed_at = memory.first_listed_at = NEVER
            memory.is_served = False
        else:
            self._blame("gone", name, f"was {was}, unlisted {memory.unlisted} cycles")

    def _is_excluded(self, name: str) -> bool:
        if name == SYSTEM or name in self.promise.excluded:
            return True
        served = {each for each, memory in self._known.items() if memory.was_served}
        others = served - {GLOBAL, SYSTEM}
        return name == GLOBAL and (self.world.operator or bool(others))

    def _excluded(self, seen: set[str]) -> None:
        for name in seen:
            if name == GLOBAL and not self.world.operator:
                listed = {r.account for p in self._polls for r in p.rows}
                if listed <= {GLOBAL, SYSTEM}:
                    continue
            if self._is_excluded(name):
                self._blame("excluded", name, "an excluded account has a view")
