"""Ways out by default; each test spoils one thing."""

from __future__ import annotations

from typing import Any

from nats_idle_exporter.removal.facts import (
    Copy,
    Holdings,
    Import,
    Importer,
    Limits,
    Told,
)
from nats_idle_exporter.removal.wayout import (
    NOWHERE,
    Command,
    Phase,
    Place,
    Step,
    WayOut,
    way_out,
)
from tests.removal.cases import NOW, a_case, a_dossier

KEY = "A" * 56
"""The public key of an account of operator mode."""

HELD = Holdings(
    streams=2,
    consumers=1,
    messages=10,
    bytes=2048,
    reserved_storage_bytes=1000,
    names=("ORDERS", "AUDIT"),
    as_of_at=NOW - 60,
)


OPEN = Limits(-1, -1)
DISABLE = "Let nobody connect any more"
WAIT = "Wait until the grace is over"
BACKUP = "Back up what it holds"
PURGE = "Purge its JetStream, before the account goes"
GIVE_BACK = "Turn its JetStream off"
COPIES = "Stop the streams that copy from it"
IMPORTS = "Remove the imports of other accounts"
DELETE = "Delete the account"
LOOK = "Look once more after the next restart of every server"
ALL = [DISABLE, WAIT, BACKUP, PURGE, GIVE_BACK, COPIES, IMPORTS, DELETE, LOOK]
COPY = Copy("SHOP", "SHOP", "MIRROR", is_mirror=True)


def a_way(place: Place = NOWHERE, **facts: Any) -> WayOut:
    """Return the way out of an account of configuration mode."""
    return way_out(a_dossier(a_case(**facts)), NOW, place)


def an_operator_way(place: Place = NOWHERE, **facts: Any) -> WayOut:
    """Return the way out of an account of operator mode."""
    known = {"account": KEY, "name": "TEAM", "is_operator_mode": True}
    return a_way(place, **(known | facts))


def importing(exporter: str, subject: str = "orders.>", **changes: Any) -> Importer:
    """Return an account ``SHOP`` that imports one subject from an account."""
    imports = (Import(exporter, subject, "stream"),)
    return Importer("SHOP", "SHOP", "inactive", imports, Told.BOTH)._replace(**changes)


def the_step(way: WayOut, title: str) -> Step:
    """Return the only step whose title has some words."""
    (step,) = (each for each in way.steps if title in each.title)
    return step


def titles(way: WayOut, phase: Phase | None = None) -> list[str]:
    """Return the titles of the steps, or of those of one phase."""
    return [each.title for each in way.steps if phase in {None, each.phase}]


def commands(way: WayOut) -> list[Command]:
    """Return all commands, in the order in which they are shown."""
    return [
        command
        for step in way.steps
        for command in (*step.commands, *step.checks, *step.undo)
    ]


def texts(commands: tuple[Command, ...]) -> list[str]:
    """Return the lines of commands."""
    return [each.text for each in commands]
