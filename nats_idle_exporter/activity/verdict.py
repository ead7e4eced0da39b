"""The verdict: raised only by proof, cleared only by use."""

from __future__ import annotations

from typing import NamedTuple

from nats_idle_exporter.activity.facts import Instant
from nats_idle_exporter.activity.holes import NEVER, Holes, quiet_bound
from nats_idle_exporter.activity.jetstream import JetStream
from nats_idle_exporter.activity.policy import Cadence, Policy
from nats_idle_exporter.activity.record import Record
from nats_idle_exporter.activity.traces import Estate
from nats_idle_exporter.activity.view import Reason, Verdict

OUTDATED_AFTER_ROUNDS = 2
"""Readings may be this many intervals old and still count as fresh."""


MOST_EARLY_LOOKS = 50
"""Accounts whose consumers are asked for although their verdict is not near."""


class Coverage(NamedTuple):
    """How far the watching of one system reaches at the end of a cycle.

    ``watched_to`` never moves back, ``oldest`` may: proof is made with the
    first, freshness is judged by the second. None: some server was never read.
    """

    now: Instant
    watched_to: Instant | None
    oldest: Instant | None

    def is_fresh(self, seconds: float) -> bool:
        """Say whether every reading that counts is younger than that."""
        return self.oldest is not None and (self.now.fast - self.oldest.fast <= seconds)


class Proof(NamedTuple):
    """What a verdict stands on; ``quiet_since`` is on the slow timeline."""

    verdict: Verdict
    reason: Reason
    is_observed: bool
    idle_seconds: float
    quiet_since: float


class _Frame(NamedTuple):
    """What is the same for all accounts of one policy.

    ``outdated`` says what was not read lately, if anything. ``bound``: before it
    the system's holes leave nothing proven.
    """

    watched_to: float
    outdated: Reason
    bound: float

    @property
    def is_fresh(self) -> bool:
        return self.outdated is Reason.NONE


class _Stand(NamedTuple):
    """How long one account was idle, and what was not read lately for it."""

    frame: _Frame
    quiet_since: float
    idle_seconds: float
    outdated: Reason


class Judge:
    """Judges the accounts of one system at the end of one cycle.

    Args:
        counters: coverage by readings of the servers.
        jetstream: how far rounds of jsz reach, for accounts that may own streams.
        cadence: how often we look.
        proof_from: before it nothing is proven for anybody.
        holes: the system's holes.
    """

    def __init__(
        self,
        counters: Coverage,
        jetstream: JetStream,
        cadence: Cadence,
        proof_from: float,
        holes: Holes,
    ) -> None:
        self._counters = counters
        self._jetstream = jetstream
        self._cadence = cadence
        # How old readings, and rounds of jsz, may be.
        self._poll_seconds = OUTDATED_AFTER_ROUNDS * cadence.poll_seconds
        self._round_seconds = max(
            self._poll_seconds, OUTDATED_AFTER_ROUNDS * cadence.jetstream_seconds
        )
        # Quiet for a round, however early that came.
        self._quiet_seconds = cadence.jetstream_seconds / 2
        self._proof_from = max(proof_from, holes.unforgiven_until_at)
        self._holes = holes
        self._frames: dict[tuple[Policy, Coverage | None], _Frame] = {}
        self._needed: set[str] = set()
        self._welcome: list[tuple[bool, str]] = []

    @property
    def consumers_wanted(self) -> frozenset[str]:
        """The accounts judged whose consumers the next rounds of jsz must tell.

        Growth is dated at the look that shows it, so few looks make late verdicts.
        As long as they are few, all that are quiet are looked at; first come those
        of whom no look told enough.
        """
        spare = max(0, MOST_EARLY_LOOKS - len(self._needed))
        early = sorted(self._welcome)[:spare]
        return frozenset(self._needed).union(account for _, account in early)

    def judge(self, record: Record, policy: Policy) -> Proof:
        """Judge one account and keep its raised verdict in the record."""
        stand = self._stand(record, policy)
        idle, frame = stand.idle_seconds, stand.frame
        # A raised verdict falls by new use only, never by old use in a new light.
        is_settled = frame.is_fresh and not record.is_raised
        until = frame.watched_to if is_settled else self._counters.now.slow
        is_used = record.last_use is not None and (
            until - record.last_use.at < policy.threshold_seconds
        )
        is_proven = not stand.outdated and idle >= policy.threshold_seconds
        _keep_raised(record, policy, idle, is_used=is_used, is_proven=is_proven)
        said = _say(record, stand.outdated, is_used=is_used, is_proven=is_proven)
        return Proof(*said, idle, stand.quiet_since)

    def resume(self, record: Record, policy: Policy) -> None:
        """Recall of an account what follows from all that was saved.

        That is how long it was idle while raised, and who of those judged needs a
        look at the consumers; its verdict stays as it is.
        """
        record.see_idle(self._stand(record, policy).idle_seconds)

    def _stand(self, record: Record, policy: Policy) -> _Stand:
        estate = self._jetstream.estates.get(record.account)
        jetstream = self._streams(record.account, estate)
        frame = self._frames.get((policy, jetstream))
        if frame is None:
            frame = self._frame(policy, jetstream)
            self._frames[policy, jetstream] = frame
        quiet_since = self._quiet_since(record, policy, frame)
        idle = max(0.0, frame.watched_to - quiet_since)
        outdated = frame.outdated
        if estate is not None and estate.has_consumers:
            is_wanted = record.is_raised or idle >= self._late_level(policy)
            if is_wanted:
                self._needed.add(record.account)
            elif estate.is_unclear or idle >= self._quiet_seconds:
                self._welcome.append((not estate.is_unclear, record.account))
            idle = self._checked(idle, quiet_since, estate, policy)
            if is_wanted and not outdated:
                outdated = self._consumers_outdated(estate)
        return _Stand(frame, quiet_since, idle, outdated)

    def _streams(self, account: str, estate: Estate | None) -> Coverage | None:
        """Return the coverage of an account's streams; None when it can own none."""
        jetstream, now = self._jetstream, self._counters.now
        if estate is not None:
            oldest = estate.reach if estate.is_lacking else jetstream.oldest
            return Coverage(now, estate.reach, oldest)
        if account in jetstream.enabled:
            return Coverage(now, jetstream.reach, jetstream.oldest)
        return None

    def _late_level(self, policy: Policy) -> float:
        """Return the idle time from which on the verdict is near."""
        ahead = OUTDATED_AFTER_ROUNDS * self._cadence.jetstream_seconds
        return max(0.0, policy.threshold_seconds - ahead)

    def _checked(
        self, idle: float, quiet_since: float, estate: Estate, policy: Policy
    ) -> float:
        """Return the idle time that is proven with a look at the consumers.

        Not all are looked at early: until late what streams show will do, unless a
        look showed that something is amiss.
        """
        reach = estate.consumers_reach
        proven = 0.0 if reach is None else max(0.0, reach.slow - quiet_since)
        if not estate.is_lacking_consumers:
            proven = max(proven, self._late_level(policy))
        return min(idle, proven)

    def _consumers_outdated(self, estate: Estate) -> Reason:
        reach = estate.consumers_reach
        coverage = Coverage(self._counters.now, reach, reach)
        is_fresh = coverage.is_fresh(self._round_seconds)
        return Reason.NONE if is_fresh else Reason.JETSTREAM_OUTDATED

    def _quiet_since(self, record: Record, policy: Policy, frame: _Frame) -> float:
        used_at = record.last_use.at if record.last_use else NEVER
        since = max(
            used_at,
            self._proof_from,
            record.watched_since,
            record.issued_at,
            record.holes.unforgiven_until_at,
        )
        if record.holes:
            return quiet_bound([*self._holes, *record.holes], policy, since)
        return max(since, frame.bound)

    def _frame(self, policy: Policy, jetstream: Coverage | None) -> _Frame:
        coverages = [self._counters, *([jetstream] if jetstream else [])]
        reaches = [coverage.watched_to for coverage in coverages]
        return _Frame(
            min(NEVER if reach is None else reach.slow for reach in reaches),
            self._outdated(policy, jetstream),
            quiet_bound(self._holes, policy, self._proof_from),
        )

    def _outdated(self, policy: Policy, jetstream: Coverage | None) -> Reason:
        tolerance = policy.longest_forgiven_seconds
        if not self._counters.is_fresh(max(tolerance, self._poll_seconds)):
            return Reason.OUTDATED
        if jetstream is not None and not jetstream.is_fresh(self._round_seconds):
            return Reason.JETSTREAM_OUTDATED
        return Reason.NONE


def hold_back(record: Record, proof: Proof) -> Proof:
    """Return what is said of an account whose use is not expected yet."""
    if proof.verdict is Verdict.ACTIVE:
        return proof
    record.clear()
    return proof._replace(
        verdict=Verdict.UNKNOWN, reason=Reason.EXPECTED_LATER, is_observed=False
    )


def leave_alone(record: Record, proof: Proof) -> Proof:
    """Return what is said of an account that is exempt now.

    What was proven stays: after the exemption it is raised as soon as any other.
    """
    if proof.verdict is Verdict.ACTIVE:
        return proof
    record.clear()
    return proof._replace(verdict=Verdict.EXEMPT)


def _keep_raised(
    record: Record, policy: Policy, idle: float, *, is_used: bool, is_proven: bool
) -> None:
    if is_used:
        record.clear()
        return
    if is_proven:
        record.is_raised = True
    record.see_idle(idle)
    if policy.threshold_seconds > record.longest_idle_seconds:
        record.clear()


def _say(
    record: Record, outdated: Reason, *, is_used: bool, is_proven: bool
) -> tuple[Verdict, Reason, bool]:
    if is_used:
        return Verdict.ACTIVE, Reason.NONE, True
    unproven = outdated or Reason.WATCHED_TOO_SHORT
    if record.is_raised:
        return Verdict.INACTIVE, Reason.NONE if is_proven else unproven, is_proven
    return Verdict.UNKNOWN, unproven, False
