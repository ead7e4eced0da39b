"""The verdict: raised only by proof, cleared only by use."""

from __future__ import annotations

from typing import NamedTuple

from nats_idle_exporter.activity.facts import Instant
from nats_idle_exporter.activity.holes import NEVER, Holes, quiet_bound
from nats_idle_exporter.activity.policy import Cadence, Policy
from nats_idle_exporter.activity.record import Record
from nats_idle_exporter.activity.view import Reason, Verdict

OUTDATED_AFTER_ROUNDS = 2
"""Readings may be this many intervals old and still count as fresh."""


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


class Judge:
    """Judges the accounts of one system at the end of one cycle.

    Args:
        counters: coverage by readings of the servers.
        jetstream: the same by rounds of jsz, for accounts that may own streams.
        cadence: how often we look.
        proof_from: before it nothing is proven for anybody.
        holes: the system's holes.
    """

    def __init__(
        self,
        counters: Coverage,
        jetstream: Coverage,
        cadence: Cadence,
        proof_from: float,
        holes: Holes,
    ) -> None:
        self._counters = counters
        self._jetstream = jetstream
        self._cadence = cadence
        self._proof_from = max(proof_from, holes.unforgiven_until_at)
        self._holes = holes
        self._bounds: dict[Policy, float] = {}

    def judge(self, record: Record, policy: Policy, *, has_jetstream: bool) -> Proof:
        """Judge one account and keep its raised verdict in the record."""
        quiet_since = self._quiet_since(record, policy)
        watched_to = self._watched_to(has_jetstream=has_jetstream)
        idle = max(0.0, watched_to - quiet_since)
        is_fresh = self._is_fresh(policy, has_jetstream=has_jetstream)
        until = watched_to if is_fresh else self._counters.now.slow
        is_used = record.last_use is not None and (
            until - record.last_use.at < policy.threshold_seconds
        )
        is_proven = is_fresh and idle >= policy.threshold_seconds
        _keep_raised(record, policy, idle, is_used=is_used, is_proven=is_proven)
        return Proof(
            *_say(record, is_used=is_used, is_proven=is_proven, is_fresh=is_fresh),
            idle,
            quiet_since,
        )

    def _quiet_since(self, record: Record, policy: Policy) -> float:
        used_at = record.last_use.at if record.last_use else NEVER
        since = max(used_at, self._proof_from, record.first_listed_at)
        if record.holes:
            since = max(since, record.holes.unforgiven_until_at)
            return quiet_bound([*self._holes, *record.holes], policy, since)
        return max(since, self._bound(policy))

    def _bound(self, policy: Policy) -> float:
        """Return the bound by the system's holes alone, the same for many."""
        if policy not in self._bounds:
            bound = quiet_bound(self._holes, policy, self._proof_from)
            self._bounds[policy] = bound
        return self._bounds[policy]

    def _watched_to(self, *, has_jetstream: bool) -> float:
        reaches = [self._counters.watched_to]
        if has_jetstream:
            reaches.append(self._jetstream.watched_to)
        return min(NEVER if reach is None else reach.slow for reach in reaches)

    def _is_fresh(self, policy: Policy, *, has_jetstream: bool) -> bool:
        cadence = self._cadence
        by_interval = OUTDATED_AFTER_ROUNDS * cadence.poll_seconds
        if not self._counters.is_fresh(
            max(policy.longest_forgiven_seconds, by_interval)
        ):
            return False
        by_round = OUTDATED_AFTER_ROUNDS * cadence.jetstream_seconds
        return not has_jetstream or self._jetstream.is_fresh(max(by_round, by_interval))


def _keep_raised(
    record: Record, policy: Policy, idle: float, *, is_used: bool, is_proven: bool
) -> None:
    if is_used or record.holds_streams:
        record.clear()
        return
    if is_proven:
        record.is_raised = True
        record.longest_idle_seconds = max(record.longest_idle_seconds, idle)
    if policy.threshold_seconds > record.longest_idle_seconds:
        record.is_raised = False


def _say(
    record: Record, *, is_used: bool, is_proven: bool, is_fresh: bool
) -> tuple[Verdict, Reason, bool]:
    if is_used:
        return Verdict.ACTIVE, Reason.NONE, True
    unproven = Reason.WATCHED_TOO_SHORT if is_fresh else Reason.OUTDATED
    if record.is_raised:
        return Verdict.INACTIVE, Reason.NONE if is_proven else unproven, is_proven
    if record.holds_streams:
        return Verdict.UNKNOWN, Reason.STREAMS, False
    return Verdict.UNKNOWN, unproven, False
