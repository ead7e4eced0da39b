"""The board: what the demonstration reads off the exporter's metrics page."""

from __future__ import annotations

import pytest

from nats_idle_exporter.demo.board import Board, changes, hint, read_board
from tests.demo.builders import READ_AT, a_board, a_page, a_row


class TestReadBoard:
    """A metrics page becomes rows."""

    def test_page(self) -> None:
        """Every number of every account and the servers that answer are read."""
        board = a_board(
            a_row("orders", is_observed=True, connections=2, last_activity_at=9.5),
            a_row("legacy-crm", is_inactive=True, is_observed=True, idle_seconds=16.5),
            servers_up=2,
        )

        assert board == read_board(a_page(board), READ_AT)

    def test_page_before_the_first_cycle(self) -> None:
        """A page without accounts is an empty board."""
        assert a_board()._replace(servers_up=0, servers=0) == read_board("", READ_AT)


class TestState:
    """The verdict in words."""

    @pytest.mark.parametrize(
        ("is_inactive", "is_observed", "state"),
        [
            (False, True, "active"),
            (False, False, "unknown"),
            (True, True, "inactive"),
            (True, False, "inactive (held)"),
        ],
    )
    def test_state(self, *, is_inactive: bool, is_observed: bool, state: str) -> None:
        """The two gauges together name the state."""
        row = a_row(is_inactive=is_inactive, is_observed=is_observed)

        assert state == row.state
        assert state == a_board(row).state("legacy-crm")

    def test_state_of_a_missing_account(self) -> None:
        """An account that is not on the board has no state."""
        assert a_board().state("legacy-crm") == ""


class TestChanges:
    """What a plain output prints."""

    def test_first_board(self) -> None:
        """At first every account is a change."""
        lines = changes(None, a_board(a_row()))

        expected = "legacy-crm: unknown (proven idle 5.0 s of 15 s, observed 0)"
        assert [expected] == lines

    def test_only_changed_accounts(self) -> None:
        """Later an account shows only when its state is another one."""
        before = a_board(a_row(), a_row("reports"))
        after = a_board(
            a_row(is_observed=True, connections=1), a_row("reports", idle_seconds=6.0)
        )

        expected = "legacy-crm: unknown -> active (1 connections now)"
        assert [expected] == changes(before, after)


class TestHint:
    """How far the proof is."""

    def test_proof_under_way(self) -> None:
        """An unknown account's hint says how long it still takes."""
        words = hint(a_board(a_row(idle_seconds=11.0)), "legacy-crm")

        assert "legacy-crm for 11 s" in words
        assert "in 4 s" in words

    @pytest.mark.parametrize(
        "board",
        [
            a_board(),
            a_board(a_row(is_observed=True)),
            a_board(a_row(idle_seconds=15.5)),
        ],
    )
    def test_nothing_to_say(self, board: Board) -> None:
        """Of a missing, an active or a fully proven account there is no hint."""
        assert hint(board, "legacy-crm") == ""
