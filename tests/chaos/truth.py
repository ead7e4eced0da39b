"""What accounts were really used, and what that makes of verdicts."""

from __future__ import annotations

from collections.abc import Iterable

from nats_idle_exporter.activity import AccountView, Verdict

NEVER = float("-inf")


class Truth:
    """Judge verdicts, cycle after cycle; times are those of the loop's clock.

    Args:
        threshold_seconds: of every account.
    """

    def __init__(self, threshold_seconds: float) -> None:
        self._threshold_seconds = threshold_seconds
        self._used: dict[str, float] = {}
        self._raised: set[str] = set()
        self.false_raises: list[str] = []
        self.false_clears: list[str] = []

    def use(self, account: str, at: float) -> None:
        """Note that an account is used."""
        self._used[account] = at

    def judge(self, views: Iterable[AccountView], now: float) -> None:
        """Compare the verdicts at the end of a cycle with what was done."""
        for view in views:
            last_used = self._used.get(view.account, NEVER)
            is_used = now - last_used < self._threshold_seconds
            is_raised = view.verdict is Verdict.INACTIVE
            was_raised = view.account in self._raised
            if is_used and is_raised and (view.is_observed or not was_raised):
                self.false_raises.append(view.account)
            if was_raised and not is_raised and not is_used:
                self.false_clears.append(view.account)
            if is_raised:
                self._raised.add(view.account)
            else:
                self._raised.discard(view.account)
