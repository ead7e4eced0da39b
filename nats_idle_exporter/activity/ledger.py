"""The ledger: everything we remember of one system (under construction)."""

from __future__ import annotations

from collections.abc import Iterable

from nats_idle_exporter.activity.facts import Instant, Reading
from nats_idle_exporter.activity.policy import Cadence, Rules
from nats_idle_exporter.activity.view import SystemView


class Ledger:
    """The memory of one system; one owner writes it, in cycles.

    A cycle is: ``apply`` each good reading, in any order, then ``conclude``.
    """

    def __init__(
        self, endpoints: Iterable[str], rules: Rules, cadence: Cadence
    ) -> None: ...

    def apply(self, reading: Reading) -> None:
        """Take one good reading in."""

    def watch(self, endpoints: Iterable[str], now: Instant) -> None:
        """Replace the list of endpoints; the watch of those left out ends now."""

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """End the cycle and return what is now known."""
        raise NotImplementedError
