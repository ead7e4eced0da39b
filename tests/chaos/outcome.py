"""What came of each fault: the goals it met, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median

from tests.chaos.faults import GOOD

MOST_CYCLES = 2
"""In which an endpoint is read again after a fault, and the proof is whole."""
MOST_MEMORY = 1.5
"""Times the calm run's: a fault's peak, and what is kept of all before it."""
MOST_DELAY = 1.1
"""Times the duration of polls before and after; printed, never required."""
_HEADINGS = (
    *("fault", "counted", "told", "verdicts"),
    *("memory", "kept", "others", "back"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one fault did.

    ``errors`` counts failed polls by reason while it lasted. ``peak_bytes`` is of
    the process meanwhile, ``kept_bytes`` what it had at the beginning: what the
    allocator keeps of earlier faults is not this one's. ``others_seconds`` are those
    of the other endpoints' polls while it lasted, ``calm_seconds`` those of the same
    polls before and after. ``up_after`` and ``proven_after`` count cycles from its
    end, None for never.
    """

    fault: str
    expected: str
    costs_proof: bool
    errors: dict[str, int]
    told: str
    false_raises: tuple[str, ...]
    false_clears: tuple[str, ...]
    kept_bytes: int
    peak_bytes: int
    calm_seconds: tuple[float, ...]
    others_seconds: tuple[float, ...]
    up_after: int | None
    proven_after: int | None

    @property
    def counted(self) -> str:
        """The reasons counted, or that the polls were good."""
        return " ".join(sorted(self.errors)) or GOOD

    def memory(self, calm: Outcome) -> float:
        """How many times as much memory as a calm run this fault needs."""
        return 1 + (self.peak_bytes - self.kept_bytes) / calm.peak_bytes

    def kept(self, calm: Outcome) -> float:
        """How many times as much memory as before a calm run there was at first."""
        return self.kept_bytes / calm.kept_bytes

    @property
    def delay(self) -> float:
        """How many times as long the polls of the others took."""
        return median(self.others_seconds) / median(self.calm_seconds)

    @property
    def is_slow(self) -> bool:
        """Whether that is more than the goal; a single run may be so by chance."""
        return self.delay > MOST_DELAY

    def timed_with(self, other: Outcome) -> Outcome:
        """Return this outcome with the times of another of the same fault added."""
        return replace(
            self,
            calm_seconds=self.calm_seconds + other.calm_seconds,
            others_seconds=self.others_seconds + other.others_seconds,
        )

    def misses(self, calm: Outcome) -> list[str]:
        """Return the goals that are missed; times have none."""
        back = self.up_after if self.costs_proof else self.proven_after
        goals = {
            f"counted {self.counted}, not {self.expected}": self.counted
            == self.expected,
            f"false raises: {self.false_raises}": not self.false_raises,
            f"false clears: {self.false_clears}": not self.false_clears,
            "nothing was logged": bool(self.told) or self.expected == GOOD,
            "too much memory": self.memory(calm) <= MOST_MEMORY,
            "too much was kept": self.kept(calm) <= MOST_MEMORY,
            f"back after {back}": back is not None and back <= MOST_CYCLES,
        }
        return [f"{self.fault}: {goal}" for goal, is_met in goals.items() if not is_met]


def render_table(outcomes: Sequence[Outcome], calm: Outcome) -> str:
    """Return one line per fault; its memory is compared with the calm run's."""
    rows = [_HEADINGS, *(_row(each, calm) for each in outcomes)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEADINGS))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        + "\n"
        for row in rows
    )


def _row(outcome: Outcome, calm: Outcome) -> tuple[str, ...]:
    wrong = len(outcome.false_raises) + len(outcome.false_clears)
    back = "/".join(str(n or "-") for n in (outcome.up_after, outcome.proven_after))
    return (
        outcome.fault,
        outcome.counted,
        outcome.told[:60],
        f"{wrong} wrong" if wrong else "right",
        f"{outcome.memory(calm):.2f}x",
        f"{outcome.kept(calm):.2f}x",
        f"{outcome.delay:.2f}x",
        back,
    )


def render_delays(outcomes: Sequence[Outcome]) -> str:
    """Return in one line how much the others were delayed."""
    slow = [f"{each.fault} {each.delay:.2f}x" for each in outcomes if each.is_slow]
    typical = median(each.delay for each in outcomes)
    return (
        f"the others' polls took {typical:.2f}x as long in the median; "
        f"above {MOST_DELAY}x: {', '.join(slow) or 'none'}\n"
    )


def render_json(outcomes: Sequence[Outcome], calm: Outcome) -> str:
    """Return the same as JSON, with the goals that were missed."""
    rows = [
        {**asdict(each), "delay": each.delay, "misses": each.misses(calm)}
        for each in outcomes
    ]
    return json.dumps(rows, indent=2) + "\n"
