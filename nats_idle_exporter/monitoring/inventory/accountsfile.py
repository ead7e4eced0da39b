"""A list of accounts that the operator keeps by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.monitoring.inventory.accounts import (
    EntryError,
    InventoryAccount,
    SourceError,
    SourceList,
)
from nats_idle_exporter.monitoring.inventory.openfile import read_text

MOST_BYTES: Final = 16 * 1_048_576


class AccountsFile:
    """Read such a file, its text only after it changed: YAML takes long.

    Args:
        parse: reads the text into names by id; raises ``ConfigError``.
    """

    def __init__(self, parse: Callable[[str], Mapping[str, str]]) -> None:
        self._parse = parse
        self._text: str | None = None
        self._result: SourceList | ConfigError = SourceList()

    def read(self, path: Path) -> SourceList:
        """Return the accounts of the file.

        Raises:
            SourceError: the file cannot be read or used.
        """
        try:
            text = read_text(path, MOST_BYTES).text
        except EntryError as error:
            raise SourceError(
                str(path), expected=error.expected, found=error.found
            ) from error
        if text != self._text:
            self._text, self._result = text, self._parsed(text)
        result = self._result
        if isinstance(result, ConfigError):
            raise SourceError(
                f"{path}: {result.path}", expected=result.expected, found=result.found
            )
        return result

    def _parsed(self, text: str) -> SourceList | ConfigError:
        try:
            names = self._parse(text)
        except ConfigError as error:
            return error
        return SourceList(
            accounts={
                account: InventoryAccount(account=account, name=name)
                for account, name in names.items()
            }
        )
