"""The store: one SQLite file, opened by one process, used in one thread.

The lock is held from the first access to the end: a second exporter with the same
file would mix its memory into ours. Exclusive locking is set before the first
access, so that SQLite needs no memory shared between processes, which network
volumes do not have.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from nats_idle_exporter.activity import SavedRow
from nats_idle_exporter.errors import BrokenStateError, HeldStateError, StateError
from nats_idle_exporter.state.batch import Batch, VerdictChange
from nats_idle_exporter.state.files import make_private
from nats_idle_exporter.state.historian import DAY_SECONDS, HistorySoFar
from nats_idle_exporter.state.schema import MIGRATIONS, Migration, prepare

KEPT_DAYS: Final = 400
"""History older than this is dropped."""
LOCK_SECONDS: Final = 1.0
"""How long a lock of another process is waited for."""
LOG_BYTES: Final = 16 * 1024 * 1024
"""The log is cut back to this after it was longer."""

_HELD = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_UNWRITABLE = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOLFS,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}


class DaysOfUse(NamedTuple):
    """A run of days with use each, UTC, counted from the Unix epoch."""

    first_day: int
    last_day: int


class Store:
    """An open state file; any method may raise ``StateError``.

    Args:
        path: of the file; it is created when there is none.
        migrations: how to bring it to the newest version.

    Raises:
        HeldStateError: another process has it open.
        NewerStateError: a later version of this program wrote it.
        BrokenStateError: it is not what this program wrote.
        StateError: it cannot be opened for writing.
    """

    def __init__(
        self, path: Path, migrations: Sequence[Migration] = MIGRATIONS
    ) -> None:
        make_private(path)
        with _translated():
            self._connection = sqlite3.connect(
                path,
                timeout=LOCK_SECONDS,
                isolation_level=None,
                # It is opened and used in one thread, and closed in any.
                check_same_thread=False,
            )
        try:
            with _translated():
                self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
                prepare(self._connection, migrations)
                self._connection.execute(f"PRAGMA journal_size_limit={LOG_BYTES}")
                self._check()
        except StateError:
            self.close()
            raise

    def _check(self) -> None:
        (found,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise BrokenStateError(str(found))
        # Whoever cannot write should learn it now.
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("ROLLBACK")

    @property
    def is_used(self) -> bool:
        """Say whether anything was ever saved."""
        with _translated():
            found = self._connection.execute("SELECT 1 FROM systems LIMIT 1").fetchone()
            return found is not None

    def rows(self) -> dict[str, list[SavedRow]]:
        """Return what was saved, by system."""
        found: defaultdict[str, list[SavedRow]] = defaultdict(list)
        with _translated():
            rows = self._connection.execute("SELECT system, kind, key, value FROM rows")
            for system, kind, key, value in rows:
                if not (isinstance(key, str) and isinstance(value, bytes)):
                    raise BrokenStateError("a row that is no text and bytes")
                found[system].append((kind, key, value))
        return dict(found)

    def write(self, batch: Batch, systems: Iterable[str], at: float) -> None:
        """Write a batch, whole or not at all.

        Args:
            batch: what changed.
            systems: those that are configured.
            at: Unix seconds.
        """
        with self._transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO systems VALUES (?, ?)",
                [(system, at) for system in systems],
            )
            connection.executemany(
                "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?)",
                [
                    (*where, value)
                    for where, value in batch.rows.items()
                    if value is not None
                ],
            )
            connection.executemany(
                "DELETE FROM rows WHERE system = ? AND kind = ? AND key = ?",
                [where for where, value in batch.rows.items() if value is None],
            )
            for use in sorted(batch.days):
                self._add_day(*use)
            connection.executemany(
                "INSERT INTO verdict_changes VALUES (?, ?, ?, ?, ?, ?)", batch.verdicts
            )

    def _add_day(self, system: str, account: str, day: int) -> None:
        extended = self._connection.execute(
            "UPDATE days_of_use SET last_day = max(last_day, ?)"
            " WHERE system = ? AND account = ? AND first_day <= ? AND last_day >= ?",
            (day, system, account, day, day - 1),
        )
        if extended.rowcount == 0:
            self._connection.execute(
                "INSERT INTO days_of_use VALUES (?, ?, ?, ?)",
                (system, account, day, day),
            )

    def forget(
        self, systems: Iterable[str], at: float, forget_after_seconds: float
    ) -> None:
        """Drop systems that are configured no more, in time, and old history.

        Args:
            systems: those that are configured.
            at: Unix seconds.
            forget_after_seconds: since a system was configured last.
        """
        with self._transaction() as connection:
            outdated = connection.execute(
                "SELECT name FROM systems WHERE seen_at < ?",
                (at - forget_after_seconds,),
            )
            gone = [(name,) for (name,) in outdated if name not in set(systems)]
            for table in ("rows", "days_of_use", "verdict_changes"):
                connection.executemany(f"DELETE FROM {table} WHERE system = ?", gone)  # noqa: S608 - our own names
            connection.executemany("DELETE FROM systems WHERE name = ?", gone)
            kept_from = at - KEPT_DAYS * DAY_SECONDS
            connection.execute(
                "DELETE FROM days_of_use WHERE last_day < ?",
                (kept_from // DAY_SECONDS,),
            )
            connection.execute("DELETE FROM verdict_changes WHERE at < ?", (kept_from,))

    def days_of_use(self, system: str, account: str) -> list[DaysOfUse]:
        """Return on which days an account was used, oldest first."""
        with _translated():
            found = self._connection.execute(
                "SELECT first_day, last_day FROM days_of_use"
                " WHERE system = ? AND account = ? ORDER BY first_day",
                (system, account),
            )
            return [DaysOfUse(*row) for row in found]

    def verdict_changes(self, system: str, account: str) -> list[VerdictChange]:
        """Return how an account's verdict changed, oldest first."""
        with _translated():
            found = self._connection.execute(
                "SELECT * FROM verdict_changes WHERE system = ? AND account = ?"
                " ORDER BY at, rowid",
                (system, account),
            )
            return [VerdictChange(*row) for row in found]

    def history_so_far(self) -> HistorySoFar:
        """Return how the history of every account ends."""
        with _translated():
            # SQLite takes the other columns from the row with the maximum.
            verdicts = self._connection.execute(
                "SELECT system, account, after, max(rowid) FROM verdict_changes"
                " GROUP BY system, account"
            )
            days = self._connection.execute(
                "SELECT system, account, max(last_day) FROM days_of_use"
                " GROUP BY system, account"
            )
            return HistorySoFar(
                {(system, account): after for system, account, after, _ in verdicts},
                {(system, account): day for system, account, day in days},
            )

    def close(self) -> None:
        """Close the file and let go of it; the log is worked into it."""
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                # Some errors end the transaction themselves.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the errors of SQLite into ours, by whose fault they are."""
    try:
        yield
    except sqlite3.Error as error:
        # An extended code has the plain one in its last byte.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if code in _HELD:
            raise HeldStateError("another running exporter may hold it") from error
        if code in _UNWRITABLE:
            raise StateError(str(error)) from error
        raise BrokenStateError(str(error)) from error
