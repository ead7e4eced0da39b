"""Endpoints in files, in the format of Prometheus' ``file_sd``.

A file is a list of groups, each with ``targets`` and maybe ``labels``. Of the labels
only ``__scheme__`` says something here; a target may be a whole URL instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

from nats_idle_exporter.config.scalars import describe
from nats_idle_exporter.config.yamltree import join_key, parse_yaml
from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.monitoring.discovery.found import DiscoveryError, FoundEndpoint
from nats_idle_exporter.monitoring.inventory.accounts import EntryError
from nats_idle_exporter.monitoring.inventory.openfile import read_text
from nats_idle_exporter.monitoring.threads import OneThread
from nats_idle_exporter.text import one_line, os_words
from nats_idle_exporter.urls import UrlError, parse_endpoint

MOST_BYTES: Final = 4_194_304
"""Of one file."""
_SCHEMES: Final = ("http", "https")


class FileTargets:
    """Read the files that a pattern matches, all of them or none.

    Args:
        label: what the source is called.
        pattern: a path that may have a ``*`` in its last part.
    """

    def __init__(self, label: str, pattern: str) -> None:
        self.label = label
        self.server_name = ""
        self._pattern = Path(pattern)
        self._thread = OneThread(self._read)

    async def find(self) -> tuple[FoundEndpoint, ...]:
        """Return the targets of all files, in the order of the files.

        Raises:
            DiscoveryError: no file matches, or one cannot be used.
        """
        return await self._thread.run()

    def _read(self) -> tuple[FoundEndpoint, ...]:
        urls: dict[str, None] = {}
        for path in self._paths():
            urls |= dict.fromkeys(_targets(path))
        return tuple(FoundEndpoint(url) for url in urls)

    def _paths(self) -> list[Path]:
        folder, name = self._pattern.parent, self._pattern.name
        if "*" not in name:
            return [self._pattern]
        try:
            paths = [each for each in folder.iterdir() if fnmatch(each.name, name)]
        except OSError as error:
            raise DiscoveryError(
                one_line(str(folder)), expected="a folder", found=os_words(error)
            ) from error
        if not paths:
            raise DiscoveryError(
                one_line(str(self._pattern)), expected="a file", found="none"
            )
        return sorted(paths)


def _targets(path: Path) -> list[str]:
    where = one_line(str(path))
    try:
        text = read_text(path, MOST_BYTES).text
    except EntryError as error:
        raise DiscoveryError(
            where, expected=error.expected, found=error.found
        ) from error
    try:
        return read_targets(text, is_json=path.suffix.lower() == ".json")
    except ConfigError as error:
        raise DiscoveryError(
            f"{where} {error.path}", expected=error.expected, found=error.found
        ) from error


def read_targets(text: str, *, is_json: bool) -> list[str]:
    """Return the endpoints that a file lists, in its order, the same maybe twice.

    Raises:
        ConfigError: it is not such a file; the path is a place in it.
    """
    parse = _parse_json if is_json else parse_yaml
    return list(_of_groups(parse(text)))


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        found = f"an error in line {error.lineno}, column {error.colno}: {error.msg}"
        raise ConfigError("$", expected="JSON", found=one_line(found)) from error
    except RecursionError as error:
        raise ConfigError(
            "$", expected="a few levels of nesting", found="very many"
        ) from error
    except ValueError as error:
        raise ConfigError(
            "$", expected="JSON", found="a number of thousands of digits"
        ) from error


def _of_groups(tree: Any) -> Iterator[str]:
    for index, group in enumerate(_typed(tree, list, "$", "a list of groups")):
        path = f"$[{index}]"
        _typed(group, dict, path, "a mapping with the key targets")
        for key in group:
            if key not in {"targets", "labels"}:
                raise ConfigError(
                    join_key(path, str(key)),
                    expected="one of the keys targets, labels",
                    found=describe(key),
                )
        scheme = _scheme(group.get("labels"), f"{path}.labels")
        targets = _typed(group.get("targets"), list, f"{path}.targets", "a list")
        for at, target in enumerate(targets):
            yield _url(target, scheme, f"{path}.targets[{at}]")


def _scheme(labels: Any, path: str) -> str:
    if labels is None:
        return "http"
    scheme = _typed(labels, dict, path, "a mapping").get("__scheme__", "http")
    if scheme not in _SCHEMES:
        raise ConfigError(
            f"{path}.__scheme__", expected="http or https", found=describe(scheme)
        )
    return str(scheme)


def _url(target: Any, scheme: str, path: str) -> str:
    text = _typed(target, str, path, "text like host:8222")
    if not re.match(r"https?://", text, re.IGNORECASE):
        if "/" in text:
            raise ConfigError(path, expected="host:port", found=describe(text))
        text = f"{scheme}://{text}"
    try:
        return parse_endpoint(text)
    except UrlError as error:
        raise ConfigError(path, expected=error.expected, found=error.found) from error


def _typed(value: Any, kind: type, path: str, expected: str) -> Any:
    if not isinstance(value, kind):
        raise ConfigError(path, expected=expected, found=describe(value))
    return value
