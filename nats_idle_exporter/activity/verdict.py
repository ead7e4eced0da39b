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


class _Frame(NamedTuple):
    """What is the same for all accounts of one policy.

    ``bound``: before it the system's holes leave nothing proven.
    """

    watched_to: float
    is_fresh: bool
    bound: float


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
        self._frames: dict[tuple[Policy, bool], _Frame] = {}

    def judge(self, record: Record, policy: Policy, *, has_jetstream: bool) -> Proof:
        """Judge one account and keep its raised verdict in the record."""
        frame = self._frame_of(policy, has_jetstream=has_jetstream)
        quiet_since = self._quiet_since(record, policy, frame)
        idle = max(0.0, frame.watched_to - quiet_since)
        # A raised verdict falls by new use only, never by old use in a new light.
        is_settled = frame.is_fresh and not record.is_raised
        until = frame.watched_to if is_settled else self._counters.now.slow
        is_used = record.last_use is not None and (
            until - record.last_use.at < policy.threshold_seconds
        )
        is_proven = frame.is_fresh and idle >= policy.threshold_seconds
        _keep_raised(record, policy, idle, is_used=is_used, is_proven=is_proven)
        said = _say(
            record, is_used=is_used, is_proven=is_proven, is_fresh=frame.is_fresh
        )
        return Proof(*said, idle, quiet_since)

    def remember_idle(self, record: Record, policy: Policy) -> None:
        """Note in a raised record how long its account was proven idle so far."""
        if record.is_raised:
            has_jetstream = bool(record.has_jetstream)
            frame = self._frame_of(policy, has_jetstream=has_jetstream)
            idle = frame.watched_to - self._quiet_since(record, policy, frame)
            record.longest_idle_seconds = max(record.longest_idle_seconds, idle)

    def _quiet_since(self, record: Record, policy: Policy, frame: _Frame) -> float:
        used_at = record.last_use.at if record.last_use else NEVER
        since = max(used_at, self._proof_from, record.watched_since)
        if record.holes:
            since = max(since, record.holes.unforgiven_until_at)
            return quiet_bound([*self._holes, *record.holes], policy, since)
        return max(since, frame.bound)

    def _frame_of(self, policy: Policy, *, has_jetstream: bool) -> _Frame:
        frame = self._frames.get((policy, has_jetstream))
        if frame is None:
            frame = self._frame(policy, has_jetstream=has_jetstream)
            self._frames[policy, has_jetstream] = frame
        return frame

    def _frame(self, policy: Policy, *, has_jetstream: bool) -> _Frame:
        reaches = [self._counters.watched_to]
        if has_jetstream:
            reaches.append(self._jetstream.watched_to)
        return _Frame(
            min(NEVER if reach is None else reach.slow for reach in reaches),
            self._is_fresh(policy, has_jetstream=has_jetstream),
            quiet_bound(self._holes, policy, self._proof_from),
        )

    def _is_fresh(self, policy: Policy, *, has_jetstream: bool) -> bool:
        by_interval = OUTDATED_AFTER_ROUNDS * self._cadence.poll_seconds
        by_round = OUTDATED_AFTER_ROUNDS * self._cadence.jetstream_seconds
        tolerance = policy.longest_forgiven_seconds
        return self._counters.is_fresh(max(tolerance, by_interval)) and (
            not has_jetstream or self._jetstream.is_fresh(max(by_round, by_interval))
        )


def _keep_raised(
    record: Record, policy: Policy, idle: float, *, is_used: bool, is_proven: bool
) -> None:
    if is_used or record.holds_streams:
        record.clear()
        return
    if is_proven:
        record.is_raised = True
    if record.is_raised:
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
