"""Who plays in the demonstration: the accounts and what each one's clients do."""

from __future__ import annotations

from typing import NamedTuple

BUSY = "orders"
FADING = "reports"
FORGOTTEN = "legacy-crm"
BATCH = "BATCH-nightly"
STREAMS = "archive"

FADING_MESSAGES = 5
BATCH_INTERVAL_SECONDS = 20


class Role(NamedTuple):
    """One account and what its clients do."""

    account: str
    part: str


CAST = (
    Role(BUSY, "every second"),
    Role(FADING, f"{FADING_MESSAGES} s, then nothing"),
    Role(FORGOTTEN, "never came"),
    Role(BATCH, f"burst every {BATCH_INTERVAL_SECONDS} s"),
    Role(STREAMS, "left a stream"),
)
