"""Find the programs that only some machines have."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

DEBIAN = "2.9.10"
"""The nats-server of Debian 12."""


def require_program(name: str) -> str:
    """Return the path of a program; skip the test without it, or fail it in CI."""
    path = shutil.which(name)
    if path is None:
        _missing(f"{name} is not on PATH")
    return path


def require_debian_server() -> Path:
    """Return Debian's nats-server, which is older than any that is pinned.

    Without it, or with another version in its place, the test is skipped, or
    fails in CI.
    """
    path = require_program("nats-server")
    told = subprocess.run([path, "--version"], capture_output=True, check=True)
    if told.stdout.split() != [b"nats-server:", f"v{DEBIAN}".encode()]:
        _missing(f"{path} is not nats-server {DEBIAN}")
    return Path(path)


def _missing(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and CI skips nothing")
    pytest.skip(reason)
