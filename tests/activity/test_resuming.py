"""A ledger that was stopped and resumed, beside one that never was."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from random import Random

import pytest

from nats_idle_exporter.activity import (
    Cadence,
    Instant,
    Ledger,
    Listing,
    Reading,
    Rules,
    SystemView,
    bridge,
)
from tests.activity.amounts import HISTORIES
from tests.activity.keeping import Rows, keep, no_time, plain, told
from tests.simulator.draft import Kind
from tests.simulator.history import History

STOPPING = 0.3
"""The share of cycles after which it is stopped."""


class Twins:
    """Two ledgers that are told the same; one of them is stopped again and again."""

    def __init__(
        self, rng: Random, endpoints: Iterable[str], rules: Rules, cadence: Cadence
    ) -> None:
        self._rng = rng
        self._endpoints = list(endpoints)
        self._rules = rules
        self._cadence = cadence
        self._steady = Ledger(self._endpoints, rules, cadence)
        self._stopped = Ledger(self._endpoints, rules, cadence)
        self._rows: Rows = {}
        self._has_read = True

    def apply(self, reading: Reading) -> None:
        """Tell both."""
        self._has_read = True
        self._steady.apply(reading)
        self._stopped.apply(reading)

    def list_accounts(self, listing: Listing | None) -> None:
        """Tell both."""
        self._steady.list_accounts(listing)
        self._stopped.list_accounts(listing)

    def watch(self, endpoints: Iterable[str], now: Instant) -> None:
        """Tell both."""
        self._endpoints = list(endpoints)
        self._steady.watch(self._endpoints, now)
        self._stopped.watch(self._endpoints, now)

    def discover(self, source: str, endpoints: Iterable[str], now: Instant) -> None:
        """Both are told what a source finds."""
        self._steady.discover(source, endpoints, now)
        self._stopped.discover(source, endpoints, now)

    def consumers_wanted(self) -> frozenset[str]:
        """Both are told what one of them wants."""
        return self._steady.consumers_wanted()

    def conclude(self, now: Instant, shift_seconds: float = 0.0) -> SystemView:
        """Let both conclude; once something was read they say the same."""
        view = self._steady.conclude(now, shift_seconds)
        other = self._stopped.conclude(now, shift_seconds)
        if self._has_read:
            assert other == view
            keep(self._rows, self._stopped.changes(no_time(now)))
            if self._rng.random() < STOPPING:
                self._stop(now)
        return view

    def _stop(self, now: Instant) -> None:
        self._stopped = Ledger.resume(
            self._endpoints, self._rules, self._cadence, told(self._rows), no_time(now)
        )
        self._has_read = False
        # The next answer may take a while: as long the last one holds.
        self._stopped._listings.listing = self._steady._listings.listing
        assert plain(self._stopped._memory) == plain(self._steady._memory)


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", Kind)
def test_resumed_ledger_goes_on_as_if_never_stopped(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever happened, nothing is forgotten over a stop, and nothing added."""
    monkeypatch.setattr(bridge, "LAG_SECONDS", 0.0)
    for seed in range(1, HISTORIES // 50 + 1):
        forge = partial(Twins, Random(seed))

        history = History(seed, kind, forge)  # type: ignore[arg-type]  # saves itself
        history.restarts.clear()
        outcome = history.run()

        assert outcome.violations == []
