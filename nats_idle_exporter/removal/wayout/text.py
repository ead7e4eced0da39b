"""The way out -> plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from nats_idle_exporter.removal.wayout.steps import Command, Snippet, Step, WayOut

_COMMENT = "     # "
WIDTH = 88
"""Columns of prose; commands and snippets are never broken."""


def render_text(way: WayOut) -> str:
    """Return the way out as plain text of printable lines, ending in a line break."""
    mode = "operator" if way.is_operator_mode else "configuration"
    lines = [
        f"The way out of {way.name} ({way.account}), {mode} mode",
        f"Next: {way.next_phase}",
        *_prose(way.warnings, "! "),
    ]
    for number, step in enumerate(way.steps, 1):
        lines += ["", f"{number}. {step.title} [{step.phase}]", *_step(step)]
    return "\n".join([*lines, ""])


def _step(step: Step) -> Iterator[str]:
    yield from _prose(step.notes, "   ")
    yield from _prose(step.warnings, "   ! ")
    yield from _snippets(step.snippets)
    yield from _commands(step.commands)
    if step.checks:
        yield "   To check:"
        yield from _commands(step.checks)
    if step.undo_snippets or step.undo:
        yield "   To undo:"
        yield from _snippets(step.undo_snippets)
        yield from _commands(step.undo)


def _prose(sentences: Iterable[str], mark: str) -> Iterator[str]:
    for sentence in sentences:
        yield from textwrap.wrap(
            sentence,
            WIDTH,
            initial_indent=mark,
            subsequent_indent=mark if mark == _COMMENT else " " * len(mark),
            break_long_words=False,
            break_on_hyphens=False,
        )


def _snippets(snippets: Iterable[Snippet]) -> Iterator[str]:
    for snippet in snippets:
        yield from _prose([snippet.purpose], _COMMENT)
        yield from (f"     {line}" for line in snippet.text.split("\n"))


def _commands(commands: Iterable[Command]) -> Iterator[str]:
    for command in commands:
        yield from _prose([f"{command.purpose} ({command.source})"], _COMMENT)
        yield f"     {command.text}"
