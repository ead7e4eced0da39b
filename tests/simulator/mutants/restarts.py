"""Wrong hearts that make too much, or too little, of what they saved."""

from __future__ import annotations

import json
from collections.abc import Iterable

from nats_idle_exporter.activity import (
    Cadence,
    Changes,
    Clocks,
    Instant,
    Reading,
    Row,
    Rules,
    SavedRow,
    SystemView,
    Traffic,
    Verdict,
)
from tests.simulator.mutants.wrapper import Wrapper, minus, replaced

_MINE = ("mutant", "")


class _Keeper(Wrapper):
    """A wrong heart that saves a word of its own."""

    kept = ""
    """What it saved before the restart."""
    is_resumed = False

    def changes(self, clocks: Clocks) -> Changes:
        """Save that word beside all else."""
        told = super().changes(clocks)
        return Changes([*told.puts, (*_MINE, self.word(clocks).encode())], told.deletes)

    def word(self, clocks: Clocks) -> str:
        """Return what to save."""
        del clocks
        return ""

    @classmethod
    def resume(
        cls,
        endpoints: Iterable[str],
        rules: Rules,
        cadence: Cadence,
        rows: Iterable[SavedRow],
        clocks: Clocks,
    ) -> Wrapper:
        """Take the word out again."""
        told = {(kind, key): value for kind, key, value in rows}
        kept = told.pop(_MINE, b"").decode()
        others = [(*place, value) for place, value in told.items()]
        altered = cls.clocks(kept, clocks)
        wrapper = super().resume(endpoints, rules, cadence, others, altered)
        wrapper.__dict__.update(kept=kept, is_resumed=True, **cls.fresh(kept, clocks))
        return wrapper

    @classmethod
    def clocks(cls, kept: str, clocks: Clocks) -> Clocks:
        """Return the clocks that the heart is told of."""
        del kept
        return clocks

    @classmethod
    def fresh(cls, kept: str, clocks: Clocks) -> dict[str, object]:
        """Return what it remembers from the start."""
        del kept, clocks
        return {}


class ForgetsRaised(_Keeper):
    """Raise after a restart only what is proven then."""

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """Call unknown what is only held."""
        view = super().conclude(now, shift_seconds)
        if not self.is_resumed:
            return view
        proven: set[str] = self.__dict__.setdefault("proven", set())
        proven |= {each.account for each in view.accounts if each.is_observed}
        accounts = tuple(
            each
            if each.verdict is not Verdict.INACTIVE or each.account in proven
            else each._replace(verdict=Verdict.UNKNOWN)
            for each in view.accounts
        )
        fields = {name: getattr(view, name) for name in SystemView.__slots__}
        return SystemView(**(fields | {"accounts": accounts}))


class ForgetsBaselines(_Keeper):
    """Take the first numbers after a restart for those of before."""

    def word(self, clocks: Clocks) -> str:
        """Save the numbers, to know what happened meanwhile."""
        del clocks
        return json.dumps(self._numbers())

    def _numbers(self) -> dict[str, list[int]]:
        numbers: dict[str, list[int]] = self.__dict__.setdefault("numbers", {})
        return numbers

    def row(self, reading: Reading, row: Row) -> Row:
        """Take off what was counted while we were down."""
        place = f"{reading.server.server_id} {row.account}"
        self._numbers()[place] = list(row.total)
        before: dict[str, list[int]] = json.loads(self.kept) if self.kept else {}
        offsets: dict[str, Traffic] = self.__dict__.setdefault("offsets", {})
        if place in before and place not in offsets:
            offsets[place] = minus(row.total, Traffic(*before[place]))
        missed = offsets.get(place, Traffic())
        if any(n < off for n, off in zip(row.total, missed, strict=True)):
            return row
        return row._replace(total=minus(row.total, missed))


class WallDowntime(_Keeper):
    """Measure our downtime with the wall clock alone."""

    ahead = 0.0

    def word(self, clocks: Clocks) -> str:
        """Save the wall clock's time."""
        return repr(clocks.wall_at)

    @classmethod
    def clocks(cls, kept: str, clocks: Clocks) -> Clocks:
        """Tell the heart that no time has passed."""
        wall_at = float(kept) if kept else clocks.wall_at
        return clocks._replace(wall_at=wall_at, boot_id="")

    @classmethod
    def fresh(cls, kept: str, clocks: Clocks) -> dict[str, object]:
        """Add that time to every moment that follows."""
        down_seconds = clocks.wall_at - float(kept) if kept else 0.0
        return {"ahead": max(0.0, down_seconds)}

    def _later(self, moment: Instant) -> Instant:
        return Instant(moment.slow + self.ahead, moment.fast + self.ahead)

    def reading(self, reading: Reading) -> Reading:
        """Date the reading."""
        told = reading.jetstream
        return replaced(
            reading,
            asked=self._later(reading.asked),
            answered=self._later(reading.answered),
            jetstream=told and told._replace(asked=self._later(told.asked)),
        )

    def watch(self, endpoints: Iterable[str], now: Instant) -> None:
        """Date the new list."""
        super().watch(endpoints, self._later(now))

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """Date the end of the cycle."""
        return super().conclude(self._later(now), shift_seconds)
