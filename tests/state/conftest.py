"""Fixtures of the tests of the state file."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the state file belongs."""
    return tmp_path / "state.sqlite"
