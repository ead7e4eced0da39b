"""Flags that outrank the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nats_idle_exporter.errors import ExporterError


class UsageError(ExporterError):
    """Flags and file say two things of which only one may be said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What was given by flags, as text that was checked; durations unparsed."""

    endpoints: tuple[str, ...] = ()
    threshold: str | None = None
    poll_interval: str | None = None


NO_OVERRIDES = Overrides()


def override(tree: dict[str, Any], overrides: Overrides) -> dict[str, Any]:
    """Return the file's values with those of the flags in their places.

    Sections that are no mappings stay as they are: the decoder refuses them.

    Raises:
        UsageError: both name endpoints.
    """
    result = dict(tree)
    if overrides.endpoints:
        if "systems" in tree:
            raise UsageError("--nats.endpoint cannot be given with systems in a file")
        result["systems"] = [{"endpoints": list(overrides.endpoints)}]
    _put(result, "inactivity", "threshold", overrides.threshold)
    _put(result, "poll", "interval", overrides.poll_interval)
    return result


def _put(tree: dict[str, Any], section: str, key: str, value: str | None) -> None:
    inside = tree.get(section, {})
    if value is not None and isinstance(inside, dict):
        tree[section] = {**inside, key: value}
