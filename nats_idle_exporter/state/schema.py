"""The tables of the state file, and how older files become newer ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Final

from nats_idle_exporter.errors import BrokenStateError, NewerStateError

APPLICATION_ID: Final = 0x4E49_4558
"""Says in the file's header whose it is: "NIEX"."""

Migration = Callable[[sqlite3.Connection], None]


# Systems: when each was configured last, which is the last save with it. Rows: what
# ledgers and the client remember; nobody else can read the values. Days are UTC,
# counted from the Unix epoch; each row of days_of_use is a run of them.
_TABLES: Final = """
CREATE TABLE systems (
    name TEXT NOT NULL PRIMARY KEY, seen_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE rows (
    system TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (system, kind, key)
) WITHOUT ROWID;
CREATE TABLE days_of_use (
    system TEXT NOT NULL, account TEXT NOT NULL,
    first_day INTEGER NOT NULL, last_day INTEGER NOT NULL,
    PRIMARY KEY (system, account, first_day)
) WITHOUT ROWID;
CREATE TABLE verdict_changes (
    system TEXT NOT NULL, account TEXT NOT NULL, at REAL NOT NULL,
    before TEXT NOT NULL, after TEXT NOT NULL, evidence TEXT NOT NULL
);
CREATE INDEX verdict_changes_by_account ON verdict_changes (system, account, at)
"""


def _create_tables(connection: sqlite3.Connection) -> None:
    for statement in _TABLES.split(";"):
        connection.execute(statement)


MIGRATIONS: Final[Sequence[Migration]] = (_create_tables,)
"""The first makes version 1 of an empty file, each other one more of the one before.

Never change one that was released: add another.
"""


def prepare(connection: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    """Bring a file to the newest version; an empty one gets its tables.

    Raises:
        BrokenStateError: it is a database of something else.
        NewerStateError: a later program made it.
    """
    version = _pragma(connection, "user_version")
    if _is_empty(connection):
        version = 0
    elif _pragma(connection, "application_id") != APPLICATION_ID:
        raise BrokenStateError("it is a database of another program")
    newest = len(migrations)
    if version > newest:
        raise NewerStateError(
            f"its version is {version}, and this program knows versions up to {newest}"
        )
    # After the check: a file that is not ours is not to be changed. A log written
    # ahead makes a save cheap, and needs no shared memory in exclusive mode.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    for number in range(version, newest):
        connection.execute("BEGIN IMMEDIATE")
        migrations[number](connection)
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={number + 1}")
        connection.execute("COMMIT")


def _is_empty(connection: sqlite3.Connection) -> bool:
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    return tables == 0 and _pragma(connection, "application_id") == 0


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)
