"""What the inventory tells the log: changes once, trouble that lasts now and then."""

from __future__ import annotations

from typing import Final, NamedTuple

import structlog

from nats_idle_exporter.monitoring.inventory.accounts import Problem
from nats_idle_exporter.monitoring.inventory.union import SourceStatus
from nats_idle_exporter.monitoring.reporting import REMIND_SECONDS

MOST_TOLD: Final = 5
"""New problems of one source and refresh that are told one by one."""

_log = structlog.get_logger(__name__)


class _Warned(NamedTuple):
    problem: Problem
    at: float


class InventoryReporter:
    """Log what changed since the last refresh.

    Args:
        system: the system's name, on every line.
    """

    def __init__(self, system: str) -> None:
        self._log = _log.bind(system=system)
        self._warned: dict[str, _Warned] = {}
        self._told: dict[str, frozenset[Problem]] = {}

    def refreshed(self, status: SourceStatus, now: float) -> None:
        """Tell how one source fared; ``now`` is monotonic seconds."""
        if status.error:
            self._failed(status.label, status.error, now)
            return
        if self._warned.pop(status.label, None):
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

    def _failed(self, label: str, problem: Problem, now: float) -> None:
        last = self._warned.get(label)
        if last and last.problem == problem and now - last.at < REMIND_SECONDS:
            return
        self._warned[label] = _Warned(problem, now)
        self._warn("inventory source failed", label, problem)

    def _warn(self, event: str, label: str, problem: Problem) -> None:
        self._log.warning(
            event,
            source=label,
            where=problem.where,
            expected=problem.expected,
            found=problem.found,
        )
