"""Whether the poll loop lives, judged by its signs of life: the ends of its cycles.

A cycle has a hard deadline and ends whatever NATS does, so that silence can only be a
flaw of this program. Times are seconds of a clock that stands still while the machine
is suspended, as the service manager's does; the caller reads it.
"""

from __future__ import annotations

from typing import Final

CYCLES_UNTIL_HUNG: Final = 4
"""Poll intervals without the end of a cycle after which the loop must be stuck."""
LEAST_PATIENCE_SECONDS: Final = 180.0
"""Short intervals get so long: one slow conclusion must not look like a flaw."""


class Pulse:
    """Take signs of life, and say when there was none for too long.

    It is judged from the first ``expect`` on, by which the loop runs.
    """

    def __init__(self) -> None:
        self._patience_seconds = float("inf")
        self._beat_at = 0.0

    def expect(self, interval_seconds: float, now: float) -> None:
        """Expect cycles at this interval; the silence counts anew if it is another."""
        patience = max(LEAST_PATIENCE_SECONDS, CYCLES_UNTIL_HUNG * interval_seconds)
        if patience != self._patience_seconds:
            self._patience_seconds = patience
            self._beat_at = now

    def beat(self, now: float) -> None:
        """Take a sign of life."""
        self._beat_at = now

    def trouble(self, now: float) -> str:
        """Return why the loop must be stuck, "" while it need not be."""
        silence = now - self._beat_at
        if silence <= self._patience_seconds:
            return ""
        return f"no cycle of polls ended for {silence:.0f} s"
