"""A small disk of its own for a daemon: memory, mounted where nobody else sees it.

``python -m tests.chaos.disks FOLDER OPTIONS`` mounts it, says so, and holds the
place until its input ends; then all of it is gone.
"""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_READY = b"mounted\n"
PROGRAMS = ("unshare", "mount", "nsenter")
_APART = ("unshare", "--mount")
_MOUNT = ("mount", "-t", "tmpfs", "-o")
_BLOCK = bytes(4096)


class Disk:
    """A mounted disk.

    Args:
        holder: the process that holds its place.
        folder: where it is mounted, seen from that place.
    """

    def __init__(self, holder: int, folder: Path) -> None:
        target = f"--target={holder}"
        self.within = ("nsenter", target, "--mount", f"--wd={Path.cwd()}")
        """A command that runs another there."""
        self._folder = folder
        self._filler = Path(f"/proc/{holder}/root{folder}/filler")

    def fill(self) -> None:
        """Leave no room for a single block more."""
        with self._filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(_BLOCK)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def free(self) -> None:
        """Give the room back."""
        self._filler.unlink()

    def remount(self, options: str) -> None:
        """Mount it anew, with other options."""
        mount = ["mount", "-o", f"remount,{options}", str(self._folder)]
        subprocess.run([*self.within, *mount], check=True, capture_output=True)


@contextmanager
def a_disk(folder: Path, options: str = "size=16m") -> Iterator[Disk]:
    """Mount a disk over a folder; what runs there must have ended in the end.

    Raises:
        PermissionError: this process may not do so.
    """
    module = (sys.executable, "-m", "tests.chaos.disks")
    with subprocess.Popen(
        [*_APART, *module, str(folder), options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stderr is not None
        if holder.stdout.readline() != _READY:
            raise PermissionError(holder.stderr.read().decode().strip())
        yield Disk(holder.pid, folder)


def _hold(folder: str, options: str) -> None:
    subprocess.run([*_MOUNT, options, "disk", folder], check=True)
    sys.stdout.buffer.write(_READY)
    sys.stdout.buffer.flush()
    sys.stdin.buffer.read()


if __name__ == "__main__":
    _hold(*sys.argv[1:])
