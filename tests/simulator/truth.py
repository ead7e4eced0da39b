"""The truth: when accounts were really used, and what a reading could show of it.

A use counts against the heart from the moment on which the facts it was given
could show it, or should have made it doubt. Nothing is excused by default. The
slacks, each from the contract's list of what no polling can see:

* traffic and connections of a server between its last reading and its end, and
  connections that its ring of closed ones forgot before any reading, as long as
  that hole is forgiven (the judge weighs it, ``Hole``);
* the latter always, where the operator asks for best effort only;
* an account removed and added again with the same totals of zero between two
  readings (``_lost``);
* what was read from a stream by a consumer that was deleted before a reading
  told it, and use of a stream that was never told with a message in it
  (``Journal``);
* use of a stream that came since the last round, new or recovered, on a server
  that was restarted before the next and had not recovered in it;
* servers that no reading ever told of, and unpolled servers before a reading first
  told of them: they count as read at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.simulator.jetstream import Telling
from tests.simulator.journals import Heard, Journal
from tests.simulator.servers import (
    NEVER,
    ZEROS,
    Closing,
    Numbers,
    Process,
    Reset,
    Trail,
    edge,
)


class Snap(NamedTuple):
    """One account at the moment in which a server answered accstatz."""

    account: str
    trail: Trail
    numbers: Numbers
    is_present: bool
    segment: int
    pending_at: float


class Sample(NamedTuple):
    """One server at that moment; ``load`` is the configuration varz told."""

    process: Process
    at: float
    load: int
    snaps: list[Snap]


class RingSample(NamedTuple):
    """One server's closed connections at the moment in which it answered connz."""

    process: Process
    at: float
    forgotten: int
    closed: int


@dataclass(slots=True)
class Hole:
    """A time in which a server could be used, and no reading will ever tell."""

    start_at: float
    end_at: float
    account: str | None = None
    uses: dict[str, float] = field(default_factory=dict)
    is_of_reads: bool = False
    """Only consumers would have told, and they are asked for late."""

    @property
    def seconds(self) -> float:
        """Return its length."""
        return self.end_at - self.start_at


class Truth:
    """What really happened, as far as the facts given so far could show it."""

    def __init__(
        self, *, is_strict_about_rings: bool = True, round_seconds: float = 0.0
    ) -> None:
        self.is_strict_about_rings = is_strict_about_rings
        self.round_seconds = round_seconds
        """How long it takes at most until every stream was told, when all is well."""
        self.resumed_at = NEVER
        """When we were there again after a restart."""
        self.cycle = 0
        self.shown: dict[str, float] = {}
        self.grown: dict[str, float] = {}
        """The last use shown by a server that was read before."""
        self.shown_cycle: dict[str, int] = {}
        self.shown_by: dict[str, float] = {}
        self.holes: list[Hole] = []
        self.shown_by_rings = 0
        """How many uses nothing but a ring showed."""
        self.shown_by_journals = 0
        """How many uses nothing but jsz showed."""
        self.overflows = 0
        """How many readings came too late for a ring."""

    def show(self, account: str, used_at: float, answered_at: float) -> None:
        """Note that the facts now show a use of the account."""
        self.shown[account] = max(used_at, self.shown.get(account, NEVER))
        self.shown_by[account] = max(answered_at, self.shown_by.get(account, NEVER))
        self.shown_cycle[account] = self.cycle

    def settle(self, sample: Sample, answered_at: float) -> None:
        """Take in that the heart was given this sample."""
        process = sample.process
        is_older = sample.at <= process.last_sample_at
        before = dict(self.shown)
        for snap in sample.snaps:
            if snap.is_present:
                self._present(snap, sample.at, answered_at)
            if not is_older:
                self._traffic(snap, sample, answered_at)
                self._closed(snap, sample.at, answered_at)
        if process.applied_load is not None:
            self._note_growth(sample, before)
        if not is_older:
            process.last_sample_at = sample.at
            process.applied_load = sample.load

    def _note_growth(self, sample: Sample, before: dict[str, float]) -> None:
        for snap in sample.snaps:
            used_at = self.shown.get(snap.account, NEVER)
            if used_at > before.get(snap.account, NEVER):
                self.grown[snap.account] = used_at

    def _present(self, snap: Snap, at: float, answered_at: float) -> None:
        trail = snap.trail
        self.show(snap.account, at, answered_at)
        trail.seen_segment = max(trail.seen_segment, snap.segment)
        if trail.closed_segment == snap.segment:
            trail.closing_at = trail.closed_at

    def _closed(self, snap: Snap, at: float, answered_at: float) -> None:
        trail = snap.trail
        if trail.closing_at <= at and trail.closing_at > NEVER:
            if not snap.is_present:
                self.show(snap.account, trail.closing_at, answered_at)
            trail.closing_at = NEVER

    def _traffic(self, snap: Snap, sample: Sample, answered_at: float) -> None:
        trail, before, now = snap.trail, snap.trail.baseline, snap.numbers
        trail.baseline = now
        resets = [reset for reset in trail.resets if reset.at <= sample.at]
        if not resets:
            if now != before and edge(now) != edge(before):
                self._show_pending(snap, answered_at)
        elif self._is_shown(sample, before, now, resets[0]):
            self._show_pending(snap, answered_at)
            self._forget(trail, resets)
        else:
            self._lost(snap, sample, before, resets)
        for reset in trail.resets:
            if reset.lost_at <= sample.at and reset.at > sample.at:
                reset.lost_at = NEVER

    def _show_pending(self, snap: Snap, answered_at: float) -> None:
        if snap.pending_at > NEVER:
            self.show(snap.account, snap.pending_at, answered_at)
        if snap.trail.pending_at == snap.pending_at:
            snap.trail.pending_at = NEVER

    def _is_shown(
        self, sample: Sample, before: Numbers, now: Numbers, first: Reset
    ) -> bool:
        if edge(now) == ZEROS[:4]:
            return False
        return edge(now) != edge(before) or _is_certain(sample, before, now, first)

    def _lost(
        self, snap: Snap, sample: Sample, before: Numbers, resets: list[Reset]
    ) -> None:
        """Account for use that a reset wiped out of the counters."""
        lost_at = max(reset.lost_at for reset in resets)
        start_at = resets[0].start
        if start_at is None:
            start_at = max(sample.process.last_sample_at, sample.process.start_at)
        if _is_certain(sample, before, snap.numbers, resets[0]):
            end_at = resets[-1].at
        elif snap.numbers == ZEROS and not sample.process.zeroes:
            self._forget(snap.trail, resets)
            return
        elif sample.load >= resets[-1].load:
            # Zeros tell that nothing was counted since the last reset.
            end_at = resets[-1].at if snap.numbers == ZEROS else sample.at
            lost_at = max(lost_at, snap.pending_at)
            if snap.trail.pending_at == snap.pending_at:
                snap.trail.pending_at = NEVER
        else:
            for reset in resets:
                reset.start = start_at
            return
        uses = {snap.account: lost_at} if lost_at > NEVER else {}
        self.holes.append(Hole(start_at, end_at, snap.account, uses))
        self._forget(snap.trail, resets)

    def settle_ring(self, sample: RingSample, answered_at: float) -> None:
        """Take in that the heart was told of these closed connections."""
        process, settled = sample.process, sample.process.settled
        if sample.at <= process.last_ring_at:
            return
        told = process.closed[max(settled, sample.forgotten) : sample.closed]
        for account, used_at in _newest(told).items():
            if used_at > self.shown.get(account, NEVER):
                self.shown_by_rings += 1
                if process.last_ring_at > NEVER:
                    self.grown[account] = used_at
            self.show(account, used_at, answered_at)
        if sample.forgotten and sample.forgotten >= settled:
            self.overflows += 1
            if self.is_strict_about_rings:
                start_at = max(process.last_ring_at, process.start_at)
                uses = _newest(process.closed[settled : sample.forgotten])
                self.holes.append(Hole(start_at, sample.at, uses=uses))
        process.settled, process.last_ring_at = sample.closed, sample.at

    def settle_journals(self, tellings: Iterable[Telling], answered_at: float) -> None:
        """Take in that the heart was told of these streams."""
        for journal, page, answer, untold_at in tellings:
            account = journal.account
            if answer.as_of < journal.emptied_at:
                # All was lost since this was told, before the cycle was over.
                heard = Heard(untold_at, is_doubtful=False)
            else:
                heard = journal.hear(page, answer)
            if heard.is_doubtful or answer.as_of < journal.dropped_at:
                # What a consumer read that was deleted since was told all the same.
                self.tell_again(account)
            if (used_at := heard.used_at) > NEVER:
                self.shown_by_journals += used_at > self.shown.get(account, NEVER)
                # Not the look that tells it starts the silence, but the last use.
                told_at = min(answered_at, used_at + self.round_seconds)
                if used_at <= self.resumed_at:
                    told_at = answered_at
                self.show(account, used_at, told_at)

    def take_losses(self, journals: Iterable[Journal], *, is_first_sight: bool) -> None:
        """Take in what was lost with streams before any reading told it.

        Of what nobody was told of, servers still know that the API was asked,
        but only at the first sight that counts.
        """
        for journal in journals:
            if is_first_sight:
                journal.losses += journal.unseen
            journal.unseen.clear()
            for account, start_at, end_at, used_at, is_read in journal.losses:
                uses = {account: used_at}
                self.holes.append(Hole(start_at, end_at, account, uses, is_read))
            journal.losses.clear()

    def tell_again(self, account: str) -> None:
        """Note that this account's past was told anew, so that it looks like use."""
        self.shown_cycle[account] = self.cycle

    def _forget(self, trail: Trail, resets: list[Reset]) -> None:
        trail.resets = [reset for reset in trail.resets if reset not in resets]

    def end(
        self, ended: list[Process], start_at: float, end_at: float, told_at: float
    ) -> None:
        """Take in that the facts now show the end of these runs of one server."""
        hole = Hole(start_at, end_at)
        for process in ended:
            for account, trail in process.trails.items():
                used_at = max(
                    [trail.pending_at, *(reset.lost_at for reset in trail.resets)]
                )
                if trail.closing_at > NEVER:
                    # Seen at its last reading: it was there until the end.
                    self.show(account, trail.closing_at, told_at)
                elif trail.closed_at == process.ended_at:
                    used_at = max(used_at, trail.closed_at)
                self._hide(hole, account, used_at)
            for account, used_at in _newest(process.closed[process.settled :]).items():
                self._hide(hole, account, used_at)
        self.holes.append(hole)

    def _hide(self, hole: Hole, account: str, used_at: float) -> None:
        if used_at > max(hole.start_at, hole.uses.get(account, NEVER)):
            hole.uses[account] = used_at


def _newest(closed: list[Closing]) -> dict[str, float]:
    """Return when each account's last connection of these was closed."""
    return {each.account: each.at for each in closed if each.account is not None}


def _is_certain(sample: Sample, before: Numbers, now: Numbers, first: Reset) -> bool:
    """Say whether this reading proves a reset since the last one."""
    process = sample.process
    if any(new < old for new, old in zip(now, before, strict=True)):
        return True
    is_reloaded = process.applied_load is not None and (
        sample.load > process.applied_load
    )
    return process.zeroes and is_reloaded and sample.load >= first.load
