"""State files as they should not be."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from nats_idle_exporter.activity import Changes
from nats_idle_exporter.state import Batch, Store
from nats_idle_exporter.state.schema import APPLICATION_ID


def fill(path: Path, count: int = 500) -> None:
    """Make a good file with some rows."""
    batch = Batch()
    puts = [("account", f"A{number}", b"x" * 100) for number in range(count)]
    batch.add("default", Changes(puts, []))
    with closing(Store(path)) as store:
        store.write(batch, ["default"], 1.0)


def run(path: Path, *statements: str) -> None:
    """Change a file behind our back, as a database."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def truncate(path: Path) -> None:
    """Cut a good file off in the middle."""
    fill(path)
    body = path.read_bytes()
    path.write_bytes(body[: len(body) // 2])


def overwrite(path: Path) -> None:
    """Write over the middle of a good file."""
    fill(path)
    body = path.read_bytes()
    half = len(body) // 2
    path.write_bytes(body[:half] + b"\xff" * 9000 + body[half + 9000 :])


def garbage(path: Path) -> None:
    """Write what is no database."""
    path.write_bytes(b"not a database at all " * 100)


def a_few_bytes(path: Path) -> None:
    """Write less than a database's header."""
    path.write_bytes(b"oops")


def foreign(path: Path) -> None:
    """Make the database of another program."""
    run(path, "CREATE TABLE music (title TEXT)", "INSERT INTO music VALUES ('x')")


def wrong_table(path: Path) -> None:
    """Give one of our tables other columns."""
    fill(path)
    run(path, "DROP TABLE rows", "CREATE TABLE rows (title TEXT)")


def no_table(path: Path) -> None:
    """Claim to be ours, and have no tables."""
    run(path, f"PRAGMA application_id={APPLICATION_ID}", "PRAGMA user_version=1")
    run(path, "CREATE TABLE systems (x)")


def text_as_value(path: Path) -> None:
    """Put text where bytes belong."""
    fill(path)
    run(path, "UPDATE rows SET value = 'text' WHERE key = 'A7'")


def no_utf8(path: Path) -> None:
    """Put text that is none."""
    fill(path)
    run(path, "INSERT INTO rows VALUES ('s', 'k', CAST(x'ff' AS TEXT), x'00')")


DAMAGES: dict[str, Callable[[Path], None]] = {
    each.__name__: each
    for each in (
        truncate,
        overwrite,
        garbage,
        a_few_bytes,
        foreign,
        wrong_table,
        no_table,
        text_as_value,
        no_utf8,
    )
}
