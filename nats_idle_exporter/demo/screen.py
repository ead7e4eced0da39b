"""Show the play: a live table on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
from collections import deque
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol

from rich.console import Group
from rich.live import Live
from rich.text import Text

from nats_idle_exporter.demo.board import changes, hint
from nats_idle_exporter.demo.cast import FORGOTTEN
from nats_idle_exporter.demo.table import draw

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from nats_idle_exporter.demo.board import Board

_KEPT_LINES = 5


class Screen(Protocol):
    """Where the play is shown; `opened` holds the screen while it runs."""

    def opened(self) -> AbstractContextManager[object]:
        """Return the context in which the screen is used."""

    def say(self, second: float, words: str) -> None:
        """Tell what happens, this many seconds after the start."""

    def show(self, second: float, board: Board) -> None:
        """Show a reading of the exporter."""


class PlainScreen:
    """Lines for a file or a pipe: what is said, and every change of a verdict."""

    def __init__(self) -> None:
        self._shown: Board | None = None

    def opened(self) -> AbstractContextManager[object]:
        """Return a context that does nothing."""
        return nullcontext()

    def say(self, second: float, words: str) -> None:
        """Print one line."""
        sys.stdout.write(f"[{second:3.0f} s] {words}\n")
        sys.stdout.flush()

    def show(self, second: float, board: Board) -> None:
        """Print a line for each account whose verdict changed."""
        for line in changes(self._shown, board):
            self.say(second, f"  {line}")
        self._shown = board


class TerminalScreen:
    """A table that is redrawn in place, and below it the newest words."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False)
        self._said: deque[Text] = deque(maxlen=_KEPT_LINES)
        self._table: list[Table] = []

    def opened(self) -> AbstractContextManager[object]:
        """Return the context in which the terminal is redrawn."""
        return self._live

    def say(self, second: float, words: str) -> None:
        """Add words below the table."""
        self._said.append(_line(second, words))
        self._draw()

    def show(self, second: float, board: Board) -> None:
        """Redraw the table, with a word on how far the proof is."""
        self._table = [draw(board)]
        words = hint(board, FORGOTTEN)
        self._draw(*([_line(second, words, "yellow")] if words else []))

    def _draw(self, *last: Text) -> None:
        self._live.update(Group(*self._table, *self._said, *last), refresh=True)


def _line(second: float, words: str, style: str = "") -> Text:
    return Text.assemble((f"[{second:3.0f} s] ", "dim"), (words, style))


def choose_screen(console: Console) -> Screen:
    """Return the screen that suits a console: only a real terminal gets a table."""
    if console.is_terminal and not console.is_dumb_terminal:
        return TerminalScreen(console)
    return PlainScreen()
