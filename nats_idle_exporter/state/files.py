"""The state file among other files: made for our eyes only, never overwritten."""

from __future__ import annotations

import time
from itertools import count
from pathlib import Path

from nats_idle_exporter.errors import StateError
from nats_idle_exporter.text import os_words

COMPANIONS = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database, by the ends of the names."""


def make_private(path: Path) -> None:
    """Create the file, readable for nobody else; one that exists stays as it is.

    Raises:
        StateError: it cannot be created.
    """
    try:
        if not path.exists():
            path.touch(mode=0o600)
    except OSError as error:
        raise StateError(os_words(error)) from error


def set_aside(path: Path, at: float) -> Path:
    """Give the file and its companions another name; return that name.

    Args:
        path: of the file.
        at: Unix seconds, for the name.

    Raises:
        StateError: it cannot be renamed.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
    name = f"{path.name}.broken-{stamp}"
    names = (name if again == 0 else f"{name}-{again}" for again in count())
    aside = next(new for each in names if not (new := path.with_name(each)).exists())
    try:
        for end in COMPANIONS:
            companion = path.with_name(path.name + end)
            if companion.exists():
                companion.rename(aside.with_name(aside.name + end))
        path.rename(aside)
    except OSError as error:
        raise StateError(f"cannot be renamed: {os_words(error)}") from error
    return aside
