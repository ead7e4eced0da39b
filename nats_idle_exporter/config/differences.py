"""What differs between two configurations: keys, never values, for the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from nats_idle_exporter.config.endpoints import Endpoint
from nats_idle_exporter.config.schema import Config, System

if TYPE_CHECKING:
    from collections.abc import Iterator


class Differences(NamedTuple):
    """What an operator changed.

    ``keys`` are paths in the later configuration, like ``$.poll.interval``; of lists
    that became longer or shorter, and of endpoints, that of the list. Systems are by
    name; endpoints are pairs of system and URL, also of systems that came or went.
    """

    keys: tuple[str, ...]
    systems_added: tuple[str, ...]
    systems_removed: tuple[str, ...]
    endpoints_added: tuple[tuple[str, str], ...]
    endpoints_removed: tuple[tuple[str, str], ...]


def differences(before: Config, after: Config) -> Differences:
    """Return what differs."""
    old = {system.name: system for system in before.systems}
    new = {system.name: system for system in after.systems}
    return Differences(
        tuple(_keys(before, after)),
        tuple(name for name in new if name not in old),
        tuple(name for name in old if name not in new),
        tuple(_without(new, old)),
        tuple(_without(old, new)),
    )


def _without(
    some: dict[str, System], others: dict[str, System]
) -> Iterator[tuple[str, str]]:
    for name, system in some.items():
        known = frozenset(others[name].endpoints if name in others else ())
        yield from ((name, str(url)) for url in system.endpoints if url not in known)


def _keys(before: Config, after: Config) -> Iterator[str]:
    old = {system.name: system for system in before.systems}
    if old.keys() != {system.name for system in after.systems}:
        yield "$.systems"
    for index, system in enumerate(after.systems):
        if system.name in old:
            yield from _changed(f"$.systems[{index}]", old[system.name], system)
    for field in msgspec.structs.fields(Config):
        if field.name != "systems":
            one, other = getattr(before, field.name), getattr(after, field.name)
            yield from _changed(f"$.{field.encode_name}", one, other)


def _changed(path: str, before: Any, after: Any) -> Iterator[str]:
    match before, after:
        case msgspec.Struct(), msgspec.Struct() if type(before) is type(after):
            for field in msgspec.structs.fields(before):
                one, other = getattr(before, field.name), getattr(after, field.name)
                yield from _changed(f"{path}.{field.encode_name}", one, other)
        case tuple(), tuple() if len(before) == len(after):
            for index, (one, other) in enumerate(zip(before, after, strict=True)):
                yield from _changed(f"{path}[{index}]", one, other)
        case _ if _plain(before) != _plain(after):
            yield path


def _plain(value: Any) -> Any:
    """Return what tells two values apart: as text, endpoints are their URLs only."""
    if isinstance(value, Endpoint):
        return str(value), value.client
    return value
