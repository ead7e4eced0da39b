"""Folders of account JWTs: those of nats-servers, and those of ``nsc``.

Everything here blocks and belongs in a thread. Nothing is ever written.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from nats_idle_exporter.monitoring.inventory.accounts import (
    EntryError,
    InventoryAccount,
    Problem,
    SourceError,
    SourceList,
    is_account_key,
)
from nats_idle_exporter.monitoring.inventory.jwt import (
    LONGEST_JWT,
    check_key,
    decode_account_jwt,
)
from nats_idle_exporter.monitoring.inventory.openfile import open_regular
from nats_idle_exporter.text import os_words

MOST_ENTRIES: Final = 250_000
"""Entries of one folder that are read; more are no folder of accounts."""

_ENDING: Final = ".jwt"
_SHARD: Final = 2
"""Letters of the name of a subfolder: the key's last two, where servers shard."""


class _Stamp(NamedTuple):
    """What changes with a file; equal stamps are an equal file."""

    inode: int
    size: int
    modified_ns: int
    changed_ns: int


class JwtFiles:
    """Read JWT files, each again only after it changed.

    A folder of ten thousand is read every half minute; most of it never changes.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[_Stamp, InventoryAccount | EntryError]] = {}
        self._used: dict[str, tuple[_Stamp, InventoryAccount | EntryError]] = {}

    def read(self, path: str) -> InventoryAccount:
        """Return the account of one file.

        Raises:
            EntryError: the file holds no account's JWT.
            OSError: it cannot be read.
        """
        file, facts = open_regular(path)
        with file:
            stamp = _Stamp(
                facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns
            )
            known = self._known.get(path)
            if known is None or known[0] != stamp:
                known = stamp, _decode(file.read(LONGEST_JWT + 1), stamp.size)
        self._used[path] = known
        result = known[1]
        if isinstance(result, EntryError):
            # A new one: the traceback of one that is raised again only grows.
            raise EntryError(expected=result.expected, found=result.found)
        return result

    def end_of_round(self) -> None:
        """Forget the files that were not read since the last end."""
        self._known, self._used = self._used, {}


def _decode(body: bytes, size: int) -> InventoryAccount | EntryError:
    if len(body) > LONGEST_JWT:
        return EntryError(
            expected=f"a JWT of at most {LONGEST_JWT} bytes",
            found=f"a file of {size} bytes",
        )
    try:
        return decode_account_jwt(body)
    except EntryError as error:
        return error


Reads: TypeAlias = Callable[[Path, JwtFiles], SourceList]
"""How one kind of folder is read."""


class _Gathering:
    """A list in the making."""

    def __init__(self, files: JwtFiles) -> None:
        self._files = files
        self._accounts: dict[str, InventoryAccount] = {}
        self._problems: list[Problem] = []
        self._is_complete = True

    def take(self, path: str, key: str | None) -> None:
        """Read one file; ``key`` is the account's id where its name tells it."""
        try:
            account = self._files.read(path)
            if key is not None:
                check_key(account, key)
        except OSError as error:
            problem = EntryError(expected="a readable file", found=os_words(error))
            # Gone while we read: an expired JWT, or a whole folder on its way out.
            is_gone = isinstance(error, FileNotFoundError)
            self._failed(path, None if is_gone else key, problem)
        except EntryError as error:
            self._failed(path, key, error)
        else:
            self._add(account)

    def _add(self, account: InventoryAccount) -> None:
        known = self._accounts.get(account.account)
        if known is None or (known.issued_at or 0) < (account.issued_at or 0):
            self._accounts[account.account] = account

    def _failed(self, path: str, key: str | None, error: EntryError) -> None:
        self._problems.append(error.at(path))
        if key is None:
            self._is_complete = False
        else:
            self._accounts.setdefault(key, InventoryAccount(account=key))

    def result(self, folder: Path) -> SourceList:
        """Return what was gathered.

        Raises:
            SourceError: nothing was, not even a broken file.
        """
        self._files.end_of_round()
        if not self._accounts and not self._problems:
            # An operator always has a system account: this is an empty mount.
            raise SourceError(
                str(folder), expected="JWTs of accounts", found="none of them"
            )
        return SourceList(
            accounts=self._accounts,
            problems=tuple(self._problems),
            is_complete=self._is_complete,
        )


def read_resolver_dir(folder: Path, files: JwtFiles) -> SourceList:
    """Return the accounts in the folder of a server's resolver.

    Its files are ``KEY.jwt``, flat or in subfolders of the key's last two
    letters. Deleted ones end in ``.jwt.deleted`` and are no accounts.

    Raises:
        SourceError: it cannot be listed, or holds no JWT.
    """
    gathering = _Gathering(files)
    with _listing(folder):
        for entry in _entries(folder):
            if len(entry.name) == _SHARD and _is_folder(entry):
                for inner in _entries(entry.path):
                    _take_key_file(gathering, inner)
            else:
                _take_key_file(gathering, entry)
    return replace(gathering.result(folder), is_served=True)


def _take_key_file(gathering: _Gathering, entry: os.DirEntry[str]) -> None:
    if entry.name.endswith(_ENDING):
        key = entry.name.removesuffix(_ENDING)
        gathering.take(entry.path, key if is_account_key(key) else None)


def read_nsc_store(folder: Path, files: JwtFiles) -> SourceList:
    """Return the accounts in an operator's store of ``nsc``.

    They are the files ``accounts/NAME/NAME.jwt``. A folder without its file is
    what a deleted account leaves behind.

    Raises:
        SourceError: it cannot be listed, or holds no JWT.
    """
    gathering = _Gathering(files)
    with _listing(folder):
        for entry in _entries(folder / "accounts"):
            if _is_folder(entry) and not _is_without_jwt(entry):
                gathering.take(f"{entry.path}/{entry.name}{_ENDING}", None)
    return gathering.result(folder)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno == errno.ELOOP:
            return False  # A link to itself leads nowhere, for servers too.
        raise


def _is_without_jwt(entry: os.DirEntry[str]) -> bool:
    try:
        with os.scandir(entry.path) as inside:
            return all(each.name != entry.name + _ENDING for each in inside)
    except OSError:
        return False  # Reading the file will say why.


def _entries(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for count, entry in enumerate(entries):
            if count >= MOST_ENTRIES:
                raise SourceError(
                    str(folder),
                    expected=f"at most {MOST_ENTRIES} entries",
                    found="more",
                )
            yield entry


@contextmanager
def _listing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceError(
            str(error.filename or folder),
            expected="a readable folder",
            found=os_words(error),
        ) from error
