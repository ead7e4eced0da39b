"""What happens when in the demonstration, as data.

An act waits for something to be seen on the exporter's board, then some
time more, and then does a deed and says a few words. So the play keeps its
order on a slow machine too.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from nats_idle_exporter.demo.cast import FORGOTTEN

if TYPE_CHECKING:
    from nats_idle_exporter.demo.board import Board


class Deed(Enum):
    """What the demonstration does to its own cluster."""

    NOTHING = auto()
    HANG = auto()
    """One server of the cluster is frozen."""
    RESUME = auto()
    USE = auto()
    """One message is published in the forgotten account."""


class Act(NamedTuple):
    """Once the forgotten account is in a state, and some time later, this.

    ``delay`` is in thresholds. ``says`` may name the placeholders ``{account}``,
    ``{threshold}`` and ``{url}``.
    """

    state: str
    delay: float
    deed: Deed
    says: str


ANY = ""
"""Whatever the state is, once there is one."""

ACTS = (
    Act(
        ANY,
        0,
        Deed.NOTHING,
        "The exporter has just started. An account without a client is not called "
        "inactive yet: first it must have been watched for {threshold:.0f} s, on "
        "every server.",
    ),
    Act(
        "inactive",
        0,
        Deed.NOTHING,
        "{account} is INACTIVE: for {threshold:.0f} s no server saw a connection or a "
        "message of it. This is what an alert or a clean-up can rely on. See {url}",
    ),
    Act(
        "inactive",
        0.5,
        Deed.HANG,
        "Now server n2 hangs. Somebody might be using {account} there, unseen.",
    ),
    Act(
        "inactive (held)",
        0,
        Deed.NOTHING,
        "So the proof is no longer up to date (account_observed is 0). But an outage "
        "is no use: the verdict is held, no alert comes or goes.",
    ),
    Act(
        "inactive (held)",
        0.3,
        Deed.RESUME,
        "n2 goes on. Its counters kept counting, so they tell what happened meanwhile.",
    ),
    Act(
        "inactive",
        0,
        Deed.NOTHING,
        "Nothing happened on n2 meanwhile: the proof is complete again.",
    ),
    Act(
        "inactive",
        0.3,
        Deed.USE,
        "A forgotten script somewhere wakes up and publishes one message in {account}.",
    ),
    Act(
        "active",
        0,
        Deed.NOTHING,
        "One poll later {account} is active again: somebody needs it after all.",
    ),
    Act(
        "inactive",
        0,
        Deed.NOTHING,
        "Silence again for {threshold:.0f} s, and {account} is inactive again. That "
        "was the play; everything runs on until the end.",
    ),
)


class Play:
    """Goes through the acts in their order."""

    def __init__(self, threshold_seconds: float, acts: tuple[Act, ...] = ACTS) -> None:
        self._threshold_seconds = threshold_seconds
        self._acts = list(acts)
        self._seen_at: float | None = None

    def next_act(self, board: Board, now: float) -> Act | None:
        """Return the act whose time has come, each once; `now` is monotonic."""
        if not self._acts:
            return None
        act = self._acts[0]
        state = board.state(FORGOTTEN)
        if self._seen_at is None and state and act.state in {ANY, state}:
            self._seen_at = now
        if self._seen_at is None:
            return None
        if now < self._seen_at + act.delay * self._threshold_seconds:
            return None
        self._seen_at = None
        return self._acts.pop(0)
