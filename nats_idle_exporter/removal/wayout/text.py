"""The way out -> plain text."""

from __future__ import annotations

from nats_idle_exporter.removal.wayout.steps import WayOut


def render_text(way: WayOut) -> str:
    """Return the way out as plain text of printable lines, ending in a line break."""
    raise NotImplementedError
