"""The accounts that a configuration file of nats-server names, and their roles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from nats_idle_exporter.monitoring.inventory.accounts import (
    AccountImport,
    AccountLimits,
    EntryError,
    InventoryAccount,
    Problem,
    Roles,
    SourceError,
    SourceList,
)
from nats_idle_exporter.monitoring.inventory.jwt import decode_jwt_of
from nats_idle_exporter.monitoring.inventory.natsconf import (
    ConfError,
    Value,
    load_nats_config,
)
from nats_idle_exporter.monitoring.inventory.natsroles import lowered, read_roles
from nats_idle_exporter.text import one_line, shorten

_UNLIMITED: Final = -1
_CONNECTIONS: Final = ("max_connections", "max_conn")
_LEAFNODES: Final = ("max_leafnodes", "max_leafs")
_KINDS: Final = ("stream", "service")


def read_nats_config(path: Path, environment: Mapping[str, str]) -> SourceList:
    """Return the accounts of ``accounts`` and of ``resolver_preload``.

    A file of operator mode may name none, and tell only what they are needed for.

    Args:
        path: the file; includes are followed.
        environment: where variables are looked for that no key defines.

    Raises:
        SourceError: the file cannot be used, or names no account.
    """
    try:
        loaded = load_nats_config(path, environment)
    except ConfError as error:
        raise SourceError(
            error.where, expected=error.expected, found=error.found
        ) from error
    values = lowered(loaded.values)
    problems: list[Problem] = []
    accounts: dict[str, InventoryAccount] = {}
    try:
        for name, block in _blocks(values.get("accounts", {})):
            accounts[name] = _configured(name, block, f"{path}: accounts", problems)
        for key, token in _preloads(values.get("resolver_preload", {})):
            accounts[key] = _preloaded(key, token, f"{path}: preload", problems)
    except EntryError as error:
        raise SourceError(
            str(path), expected=error.expected, found=error.found
        ) from error
    if not accounts and "operator" not in values:
        raise SourceError(
            str(path), expected="accounts or resolver_preload", found="neither"
        )
    roles = _roles(values, path, problems)
    return SourceList(
        accounts=accounts,
        problems=tuple(problems),
        roles=roles,
        is_served=True,
        written_at=loaded.changed_at,
    )


def _roles(
    values: Mapping[str, Value], path: Path, problems: list[Problem]
) -> Roles | None:
    try:
        return read_roles(values)
    except EntryError as error:
        problems.append(error.at(f"{path}: roles of accounts"))
        return None


def _blocks(accounts: Value) -> Iterator[tuple[str, dict[str, Value]]]:
    if isinstance(accounts, list):
        yield from ((name, {}) for name in accounts if isinstance(name, str))
    elif isinstance(accounts, dict):
        # What is no map defines a variable for the maps after it.
        yield from (
            (name, block) for name, block in accounts.items() if isinstance(block, dict)
        )
    else:
        raise EntryError(expected="a map or a list as accounts", found="a single value")


def _preloads(preload: Value) -> Iterator[tuple[str, str]]:
    if not isinstance(preload, dict):
        raise EntryError(expected="a map as resolver_preload", found="something else")
    yield from ((k, token) for k, token in preload.items() if isinstance(token, str))


def _preloaded(
    key: str, token: str, where: str, problems: list[Problem]
) -> InventoryAccount:
    """Return what the JWT tells, else the id alone, which the key tells."""
    try:
        return decode_jwt_of(key, token.encode())
    except EntryError as error:
        problems.append(error.at(f"{where}: {shorten(one_line(key))}"))
        return InventoryAccount(account=key)


def _configured(
    name: str, block: dict[str, Value], where: str, problems: list[Problem]
) -> InventoryAccount:
    """Return what the block tells; what in it cannot be read is left out."""
    values = lowered(block)
    where = f"{where}: {shorten(one_line(name))}"
    limits = None
    imports: tuple[AccountImport, ...] | None = None
    exports: int | None = None
    try:
        limits = _limits(values.get("limits", {}))
        imports = tuple(map(_import, _items(values, "imports")))
        exports = len(_items(values, "exports"))
    except EntryError as error:
        problems.append(error.at(where))
    return InventoryAccount(
        account=name, name=name, limits=limits, imports=imports, exports=exports
    )


def _limits(limits: Value) -> AccountLimits:
    if not isinstance(limits, dict):
        raise EntryError(expected="a map as limits", found="something else")
    values = lowered(limits)
    return AccountLimits(_count(values, _CONNECTIONS), _count(values, _LEAFNODES))


def _count(limits: Mapping[str, Value], keys: Iterable[str]) -> int:
    for key in keys:
        count = limits.get(key, _UNLIMITED)
        if not isinstance(count, int) or isinstance(count, bool):
            raise EntryError(expected=f"a whole number as {key}", found="another value")
        if count != _UNLIMITED:
            return count
    return _UNLIMITED


def _items(block: Mapping[str, Value], key: str) -> list[Value]:
    items = block.get(key, [])
    if not isinstance(items, list):
        raise EntryError(expected=f"a list as {key}", found="something else")
    return items


def _import(item: Value) -> AccountImport:
    values = lowered(item) if isinstance(item, dict) else {}
    for kind in _KINDS:
        source = values.get(kind)
        if isinstance(source, dict):
            told = lowered(source)
            account, subject = told.get("account"), told.get("subject")
            if isinstance(account, str) and isinstance(subject, str):
                return AccountImport(account, subject, kind)
    raise EntryError(
        expected="imports like {stream: {account: A, subject: b}}",
        found="something else",
    )
