"""Pages of metrics of a daemon under faults: one account TEAM that nobody uses."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

FLAGS = ("--poll.interval=200ms", "--inactivity.threshold=1s")
RAISED = r'^account_inactive\{.*account="TEAM".*\} 1$'
BACKED = r'^account_observed\{.*account="TEAM".*\} 1$'
HELD = r'^account_observed\{.*account="TEAM".*\} 0$'
ATTEMPTS, STEP_SECONDS = 200, 0.1


async def until(pattern: str, page: Callable[[], str]) -> str:
    """Return the first page of metrics with a line like that."""
    text = ""
    for _ in range(ATTEMPTS):
        text = await asyncio.to_thread(page)
        if re.search(pattern, text, re.MULTILINE):
            return text
        await asyncio.sleep(STEP_SECONDS)
    raise AssertionError(f"no line {pattern} in:\n{text}")
