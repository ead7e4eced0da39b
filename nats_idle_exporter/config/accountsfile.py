"""The file of accounts that an operator keeps by hand: a list, or a mapping."""

from __future__ import annotations

from typing import Any

from nats_idle_exporter.config.scalars import (
    ScalarError,
    Text,
    describe,
    describe_kind,
    read_scalar,
)
from nats_idle_exporter.config.yamltree import join_key, parse_yaml
from nats_idle_exporter.errors import ConfigError


def parse_accounts_file(text: str) -> dict[str, str]:
    """Return the names of accounts by their ids, "" where none is told.

    The text is a YAML list of ids, or a mapping of ids to ``{name: ...}``.

    Raises:
        ConfigError: it is neither, is empty, or names an account twice.
    """
    tree = parse_yaml(text)
    if tree and isinstance(tree, list):
        return _of_list(tree)
    if tree and isinstance(tree, dict):
        return {
            _text(key, "$"): _name(value, join_key("$", key))
            for key, value in tree.items()
        }
    raise ConfigError(
        # Of another file, one with a secret in it, nothing must be shown.
        "$",
        expected="a list or a mapping of accounts",
        found=describe_kind(tree),
    )


def _of_list(tree: list[Any]) -> dict[str, str]:
    names: dict[str, str] = {}
    for index, value in enumerate(tree):
        account = _text(value, f"$[{index}]")
        if account in names:
            raise ConfigError(
                f"$[{index}]",
                expected="each account once",
                found=f"{describe(account)} again",
            )
        names[account] = ""
    return names


def _name(value: Any, path: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, dict):
        raise ConfigError(
            path, expected="a mapping like {name: A}", found=describe_kind(value)
        )
    for key in value.keys() - {"name"}:
        raise ConfigError(
            join_key(path, key), expected="the key name", found=describe(key)
        )
    name = value.get("name")
    return "" if name is None else _text(name, f"{path}.name")


def _text(value: Any, path: str) -> str:
    try:
        return str(read_scalar(Text, value))
    except ScalarError as error:
        raise ConfigError(path, expected=error.expected, found=error.found) from error
