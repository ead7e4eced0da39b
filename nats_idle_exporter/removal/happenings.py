"""What happens to an account on its way out, and is announced once."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from nats_idle_exporter.removal.sights import SeenAccount, SeenUse


class Happening(StrEnum):
    """What is announced."""

    DISABLED = "disabled"
    """Nobody may connect any more: its time of grace begins."""
    ENABLED = "enabled"
    """Clients may connect again, before anybody did."""
    READY = "ready"
    """Its time of grace is over, and nobody used it."""
    USED_AGAIN = "used_again"
    """It was used although disabled: it is not on its way out any more."""
    REACTIVATED = "reactivated"
    """It was used after it was raised inactive: by whom, and with which credentials?"""
    EXEMPTION_ENDED = "exemption_ended"
    """From now on it is judged as any other."""


class Event(NamedTuple):
    """One thing that happened, at ``at`` in Unix seconds.

    ``evidence`` is the kind of the use, and ``server_id`` who told it; "" where
    nobody used anything.
    """

    happening: Happening
    account: str
    name: str
    at: float
    evidence: str = ""
    server_id: str = ""


def told_by(use: SeenUse) -> str:
    """Return what showed a use, and who told it."""
    return f"{use.kind} on {use.server_id}"


def by_use(happening: Happening, view: SeenAccount, use: SeenUse) -> Event:
    """Return what happened by a use of an account."""
    kind = str(use.kind)
    return Event(happening, view.account, view.name, use.at, kind, use.server_id)
