"""A made-up history of one server that any process can go on with.

``python -m tests.state.history FILE CYCLE`` saves it, cycle by cycle, until it is
killed; after each save it writes the number of the cycle. Account BUSY is used in
each cycle, QUIET never; of many others a few change each time.
"""

from __future__ import annotations

import sys
from contextlib import closing
from itertools import count
from pathlib import Path

from nats_idle_exporter.activity import Cadence, Clocks, Ledger, SavedRow, SystemView
from nats_idle_exporter.activity.forms import SavedClock
from nats_idle_exporter.activity.rows import Kind, decode
from nats_idle_exporter.state import Batch, Historian, Store
from tests.activity.builders import POLL, A, FixedRules, Process, a_row, at, used

SYSTEM = "default"
OTHERS = 1000
CHANGING = 50
THRESHOLD_SECONDS = 20 * POLL


def moment(cycle: int) -> float:
    """Return when a cycle is, on every clock."""
    return 100_000.0 + cycle * POLL


def clocks(cycle: int) -> Clocks:
    """Return all clocks at a cycle."""
    when = moment(cycle)
    return Clocks(at(when), wall_at=when, monotonic_at=when, boot_id="boot")


def _wall_at(row: SavedRow) -> float:
    kind, _, value = row
    return decode(kind, value, SavedClock).wall_at if kind == Kind.CLOCK else 0.0


class Part:
    """The history from one cycle on, with what was saved of the cycles before.

    Args:
        store: where it is saved.
        cycle: the first one.
    """

    def __init__(self, store: Store, cycle: int) -> None:
        self._store = store
        self._server = Process("N1", A, start=0.0)
        self._server.loaded_at = moment(0)
        self._historian = Historian(store.history_so_far())
        rules = FixedRules(THRESHOLD_SECONDS)
        cadence = Cadence(POLL, POLL, 1e6)
        rows = store.rows().get(SYSTEM, ())
        self.saved_to = max((_wall_at(row) for row in rows), default=0.0)
        """The wall clock at the last save before."""
        self.ledger = Ledger.resume([A], rules, cadence, rows, clocks(cycle))

    def play(self, cycle: int) -> SystemView:
        """Read the server once."""
        when = moment(cycle)
        rows = [
            used(cycle + 1, "BUSY"),
            a_row("QUIET"),
            *(
                used((cycle - number) // (OTHERS // CHANGING), f"OTHER-{number}")
                for number in range(OTHERS)
            ),
        ]
        self.ledger.apply(self._server.reading(when, rows))
        return self.ledger.conclude(at(when))

    def save(self, cycle: int, view: SystemView) -> None:
        """Save what a cycle changed."""
        batch = Batch()
        batch.add(SYSTEM, self.ledger.changes(clocks(cycle)))
        self._historian.note({SYSTEM: view}, moment(cycle), batch)
        self._store.write(batch, [SYSTEM], moment(cycle))


def main() -> None:
    """Go on with a history for ever."""
    path, first = Path(sys.argv[1]), int(sys.argv[2])
    with closing(Store(path)) as store:
        part = Part(store, first)
        for cycle in count(first):
            part.save(cycle, part.play(cycle))
            sys.stdout.write(f"{cycle}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
