"""What the inventory tells the log: changes once, trouble that lasts now and then."""

from __future__ import annotations

from typing import Final

import structlog

from nats_idle_exporter.monitoring.inventory.accounts import Problem
from nats_idle_exporter.monitoring.inventory.union import SourceStatus
from nats_idle_exporter.monitoring.reporting import Reminder

MOST_TOLD: Final = 5
"""New problems of one source and refresh that are told one by one."""

_log = structlog.get_logger(__name__)


class InventoryReporter:
    """Log what changed since the last refresh.

    Args:
        system: the system's name, on every line.
    """

    def __init__(self, system: str) -> None:
        self._log = _log.bind(system=system)
        self._reminder = Reminder()
        self._told: dict[str, frozenset[Problem]] = {}

    def refreshed(self, status: SourceStatus, now: float) -> None:
        """Tell how one source fared; ``now`` is monotonic seconds."""
        if status.error:
            if self._reminder.is_due(status.label, status.error, now):
                self._warn("inventory source failed", status.label, status.error)
            return
        if self._reminder.is_over(status.label):
            self._log.info("inventory source recovered", source=status.label)
        problems = frozenset(status.problems)
        new = sorted(problems - self._told.get(status.label, frozenset()))
        self._told[status.label] = problems
        for problem in new[:MOST_TOLD]:
            self._warn("inventory entry unusable", status.label, problem)
        if len(new) > MOST_TOLD:
            self._log.warning(
                "more inventory entries unusable",
                source=status.label,
                entries=len(new) - MOST_TOLD,
            )

    def _warn(self, event: str, label: str, problem: Problem) -> None:
        self._log.warning(
            event,
            source=label,
            where=problem.where,
            expected=problem.expected,
            found=problem.found,
        )
