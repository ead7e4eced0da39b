"""A nats-server configuration and the files that it includes, within one budget."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple, NoReturn, TypeAlias

from nats_idle_exporter.monitoring.inventory.accounts import EntryError
from nats_idle_exporter.monitoring.inventory.natsconf.parsing import Parser, Value
from nats_idle_exporter.monitoring.inventory.natsconf.scanning import (
    ConfError,
    Scanner,
)
from nats_idle_exporter.monitoring.inventory.openfile import read_text
from nats_idle_exporter.text import one_line, shorten

MOST_BYTES: Final = 64 * 1_048_576
"""Of all files together, each counted as often as it is included."""

MOST_FILES: Final = 1000

_NAME: Final = re.compile(r"[A-Z_][A-Z0-9_]*")

_Identity: TypeAlias = tuple[int, int]
"""Device and inode: the same file by whatever name."""


class Loaded(NamedTuple):
    """What files say, and when the newest of them changed, Unix seconds."""

    values: dict[str, Value]
    changed_at: float


def load_nats_config(path: Path, environment: Mapping[str, str]) -> Loaded:
    """Return the values of a configuration file and of all that it includes.

    Args:
        path: the file; an include is relative to the file that has it.
        environment: where variables are looked for that no key defines.

    Raises:
        ConfError: a file is missing, unreadable, too large or no configuration.
    """
    loader = _Loader(environment)
    values = loader.load(path, str(path), 0, ())
    return Loaded(values, loader.changed_at)


class _Loader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self._characters_left = MOST_BYTES
        self._files_left = MOST_FILES
        self.changed_at = 0.0

    def load(
        self, path: Path, asked_at: str, depth: int, within: tuple[_Identity, ...]
    ) -> dict[str, Value]:
        """Return the values of one file; ``within`` are those that are being read."""
        shown = one_line(str(path))
        self._files_left -= 1
        if self._files_left < 0:
            raise ConfError(
                asked_at, expected=f"at most {MOST_FILES} files", found="more"
            )
        try:
            text, identity, changed_at = read_text(path, self._characters_left)
        except EntryError as error:
            expected = f"{error.expected} at {shown}" if within else error.expected
            raise ConfError(asked_at, expected=expected, found=error.found) from error
        if identity in within:
            raise ConfError(
                asked_at,
                expected="an include of another file",
                found=f"{shown}, which includes this one",
            )
        self._characters_left -= len(text)
        self.changed_at = max(self.changed_at, changed_at)
        opened = _OpenedFile(self, path, (*within, identity))
        return Parser(Scanner(text, shown), opened, depth).document()


class _OpenedFile:
    """What lies around one file: its folder, and the environment."""

    def __init__(
        self, loader: _Loader, path: Path, within: tuple[_Identity, ...]
    ) -> None:
        self._loader = loader
        self._path = path
        self._within = within

    def include(self, path: str, where: str, depth: int) -> dict[str, Value]:
        """Return the values of an included file."""
        # Also below the folder when it begins with a slash, as the server has it.
        place = self._path.parent / path.lstrip("/")
        return self._loader.load(place, where, depth, self._within)

    def variable(self, name: str, where: str, depth: int) -> Value:
        """Return what a variable of the environment holds."""
        lookup = _Environment(self._loader.environment, where)
        return lookup.variable(name, where, depth)


class _Environment:
    """What lies around the text of a variable: other variables.

    ``used_at`` is the place in a file that needs it.
    """

    def __init__(self, environment: Mapping[str, str], used_at: str) -> None:
        self._environment = environment
        self._used_at = used_at

    def include(self, _path: str, where: str, _depth: int) -> NoReturn:
        """Refuse it: a variable lies in no folder."""
        raise ConfError(where, expected="no include in a variable", found="one")

    def variable(self, name: str, _where: str, depth: int) -> Value:
        """Return what a variable of the environment holds."""
        shown = f"${shorten(one_line(name))}"
        text = self._environment.get(name)
        if text is None:
            raise ConfError(
                self._used_at,
                expected="a variable of the keys before it or of the environment",
                # What looks like no name may be a password that begins with a $.
                found=shown if _NAME.fullmatch(name) else "another word after a $",
            )
        scanner = Scanner(text, f"{self._used_at}: {shown}", has_lines=False)
        return Parser(scanner, self, depth).lone_value()
