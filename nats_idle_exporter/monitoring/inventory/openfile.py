"""Open files of strangers: nothing that would hold the thread for ever."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO, NamedTuple

from nats_idle_exporter.monitoring.inventory.accounts import EntryError
from nats_idle_exporter.text import os_words


def open_regular(path: str | Path) -> tuple[BinaryIO, os.stat_result]:
    """Open an ordinary file, and tell its facts.

    Raises:
        EntryError: it is a folder, a pipe, a device.
        OSError: it cannot be opened.
    """
    # Opening a named pipe would otherwise wait until somebody writes.
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError as error:
        raise EntryError(expected="a path", found="a NUL in it") from error
    facts = os.fstat(number)
    if not stat.S_ISREG(facts.st_mode):
        os.close(number)
        is_folder = stat.S_ISDIR(facts.st_mode)
        raise EntryError(
            expected="a file", found="a folder" if is_folder else "something else"
        )
    return os.fdopen(number, "rb"), facts


class Text(NamedTuple):
    """A file's text, what makes it this file and no other, and its last change.

    ``changed_at`` is in Unix seconds, by the clock of whoever keeps the file.
    """

    text: str
    identity: tuple[int, int]
    changed_at: float


def read_text(path: Path, most_bytes: int) -> Text:
    """Return the text of a file in UTF-8, without a byte order mark.

    Raises:
        EntryError: it cannot be read, is longer, or is no text.
    """
    try:
        file, facts = open_regular(path)
        with file:
            body = file.read(most_bytes + 1)
    except OSError as error:
        raise EntryError(expected="a readable file", found=os_words(error)) from error
    if len(body) > most_bytes:
        raise EntryError(expected=f"at most {most_bytes} bytes", found="more")
    try:
        # Not when it was modified: copying files often keeps that.
        identity = facts.st_dev, facts.st_ino
        return Text(body.decode("utf-8-sig"), identity, facts.st_ctime)
    except UnicodeDecodeError as error:
        byte = f"the byte 0x{body[error.start]:02x} at offset {error.start}"
        raise EntryError(expected="text in UTF-8", found=byte) from error
