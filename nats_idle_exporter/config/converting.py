"""Plain values -> typed structs, with the decoder's errors in plain words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec

from nats_idle_exporter.config.scalars import (
    ScalarError,
    describe,
    describe_kind,
    read_scalar,
)
from nats_idle_exporter.config.yamltree import join_key
from nats_idle_exporter.errors import ConfigError

_Root = TypeVar("_Root")
ReadsValue = Callable[[type, Any], Any]


class Shape(NamedTuple):
    """What the words of an error need to know of a document beside its type.

    ``structs`` maps the path of each mapping, without indexes, to its type;
    ``required`` a key to what it holds; ``choices`` a path to what may be there.
    Of a secretive document no value is shown: it may be a secret in a wrong place.
    """

    structs: Mapping[str, type[msgspec.Struct]]
    required: Mapping[str, str]
    choices: Mapping[str, str]
    is_secretive: bool = False


_KINDS = {"object": "a mapping", "array": "a list", "int": "a whole number"}

# msgspec's messages: the problem, then the path unless it is the root.
_MESSAGE = re.compile(r"(?P<problem>.*?)(?: - at `(?P<path>\$[^`]*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<key>.*)`")
_WRONG = re.compile(
    r"Expected `(?P<kind>\w+)(?: \| null)?`"
    r"(?P<length> of length)?(?: >= (?P<least>\d+))?.*"
)
_STEP = re.compile(r"\.(?P<key>\w+)|\[(?P<index>\d+)\]")


def decode(
    tree: Any, root: type[_Root], shape: Shape, read: ReadsValue = read_scalar
) -> _Root:
    """Return what the values of one document make.

    Args:
        tree: the values.
        root: what they make.
        shape: the words for what is wrong with them.
        read: reads what is no plain value.

    Raises:
        ConfigError: a key or a value is wrong; the first one found is told.
    """
    try:
        return msgspec.convert(tree, root, dec_hook=read)
    except msgspec.ValidationError as error:
        raise _in_plain_words(error, tree, shape) from error


def keys_of(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    """Return the YAML keys of one mapping of the configuration, in order."""
    return tuple(field.encode_name for field in msgspec.structs.fields(struct))


def _in_plain_words(
    error: msgspec.ValidationError, tree: Any, shape: Shape
) -> ConfigError:
    message = _MESSAGE.fullmatch(str(error))
    problem = message["problem"] if message else str(error)
    path = (message["path"] if message else None) or "$"
    cause = error.__cause__
    if isinstance(cause, ScalarError):
        found = cause.found
        if shape.is_secretive:
            found = describe_kind(_value_at(tree, path))
        return ConfigError(path + cause.inside, expected=cause.expected, found=found)
    if unknown := _UNKNOWN.fullmatch(problem):
        return _unknown_key(path, unknown["key"], shape)
    if missing := _MISSING.fullmatch(problem):
        return ConfigError(
            join_key(path, missing["key"]),
            expected=shape.required[missing["key"]],
            found="nothing",
        )
    return ConfigError(
        path,
        expected=shape.choices.get(path) or _expectation(problem),
        found=(describe_kind if shape.is_secretive else describe)(
            _value_at(tree, path)
        ),
    )


def _unknown_key(path: str, key: str, shape: Shape) -> ConfigError:
    known = keys_of(shape.structs[re.sub(r"\[\d+\]", "", path)])
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
