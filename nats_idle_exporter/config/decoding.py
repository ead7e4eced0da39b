"""Plain values -> :class:`Config`, with the decoder's errors in plain words."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from nats_idle_exporter.activity.policy import BriefConnections
from nats_idle_exporter.config.scalars import ScalarError, describe, read_scalar
from nats_idle_exporter.config.schema import (
    AccountRule,
    Config,
    Inactivity,
    Poll,
    State,
    System,
)
from nats_idle_exporter.config.yamltree import join_key
from nats_idle_exporter.errors import ConfigError

_STRUCTS: dict[str, type[msgspec.Struct]] = {
    "$": Config,
    "$.systems": System,
    "$.poll": Poll,
    "$.inactivity": Inactivity,
    "$.accounts": AccountRule,
    "$.state": State,
}
_REQUIRED = {
    "systems": "a list of systems",
    "endpoints": "a list of URLs",
    "match": "a glob on account ids and names",
}
_CHOICES = {"$.inactivity.brief_connections": " or ".join(BriefConnections)}
_KINDS = {"object": "a mapping", "array": "a list", "int": "a whole number"}

# msgspec's messages: the problem, then the path unless it is the root.
_MESSAGE = re.compile(r"(?P<problem>.*?)(?: - at `(?P<path>\$[^`]*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<key>.*)`")
_WRONG = re.compile(
    r"Expected `(?P<kind>\w+)`(?P<length> of length)?(?: >= (?P<least>\d+))?.*"
)
_STEP = re.compile(r"\.(?P<key>\w+)|\[(?P<index>\d+)\]")


def decode_config(tree: Any) -> Config:
    """Return the configuration that the values of one document make.

    Raises:
        ConfigError: a key or a value is wrong; the first one found is told.
    """
    try:
        return msgspec.convert(tree, Config, dec_hook=read_scalar)
    except msgspec.ValidationError as error:
        raise _in_plain_words(error, tree) from error


def keys_of(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    """Return the YAML keys of one mapping of the configuration, in order."""
    return tuple(field.encode_name for field in msgspec.structs.fields(struct))


def _in_plain_words(error: msgspec.ValidationError, tree: Any) -> ConfigError:
    message = _MESSAGE.fullmatch(str(error))
    problem = message["problem"] if message else str(error)
    path = (message["path"] if message else None) or "$"
    cause = error.__cause__
    if isinstance(cause, ScalarError):
        return ConfigError(path, expected=cause.expected, found=cause.found)
    if unknown := _UNKNOWN.fullmatch(problem):
        return _unknown_key(path, unknown["key"])
    if missing := _MISSING.fullmatch(problem):
        return ConfigError(
            join_key(path, missing["key"]),
            expected=_REQUIRED[missing["key"]],
            found="nothing",
        )
    return ConfigError(
        path,
        expected=_CHOICES.get(path) or _expectation(problem),
        found=describe(_value_at(tree, path)),
    )


def _unknown_key(path: str, key: str) -> ConfigError:
    known = keys_of(_STRUCTS[re.sub(r"\[\d+\]", "", path)])
    return ConfigError(
        join_key(path, key),
        expected=f"one of the keys {', '.join(known)}",
        found=describe(key),
    )


def _expectation(problem: str) -> str:
    wrong = _WRONG.fullmatch(problem)
    if wrong is None:
        return problem
    kind = _KINDS.get(wrong["kind"], wrong["kind"])
    if wrong["least"] is None:
        return kind
    if wrong["length"]:
        return f"{kind} with at least {wrong['least']} entry"
    return f"{kind} of at least {wrong['least']}"


def _value_at(tree: Any, path: str) -> Any:
    for step in _STEP.finditer(path):
        tree = tree[int(step["index"])] if step["index"] else tree[step["key"]]
    return tree
