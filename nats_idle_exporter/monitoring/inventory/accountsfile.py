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


def read_accounts_file(
    path: Path, parse: Callable[[str], Mapping[str, str]]
) -> SourceList:
    """Return the accounts of a file that ``parse`` reads into names by id.

    Raises:
        SourceError: the file cannot be read or used.
    """
    try:
        names = parse(read_text(path, MOST_BYTES).text)
    except EntryError as error:
        raise SourceError(
            str(path), expected=error.expected, found=error.found
        ) from error
    except ConfigError as error:
        raise SourceError(
            f"{path}: {error.path}", expected=error.expected, found=error.found
        ) from error
    return SourceList(
        accounts={
            account: InventoryAccount(account=account, name=name)
            for account, name in names.items()
        }
    )
