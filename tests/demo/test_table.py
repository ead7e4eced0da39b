"""The table that the terminal shows."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from nats_idle_exporter.demo.board import Board
from nats_idle_exporter.demo.cast import CAST
from nats_idle_exporter.demo.screen import PlainScreen, TerminalScreen, choose_screen
from nats_idle_exporter.demo.table import draw
from tests.demo.builders import READ_AT, a_board, a_row


def drawn(board: Board, width: int = 140) -> str:
    """Return the table as text of a terminal without colours."""
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as capture:
        console.print(draw(board))
    return capture.get()


def line_of(text: str, account: str) -> str:
    """Return the line about an account."""
    (line,) = (line for line in text.splitlines() if f"{account} " in line)
    return line


class TestDraw:
    """One reading, drawn."""

    def test_cells(self) -> None:
        """A row tells verdict, proof, clients and the age of the last activity."""
        row = a_row(
            "orders",
            is_observed=True,
            idle_seconds=1.5,
            connections=3,
            last_activity_at=READ_AT - 2,
        )
        line = line_of(drawn(a_board(row)), "orders")

        assert (
            " ".join(line.split()) == "orders every second active 2 of 15 s 3 2 s ago"
        )

    def test_no_activity(self) -> None:
        """What was never seen has no age."""
        assert "none seen" in drawn(a_board(a_row()))

    def test_narrow_terminal(self) -> None:
        """The widest words fit a terminal of 80 columns in one line each."""
        rows = [a_row(role.account, is_inactive=True) for role in CAST]
        text = drawn(a_board(*rows), width=80)

        assert "…" not in text
        for role in CAST:
            line = line_of(text, role.account)
            assert role.part in line
            assert "inactive (held)" in line
            assert line.rstrip().endswith("none seen")

    def test_activity_in_the_future(self) -> None:
        """A clock that stepped back makes no negative age."""
        text = drawn(a_board(a_row(last_activity_at=READ_AT + 5)))

        assert " 0 s ago" in text

    def test_order_and_strangers(self) -> None:
        """Rows stand in the cast's order; accounts outside the play are not shown."""
        names = [role.account for role in CAST]
        text = drawn(a_board(a_row("$G"), *(a_row(name) for name in reversed(names))))

        shown = sorted(names, key=lambda name: text.index(f"{name} "))
        assert names == shown
        assert "$G" not in text

    def test_servers(self) -> None:
        """The caption says how many servers answer."""
        assert "2 of 3 servers answer" in drawn(a_board(a_row(), servers_up=2))


class TestScreens:
    """Where the play is shown."""

    def test_plain(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A pipe gets lines without control codes, and only changes."""
        screen = PlainScreen()
        with screen.opened():
            screen.say(0, "hello")
            screen.show(1, a_board(a_row()))
            screen.show(2, a_board(a_row()))
            screen.show(3, a_board(a_row(is_observed=True)))
        output = capsys.readouterr().out

        assert "\x1b" not in output
        assert output.splitlines() == [
            "[  0 s] hello",
            "[  1 s]   legacy-crm: unknown (proven idle 5.0 s of 15 s, observed 0)",
            "[  3 s]   legacy-crm: unknown -> active (0 connections now)",
        ]

    def test_terminal(self) -> None:
        """A terminal shows the table, the words and how far the proof is."""
        output = io.StringIO()
        console = Console(file=output, force_terminal=True, width=140, height=40)
        screen = TerminalScreen(console)
        with screen.opened():
            screen.say(0, "hello")
            screen.show(1, a_board(a_row(idle_seconds=11.0)))
        text = output.getvalue()

        assert "hello" in text
        assert "in 4 s that is enough" in text
        assert "none seen" in text

    def test_choice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only a terminal that can redraw gets the table."""
        pipe = Console(file=io.StringIO())
        terminal = Console(file=io.StringIO(), force_terminal=True)
        monkeypatch.setenv("TERM", "xterm")
        good = choose_screen(terminal)
        monkeypatch.setenv("TERM", "dumb")

        assert isinstance(good, TerminalScreen)
        assert isinstance(choose_screen(terminal), PlainScreen)
        assert isinstance(choose_screen(pipe), PlainScreen)
