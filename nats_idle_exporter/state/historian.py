"""The historian: what of the published views is worth keeping for long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from nats_idle_exporter.activity import AccountView, SystemView
from nats_idle_exporter.state.batch import Batch, VerdictChange

DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class HistorySoFar:
    """How the history of every account ends, by (system, account).

    ``days`` are UTC, counted from the Unix epoch.
    """

    verdicts: dict[tuple[str, str], str] = field(default_factory=dict)
    days: dict[tuple[str, str], int] = field(default_factory=dict)


class Historian:
    """Notes days of use and changes of verdicts, each once.

    Args:
        so_far: what was noted by earlier processes.
    """

    def __init__(self, so_far: HistorySoFar) -> None:
        self._verdicts: dict[str, dict[str, str]] = {}
        for (system, account), verdict in so_far.verdicts.items():
            if verdict:
                self._verdicts.setdefault(system, {})[account] = verdict
        self._days = dict(so_far.days)

    def note(self, views: Mapping[str, SystemView], at: float, batch: Batch) -> None:
        """Add what one cycle shows to a batch.

        Args:
            views: of the cycle, by system.
            at: its end, in Unix seconds.
            batch: what is to be written next.
        """
        for system, view in views.items():
            batch.days.update(self._new_days(system, view))
            batch.verdicts.extend(self._new_verdicts(system, view, at))

    def _new_days(
        self, system: str, view: SystemView
    ) -> Iterator[tuple[str, str, int]]:
        for account in view.accounts:
            if account.last_evidence is None:
                continue
            day = int(account.last_evidence.at // DAY_SECONDS)
            if day > self._days.get((system, account.account), -1):
                self._days[system, account.account] = day
                yield system, account.account, day

    def _new_verdicts(
        self, system: str, view: SystemView, at: float
    ) -> Iterator[VerdictChange]:
        before = self._verdicts.get(system, {})
        after = {each.account: each.verdict.value for each in view.accounts}
        self._verdicts[system] = after
        for each in view.accounts:
            was = before.get(each.account, "")
            if was != each.verdict:
                yield VerdictChange(
                    system, each.account, at, was, each.verdict.value, _kind(each)
                )
        for account in before.keys() - after.keys():
            yield VerdictChange(system, account, at, before[account], "", "")


def _kind(account: AccountView) -> str:
    return account.last_evidence.kind.value if account.last_evidence else ""
