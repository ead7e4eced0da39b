"""Find the programs that only some machines have."""

from __future__ import annotations

import os
import shutil

import pytest


def require_program(name: str) -> str:
    """Return the path of a program; skip the test without it, or fail it in CI."""
    path = shutil.which(name)
    if path is not None:
        return path
    reason = f"{name} is not on PATH"
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and CI skips nothing")
    pytest.skip(reason)
