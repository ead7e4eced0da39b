"""Settings that every test shares."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# A busy machine is no failure: how long one example takes says nothing.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """Undo what a test does to the logging of the whole process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
