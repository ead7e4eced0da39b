"""Secrets: text that nothing shows by accident."""

from __future__ import annotations

SHOWN = "<secret>"
"""What stands in the place of a secret, wherever it is shown."""


class Secret:
    """Text that prints as ``<secret>``; equal to a secret of the same text."""

    # No dataclass: the decoder would read one from a mapping, and show it in errors.
    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself, for the one place that needs it."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return SHOWN

    __str__ = __repr__
