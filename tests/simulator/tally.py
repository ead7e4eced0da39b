"""Run many histories and count what they held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nats_idle_exporter.activity import Ledger
from tests.simulator.draft import FIXED, Kind
from tests.simulator.history import History, Outcome
from tests.simulator.mutants import Mutant
from tests.simulator.watcher import Forge

SHARES = {Kind.SLACK: 60, Kind.STRICT: 25, Kind.CALM: 13, Kind.ROLLING: 2}
SHARES |= {Kind.DISCOVERED: 85, Kind.SCALED: 15}
COUNTED = (
    "restart",
    "hole",
    "forgiven",
    "outage",
    "reload",
    "clock",
    "repoint",
    "overflow",
    "ring use",
    "JetStream use",
    "owner raise",
    "own restart",
    "own new start",
    "inventory",
    "failed list",
    "lacking list",
    "deletion",
    "unloaded raise",
    "exemption",
    "later raise",
)
DISCOVERED = ("drop", "failed lookup", "shown end", "untold source")
"""What histories hold beside, in which endpoints are found."""


@dataclass(slots=True)
class Tally:
    """What many histories held, and every promise that was broken."""

    histories: int = 0
    with_raise: int = 0
    raises: int = 0
    owner_raises: int = 0
    unloaded_raises: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count one history."""
        self.histories += 1
        self.raises += outcome.raises
        self.owner_raises += outcome.owner_raises
        self.unloaded_raises += outcome.unloaded_raises
        self.with_raise += outcome.raises > 0
        self.seen.update(outcome.seen)
        self.violations.extend(
            f"seed {outcome.seed} ({outcome.kind}): {v.rule} {v.account} "
            f"at {v.at:.1f}s: {v.detail}"
            for v in outcome.violations
        )

    def merge(self, other: Tally) -> None:
        """Count what another tally counted."""
        self.histories += other.histories
        self.raises += other.raises
        self.owner_raises += other.owner_raises
        self.with_raise += other.with_raise
        self.seen.update(other.seen)
        self.violations.extend(other.violations)

    @property
    def raise_share(self) -> float:
        """Return the share of histories in which an account was raised."""
        return self.with_raise / max(1, self.histories)

    def table(self) -> str:
        """Return the counts as lines of text."""
        lines = [
            f"histories          {self.histories}",
            f"with a raise       {self.with_raise} ({self.raise_share:.0%})",
            *(f"with {name:<14}{self.seen[name]}" for name in (*COUNTED, *DISCOVERED)),
            f"raises             {self.raises}",
            f"owners raised      {self.owner_raises}",
            f"never loaded raised{self.unloaded_raises:>4}",
            f"violations         {len(self.violations)}",
            *self.violations,
        ]
        return "\n".join(lines) + "\n"


def kind_of(seed: int, kinds: Sequence[Kind]) -> Kind:
    """Return the kind of history a seed stands for; each has its share."""
    total = sum(SHARES[kind] for kind in kinds)
    place = seed * 37 % total
    for kind in kinds:
        place -= SHARES[kind]
        if place < 0:
            return kind
    return kinds[-1]


def run_one(
    seed: int, kinds: Sequence[Kind] = FIXED, *, has_inventory: bool = True
) -> Outcome:
    """Run the history of one seed against the true heart.

    Without an inventory it is as it was told before there were any.
    """
    kind = kind_of(seed, kinds)
    return History(seed, kind, has_inventory=has_inventory).run()


def run_mutant(mutant: Mutant, seed: int) -> Outcome:
    """Run the history of one seed against a wrong heart."""
    kind = kind_of(seed, mutant.kinds)
    return History(seed, kind, mutant.forge, mutant.timeline).run()


def find_seed(mutant: Mutant, seeds: Iterable[int]) -> Outcome | None:
    """Return what first catches the mutant and does not blame the true heart."""
    for seed in seeds:
        outcome = run_mutant(mutant, seed)
        if not outcome.breaks(mutant.breaks):
            continue
        if not run_one(seed, mutant.kinds).violations:
            return outcome
    return None


def run_many(
    seeds: Iterable[int],
    kinds: Sequence[Kind],
    forge: Forge = Ledger,
    stop_after: int = 20,
) -> Tally:
    """Run one history per seed; stop after so many violations."""
    tally = Tally()
    for seed in seeds:
        tally.add(History(seed, kind_of(seed, kinds), forge).run())
        if len(tally.violations) >= stop_after:
            break
    return tally
