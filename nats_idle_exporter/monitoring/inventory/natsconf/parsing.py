"""Text of a nats-server configuration -> plain values.

The server's own rules: a key may be followed by ``:``, ``=`` or nothing; of equal
keys the last holds; ``$NAME`` is looked for among the keys before it, from the
inner map outwards, then in the environment; an included file has its own scope.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol, TypeAlias

from nats_idle_exporter.monitoring.inventory.natsconf.scanning import (
    ConfError,
    Scanner,
)

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value]"

DEEPEST: Final = 100
"""Maps, lists, includes and variables within each other."""

_INTEGER: Final = re.compile(r"(-?[0-9]{1,19})(?:([kmgtpe])(i?b?))?", re.IGNORECASE)
_FLOAT: Final = re.compile(r"-?[0-9]{1,19}\.[0-9]{1,40}")
_UNITS: Final = "kmgtpe"
_WORDS: Final = {
    "true": True,
    "yes": True,
    "on": True,
    "false": False,
    "no": False,
    "off": False,
}
# The hash of a password, which the server takes for no variable either.
_HASH: Final = "$2a$"
_NEXT: Final = "a new line, a comma or a semicolon after a value"


class Surroundings(Protocol):
    """What a text refers to and does not hold itself."""

    def include(self, path: str, where: str, depth: int) -> dict[str, Value]:
        """Return the values of another file."""

    def variable(self, name: str, where: str, depth: int) -> Value:
        """Return the value of a variable that no key defines."""


class Parser:
    """Read one text.

    Args:
        scanner: its text.
        surroundings: what lies around it.
        depth: how deep it lies itself.

    Every method raises ``ConfError`` for what is no configuration.
    """

    def __init__(
        self, scanner: Scanner, surroundings: Surroundings, depth: int
    ) -> None:
        self._scanner = scanner
        self._surroundings = surroundings
        self._depth = depth
        self._scopes: list[dict[str, Value]] = []

    def document(self) -> dict[str, Value]:
        """Return the values of a whole file; braces around all of it are fine."""
        self._scanner.skip_gap()
        values = self._map("}" if self._scanner.take("{") else "")
        self._scanner.skip_gap()
        if not self._scanner.is_at_end:
            self._scanner.fail("the end of the file")
        return values

    def lone_value(self) -> Value:
        """Return the value that is the whole text."""
        self._scanner.skip_space()
        value = self._value()
        self._scanner.skip_space()
        if not self._scanner.is_at_end:
            self._scanner.fail("a single value")
        return value

    def _map(self, closing: str) -> dict[str, Value]:
        values: dict[str, Value] = {}
        self._scopes.append(values)
        with self._deeper():
            while self._goes_on(closing, is_first=not values):
                key, is_include = self._scanner.key()
                if is_include:
                    values.update(self._include())
                else:
                    values[key] = self._value_of_key()
        self._scopes.pop()
        return values

    def _list(self) -> list[Value]:
        values: list[Value] = []
        with self._deeper():
            while self._goes_on("]", is_first=not values):
                values.append(self._value())
        return values

    def _goes_on(self, closing: str, *, is_first: bool) -> bool:
        """Say whether another entry follows; read what closes the last one."""
        is_apart = self._scanner.skip_gap()
        if closing and self._scanner.take(closing):
            return False
        if self._scanner.is_at_end:
            if closing:
                self._scanner.fail(f"a {closing}")
            return False
        if not (is_apart or is_first):
            self._scanner.fail(_NEXT)
        return True

    def _include(self) -> dict[str, Value]:
        path = self._scanner.path()
        with self._deeper():
            return self._surroundings.include(path, self._scanner.where, self._depth)

    def _value_of_key(self) -> Value:
        scanner = self._scanner
        scanner.skip_space()
        if scanner.take(":") or scanner.take("="):
            scanner.skip_space()
        return self._value()

    def _value(self) -> Value:
        if self._scanner.take("{"):
            return self._map("}")
        if self._scanner.take("["):
            return self._list()
        quoted = self._scanner.quoted()
        if quoted is not None:
            return quoted
        text, is_escaped = self._scanner.bare()
        return text if is_escaped else self._meaning(text)

    def _meaning(self, text: str) -> Value:
        if text.lower() in _WORDS:
            return _WORDS[text.lower()]
        if text.startswith("$") and not text.startswith(_HASH):
            return self._variable(text[1:])
        if size := _INTEGER.fullmatch(text):
            return _size(*size.groups(""))
        return float(text) if _FLOAT.fullmatch(text) else text

    def _variable(self, name: str) -> Value:
        for scope in reversed(self._scopes):
            if name in scope:
                return scope[name]
        with self._deeper():
            return self._surroundings.variable(name, self._scanner.where, self._depth)

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ConfError(
                self._scanner.where,
                expected=f"at most {DEEPEST} levels of nesting",
                found="more",
            )
        yield
        self._depth -= 1


def _size(digits: str, unit: str, tail: str) -> int:
    if not unit:
        return int(digits)
    # 1k is 1000, but 1kb, 1ki and 1kib are 1024.
    base = 1024 if tail else 1000
    return int(digits) * int(base ** (_UNITS.index(unit.lower()) + 1))
