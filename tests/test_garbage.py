"""Tests of when garbage is looked for, in a process of their own."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import asyncio, gc
from nats_idle_exporter.garbage import collected_later

async def main():
    async with collected_later() as begin:
        print(gc.isenabled(), gc.get_freeze_count() > 0)
        begin()
        print(gc.isenabled(), gc.get_freeze_count() > 0)
    print(gc.isenabled(), gc.get_freeze_count() > 0)

asyncio.run(main())
"""


def test_it_begins_when_all_is_built() -> None:
    """Nothing before that, then only among what is new, and all as it was after."""
    command = [sys.executable, "-c", SCRIPT]

    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    assert told.split() == ["False", "False", "True", "True", "True", "False"]
