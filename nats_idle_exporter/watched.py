"""Files that are read again when they change, found out by a cheap look."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


class _Look(NamedTuple):
    """What differs between two states of a file, replaced or written in place."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


class WatchedFiles:
    """Read files, and remember how each looked before it was read.

    A file that cannot be read is watched too: it may come. All of it blocks.
    """

    def __init__(self) -> None:
        self._looks: dict[Path, _Look | None] = {}

    def read(self, path: Path) -> bytes:
        """Return the bytes of a file.

        Raises:
            OSError: it cannot be read.
        """
        # First the look: what is written after it is found by the next one.
        self.watch(path)
        return path.read_bytes()

    def watch(self, path: Path) -> None:
        """Remember how a file looks that somebody else reads next."""
        self._looks.setdefault(path, _look(path))

    def have_changed(self) -> bool:
        """Say whether any file looks unlike it did before it was first read."""
        return any(_look(path) != look for path, look in self._looks.items())


def _look(path: Path) -> _Look | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - Path.stat is the same, and slower
    except (OSError, ValueError):
        return None
    return _Look(
        found.st_dev,
        found.st_ino,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
    )
