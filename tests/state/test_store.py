"""The state file: what is written comes back, and nothing else is touched."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from nats_idle_exporter.activity import Changes
from nats_idle_exporter.errors import (
    BrokenStateError,
    HeldStateError,
    NewerStateError,
    StateError,
)
from nats_idle_exporter.state import Batch, Store, VerdictChange
from nats_idle_exporter.state.historian import DAY_SECONDS
from nats_idle_exporter.state.schema import APPLICATION_ID, MIGRATIONS
from nats_idle_exporter.state.store import KEPT_DAYS, DaysOfUse
from tests.state.damage import DAMAGES, fill, foreign, run

NOW = 1_800_000_000.0


def a_batch(*keys: str, value: bytes = b"value") -> Batch:
    """Return a batch that puts rows of one system."""
    batch = Batch()
    batch.add("default", Changes([("account", key, value) for key in keys], []))
    return batch


def reopened(path: Path) -> dict[str, list[tuple[str, str, bytes]]]:
    """Return the rows that a new store finds."""
    with closing(Store(path)) as store:
        return store.rows()


class TestRows:
    """What ledgers and the client remember."""

    def test_written_rows_come_back(self, path: Path) -> None:
        """Rows are returned by system, keys of any characters included."""
        batch = a_batch("A", "b\x00ä'\n")
        batch.add("", Changes([("ring", "N", b"\xff")], []))
        with closing(Store(path)) as store:
            store.write(batch, ["", "default"], NOW)

        assert reopened(path) == {
            "": [("ring", "N", b"\xff")],
            "default": [("account", "A", b"value"), ("account", "b\x00ä'\n", b"value")],
        }

    def test_later_rows_replace_and_delete(self, path: Path) -> None:
        """A put replaces its row, a delete drops it, also one that is not there."""
        later = a_batch("A", value=b"new")
        later.add("default", Changes([], [("account", "B"), ("account", "never")]))
        with closing(Store(path)) as store:
            store.write(a_batch("A", "B"), ["default"], NOW)
            store.write(later, ["default"], NOW)

        assert reopened(path) == {"default": [("account", "A", b"new")]}

    def test_batches_are_merged_in_their_order(self, path: Path) -> None:
        """Of a row that changed twice between two saves the later word counts."""
        batch = a_batch("A", "B")
        later = a_batch("B", value=b"new")
        later.add("default", Changes([], [("account", "A")]))
        batch.follow(later)
        with closing(Store(path)) as store:
            store.write(batch, ["default"], NOW)

        assert reopened(path) == {"default": [("account", "B", b"new")]}

    def test_new_file_is_ours_alone(self, path: Path) -> None:
        """A new file says whose it is and of which version; only its owner reads it."""
        Store(path).close()

        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (1,)
            (application,) = connection.execute("PRAGMA application_id").fetchone()
        assert application == APPLICATION_ID
        assert path.stat().st_mode & 0o777 == 0o600

    def test_unsaved_file_is_unused(self, path: Path) -> None:
        """A file is used from its first save on."""
        with closing(Store(path)) as store:
            before = store.is_used
            store.write(Batch(), ["default"], NOW)

            assert (before, store.is_used) == (False, True)


class TestForgetting:
    """What is dropped in time."""

    def test_other_systems_are_kept_for_a_while(self, path: Path) -> None:
        """What a system left behind is dropped when it was long not configured."""
        with closing(Store(path)) as store:
            store.write(a_batch("A"), ["default", "other"], NOW)
            store.forget(["other"], NOW + 100, forget_after_seconds=100)
            kept = store.rows()
            store.forget(["other"], NOW + 101, forget_after_seconds=100)

            assert "default" in kept
            assert store.rows() == {}

    def test_configured_system_is_never_dropped(self, path: Path) -> None:
        """However long nothing was saved: it is configured now."""
        with closing(Store(path)) as store:
            store.write(a_batch("A"), ["default"], NOW)
            store.forget(["default"], NOW + 1e9, forget_after_seconds=100)

            assert "default" in store.rows()

    def test_old_history_is_dropped(self, path: Path) -> None:
        """History is kept for a bounded number of days."""
        today = int(NOW // DAY_SECONDS)
        batch = Batch()
        batch.days = {("s", "A", today - KEPT_DAYS - 1), ("s", "A", today)}
        batch.verdicts = [
            VerdictChange("s", "A", NOW - (KEPT_DAYS + 1) * DAY_SECONDS, "", "x", ""),
            VerdictChange("s", "A", NOW, "x", "y", "sent"),
        ]
        with closing(Store(path)) as store:
            store.write(batch, ["s"], NOW)
            store.forget(["s"], NOW, forget_after_seconds=1e9)

            assert store.days_of_use("s", "A") == [DaysOfUse(today, today)]
            assert store.verdict_changes("s", "A") == batch.verdicts[1:]


class TestHistory:
    """Days of use and changes of verdicts."""

    def test_days_become_runs(self, path: Path) -> None:
        """Days that follow each other are one row; a gap begins another."""
        with closing(Store(path)) as store:
            for days in ([10], [11, 12], [12], [20]):
                batch = Batch(days={("s", "A", day) for day in days})
                store.write(batch, ["s"], NOW)

            assert store.days_of_use("s", "A") == [DaysOfUse(10, 12), DaysOfUse(20, 20)]
            assert store.days_of_use("s", "B") == []

    def test_how_it_ends(self, path: Path) -> None:
        """The last verdict and the last day of each account are found again."""
        batch = Batch(days={("s", "A", 10), ("s", "A", 20), ("t", "A", 5)})
        batch.verdicts = [
            VerdictChange("s", "A", 9.0, "", "unknown", ""),
            # The wall clock was set back.
            VerdictChange("s", "A", 5.0, "unknown", "active", "sent"),
        ]
        with closing(Store(path)) as store:
            store.write(batch, ["s"], NOW)
            so_far = store.history_so_far()

        assert so_far.verdicts == {("s", "A"): "active"}
        assert so_far.days == {("s", "A"): 20, ("t", "A"): 5}


class TestRefusals:
    """Files that cannot be used, by the reason."""

    def test_held_by_another_process(self, path: Path) -> None:
        """A file that another process has open is refused, and stays as it is."""
        program = (
            "import sys; from pathlib import Path;"
            "from nats_idle_exporter.state import Store;"
            "store = Store(Path(sys.argv[1])); print('open', flush=True);"
            "sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == b"open\n"

            with pytest.raises(HeldStateError, match="another running exporter"):
                Store(path)
        Store(path).close()

    def test_newer_version(self, path: Path) -> None:
        """A file of a later version is refused, and both versions are told."""
        fill(path)
        run(path, "PRAGMA user_version=7")

        with pytest.raises(NewerStateError, match=r"version is 7, .* up to 1"):
            Store(path)

    @pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
    def test_broken_file(self, path: Path, damage: Callable[[Path], None]) -> None:
        """Whatever is wrong with a file, it is found before anything is believed."""
        damage(path)

        with pytest.raises(BrokenStateError):
            reopened(path)

    def test_foreign_file_stays_as_it_is(self, path: Path) -> None:
        """The database of another program is not changed by looking at it."""
        foreign(path)
        before = path.read_bytes()

        with pytest.raises(BrokenStateError, match="another program"):
            Store(path)

        assert path.read_bytes() == before

    @pytest.mark.parametrize("place", ["{0}", "{0}/missing/state", "/proc/state"])
    def test_place_that_cannot_be_written(self, tmp_path: Path, place: str) -> None:
        """A directory, a missing directory and a read-only one are no broken files."""
        with pytest.raises(StateError) as caught:
            Store(Path(place.format(tmp_path)))

        assert type(caught.value) is StateError


class TestWriting:
    """A save is whole or not at all."""

    def test_full_disk(self, path: Path) -> None:
        """What does not fit is not written by half, and fits once there is room."""
        batch = a_batch(*(f"B{number}" for number in range(1000)), value=b"x" * 1000)
        with closing(Store(path)) as store:
            store.write(a_batch("A"), ["default"], NOW)
            store._connection.execute("PRAGMA max_page_count=20")

            with pytest.raises(StateError, match="full"):
                store.write(batch, ["default"], NOW)
            rows = store.rows()
            store._connection.execute("PRAGMA max_page_count=100000")
            store.write(batch, ["default"], NOW)

            assert rows == {"default": [("account", "A", b"value")]}
            assert len(store.rows()["default"]) == 1001


class TestMigrations:
    """Files of older versions become files of this one."""

    def test_older_file_is_brought_up(self, path: Path) -> None:
        """Each step that a file has not seen runs once, and its rows stay."""
        fill(path, count=1)

        def add_note(connection: sqlite3.Connection) -> None:
            connection.execute("ALTER TABLE systems ADD COLUMN note TEXT")

        Store(path, (*MIGRATIONS, add_note)).close()
        with closing(Store(path, (*MIGRATIONS, add_note))) as store:
            assert store.rows() == {"default": [("account", "A0", b"x" * 100)]}
        with pytest.raises(NewerStateError, match=r"version is 2, .* up to 1"):
            Store(path)

    def test_failed_step_changes_nothing(self, path: Path) -> None:
        """A step that fails half way leaves the file as it was, of its old version."""
        fill(path, count=1)

        def fail(connection: sqlite3.Connection) -> None:
            connection.execute("DROP TABLE days_of_use")
            connection.execute("SELECT * FROM no_such_table")

        with pytest.raises(BrokenStateError, match="no_such_table"):
            Store(path, (*MIGRATIONS, fail))

        with closing(Store(path)) as store:
            assert store.days_of_use("default", "A0") == []
